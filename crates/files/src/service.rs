//! From outcomes to responses.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Instant;

use avocet_net::WorkerPool;
use avocet_server::{Handler, Reply, Request, Response};
use avocet_wire::InvalidField;
use http::header::{ACCEPT, ALLOW, RETRY_AFTER};
use http::{Method, StatusCode};
use rustix::io::Errno;

use crate::cache::Cache;
use crate::deferred::Deferred;
use crate::listing::{self, Query};
use crate::making::Making;
use crate::outcome::{Outcome, Rules, look_up};
use crate::path::{FilePath, InvalidPath};
use crate::resource::{Chosen, Resource};
use crate::respond::respond;
use crate::root::Root;
use crate::settings::Settings;

/// Serves a folder; made by [`Folder::open`](crate::Folder::open).
pub struct Service {
    shared: Arc<Shared>,
    pool: Arc<WorkerPool>,
}

/// What jobs on other threads need too.
pub(crate) struct Shared {
    pub(crate) root: Root,
    pub(crate) rules: Rules,
    pub(crate) settings: Settings,
    pub(crate) listings: listing::Budget,
    cache: Cache<Resource>,
}

impl Shared {
    pub(crate) fn new(
        root: Root,
        rules: Rules,
        settings: Settings,
        cache: Cache<Resource>,
    ) -> Self {
        Self { root, rules, settings, listings: listing::Budget::default(), cache }
    }

    /// The file that a path names, from memory if it is there and still right.
    fn find(&self, path: &FilePath<'_>, now: Instant) -> Result<Arc<Resource>, Outcome> {
        if let Some(found) = self.cache.get(path.key(), now) {
            let resource = found.value;
            if found.is_hot && resource.is_unchanged() || resource.is_current(&self.root, now) {
                return Ok(resource);
            }
            self.cache.remove(path.key());
        }
        match self.load(path, now) {
            // The descriptors that are kept for later are needed now.
            Err(Outcome::Busy(Errno::MFILE | Errno::NFILE)) => {
                self.cache.clear();
                self.load(path, now)
            }
            loaded => loaded,
        }
    }

    /// Accounts for what was made of a resource since it was found.
    pub(crate) fn reweigh(&self, key: &[u8], resource: &Arc<Resource>) {
        self.cache.reweigh(key, resource, resource.weight());
    }

    fn load(&self, path: &FilePath<'_>, now: Instant) -> Result<Arc<Resource>, Outcome> {
        let opened = match look_up(&self.root, &self.rules, path) {
            Outcome::Opened(opened) => opened,
            outcome => return Err(outcome),
        };
        let is_first_choice = opened.is_first_choice;
        let resource = Arc::new(Resource::load(&self.root, &self.settings, opened, now)?);
        // Of a second choice one look at its path does not tell whether it is still that.
        if is_first_choice {
            self.cache.insert(path.key(), resource.clone(), resource.weight(), now);
        }
        Ok(resource)
    }
}

impl Service {
    pub(crate) fn new(shared: Shared) -> Self {
        Self { shared: Arc::new(shared), pool: Arc::new(WorkerPool::new()) }
    }

    fn render(&self, request: &Request<'_>, reply: Reply<'_>, path: &FilePath<'_>) {
        match self.shared.find(path, request.received()) {
            Ok(resource) => self.send(request, reply, path, &resource),
            Err(Outcome::Redirect) => reply.send(or_500(redirect(path, request.query()))),
            Err(Outcome::Listing(folder)) => self.list(request, reply, folder, path),
            Err(outcome) => reply.send(failure(&outcome)),
        }
    }

    fn send(
        &self,
        request: &Request<'_>,
        reply: Reply<'_>,
        path: &FilePath<'_>,
        resource: &Arc<Resource>,
    ) {
        match resource.choose(&self.shared.settings, request) {
            Chosen::Ready(found) => respond(request, reply, found),
            Chosen::Making(coded) => {
                let making =
                    Making { shared: &self.shared, pool: &self.pool, path, resource, coded };
                making.respond(request, reply);
            }
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
        Outcome::Unsendable(error) => or_500(Err(*error)),
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
