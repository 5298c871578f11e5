//! A folder as one file: zip or tar, made while it is sent.

mod tar;
mod walk;
mod zip;

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use avocet_net::WorkerPool;
use avocet_semantics::content_disposition;
use avocet_server::Response;
use avocet_wire::InvalidField;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};

use crate::outcome::Outcome;
use crate::path::FilePath;
use crate::service::{Shared, failure, or_500};
use crate::steps::{self, Steps};
use walk::{Entry, Walk};

/// The forms that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Zip,
    Tar,
}

/// What a query says of archives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Nothing,
    Archive(Kind),
    /// A form that there is not.
    Unknown,
}

impl Wanted {
    pub(crate) fn of(query: Option<&str>) -> Self {
        let mut pairs = query.unwrap_or_default().split('&');
        match pairs.find_map(|pair| pair.strip_prefix("archive=")) {
            None => Self::Nothing,
            Some("zip") => Self::Archive(Kind::Zip),
            Some("tar") => Self::Archive(Kind::Tar),
            Some(_) => Self::Unknown,
        }
    }
}

/// Answers with all that is below a folder and would be served.
///
/// *Blocking*: on the file system.
pub(crate) fn respond(
    shared: &Arc<Shared>,
    pool: &Arc<WorkerPool>,
    path: &FilePath<'_>,
    kind: Kind,
) -> Response {
    if shared.rules.hides(path) {
        return failure(&Outcome::NotFound);
    }
    let root = shared.base.root();
    let folder = match root.open_below(path.as_bytes()) {
        Ok(folder) => folder,
        Err(error) => return failure(&Outcome::of_error(error)),
    };
    or_500(answer(shared, pool, folder, path, kind))
}

fn answer(
    shared: &Arc<Shared>,
    pool: &Arc<WorkerPool>,
    folder: OwnedFd,
    path: &FilePath<'_>,
    kind: Kind,
) -> Result<Response, InvalidField> {
    let name = match path.name() {
        b"" => ROOT.to_vec(),
        name => name.to_vec(),
    };
    let shown = String::from_utf8_lossy(&name).into_owned();
    let walk = match Walk::new(shared, folder, path, name) {
        Ok(walk) => walk,
        Err(error) => return Ok(failure(&Outcome::of_error(error))),
    };
    let (media_type, ending, format): (_, _, Box<dyn Format>) = match kind {
        Kind::Zip => ("application/zip", "zip", Box::new(zip::Zip::new(shared))),
        Kind::Tar => ("application/x-tar", "tar", Box::new(tar::Tar)),
    };
    let steps = Archive { walk, format, open: None, is_over: false };
    let disposition = content_disposition::attachment(&format!("{shown}.{ending}"));
    Response::new(StatusCode::OK)
        .with_body(steps::body(steps, "an archive", pool))
        .with_field(&CONTENT_TYPE, media_type)?
        .with_field(&CONTENT_DISPOSITION, disposition)?
        .with_field(&CACHE_CONTROL, "no-cache")?
        .with_field(&X_CONTENT_TYPE_OPTIONS, "nosniff")
}

/// A way to put files into one.
trait Format: Send {
    /// The head of an entry.
    fn begin(&mut self, entry: &Entry, out: &mut Vec<u8>) -> io::Result<()>;

    /// Some of its content.
    fn data(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()>;

    /// What follows its content, of which `len` bytes have come.
    fn end(&mut self, entry: &Entry, len: u64, out: &mut Vec<u8>) -> io::Result<()>;

    /// What follows the last entry.
    fn finish(&mut self, out: &mut Vec<u8>) -> io::Result<()>;
}

/// An archive on its way.
struct Archive {
    walk: Walk,
    format: Box<dyn Format>,
    open: Option<Open>,
    is_over: bool,
}

/// The file that is read now.
struct Open {
    entry: Entry,
    file: File,
    read: u64,
}

impl Steps for Archive {
    fn step(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut out = Vec::with_capacity(PIECE + 4096);
        let mut scratch = vec![0; PIECE];
        while out.len() < PIECE && !self.is_over {
            if let Some(open) = &mut self.open {
                // A file that has grown is cut off where it ended when it was opened.
                let most = (open.entry.size - open.read).min(PIECE as u64);
                let most = usize::try_from(most).unwrap_or(PIECE);
                let count = open.file.read(&mut scratch[..most])?;
                self.format.data(&scratch[..count], &mut out)?;
                open.read += count as u64;
                if count == 0 {
                    self.format.end(&open.entry, open.read, &mut out)?;
                    self.open = None;
                }
                continue;
            }
            match self.walk.next()? {
                Some((entry, file)) => {
                    self.format.begin(&entry, &mut out)?;
                    match file {
                        Some(file) => self.open = Some(Open { entry, file, read: 0 }),
                        None => self.format.end(&entry, 0, &mut out)?,
                    }
                }
                None => {
                    self.format.finish(&mut out)?;
                    self.is_over = true;
                }
            }
        }
        Ok((!out.is_empty()).then_some(out))
    }
}

/// What the folder at the top is called, whose own name is nobody's business.
const ROOT: &[u8] = b"files";

/// Bytes that are read and made at a time.
const PIECE: usize = 64 * 1024;
