//! A reply that is given later, by any thread.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use avocet_net::Notifier;
use avocet_wire::FieldBuf;
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

/// Where the session finds the response, and what goes before it.
#[derive(Default)]
pub(crate) struct Slot(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    interims: Vec<Interim>,
    given: Option<Given>,
}

/// An interim response that has not been sent yet.
pub(crate) struct Interim {
    pub(crate) status: StatusCode,
    pub(crate) fields: FieldBuf,
}

/// A response, and whether it stands for a panic.
pub(crate) struct Given {
    pub(crate) response: Response,
    pub(crate) panicked: bool,
}

impl Slot {
    /// What is to be sent now. Interim responses stay while there is no room, unless the final one is
    /// there already.
    pub(crate) fn take(&self, has_room: bool) -> (Vec<Interim>, Option<Given>) {
        let mut waiting = self.lock();
        let given = waiting.given.take();
        let goes = has_room || given.is_some();
        (if goes { std::mem::take(&mut waiting.interims) } else { Vec::new() }, given)
    }

    /// The state is plain data that is never left half changed.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Has an interim response sent before the answer, such as one of progress; a client of HTTP/1.0
    /// gets none. False where it was dropped because the client does not take those before it.
    ///
    /// *Bounds*: 8 wait.
    ///
    /// *Spec*: RFC 9110 §15.2.
    pub fn interim(&self, status: StatusCode, fields: FieldBuf) -> bool {
        let mut waiting = self.slot.lock();
        if waiting.interims.len() >= MOST_WAITING {
            return false;
        }
        waiting.interims.push(Interim { status, fields });
        drop(waiting);
        self.notifier.wake()
    }

    fn put(&mut self, response: Response) {
        self.used = true;
        let given = Given { response, panicked: thread::panicking() };
        self.slot.lock().given = Some(given);
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

/// Interim responses that may wait for a client that does not read.
const MOST_WAITING: usize = 8;
