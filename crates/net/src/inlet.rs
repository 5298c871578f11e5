//! The way into a loop from other threads: a queue, and a waker for a loop that sleeps in the
//! kernel.
//!
//! ```text
//!                 sender: queue, then swap(Posted)
//!                 +------------------------------+
//!                 |                              v
//!   Sleeping <--- Awake <-------------------- Posted
//!      |   (before   ^     (loop empties         ^
//!      |    poll)    |      the queue)           |
//!      |             | (after poll)              |
//!      +-------------+                           |
//!      +-----------------------------------------+
//!        sender: queue, swap(Posted), wake
//! ```
//!
//! Every change is a read-modify-write of one word, so all of them have one order. A sender whose
//! swap comes before the loop's is seen by the loop, with what it had queued, since the loop's swap
//! reads it; one that comes after the loop fell asleep reads `Sleeping` and wakes it. There is no
//! third case, so no wake-up is lost, and a loop that is awake costs its senders no system call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::readiness::Readiness;
use crate::scheduler::Stop;
use crate::task::TaskId;
use crate::turn::Turn;

/// Work for a loop from outside it.
pub(crate) enum Command {
    Notify(TaskId, Arc<Pending>),
    Run(Job),
    Stop(Stop),
}

/// A closure that is run like a task's turn.
pub(crate) type Job = Box<dyn FnOnce(&mut Turn<'_>) + Send>;

/// The senders' end.
#[derive(Clone)]
pub(crate) struct Inlet(Arc<Shared>);

/// The loop's end.
pub(crate) struct Outlet {
    commands: Receiver<Command>,
    shared: Arc<Shared>,
    /// The queue was left unempty at the bound of one turn.
    rest: bool,
}

struct Shared {
    commands: Sender<Command>,
    waker: Option<mio::Waker>,
    state: AtomicU8,
    /// Jobs that were sent and not taken.
    jobs: AtomicUsize,
    ended: AtomicBool,
}

/// What the holders of one notifier have said since its task was last told: at most one command of
/// theirs is in the queue, however often they wake.
#[derive(Default)]
pub(crate) struct Pending(AtomicU8);

/// Makes both ends; without a waker for a loop that never sleeps in the kernel.
pub(crate) fn inlet(waker: Option<mio::Waker>) -> (Inlet, Outlet) {
    let (sender, commands) = channel();
    let shared = Arc::new(Shared {
        commands: sender,
        waker,
        state: AtomicU8::new(AWAKE),
        jobs: AtomicUsize::new(0),
        ended: AtomicBool::new(false),
    });
    (Inlet(shared.clone()), Outlet { commands, shared, rest: false })
}

impl Inlet {
    /// Adds bits for a task; false when the loop has ended.
    pub(crate) fn notify(&self, id: TaskId, pending: &Arc<Pending>, bits: Readiness) -> bool {
        let before = pending.0.fetch_or(bits.bits() | QUEUED, Ordering::AcqRel);
        if before & QUEUED != 0 {
            return !self.0.ended.load(Ordering::Acquire);
        }
        self.send(Command::Notify(id, pending.clone()))
    }

    /// Queues a job; false when the loop has ended or too many wait already.
    pub(crate) fn run(&self, job: Job) -> bool {
        if self.0.jobs.fetch_add(1, Ordering::AcqRel) >= JOBS || !self.send(Command::Run(job)) {
            self.0.jobs.fetch_sub(1, Ordering::AcqRel);
            return false;
        }
        true
    }

    /// Orders a stop; false when the loop has ended.
    pub(crate) fn stop(&self, stop: Stop) -> bool {
        self.send(Command::Stop(stop))
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn send(&self, command: Command) -> bool {
        if self.0.commands.send(command).is_err() {
            return false;
        }
        if self.0.state.swap(POSTED, Ordering::AcqRel) == SLEEPING
            && let Some(waker) = &self.0.waker
            && let Err(error) = waker.wake()
        {
            log::error!("cannot wake a loop: {error}");
        }
        true
    }
}

impl Outlet {
    /// Called before the loop sleeps: false when there are commands to take first.
    pub(crate) fn may_sleep(&mut self) -> bool {
        let state = &self.shared.state;
        !self.rest
            && state.compare_exchange(AWAKE, SLEEPING, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Whether the last taking stopped at its bound.
    pub(crate) fn has_rest(&self) -> bool {
        self.rest
    }

    /// Whether there are commands to take.
    pub(crate) fn has_commands(&self) -> bool {
        self.rest || self.shared.state.load(Ordering::Acquire) == POSTED
    }

    /// Called when the loop is awake again: whether there are commands to take.
    pub(crate) fn woke(&mut self) -> bool {
        self.shared.state.swap(AWAKE, Ordering::AcqRel) == POSTED || self.rest
    }

    /// Takes the commands that wait, up to the bound of one turn, so that busy senders don't shut
    /// the kernel's events out.
    pub(crate) fn take(&mut self, mut each: impl FnMut(Command)) {
        self.rest = false;
        for _ in 0..PER_TURN {
            let Ok(command) = self.commands.try_recv() else { return };
            if matches!(command, Command::Run(_)) {
                self.shared.jobs.fetch_sub(1, Ordering::AcqRel);
            }
            each(command);
        }
        self.rest = true;
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Release);
    }
}

impl Pending {
    /// The bits that were added since the last call. The senders' later ones make a new command.
    pub(crate) fn take(&self) -> Readiness {
        Readiness::of_bits(self.0.swap(0, Ordering::AcqRel) & !QUEUED)
    }
}

const AWAKE: u8 = 0;
const SLEEPING: u8 = 1;
const POSTED: u8 = 2;

const QUEUED: u8 = 1 << 7;

/// Commands taken per turn of the loop.
const PER_TURN: usize = 1024;

/// Jobs that may wait for one loop.
const JOBS: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> TaskId {
        TaskId { index: 7, generation: 1 }
    }

    #[test]
    fn a_loop_that_may_not_sleep_has_commands_and_one_that_may_has_none() {
        let (inlet, mut outlet) = inlet(None);
        assert!(outlet.may_sleep());
        assert!(!outlet.woke());
        let pending = Arc::new(Pending::default());
        assert!(inlet.notify(id(), &pending, Readiness::READABLE));
        assert!(!outlet.may_sleep());
        assert!(outlet.woke());
        let mut taken = 0;
        outlet.take(|_| taken += 1);
        assert_eq!(taken, 1);
        assert!(outlet.may_sleep());
    }

    #[test]
    fn many_wakes_of_one_notifier_are_one_command_with_all_their_bits() {
        let (inlet, mut outlet) = inlet(None);
        let pending = Arc::new(Pending::default());
        for _ in 0..1000 {
            assert!(inlet.notify(id(), &pending, Readiness::READABLE));
        }
        assert!(inlet.notify(id(), &pending, Readiness::WRITABLE));
        let mut seen = Vec::new();
        outlet.take(|command| match command {
            Command::Notify(id, pending) => seen.push((id, pending.take())),
            _ => panic!("no other command was sent"),
        });
        assert_eq!(seen, [(id(), Readiness::FRESH)]);
        assert!(inlet.notify(id(), &pending, Readiness::NONE));
        let mut again = 0;
        outlet.take(|_| again += 1);
        assert_eq!(again, 1);
    }

    #[test]
    fn the_queue_of_jobs_is_bounded_and_a_turn_takes_a_part_of_it() {
        let (inlet, mut outlet) = inlet(None);
        let sent = (0..JOBS + 10).filter(|_| inlet.run(Box::new(|_| ()))).count();
        assert_eq!(sent, JOBS);
        let mut taken = 0;
        outlet.take(|_| taken += 1);
        assert_eq!(taken, PER_TURN);
        assert!(!outlet.may_sleep());
        assert!(inlet.run(Box::new(|_| ())));
    }

    #[test]
    fn an_ended_loop_is_told_of_even_when_a_command_of_ours_lies_in_its_queue() {
        let (inlet, outlet) = inlet(None);
        let pending = Arc::new(Pending::default());
        assert!(inlet.notify(id(), &pending, Readiness::NONE));
        drop(outlet);
        assert!(!inlet.notify(id(), &pending, Readiness::NONE));
        assert!(!inlet.run(Box::new(|_| ())));
    }
}
