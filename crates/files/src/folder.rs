//! Setting up a folder.

use std::io;
use std::path::{Path, PathBuf};

use crate::outcome::Rules;
use crate::root::{Links, Root};
use crate::service::Service;
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

    /// Opens the folder.
    ///
    /// *Errors*: a path that is missing, is no folder or may not be entered.
    pub fn open(self) -> io::Result<Service> {
        let root = Root::open(&self.path, self.links)?;
        let index = self.index.into_iter().map(String::into_bytes).collect();
        let rules = Rules { index, hidden: self.hidden, listing: self.listing };
        Ok(Service::new(root, rules, self.types))
    }
}
