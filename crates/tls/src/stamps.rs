//! Whether files have changed since they were last looked at.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// The state of some files at one time.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamps(Vec<Option<Stamp>>);

/// What tells two states of a file apart: when and where it was written, and how long it is.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    seconds: i64,
    nanoseconds: i64,
    inode: u64,
    len: u64,
}

impl Stamps {
    /// The present state. A file that cannot be looked at has none.
    pub(crate) fn of(paths: &[PathBuf]) -> Self {
        let stamp = |path: &PathBuf| {
            let metadata = fs::metadata(path).ok()?;
            Some(Stamp {
                seconds: metadata.mtime(),
                nanoseconds: metadata.mtime_nsec(),
                inode: metadata.ino(),
                len: metadata.len(),
            })
        };
        Self(paths.iter().map(stamp).collect())
    }
}
