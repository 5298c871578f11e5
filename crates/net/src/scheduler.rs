//! Tasks, their readiness, their deadlines and their order: the part of a loop that needs no
//! kernel, so that a simulator can drive it under virtual time.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use mio::Registry;

use crate::inlet::{Inlet, Job};
use crate::outbox::{Outbox, Pause};
use crate::readiness::Readiness;
use crate::task::{Next, Task, TaskId};
use crate::turn::Turn;
use crate::wheel::Wheel;

/// How a loop is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Listeners go on accepting until then, for load balancers that are slow to notice.
    pub accept_until: Instant,
    /// Connections on which no work has begun may be ended then.
    pub idle_until: Instant,
    /// Tasks that have not ended by then are dropped with the loop.
    pub deadline: Instant,
}

/// Holds the tasks of one loop and turns them in order.
///
/// *Bounds*: one scratch buffer of 128 KiB and one spare outbox, whatever the number of tasks; a
/// task at rest costs 44 bytes here beside its own size, and 8 more while it waits for its turn. The
/// memory of the tables is that of the most tasks there ever were at a time.
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
    panics: u64,
    pub(crate) registry: Option<Registry>,
    pub(crate) inlet: Inlet,
    pub(crate) scratch: Vec<u8>,
    pub(crate) outbox: Option<Outbox>,
}

struct Slot {
    task: Option<Box<dyn Task>>,
    /// The tick from which on the task is due.
    deadline: u64,
    generation: u32,
    ready: Readiness,
    /// Stands in `queue` or in `again`.
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
            panics: 0,
            registry,
            inlet,
            scratch: vec![0; SCRATCH],
            outbox: Some(Outbox::new()),
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

    /// How many turns, drops of tasks and jobs ended in a panic. The task is dropped, the loop goes
    /// on.
    pub fn panics(&self) -> u64 {
        self.panics
    }

    /// The instant of the current turn of the loop.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The order to stop, once it was given.
    pub fn stopping(&self) -> Option<Stop> {
        self.stop
    }

    /// Adds a task and queues its first turn.
    pub fn spawn(&mut self, task: Box<dyn Task>) -> TaskId {
        let index = self.free.pop().unwrap_or_else(|| {
            let index = u32::try_from(self.slots.len()).expect("fewer than 2^32 tasks fit memory");
            self.slots.push(Slot::VACANT);
            index
        });
        let slot = &mut self.slots[index as usize];
        debug_assert!(slot.task.is_none(), "a free slot is empty");
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

    /// Whether a task waits for its turn already.
    pub(crate) fn is_busy(&self) -> bool {
        !self.queue.is_empty()
    }

    /// The instant at which the loop has to be turned at the latest; `None` is never.
    pub(crate) fn alarm(&self) -> Option<Instant> {
        let timer = self.wheel.next().and_then(|tick| self.instant(tick));
        let stop = self.stop.map(|stop| stop.deadline);
        match (timer, stop) {
            (Some(timer), Some(stop)) => Some(timer.min(stop)),
            (timer, stop) => timer.or(stop),
        }
    }

    /// How long the loop may sleep from `now` on; `None` is for ever.
    pub fn sleep(&self, now: Instant) -> Option<Duration> {
        if self.is_busy() {
            return Some(Duration::ZERO);
        }
        self.alarm().map(|alarm| alarm.saturating_duration_since(now))
    }

    /// Turns every task that is queued or due, each once.
    pub fn turn(&mut self, now: Instant) {
        self.now = now;
        self.expire();
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
    pub(crate) fn run(&mut self, job: Job) {
        let mut cx = Turn::new(TaskId::NOBODY, Readiness::NONE, self);
        let ran = catch_unwind(AssertUnwindSafe(|| job(&mut cx)));
        if ran.is_err() {
            self.panicked(TaskId::NOBODY, "a job");
        }
    }

    fn expire(&mut self) {
        let tick = self.tick(self.now);
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
    }

    fn turn_one(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        slot.queued = false;
        let Some(mut task) = slot.task.take() else { return };
        let id = TaskId { index, generation: slot.generation };
        let ready = std::mem::take(&mut slot.ready);
        let mut cx = Turn::new(id, ready, self);
        let next = catch_unwind(AssertUnwindSafe(|| task.turn(&mut cx)));
        let (ready, pause) = cx.left();
        let next = next.unwrap_or_else(|_| {
            self.panicked(id, "a turn");
            Next::Done
        });
        let slot = &mut self.slots[index as usize];
        slot.ready |= ready;
        match next {
            Next::Done => self.remove(id, task),
            Next::Again => {
                slot.task = Some(task);
                self.repeat(index);
            }
            Next::Wait(deadline) => {
                slot.task = Some(task);
                let soon = (pause == Some(Pause::Doubt)).then(|| self.now + SOON);
                self.set_deadline(index, soon.into_iter().chain(deadline).min());
                if pause == Some(Pause::Share) {
                    self.repeat(index);
                }
            }
        }
    }

    fn remove(&mut self, id: TaskId, task: Box<dyn Task>) {
        let slot = &mut self.slots[id.index as usize];
        slot.generation = slot.generation.wrapping_add(1);
        slot.ready = Readiness::NONE;
        self.wheel.cancel(id.index);
        self.free.push(id.index);
        self.live -= 1;
        if catch_unwind(AssertUnwindSafe(|| drop(task))).is_err() {
            self.panicked(id, "the drop");
        }
    }

    fn panicked(&mut self, id: TaskId, what: &str) {
        log::error!("{what} of task {id} panicked; the task is gone");
        self.panics += 1;
    }

    /// Queues a task behind all others, unless somebody notified it meanwhile.
    fn repeat(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        if !slot.queued {
            slot.queued = true;
            self.again.push(index);
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
        let whole = since.as_secs().saturating_mul(TICKS_PER_SECOND).min(LAST);
        whole + u64::from(since.subsec_millis()) / TICK_MILLIS
    }

    /// The first tick that begins after the deadline.
    fn tick_after(&self, deadline: Instant) -> u64 {
        self.tick(deadline) + 1
    }

    /// The beginning of a tick; `None` when that lies beyond what the clock can say.
    fn instant(&self, tick: u64) -> Option<Instant> {
        self.origin.checked_add(Duration::from_millis(tick.saturating_mul(TICK_MILLIS)))
    }
}

impl Drop for Scheduler {
    /// The tasks that are left, each by itself: a panic in the drop of one must not keep the others
    /// from theirs, nor end the thread.
    fn drop(&mut self) {
        for index in 0..self.slots.len() {
            if let Some(task) = self.slots[index].task.take()
                && catch_unwind(AssertUnwindSafe(|| drop(task))).is_err()
            {
                let id = TaskId { index: index as u32, generation: self.slots[index].generation };
                self.panicked(id, "the drop");
            }
        }
    }
}

impl Slot {
    const VACANT: Self =
        Self { task: None, deadline: NEVER, generation: 0, ready: Readiness::NONE, queued: false };
}

const NEVER: u64 = u64::MAX;
/// Ticks are counted up to here, some billions of years, so that adding to one is no overflow.
const LAST: u64 = u64::MAX / 2;
const TICK_MILLIS: u64 = 8;
const TICKS_PER_SECOND: u64 = 1000 / TICK_MILLIS;
/// What one read may bring. A client that downloads spends 9 % less CPU time on a byte with 128 KiB than
/// with 64, and no less with 256; what a read does not fill is not touched and costs nothing.
pub(crate) const SCRATCH: usize = 128 * 1024;
/// After this a write that was given up in doubt is tried again.
const SOON: Duration = Duration::from_millis(10);
const FOLLOW_UPS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_at_rest_costs_what_the_documentation_says() {
        assert_eq!(size_of::<Slot>() + crate::wheel::LINK, 44);
    }
}
