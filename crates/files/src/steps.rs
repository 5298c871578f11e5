//! Content that is made on the pool, piece by piece.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use avocet_net::{Notifier, Segment, WorkerPool};
use avocet_server::{Body, BodySource, Pulled};
use avocet_wire::FieldBuf;

/// Makes content one piece at a time, on a thread that may block.
pub(crate) trait Steps: Send + 'static {
    /// The next piece, which may be empty; `None` at the end.
    ///
    /// *Errors*: the response is cut off.
    fn step(&mut self) -> io::Result<Option<Vec<u8>>>;
}

/// A body of pieces that are made only as fast as the client takes them, so that a slow client holds
/// neither a thread nor more than one piece. `what` names it where it fails.
pub(crate) fn body(steps: impl Steps, what: &'static str, pool: &Arc<WorkerPool>) -> Body {
    let shared = Arc::new(Mutex::new(State::Idle(Box::new(steps))));
    let source = Box::new(Source { shared, what, pool: Arc::clone(pool) });
    Body::Source { size: None, source }
}

struct Source {
    shared: Arc<Mutex<State>>,
    what: &'static str,
    pool: Arc<WorkerPool>,
}

/// Where the next piece is.
enum State {
    /// Nobody works on it.
    Idle(Box<dyn Steps>),
    /// A thread of the pool does.
    Busy,
    /// It is made; the rest can go on.
    Made(Vec<u8>, Box<dyn Steps>),
    Over,
    Failed(io::Error),
}

impl BodySource for Source {
    fn pull(&mut self, _most: usize, wake: &dyn Fn() -> Notifier) -> io::Result<Pulled> {
        let mut state = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let steps = match std::mem::replace(&mut *state, State::Busy) {
            State::Busy => return Ok(Pulled::Pending),
            State::Failed(error) => return Err(error),
            State::Over => return Ok(Pulled::End(FieldBuf::new())),
            State::Made(piece, steps) => {
                *state = State::Idle(steps);
                return Ok(Pulled::Piece(Segment::Owned(piece)));
            }
            State::Idle(steps) => steps,
        };
        drop(state);
        let (shared, notifier) = (self.shared.clone(), wake());
        let job = Job { shared, notifier, what: self.what, steps: Some(steps), is_done: false };
        self.pool.execute(move || job.run()).map_err(|_| {
            io::Error::other(format!("the worker pool is full, {} cannot go on", self.what))
        })?;
        Ok(Pulled::Pending)
    }
}

/// One piece to be made. Dropped before that, or by a panic, it leaves a failure behind.
struct Job {
    shared: Arc<Mutex<State>>,
    notifier: Notifier,
    what: &'static str,
    steps: Option<Box<dyn Steps>>,
    is_done: bool,
}

impl Job {
    fn run(mut self) {
        let Some(mut steps) = self.steps.take() else { return };
        let state = match steps.step() {
            Ok(Some(piece)) => State::Made(piece, steps),
            Ok(None) => State::Over,
            Err(error) => State::Failed(error),
        };
        self.leave(state);
    }

    fn leave(&mut self, state: State) {
        self.is_done = true;
        *self.shared.lock().unwrap_or_else(PoisonError::into_inner) = state;
        // A loop that has ended has no use for the piece.
        self.notifier.wake();
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if !self.is_done {
            self.leave(State::Failed(io::Error::other(format!("{} was given up", self.what))));
        }
    }
}
