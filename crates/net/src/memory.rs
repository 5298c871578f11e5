//! Two transports joined in memory, for tests and simulations.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::address::Address;
use crate::outbox::{Front, Outbox};
use crate::readiness::Readiness;
use crate::task::Notifier;
use crate::transport::{PeerInfo, Registration, Transport};

/// One end of a pair made by [`memory_pair`].
pub struct MemoryTransport {
    /// What this end reads.
    incoming: Arc<Mutex<Pipe>>,
    /// What this end writes.
    outgoing: Arc<Mutex<Pipe>>,
    info: PeerInfo,
}

#[derive(Default)]
struct Pipe {
    bytes: VecDeque<u8>,
    capacity: usize,
    /// The writer has ended its side, or is gone.
    ended: bool,
    /// The reader is gone.
    abandoned: bool,
    reader: Option<Notifier>,
    writer: Option<Notifier>,
}

/// Two ends of a stream in memory; each direction holds at most `capacity` bytes.
pub fn memory_pair(capacity: usize) -> (MemoryTransport, MemoryTransport) {
    let pipe = || Arc::new(Mutex::new(Pipe { capacity, ..Pipe::default() }));
    let (there, back) = (pipe(), pipe());
    let info = || PeerInfo { remote: Address::Memory, local: Address::Memory };
    (
        MemoryTransport { incoming: back.clone(), outgoing: there.clone(), info: info() },
        MemoryTransport { incoming: there, outgoing: back, info: info() },
    )
}

impl Transport for MemoryTransport {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut pipe = lock(&self.incoming);
        let count = pipe.bytes.len().min(buf.len());
        if count == 0 {
            return if pipe.ended { Ok(0) } else { Err(io::ErrorKind::WouldBlock.into()) };
        }
        for (to, from) in buf.iter_mut().zip(pipe.bytes.drain(..count)) {
            *to = from;
        }
        notify(&pipe.writer, Readiness::WRITABLE);
        Ok(count)
    }

    fn write(&mut self, out: &mut Outbox) -> io::Result<bool> {
        let mut file = [0; 4096];
        let mut pipe = lock(&self.outgoing);
        while let Some(front) = out.front() {
            if pipe.abandoned || pipe.ended {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            let room = pipe.capacity - pipe.bytes.len();
            if room == 0 {
                return Ok(false);
            }
            let bytes = match front {
                Front::Bytes(bytes) => bytes,
                Front::File(range) => {
                    let count = Outbox::read_file(range, &mut file)?;
                    &file[..count]
                }
            };
            let count = bytes.len().min(room);
            pipe.bytes.extend(&bytes[..count]);
            out.consume(count as u64);
            notify(&pipe.reader, Readiness::READABLE);
        }
        Ok(true)
    }

    fn close_write(&mut self) -> io::Result<()> {
        lock(&self.outgoing).end();
        Ok(())
    }

    fn info(&self) -> &PeerInfo {
        &self.info
    }

    fn register(&mut self, registration: &Registration<'_>) -> io::Result<()> {
        let notifier = registration.notifier();
        lock(&self.incoming).reader = Some(notifier.clone());
        lock(&self.outgoing).writer = Some(notifier.clone());
        notifier.ready(Readiness::FRESH);
        Ok(())
    }
}

impl Drop for MemoryTransport {
    fn drop(&mut self) {
        lock(&self.outgoing).end();
        let mut pipe = lock(&self.incoming);
        pipe.abandoned = true;
        notify(&pipe.writer, Readiness::WRITABLE | Readiness::READ_CLOSED);
    }
}

impl Pipe {
    fn end(&mut self) {
        self.ended = true;
        notify(&self.reader, Readiness::READABLE | Readiness::READ_CLOSED);
    }
}

fn notify(notifier: &Option<Notifier>, bits: Readiness) {
    if let Some(notifier) = notifier {
        notifier.ready(bits);
    }
}

/// A pipe is plain data that is never left half changed, so a poisoned lock is still good.
fn lock(pipe: &Mutex<Pipe>) -> MutexGuard<'_, Pipe> {
    pipe.lock().unwrap_or_else(PoisonError::into_inner)
}
