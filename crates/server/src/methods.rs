//! One handler per method, as `do_GET` and its kin had it.

use http::header::ALLOW;
use http::{Method, StatusCode};

use crate::handler::Handler;
use crate::reply::Reply;
use crate::request::Request;
use crate::response::Response;

/// Chooses a handler by the request's method.
///
/// HEAD falls to GET and is answered without content; OPTIONS is answered 204 with Allow unless
/// there is a handler for it. A method that is known but has no handler is 405 with Allow, an
/// unknown one 501. The case of methods counts.
///
/// *Spec*: RFC 9110 §9.1, §9.3.7, §15.5.6, §15.6.2.
///
/// ```
/// use avocet_server::{Methods, Response, respond};
///
/// let methods = Methods::new()
///     .get(respond(|_| Response::text("all birds\n")))
///     .delete(respond(|_| Response::new(http::StatusCode::NO_CONTENT)));
/// assert_eq!(methods.allow(), "DELETE, GET, HEAD, OPTIONS");
/// ```
#[derive(Default)]
pub struct Methods {
    handlers: Vec<(Method, Box<dyn Handler>)>,
}

impl Methods {
    /// No method at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a handler for GET, and for HEAD unless that has its own.
    #[must_use]
    pub fn get(self, handler: impl Handler + 'static) -> Self {
        self.on(Method::GET, handler)
    }

    /// Adds a handler for POST.
    #[must_use]
    pub fn post(self, handler: impl Handler + 'static) -> Self {
        self.on(Method::POST, handler)
    }

    /// Adds a handler for PUT.
    #[must_use]
    pub fn put(self, handler: impl Handler + 'static) -> Self {
        self.on(Method::PUT, handler)
    }

    /// Adds a handler for DELETE.
    #[must_use]
    pub fn delete(self, handler: impl Handler + 'static) -> Self {
        self.on(Method::DELETE, handler)
    }

    /// Adds a handler for any method, of the registry or not; an earlier one is replaced.
    #[must_use]
    pub fn on(mut self, method: Method, handler: impl Handler + 'static) -> Self {
        self.handlers.retain(|(other, _)| *other != method);
        self.handlers.push((method, Box::new(handler)));
        self
    }

    /// Joins two sets; those of `other` win.
    #[must_use]
    pub(crate) fn merged(mut self, other: Self) -> Self {
        for (method, handler) in other.handlers {
            self.handlers.retain(|(known, _)| *known != method);
            self.handlers.push((method, handler));
        }
        self
    }

    /// The value of Allow.
    pub fn allow(&self) -> String {
        let mut names: Vec<&str> =
            self.handlers.iter().map(|(method, _)| method.as_str()).collect();
        if names.contains(&"GET") && !names.contains(&"HEAD") {
            names.push("HEAD");
        }
        if !names.contains(&"OPTIONS") {
            names.push("OPTIONS");
        }
        names.sort_unstable();
        names.join(", ")
    }

    fn find(&self, method: &Method) -> Option<&dyn Handler> {
        self.handlers.iter().find(|(known, _)| known == method).map(|(_, handler)| &**handler)
    }

    fn missing(&self, method: &Method) -> Response {
        let response = match *method {
            Method::OPTIONS => Response::new(StatusCode::NO_CONTENT),
            Method::GET
            | Method::HEAD
            | Method::POST
            | Method::PUT
            | Method::DELETE
            | Method::PATCH
            | Method::TRACE
            | Method::CONNECT => Response::error(StatusCode::METHOD_NOT_ALLOWED),
            _ => return Response::error(StatusCode::NOT_IMPLEMENTED),
        };
        response.with_field(&ALLOW, self.allow()).unwrap_or_else(|error| {
            // Methods are tokens, so that a list of them is a valid value.
            log::error!("the Allow field: {error}");
            Response::error(StatusCode::INTERNAL_SERVER_ERROR)
        })
    }
}

impl Handler for Methods {
    fn handle(&self, request: &Request<'_>, reply: Reply<'_>) {
        let method = request.method();
        let found = self.find(method).or_else(|| match *method {
            Method::HEAD => self.find(&Method::GET),
            _ => None,
        });
        match found {
            Some(handler) => handler.handle(request, reply),
            None => reply.send(self.missing(method)),
        }
    }
}
