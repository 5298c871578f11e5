//! TCP and unix streams of the kernel.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::time::Duration;

use mio::event::Source;
use rustix::io::Errno;
use rustix::net::{Shutdown, getpeername, getsockname, sockopt};

use crate::address::Address;
use crate::outbox::Outbox;
use crate::stream;
use crate::transport::{Established, PeerInfo, Registration, Transport};

/// A socket of the kernel as a transport. Files leave by sendfile.
///
/// *Bounds*: one write takes about 1 MiB; what is left of the outbox waits for the task's next turn.
pub struct SocketTransport<S> {
    socket: S,
    info: PeerInfo,
    connecting: bool,
    registered: bool,
}

impl<S: Source + AsFd + Send> SocketTransport<S> {
    /// Wraps a connected, non-blocking socket.
    pub fn new(socket: S, info: PeerInfo) -> Self {
        Self { socket, info, connecting: false, registered: false }
    }

    /// Wraps a non-blocking socket whose connection is under way: `establish` completes it and fills
    /// in our own end.
    pub fn connecting(socket: S, info: PeerInfo) -> Self {
        Self { socket, info, connecting: true, registered: false }
    }

    /// Makes the kernel tell the present readiness as a new event.
    pub(crate) fn register_again(&mut self, registration: &Registration<'_>) -> io::Result<()> {
        registration.again(&mut self.socket)
    }

    fn complete(&mut self) -> io::Result<Established> {
        sockopt::socket_error(&self.socket)??;
        match getpeername(&self.socket) {
            Err(Errno::NOTCONN) => return Ok(Established::Pending),
            result => result?,
        };
        let local = SocketAddr::try_from(getsockname(&self.socket)?);
        if let Ok(local) = local {
            self.info.local = Address::Ip(local);
        }
        // With nobody listening on a port from which connections are made, TCP can connect a socket
        // to itself.
        if local.is_ok() && self.info.local == self.info.remote {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        self.connecting = false;
        Ok(Established::Done)
    }
}

impl<S: Source + AsFd + Send> Transport for SocketTransport<S> {
    fn establish(&mut self) -> io::Result<Established> {
        if self.connecting { self.complete() } else { Ok(Established::Done) }
    }

    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        // Before the registration nothing can be missed: it begins with the state of that moment.
        stream::read(&self.socket, buf, self.registered)
    }

    fn write(&mut self, out: &mut Outbox) -> io::Result<bool> {
        stream::write(&self.socket, out)
    }

    fn write_slices(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        stream::write_slices(&self.socket, slices)
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
        Ok(sockopt::set_socket_linger(&self.socket, Some(Duration::ZERO))?)
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
