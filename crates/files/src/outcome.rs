//! What a path turns out to be, before anything is rendered.

use std::os::fd::OwnedFd;

use avocet_wire::InvalidField;
use rustix::io::Errno;

use crate::instead::Instead;
use crate::metadata::{Kind, Metadata};
use crate::path::{FilePath, InvalidPath};
use crate::representation::LoadError;
use crate::root::Root;

/// What a request's path names.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// A regular file, open.
    Opened(Opened),
    /// A folder that was asked for without the slash at its end.
    Redirect,
    /// A folder without an index file, open.
    Listing(OwnedFd),
    /// Nothing, or nothing that is shown.
    NotFound,
    /// Something that the server may not read.
    Forbidden,
    /// A path that cannot be one.
    Invalid(InvalidPath),
    /// The system lacks descriptors or memory just now.
    Busy(Errno),
    /// The disk or the system failed.
    Failed(Errno),
    /// A setting gives a field that cannot be sent.
    Unsendable(InvalidField),
}

/// An open file and its state.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) file: OwnedFd,
    pub(crate) metadata: Metadata,
    /// Its path, below the root; it differs from the request's where an index was chosen.
    pub(crate) path: Vec<u8>,
    /// Whether nothing that could appear would be chosen in its place.
    pub(crate) is_first_choice: bool,
}

/// What decides which files there are.
#[derive(Debug)]
pub(crate) struct Rules {
    /// The names that stand for their folder, best first.
    pub(crate) index: Vec<Vec<u8>>,
    /// Whether names that begin with a dot are shown.
    pub(crate) hidden: bool,
    pub(crate) listing: bool,
    pub(crate) instead: Instead,
}

impl Rules {
    /// Whether a path is as if there were nothing: because of a dot, or since it is still uploaded.
    pub(crate) fn hides(&self, path: &FilePath<'_>) -> bool {
        path.is_hidden() && (!self.hidden || path.segments().any(FilePath::is_draft_name))
    }

    /// The same for a name in a folder.
    pub(crate) fn hides_name(&self, name: &[u8], in_root: bool) -> bool {
        FilePath::is_hidden_name(name, in_root) && (!self.hidden || FilePath::is_draft_name(name))
    }
}

/// Finds out what a path names.
pub(crate) fn look_up(root: &Root, rules: &Rules, path: &FilePath<'_>) -> Outcome {
    if rules.hides(path) {
        return Outcome::NotFound;
    }
    let found = if path.is_folder() { look_into(root, rules, path) } else { look_at(root, path) };
    found.unwrap_or_else(Outcome::of_error)
}

fn look_at(root: &Root, path: &FilePath<'_>) -> Result<Outcome, Errno> {
    let file = match root.open_below(path.as_bytes()) {
        // A folder that may be entered but not read can still have an index.
        Err(Errno::ACCESS) if root.locate_folder(path.as_bytes()).is_ok() => {
            return Ok(Outcome::Redirect);
        }
        opened => opened?,
    };
    let metadata = Metadata::of(&file)?;
    Ok(match metadata.kind {
        Kind::File => {
            let path = path.as_bytes().to_vec();
            Outcome::Opened(Opened { file, metadata, path, is_first_choice: true })
        }
        Kind::Folder => Outcome::Redirect,
        Kind::Other => Outcome::NotFound,
    })
}

fn look_into(root: &Root, rules: &Rules, path: &FilePath<'_>) -> Result<Outcome, Errno> {
    for (choice, name) in rules.index.iter().enumerate() {
        let path = path.join(name);
        let file = match root.open_below(&path) {
            Ok(file) => file,
            Err(error) if is_missing(error) => continue,
            Err(error) => return Err(error),
        };
        let metadata = Metadata::of(&file)?;
        if metadata.kind == Kind::File {
            let is_first_choice = choice == 0;
            return Ok(Outcome::Opened(Opened { file, metadata, path, is_first_choice }));
        }
    }
    if !rules.listing {
        // Whether the folder exists makes no difference to who may not see into it.
        return Ok(Outcome::NotFound);
    }
    let folder = match root.open_below(path.as_bytes()) {
        Err(Errno::ACCESS) => return Ok(Outcome::NotFound),
        opened => opened?,
    };
    Ok(match Metadata::of(&folder)?.kind {
        Kind::Folder => Outcome::Listing(folder),
        Kind::File | Kind::Other => Outcome::NotFound,
    })
}

impl Outcome {
    /// What an error of the system means to a client.
    pub(crate) fn of_error(error: Errno) -> Self {
        match error {
            error if is_missing(error) => Self::NotFound,
            Errno::ACCESS | Errno::PERM => Self::Forbidden,
            Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::AGAIN => Self::Busy(error),
            error => Self::Failed(error),
        }
    }
}

impl From<LoadError> for Outcome {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::System(error) => Self::of_error(error),
            LoadError::Field(error) => Self::Unsendable(error),
        }
    }
}

/// The errors that say that there is nothing to be had: missing, in no folder, with a name that is
/// too long, by links that turn in a circle or leave the root, or a socket.
fn is_missing(error: Errno) -> bool {
    matches!(
        error,
        Errno::NOENT
            | Errno::NOTDIR
            | Errno::NAMETOOLONG
            | Errno::LOOP
            | Errno::XDEV
            | Errno::NXIO
            | Errno::NODEV
            | Errno::INVAL
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn security_errors_of_the_system_have_the_right_meaning() {
        let missing = [
            Errno::NOENT,
            Errno::NOTDIR,
            Errno::NAMETOOLONG,
            Errno::LOOP,
            Errno::XDEV,
            Errno::NXIO,
        ];
        for error in missing {
            assert!(matches!(Outcome::of_error(error), Outcome::NotFound), "{error}");
        }
        for error in [Errno::ACCESS, Errno::PERM] {
            assert!(matches!(Outcome::of_error(error), Outcome::Forbidden), "{error}");
        }
        for error in [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::AGAIN] {
            assert!(matches!(Outcome::of_error(error), Outcome::Busy(_)), "{error}");
        }
        for error in [Errno::IO, Errno::STALE, Errno::BADF] {
            assert!(matches!(Outcome::of_error(error), Outcome::Failed(_)), "{error}");
        }
    }
}
