//! One writer for each part.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

use super::DownloadError;

/// Opens a part for nobody else to open it this way until the file is closed; with `create` it is made
/// where there is none. Its content stays as it is.
///
/// The lock is the kernel's, so that a run that was killed leaves none behind.
///
/// *Errors*: another run has it open; it cannot be opened.
pub(super) fn open_alone(path: &Path, create: bool) -> Result<File, DownloadError> {
    let failed = |error| DownloadError::file(path, error);
    loop {
        let mut choose = OpenOptions::new();
        choose.read(true).write(true).create(create).truncate(false);
        // A link that somebody put in place of a part leads nowhere.
        let no_follow = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
        let file = choose.custom_flags(no_follow).open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                let process = holder(&metadata);
                return Err(DownloadError::Busy { path: path.to_owned(), process });
            }
            Err(error @ (Errno::NOLCK | Errno::NOTSUP | Errno::INVAL)) => {
                log::warn!("{} cannot be locked against other runs: {error}", path.display());
            }
            Err(error) => return Err(failed(error.into())),
        }
        // Between opening and locking the run before may have given the part its final name, or thrown
        // it away: what is locked then is no longer the part.
        match std::fs::symlink_metadata(path) {
            Ok(now) if is_same(&metadata, &now) => return Ok(file),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound && create => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    one.dev() == other.dev() && one.ino() == other.ino()
}

/// The process that holds the lock, by the kernel's table of locks, where there is one.
fn holder(metadata: &Metadata) -> Option<u32> {
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    let inode = metadata.ino().to_string();
    locks.lines().find_map(|line| of_line(line, &inode))
}

/// `1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF`
fn of_line(line: &str, inode: &str) -> Option<u32> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, "FLOCK", _, "WRITE", process, place, ..] = words[..] else { return None };
    if place.rsplit(':').next() != Some(inode) {
        return None;
    }
    process.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_one_writer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f.part");
        assert!(matches!(open_alone(&path, false), Err(DownloadError::File { .. })));
        let first = open_alone(&path, true).unwrap();
        let Err(DownloadError::Busy { path: busy, .. }) = open_alone(&path, true) else {
            panic!("there are two");
        };
        assert_eq!(busy, path);
        drop(first);
        open_alone(&path, false).unwrap();
    }

    #[test]
    fn the_table_of_locks_names_the_holder() {
        let line = "12: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF";
        assert_eq!(of_line(line, "5678"), Some(1234));
        assert_eq!(of_line(line, "678"), None);
        assert_eq!(of_line("12: -> FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF", "5678"), None);
        assert_eq!(of_line("12: POSIX  ADVISORY  WRITE 1234 08:01:5678 0 EOF", "5678"), None);
        assert_eq!(of_line("", "5678"), None);
    }
}
