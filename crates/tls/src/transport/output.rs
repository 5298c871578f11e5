//! Output: encrypted in batches, kept in the outbox's books until it has left.

use std::cell::RefCell;
use std::io::{self, IoSlice, Write};

use avocet_net::{Front, Outbox, Pause, Transport};

use super::{Stage, TlsTransport, live};

/// How a write of all that is encrypted ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flushed {
    All,
    /// An event will come.
    Blocked,
    /// None need come; see [`Pause::Doubt`].
    Doubt,
}

impl<T: Transport> TlsTransport<T> {
    /// Writes what rustls holds.
    pub(super) fn flush(&mut self) -> io::Result<Flushed> {
        self.flush_with(|_| {})
    }

    fn flush_with(&mut self, mut left: impl FnMut(u64)) -> io::Result<Flushed> {
        let conn = live(&mut self.conn)?;
        while conn.wants_write() {
            match conn.write_tls(&mut Below(&mut self.inner)) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => left(count as u64),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Flushed::Blocked);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    return Ok(Flushed::Doubt);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Flushed::All)
    }

    /// Writes from the outbox until it is empty, or the transport below is full, or the share of one
    /// turn is written.
    pub(super) fn send(&mut self, out: &mut Outbox) -> io::Result<bool> {
        let mut share = SHARE;
        loop {
            match self.push(out)? {
                Flushed::All => {}
                Flushed::Blocked => return Ok(false),
                Flushed::Doubt => {
                    out.pause(Pause::Doubt);
                    return Ok(false);
                }
            }
            if out.is_empty() {
                return Ok(true);
            }
            if share == 0 {
                out.pause(Pause::Share);
                return Ok(false);
            }
            share = share.saturating_sub(self.seal(out)?);
        }
    }

    /// Writes what is encrypted, and takes it out of the outbox as it leaves; at least one byte stays
    /// until all of it has left, so that the outbox is not empty while something waits.
    fn push(&mut self, out: &mut Outbox) -> io::Result<Flushed> {
        let mut sealed = self.sealed.min(out.len());
        let not_here = self.sealed - sealed;
        let flushed = self.flush_with(|count| {
            // Encryption makes more of it and never less.
            let most = count.min(sealed.saturating_sub(1));
            out.consume(most);
            sealed -= most;
        })?;
        if flushed == Flushed::All {
            out.consume(sealed);
            sealed = 0;
        }
        self.sealed = sealed + not_here;
        Ok(flushed)
    }

    /// Encrypts a batch from the front of the outbox, a head and the file behind it together; how
    /// much of it.
    fn seal(&mut self, out: &mut Outbox) -> io::Result<usize> {
        debug_assert!(self.sealed == 0, "the last batch has left");
        debug_assert!(matches!(self.stage, Stage::Open), "nothing is sent before or after");
        let mut batch = 0;
        loop {
            let count = self.seal_front(out, BATCH - batch)?;
            batch += count;
            // With more behind them these bytes can leave the books: the outbox is not empty yet.
            if count == 0 || batch >= BATCH || out.len() <= count as u64 {
                self.sealed = count as u64;
                return Ok(batch);
            }
            out.consume(count as u64);
        }
    }

    fn seal_front(&mut self, out: &Outbox, most: usize) -> io::Result<usize> {
        let conn = live(&mut self.conn)?;
        if let Some(Front::File(range)) = out.front() {
            return FILE.with_borrow_mut(|buf| {
                buf.resize(BATCH, 0);
                let count = Outbox::read_file(range, &mut buf[..most])?;
                conn.writer().write(&buf[..count])
            });
        }
        let mut slices = [IoSlice::new(&[]); PARTS];
        let (count, _) = out.gather(&mut slices, most);
        conn.writer().write_vectored(&slices[..count])
    }
}

/// The transport below, as rustls writes to it.
struct Below<'a, T>(&'a mut T);

impl<T: Transport> Write for Below<'_, T> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.write_slices(&[IoSlice::new(buf)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.write_slices(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

thread_local! {
    /// Where bytes of files pass through on their way to be encrypted: one for all connections of a
    /// loop's thread, since nothing stays in it.
    static FILE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Plaintext encrypted ahead: eight records of the largest size, which leave in one call. Half of it, which
/// is what rustls takes by default, costs 6 % more CPU time on large content, and twice of it nothing less.
const BATCH: usize = 128 * 1024;
/// What rustls may hold of it: each record has some bytes of its own, and small pieces make many.
pub(super) const HELD: usize = BATCH + 8 * 1024;
/// Plaintext written in one turn before the other tasks have theirs.
const SHARE: usize = 1024 * 1024;
/// Parts of an outbox that are encrypted together.
const PARTS: usize = 16;
