//! The part on the disk: opening, writing, taking its final name.

use std::fs::{File, hard_link, remove_file, rename};
use std::io;
use std::io::ErrorKind::{AlreadyExists, NotFound};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::DownloadError;
use super::journal::Journal;
use super::lock::open_alone;

/// A part and its journal.
pub(super) struct Part {
    path: PathBuf,
    file: File,
    pub(super) journal: Journal,
    /// Bytes since the journal was written last.
    unwritten: u64,
}

impl Part {
    /// The path of the part of a file.
    pub(super) fn path_for(target: &Path) -> PathBuf {
        let mut path = target.as_os_str().to_owned();
        path.push(".part");
        path.into()
    }

    /// What an earlier run has left for this target, if it can be gone on with.
    pub(super) fn left(target: &Path) -> Result<Option<Self>, DownloadError> {
        let path = Self::path_for(target);
        let failed = |error| DownloadError::file(&path, error);
        let file = match open_alone(&path, false) {
            Ok(file) => file,
            Err(DownloadError::File { source, .. }) if source.kind() == NotFound => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        // Only now: until it was locked another run may have written it.
        let Some(journal) = Journal::read(&path).map_err(failed)? else { return Ok(None) };
        // A journal that speaks of bytes beyond the end of its part belongs to another one.
        let len = file.metadata().map_err(failed)?.len();
        let sound = journal.pieces.iter().all(|piece| piece.at == piece.start || piece.at <= len);
        let usable = journal.validator.is_some() && sound;
        Ok(usable.then_some(Self { path, file, journal, unwritten: 0 }))
    }

    /// The place whose part lies here, as far as its journal tells.
    pub(super) fn place_of(target: &Path) -> Result<Option<String>, DownloadError> {
        let path = Self::path_for(target);
        let journal = Journal::read(&path).map_err(|error| DownloadError::file(&path, error))?;
        Ok(journal.map(|journal| journal.place))
    }

    /// A fresh part. The old journal goes first: at no moment do old ranges stand beside new data.
    pub(super) fn fresh(target: &Path, journal: Journal) -> Result<Self, DownloadError> {
        let path = Self::path_for(target);
        let failed = |error| DownloadError::file(&path, error);
        let file = open_alone(&path, true)?;
        Journal::remove(&path).map_err(failed)?;
        file.set_len(0).map_err(failed)?;
        journal.write(&path).map_err(failed)?;
        Ok(Self { path, file, journal, unwritten: 0 })
    }

    /// Writes bytes of a piece at its place.
    pub(super) fn write(&mut self, index: usize, bytes: &[u8]) -> Result<(), DownloadError> {
        let piece = &mut self.journal.pieces[index];
        self.file
            .write_all_at(bytes, piece.at)
            .map_err(|error| DownloadError::file(&self.path, error))?;
        piece.at += bytes.len() as u64;
        self.unwritten += bytes.len() as u64;
        if self.unwritten >= JOURNAL_EVERY {
            self.note()?;
        }
        Ok(())
    }

    /// Writes the journal.
    pub(super) fn note(&mut self) -> Result<(), DownloadError> {
        self.unwritten = 0;
        self.journal.write(&self.path).map_err(|error| DownloadError::file(&self.path, error))
    }

    /// Where the data is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the part its final name, when its data is on the disk; with `anew` only if no file has that
    /// name yet.
    pub(super) fn finish(
        self,
        target: &Path,
        modified: Option<SystemTime>,
        anew: bool,
    ) -> Result<(), DownloadError> {
        let failed = |error| DownloadError::file(&self.path, error);
        if let Some(size) = self.journal.size {
            self.file.set_len(size).map_err(failed)?;
        }
        if let Some(time) = modified
            && let Err(error) = self.file.set_modified(time)
        {
            log::warn!("the time of {} stays: {error}", target.display());
        }
        self.file.sync_all().map_err(failed)?;
        let named = if anew { name_anew(&self.path, target) } else { rename(&self.path, target) };
        named.map_err(|error| DownloadError::file(target, error))?;
        Journal::remove(&self.path).map_err(failed)
    }

    /// Throws part and journal away.
    pub(super) fn discard(self) -> Result<(), DownloadError> {
        let failed = |error| DownloadError::file(&self.path, error);
        Journal::remove(&self.path).map_err(failed)?;
        remove_file(&self.path).map_err(failed)
    }
}

/// Gives a file a second name, which must be new, and takes the first away.
fn name_anew(path: &Path, target: &Path) -> io::Result<()> {
    match hard_link(path, target) {
        Ok(()) => remove_file(path),
        Err(error) if error.kind() == AlreadyExists => Err(error),
        // Not every file system gives a file two names; there it is as good as new.
        Err(_) if target.symlink_metadata().is_err() => rename(path, target),
        Err(error) => Err(error),
    }
}

/// Bytes between two writings of the journal: what a killed run fetches again at most.
const JOURNAL_EVERY: u64 = 4 * 1024 * 1024;
