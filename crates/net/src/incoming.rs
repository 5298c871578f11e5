//! Where connections come from.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::address::{Address, Listener, SocketFile};
use crate::socket::SocketTransport;
use crate::transport::{PeerInfo, Registration, Transport};

/// A source of connections for an [`Acceptor`](crate::Acceptor): a listening socket, or one in
/// memory.
pub trait Incoming: Send {
    /// Takes one connection. `WouldBlock` promises an event.
    fn accept(&mut self) -> io::Result<Box<dyn Transport>>;

    /// Whether another one waits. False promises an event when one comes.
    fn waits(&mut self) -> bool;

    /// Where it listens.
    fn local(&self) -> &Address;

    /// Connects its events with a task.
    fn register(&mut self, registration: &Registration<'_>) -> io::Result<()>;

    /// Undoes [`Incoming::register`], before the end.
    fn deregister(&mut self, registration: &Registration<'_>) -> io::Result<()>;
}

/// A listening socket of the kernel.
pub(crate) struct SocketIncoming {
    socket: Socket,
    local: Address,
}

enum Socket {
    Tcp(mio::net::TcpListener),
    Unix(mio::net::UnixListener, #[expect(dead_code, reason = "removes the file")] Arc<SocketFile>),
}

impl SocketIncoming {
    pub(crate) fn new(listener: Listener) -> io::Result<Self> {
        let local = listener.address()?;
        let socket = match listener {
            Listener::Tcp(listener) => Socket::Tcp(mio::net::TcpListener::from_std(listener)),
            Listener::Unix(listener, file) => {
                Socket::Unix(mio::net::UnixListener::from_std(listener), file)
            }
        };
        Ok(Self { socket, local })
    }

    fn source(&mut self) -> &mut dyn mio::event::Source {
        match &mut self.socket {
            Socket::Tcp(listener) => listener,
            Socket::Unix(listener, _) => listener,
        }
    }
}

impl Incoming for SocketIncoming {
    fn accept(&mut self) -> io::Result<Box<dyn Transport>> {
        let local = self.local.clone();
        Ok(match &self.socket {
            Socket::Tcp(listener) => {
                let (stream, remote) = listener.accept()?;
                let info = PeerInfo::new(Address::Ip(remote), local);
                Box::new(SocketTransport::new(stream, info))
            }
            Socket::Unix(listener, _) => {
                let (stream, _) = listener.accept()?;
                let info = PeerInfo::new(Address::Unix(None), local);
                Box::new(SocketTransport::new(stream, info))
            }
        })
    }

    /// Asking costs a tenth of an accept that finds nobody. The socket is edge-triggered: once
    /// nobody waits, the next who comes is an event.
    fn waits(&mut self) -> bool {
        let socket = match &self.socket {
            Socket::Tcp(listener) => listener.as_fd(),
            Socket::Unix(listener, _) => listener.as_fd(),
        };
        is_ready(socket, PollFlags::IN)
    }

    fn local(&self) -> &Address {
        &self.local
    }

    fn register(&mut self, registration: &Registration<'_>) -> io::Result<()> {
        registration.source(self.source())
    }

    fn deregister(&mut self, registration: &Registration<'_>) -> io::Result<()> {
        registration.remove(self.source())
    }
}

/// Asks the kernel without waiting. An error counts as ready: the operation itself will name it.
pub(crate) fn is_ready(socket: impl AsFd, events: PollFlags) -> bool {
    let mut sockets = [PollFd::new(&socket, events)];
    let ready = poll(&mut sockets, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    ready.is_err() || !sockets[0].revents().is_empty()
}
