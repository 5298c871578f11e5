//! One file from the network to the disk: resumed, split, checked, from several mirrors.

mod answer;
mod checksum;
mod deciding;
mod journal;
mod lock;
mod naming;
mod part;
mod run;
mod there;
mod tries;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use crate::config::Config;
use crate::error::Error;

pub use checksum::{Checksum, ChecksumKind};

/// A download of one file.
///
/// Data goes to `FILE.part`; beside it lies a journal, `FILE.part.journal`, of what it belongs to:
/// the entity tag or date that the server gave, the size, and the ranges that are there. A run that
/// was killed at any moment is continued by the next with Range and If-Range, so that two versions
/// of a file are never joined; without a strong validator it starts over. When all is there and
/// the checksum agrees the part takes the name of the file in one step. Until then a file of that name
/// stays as it was.
///
/// ```no_run
/// use avocet_client::{Config, Download};
///
/// let done = Download::new("http://localhost:8080/disk.img".parse()?)
///     .file("/tmp/disk.img")
///     .run(Config::default(), &mut |_| {})?;
/// println!("{} bytes in {}", done.size, done.path.display());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// *Spec*: RFC 9110 §13.1.5, §14.
#[derive(Clone, Debug)]
pub struct Download {
    mirrors: Vec<Url>,
    folder: PathBuf,
    file: Option<PathBuf>,
    tries: u32,
    first_pause: Duration,
    split: Split,
    checksum: Option<Checksum>,
    rate: Option<u64>,
    sync: bool,
}

/// Over how many connections a file comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// As many as pay: one up to 16 MiB, then up to four.
    Auto,
    /// So many, at most 16, if the server gives ranges.
    Into(u32),
}

/// What a download is at.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Progress {
    /// The file's name and, where it is known, its size; so many bytes were there already.
    Begun {
        /// The name it will have.
        path: PathBuf,
        /// The size in bytes.
        size: Option<u64>,
        /// What an earlier run had left.
        resumed: u64,
    },
    /// So many bytes are there now.
    Bytes(u64),
    /// What was there could not be continued and is fetched again.
    Restarted,
    /// A try failed; the next comes after a pause.
    Failed {
        /// The mirror that failed.
        url: Url,
        /// Why.
        reason: String,
        /// The pause.
        pause: Duration,
    },
}

/// A download that has ended well.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Downloaded {
    /// The file.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// Whether it was complete before anything was fetched.
    pub was_there: bool,
    /// Bytes that came over the network.
    pub fetched: u64,
}

/// Why a download failed. What came so far is kept for the next run.
#[derive(Debug)]
#[non_exhaustive]
pub enum DownloadError {
    /// Every mirror failed; the last error.
    Transfer(Error),
    /// A mirror answered with this status.
    Status {
        /// The mirror.
        url: Url,
        /// The status.
        status: u16,
    },
    /// A file could not be read or written.
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another run is writing this part.
    Busy {
        /// The part.
        path: PathBuf,
        /// The process, where the system tells.
        process: Option<u32>,
    },
    /// The URL names no file and none was given.
    Nameless(Url),
    /// What came is not what the checksum says; it was thrown away.
    Checksum {
        /// The file that would have been.
        path: PathBuf,
        /// What was expected.
        expected: String,
        /// What came.
        found: String,
    },
    /// The answer makes no sense: a range that was not asked for, another size.
    Answer {
        /// The mirror.
        url: Url,
        /// What is wrong.
        reason: String,
    },
}

impl Download {
    /// From this URL into the current folder, under the name that the URL or the server gives.
    pub fn new(url: Url) -> Self {
        Self {
            mirrors: vec![url],
            folder: PathBuf::from("."),
            file: None,
            tries: 5,
            first_pause: Duration::from_secs(1),
            split: Split::Auto,
            checksum: None,
            rate: None,
            sync: false,
        }
    }

    /// One more place of the same file, asked when those before it have failed.
    #[must_use]
    pub fn mirror(mut self, url: Url) -> Self {
        self.mirrors.push(url);
        self
    }

    /// Into this folder.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = folder.into();
        self
    }

    /// Under this name.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into());
        self
    }

    /// Tries per mirror without any progress between them: 5.
    #[must_use]
    pub fn tries(mut self, tries: u32) -> Self {
        self.tries = tries.max(1);
        self
    }

    /// The pause after the first failure, doubled after each further one up to a minute: 1 s.
    #[must_use]
    pub fn first_pause(mut self, pause: Duration) -> Self {
        self.first_pause = pause;
        self
    }

    /// Over several connections.
    #[must_use]
    pub fn split(mut self, split: Split) -> Self {
        self.split = split;
        self
    }

    /// A file that is there counts only if it has the size and the very date that the server says, also
    /// where it is newer; without a date it comes again.
    #[must_use]
    pub fn sync(mut self, sync: bool) -> Self {
        self.sync = sync;
        self
    }

    /// The file must have this checksum.
    #[must_use]
    pub fn checksum(mut self, checksum: Checksum) -> Self {
        self.checksum = Some(checksum);
        self
    }

    /// At most so many bytes per second.
    #[must_use]
    pub fn rate(mut self, bytes_per_second: u64) -> Self {
        self.rate = Some(bytes_per_second.max(1));
        self
    }

    /// Downloads. `progress` is called often; it must be quick.
    ///
    /// *Blocking*: until the file is there or every mirror has failed.
    pub fn run(
        &self,
        config: Config,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Downloaded, DownloadError> {
        run::run(self, config, progress)
    }
}

impl DownloadError {
    fn file(path: &Path, source: io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }
}

impl fmt::Display for DownloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transfer(error) => error.fmt(f),
            Self::Status { url, status } => write!(f, "{url}: status {status}"),
            Self::File { path, source } => write!(f, "{}: {source}", path.display()),
            Self::Busy { path, process: Some(process) } => {
                write!(f, "{}: process {process} is downloading to it", path.display())
            }
            Self::Busy { path, process: None } => {
                write!(f, "{}: another process is downloading to it", path.display())
            }
            Self::Nameless(url) => write!(f, "{url} names no file"),
            Self::Checksum { path, expected, found } => {
                let path = path.display();
                write!(f, "{path}: the checksum is {found} and should be {expected}")
            }
            Self::Answer { url, reason } => write!(f, "{url}: {reason}"),
        }
    }
}

impl std::error::Error for DownloadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Transfer(error) => Some(error),
            Self::File { source, .. } => Some(source),
            _ => None,
        }
    }
}
