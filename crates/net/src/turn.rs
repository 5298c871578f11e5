//! What a task sees of its loop.

use std::io;
use std::time::Instant;

use mio::event::Source;
use mio::{Interest, Registry};

use crate::outbox::{Outbox, Pause};
use crate::readiness::Readiness;
use crate::scheduler::{SCRATCH, Scheduler, Stop};
use crate::task::{Notifier, Task, TaskId};
use crate::transport::{Registration, Transport};

/// What a task may do and know during its turn.
pub struct Turn<'a> {
    id: TaskId,
    ready: Readiness,
    pause: Option<Pause>,
    scheduler: &'a mut Scheduler,
}

/// What a read brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// So many bytes, at least one.
    Bytes(usize),
    /// Nothing now; an event will come.
    Blocked,
    /// The peer has ended its side.
    Closed,
}

impl<'a> Turn<'a> {
    pub(crate) fn new(id: TaskId, ready: Readiness, scheduler: &'a mut Scheduler) -> Self {
        Self { id, ready, pause: None, scheduler }
    }

    /// The readiness that is left, and why the task has to be turned again whatever it says.
    pub(crate) fn left(&self) -> (Readiness, Option<Pause>) {
        // A pause ends this turn's writing and no more: the next turn may write at once.
        let writable = self.pause.map_or(Readiness::NONE, |_| Readiness::WRITABLE);
        (self.ready | writable, self.pause)
    }

    /// This task's name.
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// The instant of this turn of the loop; the same for all tasks of the turn.
    pub fn now(&self) -> Instant {
        self.scheduler.now()
    }

    /// The order to stop, once it was given.
    pub fn stopping(&self) -> Option<Stop> {
        self.scheduler.stopping()
    }

    /// Whether a read may bring something.
    pub fn readable(&self) -> bool {
        self.ready.contains(Readiness::READABLE)
    }

    /// Whether a write may take something.
    pub fn writable(&self) -> bool {
        self.ready.contains(Readiness::WRITABLE)
    }

    /// Whether the peer is known to have closed its side, or the transport to have failed.
    pub fn read_closed(&self) -> bool {
        self.ready.contains(Readiness::READ_CLOSED)
    }

    /// Forgets a readiness after an operation outside [`Turn::read`] and [`Turn::write`] said
    /// `WouldBlock`.
    pub fn clear(&mut self, bits: Readiness) {
        self.ready = self.ready.without(bits);
    }

    /// Adds the readable bit for a transport that holds input, since no event will tell of it.
    pub fn look_into(&mut self, transport: &dyn Transport) {
        if transport.holds_input() {
            self.ready |= Readiness::READABLE;
        }
    }

    /// Takes the loop's scratch buffer of 128 KiB; give it back before the turn ends.
    pub fn take_scratch(&mut self) -> Vec<u8> {
        let mut scratch = std::mem::take(&mut self.scheduler.scratch);
        if scratch.len() != SCRATCH {
            scratch.resize(SCRATCH, 0);
        }
        scratch
    }

    /// Gives the scratch buffer back.
    pub fn put_scratch(&mut self, scratch: Vec<u8>) {
        self.scheduler.scratch = scratch;
    }

    /// Takes an empty outbox, the loop's spare one where it is free.
    pub fn take_outbox(&mut self) -> Outbox {
        self.scheduler.outbox.take().unwrap_or_default()
    }

    /// Gives an emptied outbox back for the next task.
    pub fn put_outbox(&mut self, outbox: Outbox) {
        if self.scheduler.outbox.is_none() && outbox.is_empty() {
            self.scheduler.outbox = Some(outbox);
        }
    }

    /// Reads once, with the rules of readiness: `WouldBlock` and a short read clear the readable
    /// bit, an interrupted call is made again, and once the peer is known to have closed the bit
    /// stays until the end was read.
    ///
    /// # Panics
    /// If `buf` is empty: such a read would look like the end.
    pub fn read(&mut self, transport: &mut dyn Transport, buf: &mut [u8]) -> io::Result<Input> {
        assert!(!buf.is_empty(), "an empty buffer would look like the end");
        loop {
            return match transport.read(buf) {
                Ok(0) => {
                    self.clear(Readiness::READABLE);
                    Ok(Input::Closed)
                }
                Ok(count) => {
                    if count < buf.len() && !self.read_closed() && !transport.holds_input() {
                        self.clear(Readiness::READABLE);
                    }
                    Ok(Input::Bytes(count))
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.clear(Readiness::READABLE);
                    Ok(Input::Blocked)
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
        }
    }

    /// Writes what the transport takes; true when the outbox is empty afterwards.
    ///
    /// *Bounds*: about 1 MiB, so that a peer who reads as fast as the file comes does not hold the
    /// loop. When that was the reason for stopping, the task is turned again by itself, also if it
    /// says [`Next::Wait`](crate::Next::Wait).
    pub fn write(&mut self, transport: &mut dyn Transport, out: &mut Outbox) -> io::Result<bool> {
        let emptied = transport.write(out)?;
        let pause = out.take_pause();
        if emptied {
            return Ok(true);
        }
        self.pause = self.pause.max(pause);
        self.clear(Readiness::WRITABLE);
        Ok(false)
    }

    /// Connects a transport's readiness with this task; called once per transport.
    ///
    /// *Errors*: those of the kernel; `Unsupported` in a job, which has no task.
    pub fn register(&mut self, transport: &mut dyn Transport) -> io::Result<()> {
        self.check_task()?;
        transport.register(&self.registration())
    }

    pub(crate) fn registration(&self) -> Registration<'_> {
        let notifier = self.notifier();
        Registration { registry: self.scheduler.registry.as_ref(), notifier }
    }

    /// Registers any event source with this task, edge-triggered.
    ///
    /// *Errors*: `Unsupported` on a loop without a kernel, and in a job, which has no task.
    pub fn register_source(
        &mut self,
        source: &mut dyn Source,
        interest: Interest,
    ) -> io::Result<()> {
        self.check_task()?;
        let token = self.id.token();
        self.registry()?.register(source, token, interest)
    }

    /// Registers a source again, which asks the kernel for its present readiness as a new event.
    pub fn reregister_source(
        &mut self,
        source: &mut dyn Source,
        interest: Interest,
    ) -> io::Result<()> {
        let token = self.id.token();
        self.registry()?.reregister(source, token, interest)
    }

    /// Takes a source out of the loop. Closing a descriptor does it by itself, unless the
    /// descriptor was duplicated: then the kernel would go on to tell this loop of it.
    pub fn deregister_source(&mut self, source: &mut dyn Source) -> io::Result<()> {
        self.registry()?.deregister(source)
    }

    /// Adds a task to this loop.
    pub fn spawn(&mut self, task: Box<dyn Task>) -> TaskId {
        self.scheduler.spawn(task)
    }

    /// A handle with which any thread can wake this task.
    pub fn notifier(&self) -> Notifier {
        Notifier::new(self.id, self.scheduler.inlet.clone())
    }

    /// Asks for a turn of another task of this loop.
    pub fn notify(&mut self, id: TaskId) {
        self.scheduler.notify(id, Readiness::NONE);
    }

    /// The number of tasks on this loop.
    pub fn tasks(&self) -> usize {
        self.scheduler.len()
    }

    fn registry(&self) -> io::Result<&Registry> {
        let missing = || io::Error::new(io::ErrorKind::Unsupported, "this loop has no kernel");
        self.scheduler.registry.as_ref().ok_or_else(missing)
    }

    fn check_task(&self) -> io::Result<()> {
        if self.id == TaskId::NOBODY {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "a job has no task to wake"));
        }
        Ok(())
    }
}
