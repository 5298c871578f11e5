//! Answers that are made on another thread.

use std::thread;

use avocet_server::{Response, Ticket};
use avocet_wire::FieldBuf;
use http::StatusCode;
use http::header::RETRY_AFTER;

use crate::service::or_500;

/// The duty to answer, carried by a job. A job that the full pool has dropped answers 503, one that
/// panics 500.
pub(crate) struct Deferred {
    ticket: Option<Ticket>,
    complete: Option<Complete>,
}

type Complete = Box<dyn Fn(Response) -> Response + Send + Sync>;

impl Deferred {
    pub(crate) fn new(ticket: Ticket) -> Self {
        Self { ticket: Some(ticket), complete: None }
    }

    /// The same, and every answer goes through `complete`.
    pub(crate) fn completed(
        mut self,
        complete: impl Fn(Response) -> Response + Send + Sync + 'static,
    ) -> Self {
        self.complete = Some(Box::new(complete));
        self
    }

    /// Has an interim response sent, unless too many wait already.
    pub(crate) fn interim(&self, status: StatusCode, fields: FieldBuf) -> bool {
        self.ticket.as_ref().is_some_and(|ticket| ticket.interim(status, fields))
    }

    pub(crate) fn send(mut self, response: Response) {
        self.put(response);
    }

    fn put(&mut self, response: Response) {
        if let Some(ticket) = self.ticket.take() {
            ticket.send(match &self.complete {
                Some(complete) => complete(response),
                None => response,
            });
        }
    }
}

impl Drop for Deferred {
    fn drop(&mut self) {
        if self.ticket.is_none() {
            return;
        }
        if thread::panicking() {
            return self.put(Response::error(StatusCode::INTERNAL_SERVER_ERROR));
        }
        let busy = Response::error(StatusCode::SERVICE_UNAVAILABLE);
        self.put(or_500(busy.with_field(&RETRY_AFTER, "1")));
    }
}
