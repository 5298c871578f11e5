//! From outcomes to responses.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use avocet_net::WorkerPool;
use avocet_server::{Handler, Reply, Request, Response};
use avocet_wire::{FieldBuf, InvalidField};
use http::header::{ACCEPT, ALLOW, RETRY_AFTER};
use http::{Method, StatusCode};

use crate::deferred::Deferred;
use crate::listing::{self, Query};
use crate::outcome::{Opened, Outcome, Rules, look_up};
use crate::path::{FilePath, InvalidPath};
use crate::representation::{Described, LoadError, Representation};
use crate::respond::respond;
use crate::root::Root;
use crate::types::Types;

/// Serves a folder; made by [`Folder::open`](crate::Folder::open).
pub struct Service {
    shared: Arc<Shared>,
    pool: Arc<WorkerPool>,
}

/// What jobs on other threads need too.
pub(crate) struct Shared {
    pub(crate) root: Root,
    pub(crate) rules: Rules,
    pub(crate) types: Types,
    pub(crate) listings: listing::Budget,
}

impl Service {
    pub(crate) fn new(root: Root, rules: Rules, types: Types) -> Self {
        let listings = listing::Budget::default();
        let shared = Arc::new(Shared { root, rules, types, listings });
        Self { shared, pool: Arc::new(WorkerPool::new()) }
    }

    fn render(&self, request: &Request<'_>, reply: Reply<'_>, path: &FilePath<'_>) {
        match look_up(&self.shared.root, &self.shared.rules, path) {
            Outcome::Opened(opened) => self.send_file(request, reply, opened),
            Outcome::Redirect => reply.send(or_500(redirect(path, request.query()))),
            Outcome::Listing(folder) => self.list(request, reply, folder, path),
            outcome => reply.send(failure(&outcome)),
        }
    }

    fn send_file(&self, request: &Request<'_>, reply: Reply<'_>, opened: Opened) {
        let described = Described {
            media_type: &self.shared.types.of(&opened.path),
            coding: None,
            varies: false,
            extra: &FieldBuf::new(),
        };
        match Representation::load(opened.file, opened.metadata, &described) {
            Ok(found) => respond(request, reply, &found),
            Err(LoadError::System(error)) => reply.send(failure(&Outcome::of_error(error))),
            Err(LoadError::Field(error)) => reply.send(or_500(Err(error))),
        }
    }

    /// Reads the folder on another thread, since there may be very much of it.
    fn list(&self, request: &Request<'_>, reply: Reply<'_>, folder: OwnedFd, path: &FilePath<'_>) {
        let query = Query::new(request.query(), request.field(&ACCEPT));
        let (shared, path) = (self.shared.clone(), path.to_owned());
        let deferred = Deferred::new(reply.defer());
        let job = move || deferred.send(listing::respond(&shared, folder, &path, query));
        if self.pool.execute(job).is_err() {
            log::warn!("the worker pool is full, a listing was refused");
        }
    }
}

impl Handler for Service {
    fn handle(&self, request: &Request<'_>, reply: Reply<'_>) {
        match *request.method() {
            Method::GET | Method::HEAD => {}
            Method::OPTIONS => return reply.send(or_500(allowing(StatusCode::NO_CONTENT))),
            Method::POST
            | Method::PUT
            | Method::DELETE
            | Method::PATCH
            | Method::TRACE
            | Method::CONNECT => {
                return reply.send(or_500(allowing(StatusCode::METHOD_NOT_ALLOWED)));
            }
            _ => return reply.send(Response::error(StatusCode::NOT_IMPLEMENTED)),
        }
        match FilePath::parse(request.path()) {
            Ok(path) => self.render(request, reply, &path),
            Err(invalid) => reply.send(failure(&Outcome::Invalid(invalid))),
        }
    }
}

/// The answer where there is nothing to send.
pub(crate) fn failure(outcome: &Outcome) -> Response {
    match outcome {
        Outcome::Forbidden => Response::error(StatusCode::FORBIDDEN),
        Outcome::Busy(error) => {
            log::warn!("a file could not be opened: {error}");
            let busy = Response::error(StatusCode::SERVICE_UNAVAILABLE);
            or_500(busy.with_field(&RETRY_AFTER, "1"))
        }
        Outcome::Failed(error) => {
            log::error!("a file could not be opened: {error}");
            Response::error(StatusCode::INTERNAL_SERVER_ERROR)
        }
        // No name holds a slash, so this is a name that is not there.
        Outcome::Invalid(InvalidPath::Separator) => Response::error(StatusCode::NOT_FOUND),
        Outcome::Invalid(invalid) => {
            Response::error_because(StatusCode::BAD_REQUEST, invalid.to_string())
        }
        _ => Response::error(StatusCode::NOT_FOUND),
    }
}

/// To the same folder with a slash at its end, so that relative links in it lead right.
fn redirect(path: &FilePath<'_>, query: Option<&str>) -> Result<Response, InvalidField> {
    let mut location = path.to_url(true);
    if let Some(query) = query {
        location.push('?');
        location.push_str(query);
    }
    Response::redirect(StatusCode::MOVED_PERMANENTLY, &location)
}

fn allowing(status: StatusCode) -> Result<Response, InvalidField> {
    let response = match status {
        StatusCode::NO_CONTENT => Response::new(status),
        _ => Response::error(status),
    };
    response.with_field(&ALLOW, "GET, HEAD, OPTIONS")
}

/// A field that cannot be sent is a fault of this crate or of its settings.
pub(crate) fn or_500(made: Result<Response, InvalidField>) -> Response {
    made.unwrap_or_else(|error| {
        log::error!("a response about a file: {error}");
        Response::error(StatusCode::INTERNAL_SERVER_ERROR)
    })
}
