//! Setting up a folder.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use avocet_wire::{FieldBuf, InvalidField};
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, HeaderName,
};
use rustix::process::{Resource, getrlimit};

use crate::access::{Access, Gate};
use crate::base::Base;
use crate::cache::{Cache, Weight};
use crate::changes::{Changes, State};
use crate::dictionaries::Dictionaries;
use crate::instead::Instead;
use crate::listing::Budget;
use crate::metadata::{Kind, Metadata};
use crate::outcome::Rules;
use crate::pace::Pace;
use crate::pattern::Pattern;
use crate::root::{Links, Root};
use crate::service::{Service, Shared};
use crate::settings::{CROSS_ORIGIN_RESOURCE_POLICY, SECURITY, Settings};
use crate::sidecars::Sidecars;
use crate::types::Types;
use crate::zipped::{Current, Shared as Zipped, ZipService};

/// A folder that is to be served.
///
/// ```no_run
/// use avocet_files::Folder;
/// use avocet_server::Server;
///
/// let files = Folder::new("site").index(["index.html"]).listing(false).open()?;
/// Server::new(files).listen("127.0.0.1:8080".parse()?).bind()?.run()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is served before the folder is opened"]
pub struct Folder {
    path: PathBuf,
    at: String,
    index: Vec<String>,
    listing: bool,
    hidden: bool,
    links: Links,
    types: Types,
    try_files: Vec<String>,
    single_page: Option<String>,
    not_found: Option<String>,
    fields: Vec<(HeaderName, String)>,
    fields_by_path: Vec<(String, HeaderName, String)>,
    is_guarded: bool,
    cache_control: Vec<(String, String)>,
    is_shared: bool,
    offers_codings: bool,
    makes_codings: bool,
    memory: usize,
    recheck: Duration,
    changes: Changes,
    access: Access,
    archives: bool,
    rate: Option<u64>,
    sidecars: bool,
    dictionaries: bool,
}

impl Folder {
    /// The folder at this path, with a listing, without hidden files and without links that leave it.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            at: String::new(),
            index: vec!["index.html".to_owned(), "index.htm".to_owned()],
            listing: true,
            hidden: false,
            links: Links::Inside,
            types: Types::default(),
            try_files: Vec::new(),
            single_page: None,
            not_found: None,
            fields: Vec::new(),
            fields_by_path: Vec::new(),
            is_guarded: false,
            cache_control: Vec::new(),
            is_shared: false,
            offers_codings: true,
            makes_codings: true,
            memory: 64 * 1024 * 1024,
            recheck: Duration::from_secs(1),
            changes: Changes::new(),
            access: Access::new(),
            archives: false,
            rate: None,
            sidecars: false,
            dictionaries: false,
        }
    }

    /// Serves the folder below a path of the server instead of at its top: for a route such as
    /// `/static/{*file}`. What is not below the path is answered 404.
    ///
    /// ```
    /// use avocet_files::Folder;
    /// use avocet_server::Router;
    ///
    /// let files = Folder::new(".").at("/static").open()?;
    /// let router = Router::new().get("/static/{*file}", files)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.at = path.into();
        self
    }

    /// The names of files that stand for their folder, best first; `index.html` and `index.htm`
    /// unless changed.
    pub fn index<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.index = names.into_iter().map(Into::into).collect();
        self
    }

    /// Whether a folder without an index file is listed; without it the answer is 404.
    pub fn listing(mut self, listing: bool) -> Self {
        self.listing = listing;
        self
    }

    /// Whether files and folders whose names begin with a dot are served and listed. They are not
    /// by default, but for `/.well-known`.
    pub fn hidden(mut self, hidden: bool) -> Self {
        self.hidden = hidden;
        self
    }

    /// Which symbolic links are followed.
    pub fn links(mut self, links: Links) -> Self {
        self.links = links;
        self
    }

    /// The media types of files.
    pub fn types(mut self, types: Types) -> Self {
        self.types = types;
        self
    }

    /// Paths of files that are tried, in this order, for a path that names none. `{path}` stands for
    /// that path, so that `{path}.html` serves pages without the ending of their names.
    pub fn try_files<P: Into<String>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.try_files = paths.into_iter().map(Into::into).collect();
        self
    }

    /// The page of an application that knows its paths itself: it is sent for every path that names
    /// no file, unless its last segment has a dot, by which it is the name of a file that is missing.
    pub fn single_page(mut self, path: impl Into<String>) -> Self {
        self.single_page = Some(path.into());
        self
    }

    /// The page that goes with a 404.
    pub fn not_found(mut self, path: impl Into<String>) -> Self {
        self.not_found = Some(path.into());
        self
    }

    /// Adds a field to every response.
    pub fn field(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// Adds a field to responses for paths that match a pattern, in which `*` stands for any characters: to
    /// files, whose path is that of the index file where one stands for its folder, to listings and to
    /// errors of what is asked for. A pattern with a slash is held against the whole path, one without
    /// against the name. It takes the place of a field of its name that every response would have.
    pub fn field_at(
        mut self,
        pattern: impl Into<String>,
        name: HeaderName,
        value: impl Into<String>,
    ) -> Self {
        self.fields_by_path.push((pattern.into(), name, value.into()));
        self
    }

    /// Whether browsers are told to be careful with what is served: types are not guessed
    /// (`X-Content-Type-Options: nosniff`), pages of other sites show it in no frame (`X-Frame-Options`),
    /// load nothing of it unless it is shared ([`cors`](Self::cors), `Cross-Origin-Resource-Policy`), have
    /// no hold on its windows (`Cross-Origin-Opener-Policy`) and learn no more than its origin
    /// (`Referrer-Policy`). They are not told by default, but for listings and archives.
    /// [`field`](Self::field) and [`field_at`](Self::field_at) give these fields other values.
    pub fn security_fields(mut self, sent: bool) -> Self {
        self.is_guarded = sent;
        self
    }

    /// Adds a Cache-Control for files that match a pattern, in which `*` stands for any characters.
    /// A pattern with a slash is held against the whole path, one without against the name. The first
    /// that matches counts.
    pub fn cache_control(mut self, pattern: impl Into<String>, value: impl Into<String>) -> Self {
        self.cache_control.push((pattern.into(), value.into()));
        self
    }

    /// Whether scripts of every origin may read what is served (CORS); they may not by default.
    pub fn cors(mut self, shared: bool) -> Self {
        self.is_shared = shared;
        self
    }

    /// Whether a file whose type compresses is offered in the codings that lie beside it
    /// (`page.html.zst`, `page.html.br`, `page.html.gz`). They are by default, unless they are more
    /// than two seconds older than the file.
    pub fn precompressed(mut self, offered: bool) -> Self {
        self.offers_codings = offered;
        self
    }

    /// Whether such a file of 256 bytes or more is compressed where no coding lies beside it; it is
    /// by default. Results of files up to 1 MiB are kept in memory. Listings are compressed, too.
    pub fn compress(mut self, compressed: bool) -> Self {
        self.makes_codings = compressed;
        self
    }

    /// Whether codings that are made here are also put beside their files, where they are found by the
    /// next one who asks, and by other servers. They are made anew when the file has changed, and
    /// removed at the next start when it is gone. Siblings of others are never touched. It needs
    /// [`precompressed`](Self::precompressed) and [`compress`](Self::compress).
    pub fn sidecars(mut self, kept: bool) -> Self {
        self.sidecars = kept;
        self
    }

    /// Whether a file that compresses is sent as its difference from a version of it that the client
    /// has (`dcz`, `dcb`): versions are what had the same path before, and what has the same path but
    /// for numbers and hashes in the name, as `app.3f2a9c1b.js` has. Browsers do this over https and on
    /// localhost only, and with files that their Cache-Control or their age lets them keep. It needs
    /// [`compress`](Self::compress); nothing is done so unless it is set.
    ///
    /// *Bounds*: files of 256 bytes to 1 MiB. The 256 versions that were sent last are kept, 32 MiB of
    /// them at most, beside what [`memory`](Self::memory) bounds.
    ///
    /// *Spec*: RFC 9842.
    pub fn dictionaries(mut self, used: bool) -> Self {
        self.dictionaries = used;
        self
    }

    /// The bytes of files and of codings that are kept in memory; 64 MiB unless changed, and nothing
    /// is kept with 0. Beside them up to 256 files are kept open, fewer where the system allows few.
    pub fn memory(mut self, bytes: usize) -> Self {
        self.memory = bytes;
        self
    }

    /// How long a file that is asked for more than 64 times in that span may be sent from memory
    /// without another look at the disk: 1 s unless changed. All others are looked at each time.
    pub fn recheck(mut self, span: Duration) -> Self {
        self.recheck = span;
        self
    }

    /// Who may see what; everybody everything unless it is said here.
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// The most bytes of content that leave for one response in a second. There is no bound unless it is
    /// set; one below 1 KiB counts as that.
    pub fn rate(mut self, bytes: u64) -> Self {
        self.rate = Some(bytes);
        self
    }

    /// What may be changed; nothing unless it is said here.
    pub fn changes(mut self, changes: Changes) -> Self {
        self.changes = changes;
        self
    }

    /// Whether a folder that may be listed is sent as one file when it is asked for with
    /// `?archive=zip` or `?archive=tar`. It is made while it is sent, of what would be served: links
    /// that leave the root are not in it, nor hidden files.
    pub fn archives(mut self, sent: bool) -> Self {
        self.archives = sent;
        self
    }

    /// Opens the folder. When its path comes to name another folder later, by a build or a deployment,
    /// that one is served from within a second on.
    ///
    /// *Errors*: a path that is missing, is no folder or may not be entered; `InvalidInput` for a
    /// field that cannot be sent, for paths of pages that are none, and for a login for something that
    /// is no folder.
    pub fn open(self) -> io::Result<Service> {
        let base = Base::open(&self.path, self.links)?;
        let (rules, settings) = self.prepare()?;
        let files = if self.memory == 0 { 0 } else { descriptors() };
        let cache = Cache::new(Weight { bytes: self.memory, files }, self.recheck);
        let root = base.root();
        for part in self.access.parts() {
            check_part(&root, part)?;
        }
        let gate = Gate::new(self.access)?;
        let changes = State::new(self.changes, &root, descriptors() / 2);
        let kept = self.sidecars && self.offers_codings && self.makes_codings;
        let sidecars = kept.then(Sidecars::new);
        let dictionaries = (self.dictionaries && self.makes_codings).then(Dictionaries::default);
        let pace = self.rate.map(Pace::new).transpose()?;
        let listings = Arc::new(Budget::default());
        Ok(Service::new(Shared {
            base,
            rules,
            settings,
            listings,
            changes,
            gate,
            sidecars,
            dictionaries,
            pace,
            cache,
        }))
    }

    /// Opens the path as a zip and serves what is in it, without unpacking it to the disk. Deflated
    /// files go to clients that take gzip as they are. When the path comes to name another zip, that one
    /// is served from within a second or two on.
    ///
    /// *Bounds*: a directory of 64 MiB, some 500,000 files. Ranges, one or several, are given of files that are stored,
    /// not of deflated ones.
    ///
    /// *Errors*: a file that is missing or no zip; `InvalidInput` as for [`open`](Self::open), and for
    /// settings that a zip cannot have: changes, siblings, dictionaries, archives of folders.
    pub fn open_archive(self) -> io::Result<ZipService> {
        if !self.changes.is_none() || self.sidecars || self.archives || self.dictionaries {
            return Err(invalid("nothing can be changed or made in an archive"));
        }
        let path = std::path::absolute(&self.path)?;
        let current = Current::open(&path)?;
        let (rules, settings) = self.prepare()?;
        let gate = Gate::new(self.access)?;
        let pace = self.rate.map(Pace::new).transpose()?;
        let listings = Arc::new(Budget::default());
        Ok(ZipService::new(Zipped { path, rules, settings, gate, pace, listings, current }))
    }

    /// What decides which files there are, and how they are sent.
    fn prepare(&self) -> io::Result<(Rules, Settings)> {
        let single_page = self.single_page.as_deref();
        let instead = Instead::new(&self.try_files, single_page, self.not_found.as_deref());
        let rules = Rules {
            index: self.index.iter().map(|name| name.as_bytes().to_vec()).collect(),
            hidden: self.hidden,
            listing: self.listing,
            instead: instead.map_err(invalid)?,
        };
        let at = self.at.trim_end_matches('/').to_owned();
        if !(at.is_empty() || at.starts_with('/')) {
            return Err(invalid(format!("{at:?} does not begin with a slash")));
        }
        let fields = self.all_fields().map_err(invalid)?;
        let pattern = |(pattern, value): &(String, String)| (Pattern::new(pattern), value.clone());
        let by_path = |(pattern, name, value): &(String, HeaderName, String)| {
            (Pattern::new(pattern), name.clone(), value.clone())
        };
        let settings = Settings {
            types: self.types.clone(),
            at,
            fields,
            fields_by_path: self.fields_by_path.iter().map(by_path).collect(),
            cache_control: self.cache_control.iter().map(pattern).collect(),
            methods: methods(&self.changes),
            is_shared: self.is_shared,
            archives: self.archives && self.listing,
            offers_codings: self.offers_codings || self.makes_codings,
            uses_siblings: self.offers_codings,
            makes_codings: self.makes_codings,
            least_to_compress: 256,
        };
        Ok((rules, settings))
    }

    /// The fields of every response, and a try of those that files bring, so that a mistake is told
    /// before anything is served.
    fn all_fields(&self) -> Result<FieldBuf, InvalidField> {
        let mut fields = FieldBuf::new();
        if self.is_shared {
            fields.push(&ACCESS_CONTROL_ALLOW_ORIGIN, "*")?;
            fields.push(&ACCESS_CONTROL_EXPOSE_HEADERS, "*")?;
        }
        let is_given = |name| self.fields.iter().any(|(given, _)| given == name);
        for (name, value) in SECURITY.iter().filter(|(name, _)| !is_given(name)) {
            let is_lifted = self.is_shared && *name == CROSS_ORIGIN_RESOURCE_POLICY;
            if self.is_guarded && !is_lifted {
                fields.push(name, value)?;
            }
        }
        for (name, value) in &self.fields {
            fields.push(name, value)?;
        }
        for (_, name, value) in &self.fields_by_path {
            FieldBuf::new().push(name, value)?;
        }
        for (_, value) in &self.cache_control {
            FieldBuf::new().push(&CACHE_CONTROL, value)?;
        }
        self.types.check()?;
        Ok(fields)
    }
}

/// The value of Allow.
fn methods(changes: &Changes) -> String {
    let mut methods = vec!["GET", "HEAD", "OPTIONS"];
    methods.extend(changes.methods());
    methods.join(", ")
}

/// A login is for a folder: one for a file would not hold where the file is sent as an index.
fn check_part(root: &Root, part: &[u8]) -> io::Result<()> {
    let is_other = root.open_below(part).and_then(Metadata::of);
    match is_other.map(|metadata| metadata.kind) {
        Ok(Kind::File | Kind::Other) => {
            let shown = String::from_utf8_lossy(part);
            Err(invalid(format!("/{shown} is no folder, and only those have logins")))
        }
        Ok(Kind::Folder) | Err(_) => Ok(()),
    }
}

fn invalid(error: impl Into<Box<dyn Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}

/// Descriptors that may be kept open: a sixteenth of those that the system allows, since each
/// connection needs one too.
fn descriptors() -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(limit / 16).unwrap_or(usize::MAX).clamp(1, 256)
}
