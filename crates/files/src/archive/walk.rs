//! Everything below a folder that would be served, one entry after the other.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, statat};
use rustix::io::{Errno, retry_on_intr};

use crate::metadata::{Kind, Metadata};
use crate::path::FilePath;
use crate::service::Shared;

/// A walk down from a folder. It holds one open folder for each level and nothing of what it has passed.
///
/// Links to files below the root are taken as those files. Links to folders are left out: they could
/// lead in a circle.
pub(super) struct Walk {
    shared: Arc<Shared>,
    /// The folder that is archived: what others have logins for is left out.
    top: FilePath<'static>,
    levels: Vec<Level>,
    /// The folder itself comes first.
    first: Option<Entry>,
}

struct Level {
    stream: Dir,
    folder: OwnedFd,
    /// Below the root that is served.
    path: FilePath<'static>,
    /// Below the top of the archive, with a slash at its end.
    name: Vec<u8>,
}

/// What an archive says of a file or a folder.
pub(super) struct Entry {
    /// The path within the archive; that of a folder ends in a slash.
    pub(super) name: Vec<u8>,
    pub(super) is_folder: bool,
    pub(super) size: u64,
    pub(super) modified: i64,
    pub(super) is_executable: bool,
}

impl Walk {
    pub(super) fn new(
        shared: &Arc<Shared>,
        folder: OwnedFd,
        path: &FilePath<'_>,
        mut name: Vec<u8>,
    ) -> Result<Self, Errno> {
        name.push(b'/');
        let metadata = Metadata::of(&folder)?;
        if metadata.kind != Kind::Folder {
            return Err(Errno::NOTDIR);
        }
        let first = Entry::new(name.clone(), &metadata, false);
        let level = Level::new(folder, path.to_owned(), name)?;
        let (shared, top) = (shared.clone(), path.to_owned());
        Ok(Self { shared, top, levels: vec![level], first: Some(first) })
    }

    /// The next entry, and the file where it is one.
    ///
    /// *Errors*: of reading folders; a tree of more than 64 levels. What is gone or may not be read
    /// is left out.
    pub(super) fn next(&mut self) -> io::Result<Option<(Entry, Option<File>)>> {
        if let Some(first) = self.first.take() {
            return Ok(Some((first, None)));
        }
        while let Some(level) = self.levels.last_mut() {
            let Some(found) = level.stream.read() else {
                self.levels.pop();
                continue;
            };
            let name = found?.file_name().to_bytes().to_vec();
            let is_hidden = self.shared.rules.hides_name(&name, level.path.is_root());
            if name == b"." || name == b".." || is_hidden {
                continue;
            }
            let within = FilePath::from_clean(level.path.join(&name));
            if !within.is_some_and(|path| self.shared.gate.access().is_alike(&self.top, &path)) {
                continue;
            }
            let Some((opened, metadata, is_executable)) = self.open(&name)? else { continue };
            let Some(level) = self.levels.last() else { break };
            let mut within = level.name.clone();
            within.extend_from_slice(&name);
            if metadata.kind == Kind::File {
                let entry = Entry::new(within, &metadata, is_executable);
                return Ok(Some((entry, Some(File::from(opened)))));
            }
            within.push(b'/');
            let Some(path) = FilePath::from_clean(level.path.join(&name)) else { continue };
            if self.levels.len() == DEEPEST {
                return Err(io::Error::other("a tree of more than 64 levels"));
            }
            self.levels.push(Level::new(opened, path, within.clone())?);
            return Ok(Some((Entry::new(within, &metadata, false), None)));
        }
        Ok(None)
    }

    /// Opens an entry of the current folder; nothing where it would not be served.
    fn open(&self, name: &[u8]) -> io::Result<Option<(OwnedFd, Metadata, bool)>> {
        let Some(level) = self.levels.last() else { return Ok(None) };
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let look = || statat(&level.folder, name, AtFlags::SYMLINK_NOFOLLOW);
        let is_link = match retry_on_intr(look) {
            Ok(stat) => FileType::from_raw_mode(stat.st_mode) == FileType::Symlink,
            Err(_) => return Ok(None),
        };
        let opened = if is_link {
            self.shared.base.root().open_below(&level.path.join(name))
        } else {
            retry_on_intr(|| openat(&level.folder, name, flags | OFlags::NOFOLLOW, Mode::empty()))
        };
        let opened = match opened {
            Ok(opened) => opened,
            Err(error @ (Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::IO)) => {
                return Err(error.into());
            }
            Err(_) => return Ok(None),
        };
        let stat = rustix::fs::fstat(&opened)?;
        let metadata = Metadata::from_stat(&stat);
        Ok(match metadata.kind {
            Kind::File => Some((opened, metadata, stat.st_mode & 0o100 != 0)),
            Kind::Folder if !is_link => Some((opened, metadata, false)),
            Kind::Folder | Kind::Other => None,
        })
    }
}

impl Level {
    fn new(folder: OwnedFd, path: FilePath<'static>, name: Vec<u8>) -> Result<Self, Errno> {
        Ok(Self { stream: Dir::read_from(&folder)?, folder, path, name })
    }
}

impl Entry {
    fn new(name: Vec<u8>, metadata: &Metadata, is_executable: bool) -> Self {
        let is_folder = metadata.kind == Kind::Folder;
        let size = if is_folder { 0 } else { metadata.size };
        Self { name, is_folder, size, modified: metadata.modified.0, is_executable }
    }

    /// Rights as they are on most systems: those of the server are nobody's business.
    pub(super) fn mode(&self) -> u32 {
        if self.is_folder || self.is_executable { 0o755 } else { 0o644 }
    }
}

/// Levels of folders, each of which is held open.
const DEEPEST: usize = 64;
