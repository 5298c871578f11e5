//! Who answers requests.

use std::sync::Arc;

use crate::reply::Reply;
use crate::request::Request;
use crate::response::Response;

/// Answers requests.
///
/// A handler is called on the loop's thread as soon as a head is complete, before any content is
/// read. It uses its [`Reply`] up in one of the ways that the reply has, and returns.
///
/// *Bounds*: one call at a time for each connection, in the order of its requests; the next request
/// is read when the exchange is over. How long a late answer takes is the handler's to bound.
///
/// *Errors*: whoever returns without having used the reply, or panics, is answered 500, and the
/// connection ends; when content was already under way it is cut off. The loop and the other
/// connections go on.
///
/// *Blocking*: not allowed, for all connections of the loop wait meanwhile. Work that may block goes
/// to [`crate::blocking`], or to another thread with a [`crate::Ticket`].
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
