//! The folder that is served, and the only way to open something below it.

mod walk;

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::{Errno, retry_on_intr};

use crate::metadata::Metadata;

/// Which symbolic links are followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Links {
    /// Those that stay below the root at every step. An absolute link leaves it, wherever it leads.
    #[default]
    Inside,
    /// All, wherever they lead.
    Anywhere,
}

/// The folder that is served, held by a descriptor: it stays the same folder when its path is
/// given to another one.
#[derive(Debug)]
pub(crate) struct Root {
    folder: OwnedFd,
    way: Way,
    /// Device and number of the folder.
    identity: (u64, u64),
}

/// How paths are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The kernel keeps the path below the root, in one call.
    Kernel,
    /// One component after the other, following no link but those that are read here.
    Walk,
    /// Links lead where they lead.
    Trusting,
}

impl Root {
    /// *Errors*: a path that is no folder, or that may not be entered.
    pub(crate) fn open(path: &Path, links: Links) -> io::Result<Self> {
        let flags = walk::FOLDER | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = openat(CWD, path, flags, Mode::empty())?;
        // The right to enter is needed for each request, and found out now rather than then.
        openat(&folder, ".", flags, Mode::empty())?;
        let way = match links {
            Links::Anywhere => Way::Trusting,
            // A kernel before 5.6 lacks the call, and a sandbox may forbid it.
            Links::Inside if kernel::is_able(&folder) => Way::Kernel,
            Links::Inside => Way::Walk,
        };
        let metadata = Metadata::of(&folder)?;
        let identity = (metadata.device, metadata.inode);
        Ok(Self { folder, way, identity })
    }

    /// What tells this folder from others: device and number.
    pub(crate) fn identity(&self) -> (u64, u64) {
        self.identity
    }

    /// Whether both are one folder.
    pub(crate) fn is_same_folder(&self, other: &Self) -> bool {
        self.identity == other.identity
    }

    #[cfg(test)]
    pub(crate) fn with_way(self, way: Way) -> Self {
        Self { way, ..self }
    }

    /// The folder itself.
    pub(crate) fn folder(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }

    /// Opens what a relative path names, for reading. The call does not wait for the other end of
    /// a FIFO and never makes a terminal the program's own.
    ///
    /// *Errors*: `XDEV` where a link leaves the root.
    pub(crate) fn open_below(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        self.open_as(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)
    }

    /// Opens a folder without the right to read it, to learn that it is one.
    pub(crate) fn locate_folder(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        self.open_as(path, walk::FOLDER | OFlags::DIRECTORY)
    }

    fn open_as(&self, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
        debug_assert!(!path.starts_with(b"/"), "paths are relative");
        let path = if path.is_empty() { b"." } else { path };
        let flags = flags | OFlags::CLOEXEC;
        match self.way {
            Way::Kernel => kernel::open(self.folder(), path, flags),
            Way::Walk => walk::open(self.folder(), path, flags),
            Way::Trusting => retry_on_intr(|| openat(&self.folder, path, flags, Mode::empty())),
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod kernel {
    use super::{AsFd, BorrowedFd, Errno, Mode, OFlags, OwnedFd, retry_on_intr};
    use rustix::fs::{ResolveFlags, openat2};

    pub(super) fn is_able(folder: &OwnedFd) -> bool {
        open(folder.as_fd(), b".", OFlags::PATH | OFlags::CLOEXEC).is_ok()
    }

    pub(super) fn open(
        folder: BorrowedFd<'_>,
        path: &[u8],
        flags: OFlags,
    ) -> Result<OwnedFd, Errno> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let open = || retry_on_intr(|| openat2(folder, path, flags, Mode::empty(), resolve));
        // Something was renamed while the kernel went up a `..` of a link, and it could not tell
        // any more whether it was still inside; openat2(2) says to try again.
        let mut result = open();
        for _ in 0..RACES {
            if !matches!(result, Err(Errno::AGAIN)) {
                break;
            }
            result = open();
        }
        result
    }

    /// How often a path that changes while it is resolved is tried again.
    const RACES: usize = 8;
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod kernel {
    use super::{BorrowedFd, Errno, OFlags, OwnedFd};

    pub(super) fn is_able(_folder: &OwnedFd) -> bool {
        false
    }

    pub(super) fn open(
        _folder: BorrowedFd<'_>,
        _path: &[u8],
        _flags: OFlags,
    ) -> Result<OwnedFd, Errno> {
        Err(Errno::NOSYS)
    }
}

#[cfg(test)]
mod tests;
