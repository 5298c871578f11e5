//! A form of a file that is made once, for all who wait for it.

use std::mem;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::deferred::Deferred;
use crate::representation::Representation;

/// What is made of a file, and who waits for it.
#[derive(Default)]
pub(crate) struct Form {
    /// Nothing where it would not be shorter.
    made: OnceLock<Option<Representation>>,
    waiting: Mutex<Vec<Deferred>>,
}

/// What became of the wish to wait for a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Nobody waits so far: who is told this sees to it that the form is made.
    First,
    Joined,
    /// The form was made meanwhile, or found not to be worth it.
    Over,
}

impl Form {
    pub(crate) fn made(&self) -> Option<&Representation> {
        self.made.get().and_then(Option::as_ref)
    }

    /// Whether it was not yet found to be useless.
    pub(crate) fn is_worth_making(&self) -> bool {
        !matches!(self.made.get(), Some(None))
    }

    /// Joins those who wait. `defer` is called only where there is still something to wait for.
    pub(crate) fn wait(&self, defer: impl FnOnce() -> Option<Deferred>) -> Wait {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if self.made.get().is_some() {
            return Wait::Over;
        }
        let is_first = waiting.is_empty();
        waiting.extend(defer());
        if is_first { Wait::First } else { Wait::Joined }
    }

    /// Gives back those who wait, although nothing was made for them.
    pub(crate) fn give_up(&self) -> Vec<Deferred> {
        mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes what was made and gives back those who wait.
    pub(crate) fn finish(&self, made: Option<Representation>) -> Vec<Deferred> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // A second result for the same state is as good as the first.
        let _ = self.made.set(made);
        mem::take(&mut *waiting)
    }
}
