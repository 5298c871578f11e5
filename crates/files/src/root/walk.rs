//! The portable way: a path is opened component by component, by descriptor, and the system never
//! follows a link. What a link says is read and walked in the same manner, so that at no time
//! anything outside the root is open.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, openat, readlinkat};
use rustix::io::{Errno, retry_on_intr};

/// How a folder is opened only to go through it: where the system can, without the right to read.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) const FOLDER: OFlags = OFlags::PATH;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) const FOLDER: OFlags = OFlags::RDONLY;

/// Opens `path` below `root`, as strictly as `openat2` with `RESOLVE_BENEATH` does.
///
/// *Errors*: `XDEV` for a link that leaves the root, `LOOP` beyond 40 links, `NAMETOOLONG` for a
/// path beyond 4,095 bytes.
pub(super) fn open(root: BorrowedFd<'_>, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    let mut walk = Walk { root, above: Vec::new(), ahead: Vec::new(), links: 0 };
    walk.plan(path)?;
    while let Some(name) = walk.ahead.pop() {
        if name == b".." {
            // Up is the folder that the walk came from, not what stands there by now.
            walk.above.pop().ok_or(Errno::XDEV)?;
        } else if !walk.ahead.is_empty() {
            walk.enter(&name)?;
            continue;
        } else if name != b"." {
            match walk.open_last(&name, flags)? {
                Some(opened) => return Ok(opened),
                None => continue,
            }
        }
        if walk.ahead.is_empty() {
            return retry_on_intr(|| openat(walk.here(), ".", flags, Mode::empty()));
        }
    }
    Err(Errno::NOENT)
}

struct Walk<'r> {
    root: BorrowedFd<'r>,
    /// The folders that were gone through, from the root down; the last is the current one.
    above: Vec<OwnedFd>,
    /// What is still to be walked, the next component last.
    ahead: Vec<Vec<u8>>,
    links: usize,
}

impl Walk<'_> {
    fn here(&self) -> BorrowedFd<'_> {
        self.above.last().map_or(self.root, AsFd::as_fd)
    }

    /// Puts the components of a path before those that are planned already.
    fn plan(&mut self, path: &[u8]) -> Result<(), Errno> {
        if path.is_empty() {
            return Err(Errno::NOENT);
        }
        if path.len() >= PATH_MAX {
            return Err(Errno::NAMETOOLONG);
        }
        if path.starts_with(b"/") {
            return Err(Errno::XDEV);
        }
        for name in path.rsplit(|&byte| byte == b'/') {
            // An empty component says, as a dot does, that what stands before it is a folder.
            self.ahead.push(if name.is_empty() { b".".to_vec() } else { name.to_vec() });
        }
        Ok(())
    }

    /// Goes into a folder, or plans the way that a link in its place shows.
    fn enter(&mut self, name: &[u8]) -> Result<(), Errno> {
        if name == b"." {
            return Ok(());
        }
        let flags = FOLDER | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match retry_on_intr(|| openat(self.here(), name, flags, Mode::empty())) {
            Ok(folder) => {
                self.above.push(folder);
                Ok(())
            }
            Err(error) => self.follow(name, error),
        }
    }

    /// Opens the last component; `None` where it is a link and the way goes on.
    fn open_last(&mut self, name: &[u8], flags: OFlags) -> Result<Option<OwnedFd>, Errno> {
        let strict = flags | OFlags::NOFOLLOW;
        match retry_on_intr(|| openat(self.here(), name, strict, Mode::empty())) {
            Ok(opened) => Ok(Some(opened)),
            Err(error) => self.follow(name, error).map(|()| None),
        }
    }

    /// Plans the way of a link. Systems differ in the error for a link that was not to be followed
    /// (`LOOP`, `NOTDIR`, `MLINK`), so the link is asked for: if there is none the error stands.
    fn follow(&mut self, name: &[u8], error: Errno) -> Result<(), Errno> {
        if matches!(error, Errno::NOENT | Errno::ACCESS | Errno::NAMETOOLONG | Errno::MFILE) {
            return Err(error);
        }
        let Ok(text) = retry_on_intr(|| readlinkat(self.here(), name, Vec::new())) else {
            return Err(error);
        };
        self.links += 1;
        if self.links > LINKS {
            return Err(Errno::LOOP);
        }
        self.plan(text.as_bytes())
    }
}

/// Links on one path, as Linux counts them.
const LINKS: usize = 40;

/// Bytes of one path with the NUL behind it, as Linux counts them.
const PATH_MAX: usize = 4096;
