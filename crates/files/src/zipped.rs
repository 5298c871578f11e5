//! What is in a zip as a handler.

mod content;
mod index;

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Instant, SystemTime};

use avocet_encoding::{Choice, Coding, negotiate};
use avocet_net::{FileRange, WorkerPool};
use avocet_semantics::conditions::Conditions;
use avocet_semantics::dates;
use avocet_server::{Body, Handler, Reply, Request, Response};
use avocet_wire::InvalidField;
use http::StatusCode;
use http::header::{ACCEPT, ACCEPT_ENCODING, ALLOW, CONTENT_TYPE, RETRY_AFTER};

use crate::access::Gate;
use crate::front::{self, Fronted};
use crate::listing::{self, Entries, Query};
use crate::metadata::{Kind, Metadata};
use crate::outcome::{Outcome, Rules};
use crate::pace::Pace;
use crate::path::FilePath;
use crate::pieces::Pieces;
use crate::representation::{About, Content, Described, Representation};
use crate::respond::{past, respond};
use crate::service::{below, failure, or_500, redirect};
use crate::settings::Settings;
use crate::validators::Stamp;
use index::{Entry, Index, Node};

/// Serves what is in a zip; made by [`Folder::open_archive`](crate::Folder::open_archive).
#[derive(Clone)]
pub struct ZipService {
    shared: Arc<Shared>,
    pool: Arc<WorkerPool>,
}

pub(crate) struct Shared {
    pub(crate) path: PathBuf,
    pub(crate) rules: Rules,
    pub(crate) settings: Settings,
    pub(crate) gate: Gate,
    pub(crate) pace: Option<Pace>,
    pub(crate) listings: Arc<listing::Budget>,
    pub(crate) current: Current,
}

/// The zip, read anew when its path has come to name another file.
pub(crate) struct Current {
    zip: RwLock<Arc<Zip>>,
    begin: Instant,
    /// The second, counted from the beginning, in which the path was looked at last.
    looked: AtomicU64,
}

/// An open zip and what is in it.
struct Zip {
    file: Arc<File>,
    state: Metadata,
    index: Index,
}

/// A file of the zip on its way.
struct Found<'a> {
    zip: &'a Zip,
    path: &'a FilePath<'a>,
    entry: &'a Entry,
}

impl Zip {
    /// *Errors*: a file that cannot be read or is no zip.
    fn open(path: &std::path::Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let state = Metadata::of(&file)?;
        if state.kind != Kind::File {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no file"));
        }
        let index = Index::read(&file, state.size)?;
        Ok(Self { file: Arc::new(file), state, index })
    }
}

impl Current {
    pub(crate) fn open(path: &std::path::Path) -> io::Result<Self> {
        let zip = RwLock::new(Arc::new(Zip::open(path)?));
        Ok(Self { zip, begin: Instant::now(), looked: AtomicU64::new(0) })
    }

    /// The zip as it is now. The lock is only ever held for a copy of a pointer.
    fn zip(&self) -> Arc<Zip> {
        self.zip.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether a second has passed since the last look, which this one is now.
    fn is_due(&self, now: Instant) -> bool {
        let second = now.saturating_duration_since(self.begin).as_secs();
        let looked = self.looked.load(Ordering::Relaxed);
        let order = Ordering::Relaxed;
        second > looked && self.looked.compare_exchange(looked, second, order, order).is_ok()
    }
}

impl Shared {
    /// Reads the zip again if it is another one now. While it cannot be read the last one stays.
    fn renew(&self) {
        let state = rustix::fs::stat(&self.path).map(|stat| Metadata::from_stat(&stat));
        if state == Ok(self.current.zip().state) {
            return;
        }
        match Zip::open(&self.path) {
            Ok(zip) => {
                log::info!("{} was read anew", self.path.display());
                let mut current = self.current.zip.write().unwrap_or_else(PoisonError::into_inner);
                *current = Arc::new(zip);
            }
            Err(error) => log::warn!("{}: {error}", self.path.display()),
        }
    }
}

impl ZipService {
    pub(crate) fn new(shared: Shared) -> Self {
        Self { shared: Arc::new(shared), pool: Arc::new(WorkerPool::new()) }
    }

    fn render(&self, request: &Request<'_>, reply: Reply<'_>, path: &FilePath<'_>) {
        let (shared, settings) = (&self.shared, &self.shared.settings);
        if shared.current.is_due(request.received()) {
            let shared = shared.clone();
            if self.pool.execute(move || shared.renew()).is_err() {
                log::debug!("the worker pool is full, the zip is looked at later");
            }
        }
        let zip = shared.current.zip();
        if let Some((path, entry)) = self.find(&zip, path) {
            return self.send(request, reply, &Found { zip: &zip, path: &path, entry });
        }
        let response = match zip.index.get(path).filter(|_| !shared.rules.hides(path)) {
            Some(Node::Folder(_)) if !path.is_folder() => {
                or_500(redirect(&settings.at, path, request.query()))
            }
            Some(Node::Folder(names)) if shared.rules.listing && path.is_folder() => {
                let query = Query::new(request.query(), request.field(&ACCEPT));
                let entries = self.entries(&zip, path, names, &query.search);
                listing::show(entries, path, query, &shared.listings, listing::Extras::default())
            }
            _ => return self.substitute(request, reply, &zip, path),
        };
        reply.send(settings.complete_at(response, path));
    }

    /// The file of a path, which is the index of a folder where one is named.
    fn find<'z>(
        &self,
        zip: &'z Zip,
        path: &FilePath<'_>,
    ) -> Option<(FilePath<'static>, &'z Entry)> {
        let rules = &self.shared.rules;
        if rules.hides(path) {
            return None;
        }
        let file = |path: FilePath<'static>| match zip.index.get(&path) {
            Some(Node::File(entry)) => Some((path, entry)),
            _ => None,
        };
        if !path.is_folder() {
            return file(path.to_owned());
        }
        rules.index.iter().find_map(|name| file(FilePath::from_clean(path.join(name))?))
    }

    fn substitute(&self, request: &Request<'_>, reply: Reply<'_>, zip: &Zip, path: &FilePath<'_>) {
        let (shared, instead) = (&self.shared, &self.shared.rules.instead);
        let access = shared.gate.access();
        for other in instead.of(path).filter(|other| access.may_stand_for(path, other)) {
            if let Some((path, entry)) = self.find(zip, &other) {
                return self.send(request, reply, &Found { zip, path: &path, entry });
            }
        }
        let page = instead.not_found.clone().and_then(FilePath::from_clean);
        let page = page.and_then(|page| self.find(zip, &page));
        let response = match page {
            Some((path, entry)) => {
                let found = Found { zip, path: &path, entry };
                let media_type = shared.settings.types.of(path.as_bytes());
                match self.plain(&found) {
                    Ok(body) => or_500(
                        Response::new(StatusCode::NOT_FOUND)
                            .with_body(body)
                            .with_field(&CONTENT_TYPE, media_type.as_bytes()),
                    ),
                    Err(error) => broken(&error),
                }
            }
            None => failure(&Outcome::NotFound),
        };
        reply.send(shared.settings.complete_at(response, path));
    }

    fn entries(&self, zip: &Zip, path: &FilePath<'_>, names: &[Vec<u8>], search: &str) -> Entries {
        let shown = names.iter().filter(|name| !self.shared.rules.hides_name(name, path.is_root()));
        let known = shown.filter_map(|name| {
            let inner = FilePath::from_clean(path.join(name))?;
            Some(match zip.index.get(&inner)? {
                Node::File(entry) => (name.as_slice(), state(zip, entry)),
                Node::Folder(_) => (name.as_slice(), Metadata { kind: Kind::Folder, ..zip.state }),
            })
        });
        Entries::of(known, search)
    }

    /// The content as it was before it was put into the zip.
    fn plain(&self, found: &Found<'_>) -> io::Result<Body> {
        let Found { zip, entry, .. } = found;
        if entry.is_deflated {
            let start = entry.start(&zip.file, zip.state.size)?;
            return Ok(content::inflated(&zip.file, entry, start, &self.pool));
        }
        Ok(Pieces::of_range(found.place()?, &zip.state))
    }

    fn send(&self, request: &Request<'_>, reply: Reply<'_>, found: &Found<'_>) {
        let settings = &self.shared.settings;
        if !Metadata::of(&*found.zip.file).is_ok_and(|now| now.has_content_of(&found.zip.state)) {
            // It is being written over, and will be read anew.
            let busy = Response::error(StatusCode::SERVICE_UNAVAILABLE);
            return reply.send(settings.complete(or_500(busy.with_field(&RETRY_AFTER, "1"))));
        }
        let is_gzip = found.entry.is_deflated && self.takes_gzip(request);
        let about = match self.about(found, is_gzip) {
            Ok(about) => about,
            Err(error) => return reply.send(or_500(Err(error))),
        };
        let sent = if found.entry.is_deflated {
            self.send_deflated(request, reply, found, &about, is_gzip)
        } else {
            send_stored(settings, request, reply, found, about)
        };
        if let Err((reply, error)) = sent {
            reply.send(settings.complete(broken(&error)));
        }
    }

    fn takes_gzip(&self, request: &Request<'_>) -> bool {
        let lines = request.fields().get_all(&ACCEPT_ENCODING);
        self.shared.settings.offers_codings
            && request.fields().contains(&ACCEPT_ENCODING)
            && negotiate(lines, &[Coding::Gzip]) == Choice::Coding(Coding::Gzip)
    }

    fn about(&self, found: &Found<'_>, is_gzip: bool) -> Result<About, InvalidField> {
        let (settings, Found { zip, path, entry }) = (&self.shared.settings, found);
        let stamp = Stamp::new(&state(zip, entry), SystemTime::now());
        About::new(
            if is_gzip { stamp.coded("gzip") } else { stamp },
            &Described {
                as_dictionary: None,
                media_type: &settings.types.of(path.as_bytes()),
                coding: is_gzip.then_some("gzip"),
                has_ranges: !entry.is_deflated,
                varies: entry.is_deflated && settings.offers_codings,
                cache_control: settings.cache_control(path.as_bytes()),
                extra: &settings.fields_of(path.as_bytes()),
            },
        )
    }

    /// Sends what is deflated, of which there are no ranges.
    fn send_deflated<'r>(
        &self,
        request: &Request<'_>,
        reply: Reply<'r>,
        found: &Found<'_>,
        about: &About,
        is_gzip: bool,
    ) -> Result<(), Unsent<'r>> {
        let Found { zip, entry, .. } = found;
        let conditions = Conditions::from_fields(request.fields());
        let now = dates::seconds(SystemTime::now());
        let validators = about.stamp.validators();
        let outcome = conditions.evaluate(request.method(), Some(&validators), now);
        let Some(reply) = past(outcome, &self.shared.settings, reply, about) else { return Ok(()) };
        let body = if is_gzip {
            let start = entry.start(&zip.file, zip.state.size);
            start.map(|start| content::gzip(&zip.file, &zip.state, entry, start))
        } else {
            self.plain(found)
        };
        match body {
            Ok(body) => {
                reply.send_parts(StatusCode::OK, &about.fields, body);
                Ok(())
            }
            Err(error) => Err((reply, error)),
        }
    }
}

/// Sends what is stored: it lies in the zip as it would on the disk.
fn send_stored<'r>(
    settings: &Settings,
    request: &Request<'_>,
    reply: Reply<'r>,
    found: &Found<'_>,
    about: About,
) -> Result<(), Unsent<'r>> {
    let content = match found.place() {
        Ok(place) => Content::File(place),
        Err(error) => return Err((reply, error)),
    };
    let stored = Representation { metadata: found.zip.state, content, about };
    respond(settings, request, reply, &stored);
    Ok(())
}

/// A reply that has not been used, and why.
type Unsent<'r> = (Reply<'r>, io::Error);

impl Found<'_> {
    /// Where the content of a stored entry lies.
    fn place(&self) -> io::Result<FileRange> {
        let offset = self.entry.start(&self.zip.file, self.zip.state.size)?;
        Ok(FileRange { file: Arc::clone(&self.zip.file), offset, len: self.entry.size })
    }
}

impl Handler for ZipService {
    fn handle(&self, request: &Request<'_>, reply: Reply<'_>) {
        front::handle(self, request, reply);
    }
}

impl Fronted for ZipService {
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
        let response = match request.method().as_str() {
            "GET" | "HEAD" => match below(&settings.at, request.path()).map(FilePath::parse) {
                Some(Ok(path)) => return self.render(request, reply, &path),
                Some(Err(invalid)) => failure(&Outcome::Invalid(invalid)),
                None if request.path() == settings.at => {
                    or_500(redirect(&settings.at, &FilePath::root(), request.query()))
                }
                None => failure(&Outcome::NotFound),
            },
            "OPTIONS" => {
                or_500(Response::new(StatusCode::NO_CONTENT).with_field(&ALLOW, &settings.methods))
            }
            "POST" | "PUT" | "DELETE" | "PATCH" | "TRACE" | "CONNECT" => {
                let refused = Response::error(StatusCode::METHOD_NOT_ALLOWED);
                or_500(refused.with_field(&ALLOW, &settings.methods))
            }
            _ => Response::error(StatusCode::NOT_IMPLEMENTED),
        };
        reply.send(settings.complete(response));
    }
}

/// The state of an entry as if it were a file: its checksum tells its content.
fn state(zip: &Zip, entry: &Entry) -> Metadata {
    let modified = (entry.modified, 0);
    Metadata {
        kind: Kind::File,
        inode: entry.crc.into(),
        size: entry.size,
        modified,
        changed: modified,
        ..zip.state
    }
}

fn broken(error: &io::Error) -> Response {
    log::error!("an entry of the zip cannot be read: {error}");
    Response::error(StatusCode::INTERNAL_SERVER_ERROR)
}
