//! Who answers requests.

use std::sync::Arc;

use crate::reply::Reply;
use crate::request::Request;
use crate::response::Response;

/// Answers requests on the loop's thread: it must not block. Work that may block goes through
/// [`crate::blocking`] or a [`crate::Ticket`].
///
/// A handler that returns without having used its reply, or that panics, is answered 500.
pub trait Handler: Send + Sync {
    /// Answers one request, or arranges that it will be answered.
    fn handle(&self, request: &Request<'_>, reply: Reply<'_>);
}

/// A handler from a plain function.
///
/// ```
/// use avocet_server::{Response, respond};
///
/// let handler = respond(|request| Response::text(format!("you asked for {}\n", request.path())));
/// # fn is_handler(_: impl avocet_server::Handler) {}
/// # is_handler(handler);
/// ```
pub fn respond<F>(answer: F) -> impl Handler
where
    F: Fn(&Request<'_>) -> Response + Send + Sync,
{
    Respond(answer)
}

struct Respond<F>(F);

impl<F> Handler for Respond<F>
where
    F: Fn(&Request<'_>) -> Response + Send + Sync,
{
    fn handle(&self, request: &Request<'_>, reply: Reply<'_>) {
        reply.send((self.0)(request));
    }
}

impl<F> Handler for F
where
    F: Fn(&Request<'_>, Reply<'_>) + Send + Sync,
{
    fn handle(&self, request: &Request<'_>, reply: Reply<'_>) {
        self(request, reply);
    }
}

impl Handler for Arc<dyn Handler> {
    fn handle(&self, request: &Request<'_>, reply: Reply<'_>) {
        (**self).handle(request, reply);
    }
}

impl Handler for Box<dyn Handler> {
    fn handle(&self, request: &Request<'_>, reply: Reply<'_>) {
        (**self).handle(request, reply);
    }
}
