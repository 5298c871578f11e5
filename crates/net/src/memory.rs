//! Connections in memory, for tests and simulations: a pair of transports, and a listener.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::address::Address;
use crate::incoming::Incoming;
use crate::outbox::{Front, Outbox};
use crate::readiness::Readiness;
use crate::task::Notifier;
use crate::transport::{PeerInfo, Registration, Transport};

/// One end of a pair made by [`memory_pair`]. It behaves like a socket: dropping it ends both
/// directions, what was written before is still read by the peer.
///
/// *Blocking*: takes a lock that is held for copying only.
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
    /// The writer was refused and waits for room.
    full: bool,
    /// The writer has ended its side, or is gone.
    ended: bool,
    /// The reader is gone.
    abandoned: bool,
    /// The connection was reset.
    reset: bool,
    reader: Option<Notifier>,
    writer: Option<Notifier>,
}

/// Two ends of a stream in memory.
///
/// *Bounds*: each direction holds at most `capacity` bytes; a capacity of 0 counts as 1.
pub fn memory_pair(capacity: usize) -> (MemoryTransport, MemoryTransport) {
    let capacity = capacity.max(1);
    let pipe = || Arc::new(Mutex::new(Pipe { capacity, ..Pipe::default() }));
    let (there, back) = (pipe(), pipe());
    let info = || PeerInfo::new(Address::Memory, Address::Memory);
    (
        MemoryTransport { incoming: back.clone(), outgoing: there.clone(), info: info() },
        MemoryTransport { incoming: there, outgoing: back, info: info() },
    )
}

impl MemoryTransport {
    fn reset_both(&mut self) {
        for pipe in [&self.incoming, &self.outgoing] {
            let mut pipe = lock(pipe);
            pipe.bytes.clear();
            pipe.reset = true;
            let bits = Readiness::FRESH | Readiness::READ_CLOSED;
            notify(&pipe.reader, bits);
            notify(&pipe.writer, bits);
        }
    }

    /// The bytes that this end could read now.
    pub fn waiting(&self) -> usize {
        lock(&self.incoming).bytes.len()
    }

    /// The bytes that this end has written and the peer has not read.
    pub fn unread(&self) -> usize {
        lock(&self.outgoing).bytes.len()
    }

    /// Whether the peer has ended its side: after what is waiting comes the end, or an error.
    pub fn peer_ended(&self) -> bool {
        let pipe = lock(&self.incoming);
        pipe.ended || pipe.reset
    }

    /// Whether the peer is gone: nothing that this end writes will be read.
    pub fn peer_gone(&self) -> bool {
        let pipe = lock(&self.outgoing);
        pipe.abandoned || pipe.reset
    }
}

impl Transport for MemoryTransport {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut pipe = lock(&self.incoming);
        if pipe.reset {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let count = pipe.bytes.len().min(buf.len());
        if count == 0 {
            return if pipe.ended { Ok(0) } else { Err(io::ErrorKind::WouldBlock.into()) };
        }
        for (to, from) in buf.iter_mut().zip(pipe.bytes.drain(..count)) {
            *to = from;
        }
        if std::mem::take(&mut pipe.full) {
            notify(&pipe.writer, Readiness::WRITABLE);
        }
        Ok(count)
    }

    fn write(&mut self, out: &mut Outbox) -> io::Result<bool> {
        let mut pipe = lock(&self.outgoing);
        let before = pipe.bytes.len();
        let written = pipe.fill(out);
        if pipe.bytes.len() > before {
            notify(&pipe.reader, Readiness::READABLE);
        }
        written
    }

    fn close_write(&mut self) -> io::Result<()> {
        lock(&self.outgoing).end();
        Ok(())
    }

    /// At once and not only on drop: what is under way is lost and both ends fail from now on.
    fn reset(&mut self) -> io::Result<()> {
        self.reset_both();
        Ok(())
    }

    fn info(&self) -> &PeerInfo {
        &self.info
    }

    fn register(&mut self, registration: &Registration<'_>) -> io::Result<()> {
        let notifier = registration.notifier();
        lock(&self.outgoing).writer = Some(notifier.clone());
        let mut pipe = lock(&self.incoming);
        pipe.reader = Some(notifier.clone());
        // As a kernel does, the registration tells of the end too if it has come already: a short
        // read would otherwise look as if more were to come.
        let ended = pipe.ended || pipe.reset;
        let closed = if ended { Readiness::READ_CLOSED } else { Readiness::NONE };
        notifier.ready(Readiness::FRESH | closed);
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
    fn fill(&mut self, out: &mut Outbox) -> io::Result<bool> {
        let mut file = [0; 4096];
        while let Some(front) = out.front() {
            if self.reset {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            if self.abandoned || self.ended {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            let room = self.capacity - self.bytes.len();
            if room == 0 {
                self.full = true;
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
            self.bytes.extend(&bytes[..count]);
            out.consume(count as u64);
        }
        Ok(true)
    }

    fn end(&mut self) {
        if !std::mem::replace(&mut self.ended, true) {
            notify(&self.reader, Readiness::READABLE | Readiness::READ_CLOSED);
        }
    }
}

/// A listener in memory: an [`Acceptor`](crate::Acceptor) takes from it what its connectors make.
pub struct MemoryListener(Arc<Mutex<Queue>>);

/// Connects to a [`MemoryListener`].
#[derive(Clone)]
pub struct MemoryConnector(Arc<Mutex<Queue>>);

struct Queue {
    waiting: VecDeque<MemoryTransport>,
    backlog: usize,
    closed: bool,
    listener: Option<Notifier>,
}

/// A listener in memory, on which at most `backlog` connections wait to be taken.
pub fn memory_listener(backlog: usize) -> (MemoryListener, MemoryConnector) {
    let queue = Queue { waiting: VecDeque::new(), backlog, closed: false, listener: None };
    let queue = Arc::new(Mutex::new(queue));
    (MemoryListener(queue.clone()), MemoryConnector(queue))
}

impl MemoryConnector {
    /// Makes a connection with so much room in each direction.
    ///
    /// *Errors*: `ConnectionRefused` when the listener is gone, `WouldBlock` when its queue is full.
    pub fn connect(&self, capacity: usize) -> io::Result<MemoryTransport> {
        let mut queue = lock(&self.0);
        if queue.closed {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        if queue.waiting.len() >= queue.backlog {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let (ours, theirs) = memory_pair(capacity);
        queue.waiting.push_back(theirs);
        notify(&queue.listener, Readiness::READABLE);
        Ok(ours)
    }

    /// The connections that nobody has taken yet.
    pub fn waiting(&self) -> usize {
        lock(&self.0).waiting.len()
    }
}

impl Incoming for MemoryListener {
    fn accept(&mut self) -> io::Result<Box<dyn Transport>> {
        match lock(&self.0).waiting.pop_front() {
            Some(transport) => Ok(Box::new(transport)),
            None => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn waits(&mut self) -> bool {
        !lock(&self.0).waiting.is_empty()
    }

    fn local(&self) -> &Address {
        &Address::Memory
    }

    fn register(&mut self, registration: &Registration<'_>) -> io::Result<()> {
        lock(&self.0).listener = Some(registration.notifier().clone());
        Ok(())
    }

    fn deregister(&mut self, _: &Registration<'_>) -> io::Result<()> {
        lock(&self.0).listener = None;
        Ok(())
    }
}

impl Drop for MemoryListener {
    fn drop(&mut self) {
        let mut queue = lock(&self.0);
        queue.closed = true;
        // As the kernel does with connections that nobody took.
        for mut transport in queue.waiting.drain(..) {
            transport.reset_both();
        }
    }
}

fn notify(notifier: &Option<Notifier>, bits: Readiness) {
    if let Some(notifier) = notifier {
        notifier.ready(bits);
    }
}

/// What is locked here is plain data that is never left half changed, so a poisoned lock is still
/// good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::{EventLoop, Input, Next, Task, Turn};

    fn write(transport: &mut MemoryTransport, bytes: &[u8]) -> io::Result<usize> {
        let mut out = Outbox::new();
        out.push_slice(bytes);
        transport.write(&mut out)?;
        Ok(bytes.len() - out.len() as usize)
    }

    #[test]
    fn a_pair_holds_its_capacity_and_ends_like_a_socket() {
        for capacity in [0, 1, 5] {
            let (mut here, mut there) = memory_pair(capacity);
            let room = capacity.max(1);
            assert_eq!(write(&mut here, b"0123456789").unwrap(), room);
            assert_eq!(write(&mut here, b"x").unwrap(), 0);
            let mut buf = [0; 10];
            assert_eq!(there.read(&mut buf).unwrap(), room);
            assert_eq!(buf[..room], b"0123456789"[..room]);
            assert_eq!(there.read(&mut buf).unwrap_err().kind(), io::ErrorKind::WouldBlock);
            write(&mut here, b"!").unwrap();
            drop(here);
            assert!(there.peer_ended() && there.peer_gone());
            assert_eq!(there.read(&mut buf).unwrap(), 1);
            assert_eq!(there.read(&mut buf).unwrap(), 0);
            assert_eq!(write(&mut there, b"x").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        }
    }

    #[test]
    fn an_end_that_came_before_the_registration_is_told_of() {
        let now = Instant::now();
        let mut event_loop = EventLoop::simulated(now);
        let (mut here, there) = memory_pair(100);
        write(&mut here, b"all").unwrap();
        drop(here);
        event_loop.spawn(Box::new(ToTheEnd { transport: there, registered: false }));
        while event_loop.turn_at(now).is_some() {}
        assert!(event_loop.scheduler().is_empty());
    }

    /// Reads before it registers, as sessions do.
    struct ToTheEnd {
        transport: MemoryTransport,
        registered: bool,
    }

    impl Task for ToTheEnd {
        fn turn(&mut self, cx: &mut Turn<'_>) -> Next {
            while cx.readable() {
                if cx.read(&mut self.transport, &mut [0; 8]).unwrap() == Input::Closed {
                    return Next::Done;
                }
            }
            if !std::mem::replace(&mut self.registered, true) {
                cx.register(&mut self.transport).unwrap();
            }
            Next::Wait(None)
        }
    }

    #[test]
    fn a_half_close_leaves_the_other_direction_open() {
        let (mut here, mut there) = memory_pair(100);
        here.close_write().unwrap();
        assert!(there.peer_ended() && !there.peer_gone());
        assert_eq!(there.read(&mut [0; 1]).unwrap(), 0);
        assert_eq!(write(&mut there, b"still").unwrap(), 5);
        assert_eq!((here.waiting(), there.unread()), (5, 5));
        assert_eq!(write(&mut here, b"x").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn a_reset_loses_what_is_under_way_on_both_sides() {
        let (mut here, mut there) = memory_pair(100);
        write(&mut here, b"lost").unwrap();
        here.reset().unwrap();
        for end in [&mut here, &mut there] {
            assert_eq!(end.read(&mut [0; 8]).unwrap_err().kind(), io::ErrorKind::ConnectionReset);
            assert_eq!(write(end, b"x").unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        }
    }

    #[test]
    fn a_listener_has_a_backlog_and_resets_what_nobody_took() {
        let (mut listener, connector) = memory_listener(2);
        let mut first = connector.connect(10).unwrap();
        let mut second = connector.connect(10).unwrap();
        assert_eq!(connector.connect(10).err().unwrap().kind(), io::ErrorKind::WouldBlock);
        let mut taken = listener.accept().unwrap();
        assert!(listener.waits());
        write(&mut first, b"hi").unwrap();
        assert_eq!(taken.read(&mut [0; 8]).unwrap(), 2);
        drop(listener);
        assert_eq!(second.read(&mut [0; 1]).unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        let refused = connector.connect(10).err().unwrap();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    }
}
