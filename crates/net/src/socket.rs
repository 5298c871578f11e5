//! TCP and unix streams of the kernel.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use mio::event::Source;
use rustix::io::Errno;
use rustix::net::Shutdown;

use crate::outbox::Outbox;
use crate::stream;
use crate::transport::{PeerInfo, Registration, Transport};

/// A socket of the kernel as a transport. Files leave by sendfile.
///
/// *Bounds*: one write takes about 1 MiB; what is left of the outbox waits for the task's next turn.
pub struct SocketTransport<S> {
    socket: S,
    info: PeerInfo,
    registered: bool,
}

impl<S: Source + AsFd + Send> SocketTransport<S> {
    /// Wraps a connected, non-blocking socket.
    pub fn new(socket: S, info: PeerInfo) -> Self {
        Self { socket, info, registered: false }
    }
}

impl<S: Source + AsFd + Send> Transport for SocketTransport<S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        // Before the registration nothing can be missed: it begins with the state of that moment.
        stream::read(&self.socket, buf, self.registered)
    }

    fn write(&mut self, out: &mut Outbox) -> io::Result<bool> {
        stream::write(&self.socket, out)
    }

    fn close_write(&mut self) -> io::Result<()> {
        match rustix::net::shutdown(&self.socket, Shutdown::Write) {
            // The peer has gone already, which is what was wanted.
            Err(Errno::NOTCONN) => Ok(()),
            result => Ok(result?),
        }
    }

    /// By a linger time of zero (socket(7)); a unix stream knows no reset.
    fn reset(&mut self) -> io::Result<()> {
        Ok(rustix::net::sockopt::set_socket_linger(&self.socket, Some(Duration::ZERO))?)
    }

    fn info(&self) -> &PeerInfo {
        &self.info
    }

    fn register(&mut self, registration: &Registration<'_>) -> io::Result<()> {
        registration.source(&mut self.socket)?;
        self.registered = true;
        Ok(())
    }
}
