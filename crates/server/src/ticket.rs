//! A reply that is given later, by any thread.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use avocet_net::Notifier;
use http::StatusCode;

use crate::response::Response;

/// The right and duty to answer one request; may be sent to another thread.
///
/// *Errors*: a ticket that is dropped unused answers 500. When the connection has ended meanwhile
/// the response is dropped in silence.
///
/// *Blocking*: never.
pub struct Ticket {
    slot: Arc<Slot>,
    notifier: Notifier,
    used: bool,
}

/// Where the session finds the response.
#[derive(Default)]
pub(crate) struct Slot(Mutex<Option<Given>>);

/// A response, and whether it stands for a panic.
pub(crate) struct Given {
    pub(crate) response: Response,
    pub(crate) panicked: bool,
}

impl Slot {
    pub(crate) fn take(&self) -> Option<Given> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Ticket {
    pub(crate) fn new(notifier: Notifier) -> (Self, Arc<Slot>) {
        let slot = Arc::new(Slot::default());
        (Self { slot: slot.clone(), notifier, used: false }, slot)
    }

    /// Answers.
    pub fn send(mut self, response: Response) {
        self.put(response);
    }

    fn put(&mut self, response: Response) {
        self.used = true;
        let given = Given { response, panicked: thread::panicking() };
        *self.slot.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(given);
        if !self.notifier.wake() {
            log::debug!("a response came after its loop had ended");
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.used {
            log::error!("a request was never answered");
            self.put(Response::error(StatusCode::INTERNAL_SERVER_ERROR));
        }
    }
}
