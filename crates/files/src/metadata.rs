//! What the system says of an open file.

use std::os::fd::AsFd;

use rustix::fs::{FileType, Stat, fstat};
use rustix::io::Errno;

/// The parts of a file's state that a response tells of. They are always those of an open
/// descriptor, so that nobody can exchange the file between the question and the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Metadata {
    pub(crate) kind: Kind,
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) size: u64,
    /// When the content was changed last: seconds since the epoch, and nanoseconds.
    pub(crate) modified: (i64, u32),
    /// When anything about the file was changed last, its rights and its names among it.
    pub(crate) changed: (i64, u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    File,
    Folder,
    /// A FIFO, a socket, a device: nothing to be served.
    Other,
}

impl Metadata {
    pub(crate) fn of(file: impl AsFd) -> Result<Self, Errno> {
        Ok(Self::from_stat(&fstat(file)?))
    }

    pub(crate) fn from_stat(stat: &Stat) -> Self {
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Folder,
            _ => Kind::Other,
        };
        Self {
            kind,
            device: number(stat.st_dev),
            inode: number(stat.st_ino),
            size: number(stat.st_size),
            modified: (stat.st_mtime, number(stat.st_mtime_nsec)),
            changed: (stat.st_ctime, number(stat.st_ctime_nsec)),
        }
    }
}

impl Metadata {
    /// Whether the bytes are, as far as the system can tell, still those of `earlier`.
    pub(crate) fn has_content_of(&self, earlier: &Self) -> bool {
        let identity = |metadata: &Self| (metadata.device, metadata.inode);
        let state = |metadata: &Self| (metadata.size, metadata.modified);
        identity(self) == identity(earlier) && state(self) == state(earlier)
    }
}

/// The fields of `stat` have other widths on every system; what does not fit does not occur.
fn number<T: TryInto<U>, U: Default>(value: T) -> U {
    value.try_into().unwrap_or_default()
}
