//! A file changes hands: one process at a time may replace it, and others see the old file or the
//! new one, never half of one.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use crate::error::{Error, ErrorKind};

/// Reads a whole file, which may be a pipe.
///
/// *Bounds*: [`MAX_FILE`].
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |error| Error::io(error, "cannot read the cookies").at(path);
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(Error::new(ErrorKind::NotRegular, "is a folder").at(path));
    }
    read_open(&file, path)
}

fn read_open(file: &File, path: &Path) -> Result<Vec<u8>, Error> {
    let mut text = Vec::new();
    file.take(MAX_FILE + 1)
        .read_to_end(&mut text)
        .map_err(|error| Error::io(error, "cannot read the cookies").at(path))?;
    if u64::try_from(text.len()).is_ok_and(|len| len > MAX_FILE) {
        return Err(Error::new(ErrorKind::TooLarge, "is larger than 16 MiB").at(path));
    }
    Ok(text)
}

/// The right to replace a file, held by one process at a time through a lock on the file itself.
/// A file that did not exist is made, empty, and goes again unless it is replaced.
#[derive(Debug)]
pub(super) struct Claim {
    path: PathBuf,
    file: File,
    created: bool,
}

impl Claim {
    /// Waits up to `patience` for other processes to finish.
    ///
    /// *Blocking*: sleeps between tries.
    pub(super) fn new(path: &Path, patience: Duration) -> Result<Self, Error> {
        let failed = |error| Error::io(error, "cannot write the cookies").at(path);
        // A link stays one: what it leads to is replaced.
        let path = match fs::canonicalize(path) {
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
            Err(error) => return Err(failed(error)),
        };
        let deadline = Instant::now() + patience;
        loop {
            if let Some(claim) = Self::try_once(&path)? {
                return Ok(claim);
            }
            if Instant::now() >= deadline {
                let detail = "another process holds the lock of the cookies";
                return Err(Error::new(ErrorKind::Busy, detail).at(&path));
            }
            std::thread::sleep(BETWEEN_TRIES);
        }
    }

    fn try_once(path: &Path) -> Result<Option<Self>, Error> {
        let failed = |error| Error::io(error, "cannot write the cookies").at(path);
        let kind = fs::metadata(path).map(|found| found.is_file());
        if kind.is_ok_and(|regular| !regular) {
            return Err(Error::new(ErrorKind::NotRegular, "is no regular file").at(path));
        }
        let mut open = OpenOptions::new();
        open.read(true).write(true);
        let (file, created) = match open.open(path) {
            Ok(file) => (file, false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match private(open.create_new(true)).open(path) {
                    Ok(file) => (file, true),
                    Err(error)
                        if error.kind() == io::ErrorKind::AlreadyExists && leads_nowhere(path) =>
                    {
                        let detail = "is a link that leads nowhere";
                        return Err(Error::new(ErrorKind::NotRegular, detail).at(path));
                    }
                    // Somebody else made it in between.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
                    Err(error) => return Err(failed(error)),
                }
            }
            Err(error) => return Err(failed(error)),
        };
        if !lock(&file).map_err(|error| error.at(path))? {
            return Ok(None);
        }
        let claim = Self { path: path.to_owned(), file, created };
        // Who held the lock before may have put another file in this one's place.
        Ok(claim.is_current().then_some(claim))
    }

    /// What the file holds now.
    pub(super) fn read(&self) -> Result<Vec<u8>, Error> {
        read_open(&self.file, &self.path)
    }

    /// Puts `text` in the place of the file: a file beside it, readable by its owner only, is
    /// written, brought to the disk and renamed.
    pub(super) fn replace(mut self, text: &[u8]) -> Result<(), Error> {
        let failed = |error| Error::io(error, "cannot write the cookies").at(&self.path);
        let beside = self.name_beside();
        let written = private(OpenOptions::new().write(true).create_new(true))
            .open(&beside)
            .and_then(|mut file| {
                file.write_all(text)?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&beside, &self.path));
        if let Err(error) = written {
            // It may not have come to be; what failed before is what the caller has to know.
            let _ = fs::remove_file(&beside);
            return Err(failed(error));
        }
        self.created = false;
        self.sweep();
        // The new name is on the disk once its folder is.
        match File::open(folder_of(&self.path)).and_then(|folder| folder.sync_all()) {
            // Some file systems have no such thing as a folder to bring to the disk.
            Err(error) if error.kind() != io::ErrorKind::InvalidInput => Err(failed(error)),
            _ => Ok(()),
        }
    }

    fn name_beside(&self) -> PathBuf {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut name = self.beside_prefix();
        name.push(format!("{}-{count}{BESIDE_END}", std::process::id()));
        self.path.with_file_name(name)
    }

    fn beside_prefix(&self) -> OsString {
        let mut name = OsString::from(".");
        name.push(self.path.file_name().unwrap_or_default());
        name.push(".");
        name
    }

    /// Removes what savers left beside the file that were killed before they could rename it.
    /// Nobody depends on that, so it is tried and no more.
    fn sweep(&self) {
        let prefix = self.beside_prefix();
        let Ok(entries) = fs::read_dir(folder_of(&self.path)) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.as_encoded_bytes();
            let ours = name.starts_with(prefix.as_encoded_bytes())
                && name.ends_with(BESIDE_END.as_bytes());
            let age = || entry.metadata().ok()?.modified().ok()?.elapsed().ok();
            if ours && age().is_some_and(|age| age > ABANDONED) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.created && self.is_current() {
            // It was made for the lock only; where it cannot go, an empty file is an empty jar.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn leads_nowhere(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|there| there.is_symlink()) && fs::metadata(path).is_err()
}

fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or_else(|| Path::new("."))
}

#[cfg(unix)]
impl Claim {
    /// Whether the path still leads to the file that is locked.
    fn is_current(&self) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        let (Ok(held), Ok(named)) = (self.file.metadata(), fs::metadata(&self.path)) else {
            return false;
        };
        (held.dev(), held.ino()) == (named.dev(), named.ino())
    }
}

#[cfg(not(unix))]
impl Claim {
    fn is_current(&self) -> bool {
        true
    }
}

/// Readable and writable by the owner only.
#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Takes the lock if it is free.
#[cfg(unix)]
fn lock(file: &File) -> Result<bool, Error> {
    use rustix::{
        fs::{FlockOperation, flock},
        io::Errno,
    };
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(false),
        Err(error) => Err(Error::io(error.into(), "cannot lock the cookies")),
    }
}

#[cfg(not(unix))]
fn lock(_: &File) -> Result<bool, Error> {
    Err(Error::new(ErrorKind::Unsupported, "cookie files are written on Unix systems only"))
}

/// The largest file that is read: far more than 3,000 cookies of 4,096 octets.
const MAX_FILE: u64 = 16 * 1024 * 1024;
/// How the name of a file beside the file ends.
const BESIDE_END: &str = ".new";
/// Writing takes milliseconds; a file beside that is older than this belongs to nobody.
const ABANDONED: Duration = Duration::from_secs(60);
const BETWEEN_TRIES: Duration = Duration::from_millis(5);

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_held_lock_is_busy_and_a_freed_one_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jar");
        let claim = Claim::new(&path, Duration::ZERO).unwrap();
        let busy = Claim::new(&path, Duration::from_millis(20)).unwrap_err();
        assert_eq!(busy.kind(), ErrorKind::Busy);
        claim.replace(b"one").unwrap();
        let claim = Claim::new(&path, Duration::ZERO).unwrap();
        assert_eq!(claim.read().unwrap(), b"one");
    }

    #[test]
    fn a_link_that_leads_nowhere_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jar");
        std::os::unix::fs::symlink("nowhere", &path).unwrap();
        let error = Claim::new(&path, Duration::from_secs(600)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotRegular);
    }

    #[test]
    fn a_file_made_for_the_lock_goes_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jar");
        drop(Claim::new(&path, Duration::ZERO).unwrap());
        assert!(!path.exists());
        fs::write(&path, "kept").unwrap();
        drop(Claim::new(&path, Duration::ZERO).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"kept");
    }

    #[test]
    fn a_lock_on_a_file_that_was_replaced_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jar");
        fs::write(&path, "old").unwrap();
        let claim = Claim::new(&path, Duration::ZERO).unwrap();
        fs::write(folder.path().join("new"), "new").unwrap();
        fs::rename(folder.path().join("new"), &path).unwrap();
        assert!(!claim.is_current());
        let second = Claim::new(&path, Duration::ZERO).unwrap();
        assert_eq!(second.read().unwrap(), b"new");
    }

    #[test]
    fn what_killed_savers_left_is_swept_away() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str, age: u64| {
            let file = File::create(folder.path().join(name)).unwrap();
            let then = std::time::SystemTime::now() - Duration::from_secs(age);
            file.set_modified(then).unwrap();
        };
        make(".jar.17-0.new", 3_600);
        make(".jar.18-0.new", 1);
        make(".other.17-0.new", 3_600);
        make(".jar.17-0.old", 3_600);
        Claim::new(&folder.path().join("jar"), Duration::ZERO).unwrap().replace(b"").unwrap();
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, [".jar.17-0.old", ".jar.18-0.new", ".other.17-0.new", "jar"]);
    }

    #[test]
    fn files_beyond_the_bound_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jar");
        File::create(&path).unwrap().set_len(MAX_FILE + 1).unwrap();
        assert_eq!(read(&path).unwrap_err().kind(), ErrorKind::TooLarge);
    }
}
