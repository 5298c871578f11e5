//! Changes to a folder: uploads, new folders, deletions. All are off unless they are asked for.

mod actions;
mod digests;
mod draft;
mod every;
mod form;
mod intake;
mod place;
mod put;
mod quota;
mod refusal;
mod resumable;
mod same_origin;
mod terms;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use avocet_net::WorkerPool;
use avocet_server::{Reply, Request, Response};
use http::header::HeaderName;
use http::{Method, StatusCode};

use crate::deferred::Deferred;
use crate::path::FilePath;
use crate::root::Root;
use crate::service::Shared;
use quota::{Claim, Quota};
use resumable::Uploads;

pub(crate) use draft::{Draft, sweep};
pub(crate) use every::for_each_file;
pub(crate) use place::{Place, Taken};
pub(crate) use refusal::Refused;
pub(crate) use resumable::{ACCEPT_PATCH, PARTIAL_UPLOAD};

/// What may be changed in a folder that is served. Nothing may unless it is said here.
///
/// Requests that a browser sends on behalf of another site's page are refused. Who may change
/// something is not asked here: put a handler that asks before the folder.
///
/// ```no_run
/// use avocet_files::{Changes, Folder};
///
/// let changes = Changes::new().upload(true).largest(10_000_000).quota(1_000_000_000);
/// let files = Folder::new("inbox").changes(changes).open()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Changes {
    pub(crate) uploads: bool,
    pub(crate) overwrites: bool,
    pub(crate) folders: bool,
    pub(crate) deletes: bool,
    pub(crate) largest: u64,
    pub(crate) quota: Option<u64>,
    pub(crate) names: Vec<String>,
}

impl Changes {
    /// None.
    pub fn new() -> Self {
        Self {
            uploads: false,
            overwrites: false,
            folders: false,
            deletes: false,
            largest: 1 << 30,
            quota: None,
            names: Vec::new(),
        }
    }

    /// Whether files may be uploaded: by `PUT`, which may be resumed
    /// (draft-ietf-httpbis-resumable-upload), also by a later process, and by the form of the listing.
    ///
    /// *Bounds*: an upload that waits to be resumed is kept for a day after it was last asked for; up to 128
    /// wait, fewer where the system allows few open files, and more are answered 503.
    pub fn upload(mut self, allowed: bool) -> Self {
        self.uploads = allowed;
        self
    }

    /// Whether an upload may take the place of a file. Otherwise a name that is taken is answered 409.
    pub fn overwrite(mut self, allowed: bool) -> Self {
        self.overwrites = allowed;
        self
    }

    /// Whether folders may be made: by `MKCOL` (RFC 4918 §9.3) and by the form of the listing.
    pub fn folders(mut self, allowed: bool) -> Self {
        self.folders = allowed;
        self
    }

    /// Whether files and empty folders may be deleted: by `DELETE` and by the form of the listing. A
    /// folder that is not empty is answered 409.
    pub fn delete(mut self, allowed: bool) -> Self {
        self.deletes = allowed;
        self
    }

    /// The most bytes of a file that is uploaded; 1 GiB unless changed, and 413 beyond.
    pub fn largest(mut self, bytes: u64) -> Self {
        self.largest = bytes;
        self
    }

    /// The most bytes that the folder may hold, its files added up; 507 beyond. Unless it is set, the
    /// disk is the bound. Files that other programs make are counted within a minute.
    pub fn quota(mut self, bytes: u64) -> Self {
        self.quota = Some(bytes);
        self
    }

    /// And a name of this server, as `Host` has it without a port, for browsers that come by a loopback
    /// address, through a proxy on this machine: other names than `localhost` are refused there, since
    /// any site can have its own lead to the machine of who looks at it. `*.example.org` stands for all
    /// names below that one.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.names.push(name.into());
        self
    }

    pub(crate) fn is_none(&self) -> bool {
        !(self.uploads || self.folders || self.deletes)
    }

    /// The methods that change something.
    pub(crate) fn methods(&self) -> Vec<&'static str> {
        let by_form = !self.is_none();
        let all = [
            (self.uploads, "PUT"),
            (self.uploads, "PATCH"),
            (by_form, "POST"),
            (self.deletes || self.uploads, "DELETE"),
            (self.folders, "MKCOL"),
        ];
        all.into_iter().filter(|(allowed, _)| *allowed).map(|(_, method)| method).collect()
    }
}

impl Default for Changes {
    fn default() -> Self {
        Self::new()
    }
}

/// What changes under way share.
pub(crate) struct State {
    pub(crate) rules: Changes,
    quota: Arc<Quota>,
    alone: Mutex<()>,
    uploads: Arc<Uploads>,
    begin: Instant,
    /// When what is left over was looked for last, in seconds after the beginning.
    swept: AtomicU64,
}

impl State {
    /// `most` uploads may wait to be resumed. Those into a folder belong to all services of it, so that
    /// one may take the place of another.
    pub(crate) fn new(rules: Changes, root: &Root, most: usize) -> Self {
        Self {
            quota: Quota::new(rules.quota),
            rules,
            alone: Mutex::default(),
            uploads: Uploads::of(root, most),
            begin: Instant::now(),
            swept: AtomicU64::new(0),
        }
    }

    /// Whether it is time to look for uploads that nobody goes on with; true once an hour.
    fn is_sweep_due(&self, now: Instant) -> bool {
        let now = now.saturating_duration_since(self.begin).as_secs();
        let order = Ordering::Relaxed;
        let last = self.swept.load(order);
        now >= last + SWEPT_EVERY && self.swept.compare_exchange(last, now, order, order).is_ok()
    }

    /// Room for a file of this service's own.
    pub(crate) fn claim(&self, root: &Root) -> Option<Claim> {
        self.quota.claim(root, 0)
    }

    /// Keeps other changes away between a look and what it decides.
    fn alone(&self) -> MutexGuard<'_, ()> {
        self.alone.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that may change something.
#[derive(Clone, Copy)]
pub(crate) struct Change<'a> {
    pub(crate) shared: &'a Arc<Shared>,
    pub(crate) pool: &'a Arc<WorkerPool>,
    pub(crate) path: &'a FilePath<'a>,
}

impl Change<'_> {
    /// Whether this request is about a change; the listing and files have the others.
    pub(crate) fn is_one(&self, request: &Request<'_>) -> bool {
        let rules = &self.shared.changes.rules;
        let is_upload = rules.uploads && resumable::token(request).is_some();
        match request.method().as_str() {
            "PUT" => rules.uploads,
            "PATCH" | "HEAD" | "GET" => is_upload,
            "DELETE" => rules.deletes || is_upload,
            "POST" => !rules.is_none(),
            "MKCOL" => rules.folders,
            _ => false,
        }
    }

    /// Makes the change and answers.
    pub(crate) fn make(self, request: &Request<'_>, reply: Reply<'_>) {
        if !matches!(*request.method(), Method::GET | Method::HEAD)
            && same_origin::is_foreign(request, &self.shared.changes.rules.names)
        {
            let explanation = "The page of another site may not change anything here.";
            let refused = refusal::because(StatusCode::FORBIDDEN, explanation);
            return self.refuse(reply, refused);
        }
        if self.shared.changes.rules.uploads && self.shared.changes.is_sweep_due(request.received())
        {
            let shared = self.shared.clone();
            if self.pool.execute(move || sweep(&shared.base.root())).is_err() {
                log::warn!("uploads that were broken off are not looked for");
            }
        }
        if let Some(token) = resumable::token(request).filter(|_| self.shared.changes.rules.uploads)
            && matches!(request.method().as_str(), "HEAD" | "GET" | "PATCH" | "DELETE")
        {
            return self.resume(request, reply, token);
        }
        match request.method().as_str() {
            "PUT" => self.put(request, reply),
            "POST" => self.post(request, reply),
            "MKCOL" => self.make_folder(request, reply),
            _ => self.delete(request, reply),
        }
    }

    fn refuse(&self, reply: Reply<'_>, refused: impl Into<Response>) {
        reply.send(self.shared.settings.complete(refused.into()));
    }

    /// Has a change made on the pool and answers with what comes of it.
    fn work(
        &self,
        reply: Reply<'_>,
        work: impl FnOnce(&Arc<Shared>, &FilePath<'_>) -> Response + Send + 'static,
    ) {
        let (shared, path) = (self.shared.clone(), self.path.to_owned());
        let deferred = Deferred::new(reply.defer());
        let job = move || {
            let response = work(&shared, &path);
            deferred.send(shared.settings.complete(response));
        };
        if self.pool.execute(job).is_err() {
            log::warn!("the worker pool is full, a change was refused");
        }
    }
}

/// Whether an upload may have this place.
fn check_place(rules: &Changes, taken: &Taken) -> Result<(), Refused> {
    let explanation = match taken {
        Taken::Nothing => return Ok(()),
        Taken::File(_) if rules.overwrites => return Ok(()),
        Taken::File(_) => "There is a file of this name, and it may not be replaced.",
        Taken::Folder => "There is a folder of this name.",
        Taken::Other => "The name is taken.",
    };
    Err(refusal::because(StatusCode::CONFLICT, explanation))
}

pub(crate) static UPLOAD_LIMIT: HeaderName = HeaderName::from_static("upload-limit");

/// Seconds between two looks at all files.
const SWEPT_EVERY: u64 = 60 * 60;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::root::Links;

    #[test]
    fn what_is_left_over_is_looked_for_once_an_hour() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path(), Links::Inside).unwrap();
        let state = State::new(Changes::new(), &root, 1);
        let due = |seconds| state.is_sweep_due(state.begin + Duration::from_secs(seconds));
        assert!(!due(3_599) && due(3_600) && !due(3_601) && !due(7_199) && due(7_200));
    }
}
