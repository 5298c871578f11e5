//! Handlers by path and method.

use std::error::Error;
use std::fmt;

use avocet_wire::{Target, TargetForm};
use http::{Method, StatusCode};

use crate::handler::Handler;
use crate::methods::Methods;
use crate::reply::Reply;
use crate::request::Request;
use crate::response::Response;

/// Chooses a handler by the path of the target and by the method.
///
/// Paths are compared as they were sent, without decoding. `{name}` stands for one segment and
/// `{*name}` for the rest; [`Request::param`] gives what stood there. A path that is not known is
/// 404, CONNECT is 501; methods are treated as in [`Methods`]; `OPTIONS *` is answered 204.
///
/// ```
/// use avocet_server::{Response, Router, respond};
///
/// let router = Router::new()
///     .get("/birds/{name}", respond(|request| {
///         Response::text(format!("a {}\n", request.param("name").unwrap_or("bird")))
///     }))?;
/// # Ok::<(), avocet_server::InvalidRoute>(())
/// ```
#[derive(Default)]
pub struct Router {
    routes: Vec<(String, Methods)>,
    /// Routes without parameters, which are the usual ones: while they are few, comparing costs less
    /// than walking a tree.
    literals: Vec<usize>,
    paths: matchit::Router<usize>,
    fallback: Option<Box<dyn Handler>>,
}

/// A path that cannot be added: malformed, or in conflict with another.
#[derive(Debug)]
pub struct InvalidRoute {
    path: String,
    source: matchit::InsertError,
}

impl Router {
    /// No path at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a handler for GET and HEAD of a path.
    pub fn get(self, path: &str, handler: impl Handler + 'static) -> Result<Self, InvalidRoute> {
        self.on(Method::GET, path, handler)
    }

    /// Adds a handler for POST to a path.
    pub fn post(self, path: &str, handler: impl Handler + 'static) -> Result<Self, InvalidRoute> {
        self.on(Method::POST, path, handler)
    }

    /// Adds a handler for a method and path.
    pub fn on(
        self,
        method: Method,
        path: &str,
        handler: impl Handler + 'static,
    ) -> Result<Self, InvalidRoute> {
        self.route(path, Methods::new().on(method, handler))
    }

    /// Adds handlers for several methods of a path; those that the path has already are kept
    /// unless they are replaced.
    pub fn route(mut self, path: &str, methods: Methods) -> Result<Self, InvalidRoute> {
        if let Some((_, known)) = self.routes.iter_mut().find(|(known, _)| known == path) {
            *known = std::mem::take(known).merged(methods);
            return Ok(self);
        }
        let invalid = |source| InvalidRoute { path: path.to_owned(), source };
        self.paths.insert(path, self.routes.len()).map_err(invalid)?;
        if !path.contains(['{', '}', '?']) && self.literals.len() < MOST_LITERALS {
            self.literals.push(self.routes.len());
        }
        self.routes.push((path.to_owned(), methods));
        Ok(self)
    }

    /// Answers what no path answers, instead of 404.
    #[must_use]
    pub fn fallback(mut self, handler: impl Handler + 'static) -> Self {
        self.fallback = Some(Box::new(handler));
        self
    }
}

impl Handler for Router {
    fn handle(&self, request: &Request<'_>, reply: Reply<'_>) {
        let target = request.target();
        for &index in &self.literals {
            let (literal, methods) = &self.routes[index];
            if is_path_of(literal, target) {
                return methods.handle(request, reply);
            }
        }
        match self.paths.at(request.path()) {
            Ok(found) => {
                let request = request.with_params(&found.params);
                self.routes[*found.value].1.handle(&request, reply);
            }
            Err(_) if request.method() == Method::OPTIONS && request.target().as_str() == "*" => {
                reply.send(Response::new(StatusCode::NO_CONTENT));
            }
            Err(_) => match &self.fallback {
                Some(fallback) => fallback.handle(request, reply),
                // A tunnel is asked of the server, not of a path: here nobody makes one.
                None if request.method() == Method::CONNECT => {
                    reply.send(Response::error(StatusCode::NOT_IMPLEMENTED));
                }
                None => reply.send(Response::error(StatusCode::NOT_FOUND)),
            },
        }
    }
}

/// Whether this is the path of the target; it has no `?`, so that the usual target need not be searched
/// for its end.
fn is_path_of(literal: &str, target: Target<'_>) -> bool {
    match target.form() {
        TargetForm::Origin => {
            matches!(target.as_bytes().strip_prefix(literal.as_bytes()), Some([] | [b'?', ..]))
        }
        _ => target.path() == literal,
    }
}

const MOST_LITERALS: usize = 16;

impl fmt::Display for InvalidRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the route `{}`: {}", self.path, self.source)
    }
}

impl Error for InvalidRoute {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}
