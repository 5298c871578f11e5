//! Tasks, their readiness, their deadlines and their order: the part of a loop that needs no
//! kernel, so that a simulator can drive it under virtual time.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use mio::event::Source;
use mio::{Interest, Registry, Token};

use crate::outbox::Outbox;
use crate::readiness::Readiness;
use crate::task::{Inlet, Next, Notifier, Task, TaskId};
use crate::transport::{Registration, Transport};
use crate::wheel::Wheel;

/// How a loop is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Listeners go on accepting until then, for load balancers that are slow to notice.
    pub accept_until: Instant,
    /// Connections on which no work has begun may be ended then.
    pub idle_until: Instant,
    /// Tasks that have not ended by then are dropped.
    pub deadline: Instant,
}

/// Holds the tasks of one loop and turns them in order.
///
/// *Bounds*: one scratch buffer of 64 KiB and one spare outbox, whatever the number of tasks; a
/// task at rest costs 40 bytes here beside its own size.
pub struct Scheduler {
    slots: Vec<Slot>,
    free: Vec<u32>,
    live: usize,
    queue: VecDeque<u32>,
    again: Vec<u32>,
    wheel: Wheel,
    due: Vec<u32>,
    origin: Instant,
    now: Instant,
    stop: Option<Stop>,
    registry: Option<Registry>,
    inlet: Inlet,
    scratch: Vec<u8>,
    outbox: Option<Outbox>,
    panics: u64,
}

struct Slot {
    task: Option<Box<dyn Task>>,
    deadline: u64,
    generation: u32,
    ready: Readiness,
    queued: bool,
}

impl Scheduler {
    pub(crate) fn new(now: Instant, registry: Option<Registry>, inlet: Inlet) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            live: 0,
            queue: VecDeque::new(),
            again: Vec::new(),
            wheel: Wheel::new(),
            due: Vec::new(),
            origin: now,
            now,
            stop: None,
            registry,
            inlet,
            scratch: vec![0; SCRATCH],
            outbox: Some(Outbox::new()),
            panics: 0,
        }
    }

    /// The number of tasks.
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether no task is left.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// How many turns ended in a panic. The task is dropped, the loop goes on.
    pub fn panics(&self) -> u64 {
        self.panics
    }

    /// The instant of the current turn of the loop.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Adds a task and queues its first turn.
    pub fn spawn(&mut self, task: Box<dyn Task>) -> TaskId {
        let index = self.free.pop().unwrap_or_else(|| {
            let index = u32::try_from(self.slots.len()).expect("fewer than 2^32 tasks fit memory");
            self.slots.push(Slot::VACANT);
            index
        });
        let slot = &mut self.slots[index as usize];
        slot.task = Some(task);
        slot.ready = Readiness::FRESH;
        slot.deadline = NEVER;
        self.live += 1;
        let id = TaskId { index, generation: slot.generation };
        self.enqueue(index);
        id
    }

    /// Adds readiness to a task and queues it; a name that is out of date is ignored.
    pub fn notify(&mut self, id: TaskId, bits: Readiness) {
        let Some(slot) = self.slots.get_mut(id.index as usize) else { return };
        if slot.generation == id.generation {
            slot.ready |= bits;
            self.enqueue(id.index);
        }
    }

    /// Begins the end: every task is turned once so that it sees it.
    pub fn stop(&mut self, stop: Stop) {
        self.stop = Some(stop);
        for index in 0..self.slots.len() {
            if self.slots[index].task.is_some() {
                self.enqueue(index as u32);
            }
        }
    }

    /// Whether there is nothing left to do: all tasks ended, or the deadline of the stop passed.
    pub fn finished(&self) -> bool {
        self.stop.is_some_and(|stop| self.live == 0 || self.now >= stop.deadline)
    }

    /// How long the loop may sleep; `None` is for ever.
    pub fn sleep(&self, now: Instant) -> Option<Duration> {
        if !self.queue.is_empty() {
            return Some(Duration::ZERO);
        }
        let timer = self.wheel.next().map(|tick| self.instant(tick));
        let stop = self.stop.map(|stop| stop.deadline);
        let wake = match (timer, stop) {
            (Some(timer), Some(stop)) => Some(timer.min(stop)),
            (timer, stop) => timer.or(stop),
        };
        wake.map(|wake| wake.saturating_duration_since(now))
    }

    /// Turns every task that is queued or due, each once.
    pub fn turn(&mut self, now: Instant) {
        self.now = now;
        let tick = self.tick(now);
        let mut due = std::mem::take(&mut self.due);
        self.wheel.expire(tick, &mut due);
        for index in due.drain(..) {
            let deadline = self.slots[index as usize].deadline;
            if deadline <= tick {
                self.enqueue(index);
            } else if deadline != NEVER {
                self.wheel.arm(index, deadline);
            }
        }
        self.due = due;
        // Tasks that these turns spawn or notify have theirs now too, so that a fresh connection is
        // read without another look at the kernel; the bound keeps two tasks that notify each other
        // from shutting the kernel out.
        for _ in 0..self.queue.len() * 2 + FOLLOW_UPS {
            let Some(index) = self.queue.pop_front() else { break };
            self.turn_one(index);
        }
        self.queue.extend(self.again.drain(..));
    }

    /// Runs a closure as if it were a task's turn, to spawn tasks from outside.
    pub(crate) fn run(&mut self, job: Box<dyn FnOnce(&mut Turn<'_>) + Send>) {
        let id = TaskId { index: u32::MAX, generation: u32::MAX };
        job(&mut Turn { id, ready: Readiness::NONE, scheduler: self });
    }

    fn turn_one(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        slot.queued = false;
        let Some(mut task) = slot.task.take() else { return };
        let id = TaskId { index, generation: slot.generation };
        let ready = std::mem::take(&mut slot.ready);
        let mut cx = Turn { id, ready, scheduler: self };
        let next = catch_unwind(AssertUnwindSafe(|| task.turn(&mut cx)));
        let ready = cx.ready;
        let next = next.unwrap_or_else(|_| {
            log::error!("task {id} panicked and was dropped");
            self.panics += 1;
            Next::Done
        });
        let slot = &mut self.slots[index as usize];
        slot.ready |= ready;
        match next {
            Next::Done => {
                slot.generation = slot.generation.wrapping_add(1);
                slot.ready = Readiness::NONE;
                self.wheel.cancel(index);
                self.free.push(index);
                self.live -= 1;
                drop(task);
            }
            Next::Again => {
                slot.task = Some(task);
                if !slot.queued {
                    slot.queued = true;
                    self.again.push(index);
                }
            }
            Next::Wait(deadline) => {
                slot.task = Some(task);
                self.set_deadline(index, deadline);
            }
        }
    }

    /// Keeps the timer armed where it is unless it has to fire earlier: a deadline that moves on
    /// with every request then costs a store.
    fn set_deadline(&mut self, index: u32, deadline: Option<Instant>) {
        let tick = deadline.map_or(NEVER, |deadline| self.tick_after(deadline));
        self.slots[index as usize].deadline = tick;
        if tick != NEVER && self.wheel.armed(index).is_none_or(|armed| armed > tick) {
            self.wheel.arm(index, tick);
        }
    }

    fn enqueue(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        if !slot.queued {
            slot.queued = true;
            self.queue.push_back(index);
        }
    }

    fn tick(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.origin);
        since.as_secs() * TICKS_PER_SECOND + u64::from(since.subsec_millis()) / TICK_MILLIS
    }

    fn tick_after(&self, deadline: Instant) -> u64 {
        self.tick(deadline).saturating_add(1)
    }

    fn instant(&self, tick: u64) -> Instant {
        self.origin + Duration::from_millis(tick * TICK_MILLIS)
    }
}

impl Slot {
    const VACANT: Self =
        Self { task: None, deadline: NEVER, generation: 0, ready: Readiness::NONE, queued: false };
}

/// What a task may do and know during its turn.
pub struct Turn<'a> {
    id: TaskId,
    ready: Readiness,
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

impl Turn<'_> {
    /// This task's name.
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// The instant of this turn of the loop; the same for all tasks of the turn.
    pub fn now(&self) -> Instant {
        self.scheduler.now
    }

    /// The order to stop, once it was given.
    pub fn stopping(&self) -> Option<Stop> {
        self.scheduler.stop
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

    /// Takes the loop's scratch buffer of 64 KiB; give it back before the turn ends.
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
    pub fn read(&mut self, transport: &mut dyn Transport, buf: &mut [u8]) -> io::Result<Input> {
        debug_assert!(!buf.is_empty(), "an empty buffer would look like the end");
        loop {
            return match transport.read(buf) {
                Ok(0) => Ok(Input::Closed),
                Ok(count) => {
                    if count < buf.len() && !self.read_closed() {
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
    pub fn write(&mut self, transport: &mut dyn Transport, out: &mut Outbox) -> io::Result<bool> {
        let emptied = transport.write(out)?;
        if !emptied {
            self.clear(Readiness::WRITABLE);
        }
        Ok(emptied)
    }

    /// Connects a transport's readiness with this task; called once per transport.
    pub fn register(&mut self, transport: &mut dyn Transport) -> io::Result<()> {
        let notifier = self.notifier();
        transport.register(&Registration { registry: self.scheduler.registry.as_ref(), notifier })
    }

    /// Registers any event source with this task, edge-triggered.
    ///
    /// *Errors*: `Unsupported` on a loop without a kernel.
    pub fn register_source(
        &mut self,
        source: &mut dyn Source,
        interest: Interest,
    ) -> io::Result<()> {
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

    /// Adds a task to this loop.
    pub fn spawn(&mut self, task: Box<dyn Task>) -> TaskId {
        self.scheduler.spawn(task)
    }

    /// A handle with which any thread can wake this task.
    pub fn notifier(&self) -> Notifier {
        Notifier { id: self.id, inlet: self.scheduler.inlet.clone() }
    }

    /// Asks for a turn of another task of this loop.
    pub fn notify(&mut self, id: TaskId) {
        self.scheduler.notify(id, Readiness::NONE);
    }

    /// The number of tasks on this loop.
    pub fn tasks(&self) -> usize {
        self.scheduler.live
    }

    fn registry(&self) -> io::Result<&Registry> {
        let missing = || io::Error::new(io::ErrorKind::Unsupported, "this loop has no kernel");
        self.scheduler.registry.as_ref().ok_or_else(missing)
    }
}

impl TaskId {
    /// The index below, the generation above: on 64-bit machines an event of a task that has gone
    /// can then be told from one of its successor.
    pub(crate) fn token(self) -> Token {
        Token(self.index as usize | (self.generation as usize) << 32)
    }

    pub(crate) fn of_token(token: Token) -> Self {
        Self { index: token.0 as u32, generation: (token.0 >> 32) as u32 }
    }
}

const NEVER: u64 = u64::MAX;
const TICK_MILLIS: u64 = 8;
const TICKS_PER_SECOND: u64 = 1000 / TICK_MILLIS;
const SCRATCH: usize = 64 * 1024;
const FOLLOW_UPS: usize = 64;

#[cfg(not(target_pointer_width = "64"))]
compile_error!("a task's name needs 64 bits of an event's token");
