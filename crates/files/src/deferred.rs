//! Answers that are made on another thread.

use std::thread;

use avocet_server::{Response, Ticket};
use http::StatusCode;
use http::header::RETRY_AFTER;

use crate::service::or_500;

/// The duty to answer, carried by a job. A job that the full pool has dropped answers 503, one that
/// panics 500.
pub(crate) struct Deferred {
    ticket: Option<Ticket>,
}

impl Deferred {
    pub(crate) fn new(ticket: Ticket) -> Self {
        Self { ticket: Some(ticket) }
    }

    pub(crate) fn send(mut self, response: Response) {
        if let Some(ticket) = self.ticket.take() {
            ticket.send(response);
        }
    }
}

impl Drop for Deferred {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            if thread::panicking() {
                return ticket.send(Response::error(StatusCode::INTERNAL_SERVER_ERROR));
            }
            let busy = Response::error(StatusCode::SERVICE_UNAVAILABLE);
            ticket.send(or_500(busy.with_field(&RETRY_AFTER, "1")));
        }
    }
}
