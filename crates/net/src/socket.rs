//! TCP and unix streams of the kernel.

use std::io::{self, IoSlice};
use std::os::fd::AsFd;

use mio::event::Source;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, Shutdown};

use crate::outbox::{FileRange, Outbox, shrunk};
use crate::transport::{PeerInfo, Registration, Transport};

/// A socket of the kernel as a transport. Files leave by sendfile.
pub struct SocketTransport<S> {
    socket: S,
    info: PeerInfo,
}

impl<S: Source + AsFd + Send> SocketTransport<S> {
    /// Wraps a connected, non-blocking socket.
    pub fn new(socket: S, info: PeerInfo) -> Self {
        Self { socket, info }
    }

    fn send_bytes(&self, out: &mut Outbox) -> Result<bool, Errno> {
        let mut slices = [IoSlice::new(&[]); PARTS];
        let (count, file_follows) = out.gather(&mut slices);
        if count == 0 {
            return Ok(false);
        }
        // With a file behind them the bytes wait for its first packet instead of leaving alone.
        let more = if file_follows { SendFlags::MORE } else { SendFlags::empty() };
        let flags = SendFlags::NOSIGNAL | more;
        let sent = if count == 1 {
            rustix::net::send(&self.socket, &slices[0], flags)?
        } else {
            let mut control = SendAncillaryBuffer::default();
            rustix::net::sendmsg(&self.socket, &slices[..count], &mut control, flags)?
        };
        out.consume(sent as u64);
        Ok(true)
    }

    fn send_file(&self, range: &FileRange) -> Result<u64, Errno> {
        let mut offset = range.offset;
        let want = usize::try_from(range.len).unwrap_or(usize::MAX).min(SENDFILE_MOST);
        Ok(rustix::fs::sendfile(&self.socket, &range.file, Some(&mut offset), want)? as u64)
    }

    fn write_some(&self, out: &mut Outbox) -> io::Result<()> {
        if self.send_bytes(out)? {
            return Ok(());
        }
        let Some(crate::outbox::Front::File(range)) = out.front() else { return Ok(()) };
        let sent = self.send_file(range)?;
        if sent == 0 {
            return Err(shrunk());
        }
        out.consume(sent);
        Ok(())
    }
}

impl<S: Source + AsFd + Send> Transport for SocketTransport<S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let (count, _) = rustix::net::recv(&self.socket, buf, RecvFlags::empty())?;
        Ok(count)
    }

    fn write(&mut self, out: &mut Outbox) -> io::Result<bool> {
        while !out.is_empty() {
            match self.write_some(out) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    fn close_write(&mut self) -> io::Result<()> {
        match rustix::net::shutdown(&self.socket, Shutdown::Write) {
            // The peer has gone already, which is what was wanted.
            Err(Errno::NOTCONN) => Ok(()),
            result => Ok(result?),
        }
    }

    fn info(&self) -> &PeerInfo {
        &self.info
    }

    fn register(&mut self, registration: &Registration<'_>) -> io::Result<()> {
        registration.source(&mut self.socket)
    }
}

/// Parts of one vectored write: more cost more than they save.
const PARTS: usize = 16;

/// Bytes per sendfile call. The socket's buffer takes less at a time; the bound keeps one task from
/// holding the loop for long when the peer reads as fast as we write.
const SENDFILE_MOST: usize = 4 * 1024 * 1024;
