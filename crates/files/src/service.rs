//! From outcomes to responses.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Instant;

use avocet_encoding::{Choice, Coding, negotiate};
use avocet_net::WorkerPool;
use avocet_server::{Handler, Reply, Request, Response};
use avocet_wire::InvalidField;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_MAX_AGE, ALLOW, CONTENT_TYPE, RETRY_AFTER,
};
use http::{Method, StatusCode};
use rustix::io::Errno;

use crate::access::Gate;
use crate::archive;
use crate::base::Base;
use crate::cache::Cache;
use crate::changes::{ACCEPT_PATCH, Change, Changes, PARTIAL_UPLOAD, State, UPLOAD_LIMIT, sweep};
use crate::deferred::Deferred;
use crate::dictionaries::{Answering, Dictionaries, family};
use crate::front::{self, Fronted};
use crate::listing::{self, Query};
use crate::making::Making;
use crate::outcome::{Outcome, Rules, look_up};
use crate::pace::Pace;
use crate::path::{FilePath, InvalidPath};
use crate::resource::{CODINGS, Chosen, Resource};
use crate::respond::respond;
use crate::settings::Settings;
use crate::sidecars::Sidecars;

/// Serves a folder; made by [`Folder::open`](crate::Folder::open).
#[derive(Clone)]
pub struct Service {
    shared: Arc<Shared>,
    pool: Arc<WorkerPool>,
}

/// What jobs on other threads need too.
pub(crate) struct Shared {
    pub(crate) base: Base,
    pub(crate) rules: Rules,
    pub(crate) settings: Settings,
    pub(crate) listings: Arc<listing::Budget>,
    pub(crate) changes: State,
    pub(crate) gate: Gate,
    pub(crate) sidecars: Option<Sidecars>,
    pub(crate) dictionaries: Option<Dictionaries>,
    pub(crate) pace: Option<Pace>,
    pub(crate) cache: Cache<Resource>,
}

impl Shared {
    /// The file that a path names, from memory if it is there and still right.
    fn find(&self, path: &FilePath<'_>, now: Instant) -> Result<Arc<Resource>, Outcome> {
        self.base.renew(now);
        if let Some(found) = self.cache.get(path.key(), now) {
            let resource = found.value;
            if found.is_hot && resource.is_unchanged()
                || resource.is_current(&self.base.root(), now)
            {
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

    /// Has a coding of a file put beside it, where that is wanted.
    pub(crate) fn keep_beside(self: &Arc<Self>, resource: &Resource, coding: Coding) {
        if let Some(sidecars) = &self.sidecars {
            sidecars.make(self, resource.path(), coding, &resource.plain.metadata);
        }
    }

    /// Accounts for what was made of a resource since it was found.
    pub(crate) fn reweigh(&self, key: &[u8], resource: &Arc<Resource>) {
        self.cache.reweigh(key, resource, resource.weight());
    }

    fn load(&self, path: &FilePath<'_>, now: Instant) -> Result<Arc<Resource>, Outcome> {
        let root = self.base.root();
        let opened = match look_up(&root, &self.rules, path) {
            Outcome::Opened(opened) => opened,
            outcome => return Err(outcome),
        };
        let is_first_choice = opened.is_first_choice;
        let as_dictionary =
            self.dictionaries.as_ref().and_then(|_| family::field(&self.settings.at, path));
        let resource = Resource::load(&root, &self.settings, opened, as_dictionary, now)?;
        let resource = Arc::new(resource);
        // Of a second choice one look at its path does not tell whether it is still that.
        if is_first_choice {
            self.cache.insert(path.key(), resource.clone(), resource.weight(), now);
        }
        Ok(resource)
    }
}

impl Service {
    pub(crate) fn new(shared: Shared) -> Self {
        let (shared, pool) = (Arc::new(shared), Arc::new(WorkerPool::new()));
        if let Some(sidecars) = &shared.sidecars {
            sidecars.sweep(&shared);
        }
        if shared.changes.rules.uploads {
            let shared = shared.clone();
            if pool.execute(move || sweep(&shared.base.root())).is_err() {
                log::warn!("uploads that were broken off are not looked for");
            }
        }
        Self { shared, pool }
    }

    fn dispatch(&self, request: &Request<'_>, reply: Reply<'_>, path: &FilePath<'_>) {
        let (shared, pool) = (&self.shared, &self.pool);
        let change = Change { shared, pool, path };
        if change.is_one(request) {
            return change.make(request, reply);
        }
        match *request.method() {
            Method::GET | Method::HEAD => match self.archive_of(request, path) {
                archive::Wanted::Nothing => self.render(request, reply, path),
                archive::Wanted::Archive(kind) => self.send_archive(reply, path, kind),
                archive::Wanted::Unknown => {
                    let explanation = "There are archives of the forms zip and tar.";
                    let refused = Response::error_because(StatusCode::BAD_REQUEST, explanation);
                    reply.send(shared.settings.complete(refused));
                }
            },
            _ => reply.send(shared.settings.complete(not_allowed(request, &shared.settings))),
        }
    }

    fn archive_of(&self, request: &Request<'_>, path: &FilePath<'_>) -> archive::Wanted {
        if self.shared.settings.archives && path.is_folder() {
            return archive::Wanted::of(request.query());
        }
        archive::Wanted::Nothing
    }

    fn send_archive(&self, reply: Reply<'_>, path: &FilePath<'_>, kind: archive::Kind) {
        let (shared, pool, path) = (self.shared.clone(), self.pool.clone(), path.to_owned());
        let deferred = Deferred::new(reply.defer());
        let job = move || {
            let response = archive::respond(&shared, &pool, &path, kind);
            deferred.send(shared.settings.complete_at(response, &path));
        };
        if self.pool.execute(job).is_err() {
            log::warn!("the worker pool is full, an archive was refused");
        }
    }

    fn render(&self, request: &Request<'_>, reply: Reply<'_>, path: &FilePath<'_>) {
        match self.shared.find(path, request.received()) {
            Ok(resource) => self.send(request, reply, path, &resource),
            Err(Outcome::Redirect) => {
                let at = &self.shared.settings.at;
                let response = or_500(redirect(at, path, request.query()));
                reply.send(self.shared.settings.complete_at(response, path));
            }
            Err(Outcome::Listing(folder)) => self.list(request, reply, folder, path),
            Err(Outcome::NotFound) => self.substitute(request, reply, path),
            Err(outcome) => {
                reply.send(self.shared.settings.complete_at(failure(&outcome), path));
            }
        }
    }

    /// Sends what is to be sent where nothing was found.
    fn substitute(&self, request: &Request<'_>, reply: Reply<'_>, path: &FilePath<'_>) {
        let (instead, access) = (&self.shared.rules.instead, self.shared.gate.access());
        for path in instead.of(path).filter(|other| access.may_stand_for(path, other)) {
            if let Ok(resource) = self.shared.find(&path, request.received()) {
                return self.send(request, reply, &path, &resource);
            }
        }
        let page = instead.not_found.clone().and_then(FilePath::from_clean);
        let page = page.and_then(|page| self.shared.find(&page, request.received()).ok());
        let response = match page {
            // Its validators are those of another resource, so only its type is told.
            Some(page) => or_500(
                Response::new(StatusCode::NOT_FOUND)
                    .with_body(page.plain.body())
                    .with_field(&CONTENT_TYPE, &page.plain.about.media_type),
            ),
            None => failure(&Outcome::NotFound),
        };
        reply.send(self.shared.settings.complete_at(response, path));
    }

    fn send(
        &self,
        request: &Request<'_>,
        reply: Reply<'_>,
        path: &FilePath<'_>,
        resource: &Arc<Resource>,
    ) {
        if let Some(dictionaries) = &self.shared.dictionaries {
            let answering = Answering { shared: &self.shared, pool: &self.pool, path, resource };
            answering.note();
            if let Some((known, delta)) = answering.delta(dictionaries, request) {
                return answering.respond(request, reply, &known, &delta);
            }
        }
        match resource.choose(&self.shared.settings, request) {
            Chosen::Ready(found) => respond(&self.shared.settings, request, reply, found),
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
        let codings = self
            .shared
            .settings
            .makes_codings
            .then(|| listing::Codings { wanted: made_coding(request), pool: self.pool.clone() });
        let (shared, path) = (self.shared.clone(), path.to_owned());
        let deferred = Deferred::new(reply.defer());
        let job = move || {
            let response = listing::respond(&shared, folder, &path, query, codings);
            deferred.send(shared.settings.complete_at(response, &path));
        };
        if self.pool.execute(job).is_err() {
            log::warn!("the worker pool is full, a listing was refused");
        }
    }
}

impl Handler for Service {
    fn handle(&self, request: &Request<'_>, reply: Reply<'_>) {
        front::handle(self, request, reply);
    }
}

impl Fronted for Service {
    fn gate(&self) -> &Gate {
        &self.shared.gate
    }

    fn pace(&self) -> Option<&Pace> {
        self.shared.pace.as_ref()
    }

    fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    fn pool(&self) -> &WorkerPool {
        &self.pool
    }

    fn serve(&self, request: &Request<'_>, reply: Reply<'_>) {
        let settings = &self.shared.settings;
        let response = if *request.method() == Method::OPTIONS {
            or_500(options(settings, &self.shared.changes.rules))
        } else if !is_known(request.method(), &self.shared.changes.rules) {
            not_allowed(request, settings)
        } else {
            match below(&settings.at, request.path()) {
                Some(path) => match FilePath::parse(path) {
                    Ok(path) => return self.dispatch(request, reply, &path),
                    Err(invalid) => failure(&Outcome::Invalid(invalid)),
                },
                // The folder itself, without the slash at its end.
                None if request.path() == settings.at => {
                    or_500(redirect(&settings.at, &FilePath::root(), request.query()))
                }
                None => failure(&Outcome::NotFound),
            }
        };
        reply.send(settings.complete(response));
    }
}

/// The coding that a client wants most of those that can be made.
fn made_coding(request: &Request<'_>) -> Option<Coding> {
    if !request.fields().contains(&ACCEPT_ENCODING) {
        return None;
    }
    let lines = request.fields().get_all(&ACCEPT_ENCODING);
    let known = CODINGS.iter().map(|(coding, _)| *coding);
    let offered: Vec<Coding> = known.filter(|coding| coding.is_built_in()).collect();
    match negotiate(lines, &offered) {
        Choice::Coding(coding) => Some(coding),
        _ => None,
    }
}

fn is_known(method: &Method, changes: &Changes) -> bool {
    matches!(*method, Method::GET | Method::HEAD) || changes.methods().contains(&method.as_str())
}

/// Methods of others are told apart from those that nobody knows.
fn not_allowed(request: &Request<'_>, settings: &Settings) -> Response {
    match request.method().as_str() {
        "GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "PATCH" | "TRACE" | "CONNECT" | "MKCOL" => {
            let refused = Response::error(StatusCode::METHOD_NOT_ALLOWED);
            or_500(refused.with_field(&ALLOW, &settings.methods))
        }
        _ => Response::error(StatusCode::NOT_IMPLEMENTED),
    }
}

/// What may be done with files, and by scripts of which origins (the Fetch standard, CORS protocol).
fn options(settings: &Settings, changes: &Changes) -> Result<Response, InvalidField> {
    let mut response =
        Response::new(StatusCode::NO_CONTENT).with_field(&ALLOW, &settings.methods)?;
    if changes.uploads {
        let limit = format!("max-size={}", changes.largest);
        response =
            response.with_field(&ACCEPT_PATCH, PARTIAL_UPLOAD)?.with_field(&UPLOAD_LIMIT, limit)?;
    }
    if !settings.is_shared {
        return Ok(response);
    }
    response
        .with_field(&ACCESS_CONTROL_ALLOW_METHODS, METHODS)?
        .with_field(&ACCESS_CONTROL_ALLOW_HEADERS, "*")?
        .with_field(&ACCESS_CONTROL_MAX_AGE, "86400")
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

/// What is left of a path below the one at which the folder is served; it begins with a slash.
pub(crate) fn below<'p>(at: &str, path: &'p str) -> Option<&'p str> {
    if at.is_empty() {
        return Some(path);
    }
    path.strip_prefix(at).filter(|rest| rest.starts_with('/'))
}

/// To the same folder with a slash at its end, so that relative links in it lead right.
pub(crate) fn redirect(
    at: &str,
    path: &FilePath<'_>,
    query: Option<&str>,
) -> Result<Response, InvalidField> {
    let mut location = at.to_owned();
    location.push_str(&path.to_url(true));
    if let Some(query) = query {
        location.push('?');
        location.push_str(query);
    }
    Response::redirect(StatusCode::MOVED_PERMANENTLY, &location)
}

/// A field that cannot be sent is a fault of this crate or of its settings.
pub(crate) fn or_500(made: Result<Response, InvalidField>) -> Response {
    made.unwrap_or_else(|error| {
        log::error!("a response about a file: {error}");
        Response::error(StatusCode::INTERNAL_SERVER_ERROR)
    })
}

/// What scripts of other origins may do.
const METHODS: &str = "GET, HEAD, OPTIONS";
