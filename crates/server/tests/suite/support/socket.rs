//! A server on a loopback port and a raw client.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use avocet_net::Address;
use avocet_server::{Grace, Handle, Handler, Server};

use super::{Asked, Received};

/// A server on a thread of its own, stopped when it is dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) handle: Handle,
    thread: Option<JoinHandle<io::Result<()>>>,
}

/// Serves with one loop and the defaults.
pub(crate) fn serve(handler: impl Handler + 'static) -> Running {
    serve_with(Server::new(handler))
}

/// Serves with one loop on any free port.
pub(crate) fn serve_with(server: Server) -> Running {
    let bound = server.workers(1).bind().unwrap();
    let Address::Ip(address) = bound.addresses()[0] else { panic!("not an internet address") };
    let handle = bound.handle();
    let thread = thread::spawn(move || bound.run());
    Running { address, handle, thread: Some(thread) }
}

impl Running {
    pub(crate) fn connect(&self) -> Client {
        Client::new(TcpStream::connect(self.address).unwrap())
    }

    /// One request on a connection of its own.
    pub(crate) fn ask(&self, request: &str) -> Received {
        let mut client = self.connect();
        client.send(request);
        client.receive()
    }

    /// Orders the end and waits for it.
    pub(crate) fn stop(mut self, grace: Grace) {
        self.end(grace);
    }

    /// Waits for an end that was ordered otherwise.
    pub(crate) fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the loop does not panic").unwrap();
        }
    }

    fn end(&mut self, grace: Grace) {
        self.handle.stop(grace);
        self.join();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.end(Grace::NONE);
        }
    }
}

/// The client's end of a connection, with what was received and not yet looked at.
pub(crate) struct Client {
    stream: TcpStream,
    received: Vec<u8>,
}

/// How the server ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Closed,
    Reset,
}

impl Client {
    fn new(stream: TcpStream) -> Self {
        // Only a server that hangs makes a test wait for this.
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, received: Vec::new() }
    }

    /// The same connection for another thread, so that one sends while the other receives.
    pub(crate) fn second_half(&self) -> Self {
        Self { stream: self.stream.try_clone().unwrap(), received: Vec::new() }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// Sends as long as the server takes it; false when the server has ended the connection.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).is_ok()
    }

    /// Ends the sending side.
    pub(crate) fn finish(&mut self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// The next response, interim ones too.
    pub(crate) fn receive(&mut self) -> Received {
        self.receive_for(Asked::Other)
    }

    /// The next response, to what was asked.
    pub(crate) fn receive_for(&mut self, asked: Asked) -> Received {
        let mut ended = false;
        loop {
            if let Some((received, used)) = Received::parse(&self.received, asked, ended) {
                self.received.drain(..used);
                return received;
            }
            let so_far = String::from_utf8_lossy(&self.received).into_owned();
            assert!(!ended, "the connection ended within a response: {so_far:?}");
            ended = match self.read_more() {
                Ok(count) => count == 0,
                Err(error) => panic!("{error} after {so_far:?}"),
            };
        }
    }

    /// So many bytes, whatever they are.
    pub(crate) fn receive_bytes(&mut self, count: usize) -> Vec<u8> {
        while self.received.len() < count {
            assert_ne!(self.read_more().unwrap(), 0, "the connection ended early");
        }
        self.received.drain(..count).collect()
    }

    /// Everything up to the end of the connection, and how it ended.
    pub(crate) fn receive_all(&mut self) -> (Vec<u8>, End) {
        let end = loop {
            match self.read_more() {
                Ok(0) => break End::Closed,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => break End::Reset,
                Err(error) => panic!("{error} while waiting for the end of the connection"),
            }
        };
        (std::mem::take(&mut self.received), end)
    }

    /// Waits for the end of the connection; panics when anything comes before it.
    pub(crate) fn expect_end(&mut self) {
        let (bytes, end) = self.receive_all();
        assert_eq!((String::from_utf8_lossy(&bytes).as_ref(), end), ("", End::Closed));
    }

    /// Whether the end comes next, in whatever way.
    pub(crate) fn ended_by_now(&mut self) -> bool {
        match self.read_more() {
            Ok(count) => count == 0,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }

    /// Whether nothing has come within a while. For what must not happen: a test that relies on it
    /// can miss a fault, and never fails without one.
    pub(crate) fn hears_nothing_for(&mut self, span: Duration) -> bool {
        self.stream.set_read_timeout(Some(span)).unwrap();
        let heard = self.read_more();
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        heard.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    fn read_more(&mut self) -> io::Result<usize> {
        let mut buf = [0; 64 * 1024];
        let count = self.stream.read(&mut buf)?;
        self.received.extend_from_slice(&buf[..count]);
        Ok(count)
    }
}

const PATIENCE: Duration = Duration::from_secs(30);
