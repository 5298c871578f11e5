//! Where something is to be made or taken away.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use avocet_semantics::file_names;
use http::StatusCode;
use rustix::fs::{AtFlags, Mode, OFlags, openat, statat};
use rustix::io::{Errno, retry_on_intr};

use super::refusal::{self, Refused};
use crate::metadata::{Kind, Metadata};
use crate::outcome::Rules;
use crate::path::FilePath;
use crate::root::Root;

/// A name in a folder that is held open: what is done there is done in this folder, whatever its
/// path comes to mean.
pub(crate) struct Place {
    folder: Arc<OwnedFd>,
    pub(crate) name: Vec<u8>,
}

/// What has the name now.
pub(crate) enum Taken {
    Nothing,
    File(Metadata),
    Folder,
    /// A link, or something that is never served.
    Other,
}

impl Place {
    /// The place that a path names.
    ///
    /// *Errors*: as an answer: a path without a name, one that is not shown, or one below no folder.
    ///
    /// *Blocking*: on the file system.
    pub(crate) fn find(root: &Root, rules: &Rules, path: &FilePath<'_>) -> Result<Self, Refused> {
        if path.is_root() {
            return Err(refusal::because(StatusCode::CONFLICT, "The folder itself stays."));
        }
        if rules.hides(path) {
            return Err(refusal::plain(StatusCode::NOT_FOUND));
        }
        let name = path.name().to_vec();
        let folder = root.locate_folder(path.parent()).map_err(refusal::of_error)?;
        Ok(Self { folder: Arc::new(folder), name })
    }

    /// A place in a folder that many share: one descriptor does for all of them.
    pub(crate) fn within(folder: &Arc<OwnedFd>, name: &str) -> Self {
        Self { folder: Arc::clone(folder), name: name.as_bytes().to_vec() }
    }

    /// The same once more.
    pub(crate) fn again(&self) -> Self {
        Self { folder: Arc::clone(&self.folder), name: self.name.clone() }
    }

    pub(crate) fn folder(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }

    /// Refuses names that some system cannot hold, that hide a file or that deceive people. What
    /// exists under such a name can still be served and deleted.
    pub(crate) fn check_name(&self, rules: &Rules) -> Result<(), Refused> {
        let text = std::str::from_utf8(&self.name).ok();
        let shown = text.map(|text| if rules.hidden { text.trim_start_matches('.') } else { text });
        if shown.is_some_and(|text| file_names::safe(text).as_deref() == Some(text)) {
            return Ok(());
        }
        Err(refusal::because(
            StatusCode::BAD_REQUEST,
            "This is no name that every system can hold.",
        ))
    }

    /// What has the name now. A link is not followed: to go where it leads would be to change what
    /// has another name.
    pub(crate) fn taken(&self) -> Result<Taken, Refused> {
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        let stat = match retry_on_intr(|| statat(&self.folder, &self.name, flags)) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(Taken::Nothing),
            Err(error) => return Err(refusal::of_error(error)),
        };
        let metadata = Metadata::from_stat(&stat);
        let is_link = rustix::fs::FileType::from_raw_mode(stat.st_mode).is_symlink();
        Ok(match metadata.kind {
            _ if is_link => Taken::Other,
            Kind::File => Taken::File(metadata),
            Kind::Folder => Taken::Folder,
            Kind::Other => Taken::Other,
        })
    }

    /// Makes sure that the change of names outlasts a loss of power.
    pub(crate) fn sync(&self) -> Result<(), Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = match retry_on_intr(|| openat(&self.folder, ".", flags, Mode::empty())) {
            // Without the right to read it, a folder can be written to but not synced.
            Err(Errno::ACCESS) => return Ok(()),
            opened => opened?,
        };
        match retry_on_intr(|| rustix::fs::fsync(&folder)) {
            // Some file systems know no such thing for folders.
            Err(Errno::INVAL | Errno::BADF) => Ok(()),
            synced => synced,
        }
    }
}
