//! The unit of work of a loop.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::time::Instant;

use crate::readiness::Readiness;
use crate::scheduler::Turn;

/// Everything on a loop is a task: a listener, a session, a transfer, a tunnel, a child's pipe.
///
/// A task is turned when its transport became ready, when its deadline passed, when somebody
/// notified it, and once when the loop is asked to stop. A turn must not block. What a turn does
/// has one shape: while readable and within its budget read into the loop's scratch, step the
/// machine, queue output; then write once; then say what comes next.
pub trait Task {
    /// Does the work that is possible now.
    fn turn(&mut self, cx: &mut Turn<'_>) -> Next;
}

/// What a task wants after its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Turn again on the next event, or when this instant has passed. The instant is met to within
    /// one tick of the timer wheel (8 ms), never early.
    Wait(Option<Instant>),
    /// Turn again as soon as the other tasks had theirs: the budget was spent, not the work.
    Again,
    /// The task is finished and is dropped.
    Done,
}

/// Names a task of one loop; a name is not used again for another task, so an event that comes
/// late finds nobody rather than the wrong one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TaskId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.index, self.generation)
    }
}

/// Work for a loop from outside it.
pub(crate) enum Command {
    Notify(TaskId, Readiness),
    Run(Box<dyn FnOnce(&mut Turn<'_>) + Send>),
    Stop(crate::scheduler::Stop),
}

/// The way into a loop from other threads: a queue, and a waker for a loop that sleeps in the
/// kernel. A loop that is awake is not woken a second time.
#[derive(Clone)]
pub(crate) struct Inlet {
    commands: Sender<Command>,
    waker: Option<Arc<mio::Waker>>,
    awake: Arc<AtomicBool>,
}

impl Inlet {
    pub(crate) fn new(commands: Sender<Command>, waker: Option<mio::Waker>) -> Self {
        Self { commands, waker: waker.map(Arc::new), awake: Arc::new(AtomicBool::new(false)) }
    }

    /// Sends a command; false when the loop has ended.
    pub(crate) fn send(&self, command: Command) -> bool {
        if self.commands.send(command).is_err() {
            return false;
        }
        if let Some(waker) = &self.waker
            && !self.awake.swap(true, Ordering::AcqRel)
            && let Err(error) = waker.wake()
        {
            log::error!("cannot wake the loop: {error}");
        }
        true
    }

    /// Called by the loop before it empties the queue.
    pub(crate) fn rearm(&self) {
        self.awake.store(false, Ordering::Release);
    }
}

/// Wakes one task from any thread.
#[derive(Clone)]
pub struct Notifier {
    pub(crate) id: TaskId,
    pub(crate) inlet: Inlet,
}

impl Notifier {
    /// Asks for a turn of the task. False when its loop has ended; a task that is gone is not an
    /// error.
    pub fn wake(&self) -> bool {
        self.ready(Readiness::NONE)
    }

    /// Adds readiness bits and asks for a turn: for transports that are not known to the kernel.
    pub fn ready(&self, bits: Readiness) -> bool {
        self.inlet.send(Command::Notify(self.id, bits))
    }
}

impl fmt::Debug for Notifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Notifier({})", self.id)
    }
}
