//! Input: read into the caller's own buffer, decrypted, and handed out from there.

use std::io::{self, Read};

use avocet_net::Transport;

use super::{End, TlsTransport, live};
use crate::describe::Role;
use crate::error::{ErrorKind, TlsError};

impl<T: Transport> TlsTransport<T> {
    /// Fills `buf` with plaintext as far as there is any, so that a short read means that nothing is
    /// left or that [`Transport::holds_input`] says otherwise.
    pub(super) fn take(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.unread = false;
        let mut filled = 0;
        loop {
            filled += self.drain(&mut buf[filled..])?;
            if filled == buf.len() {
                return Ok(filled);
            }
            if !matches!(self.end, End::Not) {
                return if filled > 0 { Ok(filled) } else { self.ended() };
            }
            match self.fetch(&mut buf[filled..]) {
                // What was left below is told of by an event.
                Ok(Fetched { plain, last }) if last && filled + plain > 0 => {
                    return Ok(filled + plain);
                }
                Ok(Fetched { plain, .. }) => filled += plain,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && filled > 0 => {
                    return Ok(filled);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(error),
                // What came before is given out first.
                Err(error) => self.end = End::Failed(Some(error)),
            }
        }
    }

    /// What a read says after the last byte.
    fn ended(&mut self) -> io::Result<usize> {
        match &mut self.end {
            End::Closed => Ok(0),
            End::Failed(error) => {
                let again = || io::Error::from(io::ErrorKind::NotConnected);
                Err(error.take().unwrap_or_else(again))
            }
            End::Not | End::Cut => {
                let who = match self.role() {
                    Role::Client { name } => name,
                    Role::Server => "the client",
                };
                let message = format!(
                    "{who} ended the connection without a close_notify: what came may have been cut"
                );
                Err(TlsError::new(ErrorKind::Truncated, message).into())
            }
        }
    }

    /// Moves plaintext that rustls holds.
    fn drain(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.readable == 0 || buf.is_empty() {
            return Ok(0);
        }
        let count = live(&mut self.conn)?.reader().read(buf)?;
        self.readable = self.readable.saturating_sub(count);
        Ok(count)
    }

    /// Reads once from below and decrypts.
    fn fetch(&mut self, room: &mut [u8]) -> io::Result<Fetched> {
        if room.len() >= WIDE {
            return self.fetch_wide(room);
        }
        let (count, _) = self.pull()?;
        if count == 0 {
            self.end = End::Cut;
        } else {
            self.process()?;
        }
        let plain = self.drain(room)?;
        Ok(Fetched { plain, last: false })
    }

    /// Reads into the caller's buffer, behind room for one record; plaintext then goes to its front.
    /// It never runs into what is still encrypted: decryption makes less of everything, and beside
    /// what was just read rustls holds at most the part of one record, for which the room is.
    fn fetch_wide(&mut self, room: &mut [u8]) -> io::Result<Fetched> {
        let count = retried(|| self.inner.read(&mut room[RECORD..]))?;
        let last = count < room.len() - RECORD && !self.inner.holds_input();
        if count == 0 {
            self.end = End::Cut;
            return Ok(Fetched { plain: 0, last: false });
        }
        let (mut at, end, mut plain) = (RECORD, RECORD + count, 0);
        while at < end && matches!(self.end, End::Not) {
            let Ok(taken) = live(&mut self.conn)?.read_tls(&mut &room[at..end]) else {
                self.end = End::Failed(Some(self.overfull().into()));
                break;
            };
            if taken == 0 {
                break;
            }
            at += taken;
            if let Err(error) = self.process() {
                self.end = End::Failed(Some(error));
            }
            plain += self.drain(&mut room[plain..at])?;
        }
        // A record that is not whole yet is no reason to believe that nothing else comes: only with
        // something to give may a short read be the last word.
        Ok(Fetched { plain, last })
    }

    /// Lets rustls read from below; how much, and the first byte of it.
    pub(super) fn pull(&mut self) -> io::Result<(usize, u8)> {
        let conn = live(&mut self.conn)?;
        let mut below = Below { inner: &mut self.inner, first: 0, failed: false };
        match retried(|| conn.read_tls(&mut below)) {
            Ok(count) => Ok((count, below.first)),
            Err(error) if below.failed => Err(error),
            Err(_) => Err(self.overfull().into()),
        }
    }

    /// rustls takes no more, which it does only while it waits for the rest of a message: plaintext is
    /// taken out before it is given more.
    fn overfull(&self) -> TlsError {
        let who = match self.role() {
            Role::Client { name } => name,
            Role::Server => "the client",
        };
        let message = format!("{who} sends a message of the handshake in more than 64 KiB");
        TlsError::new(ErrorKind::Protocol, message)
    }
}

struct Fetched {
    /// Bytes of plaintext at the front of the buffer.
    plain: usize,
    /// The transport below had no more.
    last: bool,
}

/// The transport below, as rustls reads from it.
struct Below<'a, T> {
    inner: &'a mut T,
    first: u8,
    /// It was the transport that failed last.
    failed: bool,
}

impl<T: Transport> Read for Below<'_, T> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.failed = true;
        let count = self.inner.read(buf)?;
        self.failed = false;
        if count > 0 {
            self.first = buf[0];
        }
        Ok(count)
    }
}

fn retried<R>(mut call: impl FnMut() -> io::Result<R>) -> io::Result<R> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// More than a record on the wire (RFC 8446 §5.2, RFC 5246 §6.2.3): 16 KiB, 2 KiB more, and a header.
const RECORD: usize = 20 * 1024;
/// From this on there is room to read into the caller's buffer.
const WIDE: usize = 2 * RECORD;
