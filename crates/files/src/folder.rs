//! Setting up a folder.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use avocet_wire::FieldBuf;
use rustix::process::{Resource, getrlimit};

use crate::cache::{Cache, Weight};
use crate::outcome::Rules;
use crate::root::{Links, Root};
use crate::service::{Service, Shared};
use crate::settings::Settings;
use crate::types::Types;

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
    index: Vec<String>,
    listing: bool,
    hidden: bool,
    links: Links,
    types: Types,
    offers_codings: bool,
    makes_codings: bool,
    memory: usize,
    recheck: Duration,
}

impl Folder {
    /// The folder at this path, with a listing, without hidden files and without links that leave it.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            index: vec!["index.html".to_owned(), "index.htm".to_owned()],
            listing: true,
            hidden: false,
            links: Links::Inside,
            types: Types::default(),
            offers_codings: true,
            makes_codings: true,
            memory: 64 * 1024 * 1024,
            recheck: Duration::from_secs(1),
        }
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

    /// Whether a file whose type compresses is offered in the codings that lie beside it
    /// (`page.html.zst`, `page.html.br`, `page.html.gz`). They are by default, unless they are more
    /// than two seconds older than the file.
    pub fn precompressed(mut self, offered: bool) -> Self {
        self.offers_codings = offered;
        self
    }

    /// Whether such a file of 256 bytes or more is compressed where no coding lies beside it; it is
    /// by default. Results of files up to 1 MiB are kept in memory.
    pub fn compress(mut self, compressed: bool) -> Self {
        self.makes_codings = compressed;
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

    /// Opens the folder.
    ///
    /// *Errors*: a path that is missing, is no folder or may not be entered.
    pub fn open(self) -> io::Result<Service> {
        let root = Root::open(&self.path, self.links)?;
        let index = self.index.into_iter().map(String::into_bytes).collect();
        let rules = Rules { index, hidden: self.hidden, listing: self.listing };
        let settings = Settings {
            types: self.types,
            fields: FieldBuf::new(),
            offers_codings: self.offers_codings || self.makes_codings,
            makes_codings: self.makes_codings,
            least_to_compress: 256,
        };
        let files = if self.memory == 0 { 0 } else { descriptors() };
        let cache = Cache::new(Weight { bytes: self.memory, files }, self.recheck);
        Ok(Service::new(Shared::new(root, rules, settings, cache)))
    }
}

/// Descriptors that may be kept open: a sixteenth of those that the system allows, since each
/// connection needs one too.
fn descriptors() -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(limit / 16).unwrap_or(usize::MAX).clamp(1, 256)
}
