//! A request whose handler goes on later.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use avocet_net::Notifier;

/// Has a postponed request go on; may be sent to another thread.
///
/// *Errors*: dropping it does the same, so that no request waits for ever.
///
/// *Blocking*: never.
pub struct Postponed {
    is_due: Arc<AtomicBool>,
    notifier: Notifier,
}

impl Postponed {
    pub(crate) fn new(notifier: Notifier) -> (Self, Arc<AtomicBool>) {
        let is_due = Arc::new(AtomicBool::new(false));
        (Self { is_due: is_due.clone(), notifier }, is_due)
    }

    /// The request goes on.
    pub fn resume(self) {
        drop(self);
    }
}

impl Drop for Postponed {
    fn drop(&mut self) {
        self.is_due.store(true, Ordering::Release);
        // A loop that has ended has no requests any more.
        self.notifier.wake();
    }
}
