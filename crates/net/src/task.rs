//! The unit of work of a loop.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use mio::Token;

use crate::inlet::{Inlet, Pending};
use crate::readiness::Readiness;
use crate::turn::Turn;

/// Everything on a loop is a task: a listener, a session, a transfer, a tunnel, a child's pipe.
///
/// A task is turned when its transport became ready, when its deadline passed, when somebody
/// notified it, and once when the loop is asked to stop. A turn must not block. What a turn does
/// has one shape: while readable and within its budget read into the loop's scratch, step the
/// machine, queue output; then write once; then say what comes next.
///
/// A turn may come without a reason: a task looks at what it finds and not at why it was called. A
/// panic in a turn, or in the task's drop, is counted and costs that task alone.
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

impl TaskId {
    /// Whoever runs a job on a loop without being a task. No slot has this index.
    pub(crate) const NOBODY: Self = Self { index: u32::MAX, generation: 0 };

    /// The index below, the generation above, so that an event of a task that has gone can be told
    /// from one of its successor.
    pub(crate) fn token(self) -> Token {
        Token(self.index as usize | (self.generation as usize) << 32)
    }

    pub(crate) fn of_token(token: Token) -> Self {
        Self { index: token.0 as u32, generation: (token.0 >> 32) as u32 }
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NOBODY {
            return f.write_str("job");
        }
        write!(f, "{}.{}", self.index, self.generation)
    }
}

/// Wakes one task from any thread.
///
/// *Bounds*: a notifier and its clones keep at most one entry in the loop's queue, however often
/// they wake. Waking a loop that is awake makes no system call.
#[derive(Clone)]
pub struct Notifier {
    id: TaskId,
    inlet: Inlet,
    pending: Arc<Pending>,
}

impl Notifier {
    pub(crate) fn new(id: TaskId, inlet: Inlet) -> Self {
        Self { id, inlet, pending: Arc::default() }
    }

    /// Asks for a turn of the task. False when its loop has ended; a task that is gone is not an
    /// error.
    pub fn wake(&self) -> bool {
        self.ready(Readiness::NONE)
    }

    /// Adds readiness bits and asks for a turn: for transports that are not known to the kernel.
    pub fn ready(&self, bits: Readiness) -> bool {
        self.inlet.notify(self.id, &self.pending, bits)
    }

    pub(crate) fn id(&self) -> TaskId {
        self.id
    }

    /// Whether both wake the same task.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.id == other.id && self.inlet.is_same(&other.inlet)
    }
}

impl fmt::Debug for Notifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Notifier({})", self.id)
    }
}

#[cfg(not(target_pointer_width = "64"))]
compile_error!("a task's name needs 64 bits of an event's token");
