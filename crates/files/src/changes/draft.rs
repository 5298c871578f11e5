//! A file on its way: under a name of its own until it is whole.

use std::fs::File;
use std::io::Write;
use std::time::SystemTime;

use avocet_semantics::dates;
use http::StatusCode;
use rustix::fs::{AtFlags, Mode, OFlags, linkat, openat, renameat, unlinkat};
use rustix::io::{Errno, retry_on_intr};

use super::every::for_each_file;
use super::place::{Place, Taken};
use super::quota::Claim;
use super::refusal::Refused;
use super::{State, refusal};
use crate::metadata::Metadata;
use crate::path::{DRAFT, FilePath};
use crate::random;
use crate::root::Root;

/// A temporary file in the folder where it is to be; it goes when it is dropped before it was
/// published.
pub(crate) struct Draft {
    place: Place,
    /// Its name until then.
    name: String,
    file: Option<File>,
    claim: Option<Claim>,
    len: u64,
    largest: u64,
    is_there: bool,
}

/// What publishing has done.
pub(crate) struct Published {
    pub(crate) metadata: Metadata,
    pub(crate) is_new: bool,
}

impl Draft {
    /// Makes an empty one. `claim` is what its content may take so far, `largest` what it may at most.
    pub(crate) fn new(place: Place, claim: Claim, largest: u64) -> Result<Self, Refused> {
        let token = random::token().map_err(|error| refusal::of_io(&error))?;
        let name = format!("{DRAFT}{token}");
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let (flags, mode) = (flags | OFlags::CLOEXEC, Mode::from_raw_mode(0o666));
        let file = retry_on_intr(|| openat(place.folder(), name.as_str(), flags, mode));
        let file = Some(File::from(file.map_err(refusal::of_error)?));
        Ok(Self { place, name, file, claim: Some(claim), len: 0, largest, is_there: true })
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Appends.
    ///
    /// *Errors*: as an answer: more than a file may have, the quota, or the disk.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        let len = self.len.saturating_add(bytes.len() as u64);
        if len > self.largest {
            return Err(refusal::too_large(self.largest));
        }
        if !self.claim.as_mut().is_some_and(|claim| claim.reach(len)) {
            return Err(refusal::over_quota());
        }
        let Some(file) = &mut self.file else { return Err(refusal::of_error(Errno::BADF)) };
        file.write_all(bytes).map_err(|error| refusal::of_io(&error))?;
        self.len = len;
        Ok(())
    }

    /// Gives the file the rights and the time of another one, whose content it is in another form, and
    /// a mark.
    pub(crate) fn become_like(
        &mut self,
        other: &File,
        mark: impl FnOnce(&File) -> Result<(), Errno>,
    ) -> std::io::Result<()> {
        let Some(file) = &self.file else { return Err(Errno::BADF.into()) };
        let metadata = other.metadata()?;
        file.set_permissions(metadata.permissions())?;
        mark(file)?;
        file.set_modified(metadata.modified()?)
    }

    /// Makes sure that the content is on the disk, and closes the file.
    pub(crate) fn complete(&mut self) -> Result<(), Refused> {
        if let Some(file) = self.file.take() {
            file.sync_all().map_err(|error| refusal::of_io(&error))?;
        }
        Ok(())
    }

    /// Gives the file its name, in one step: whoever asks gets the old content or the new one, and
    /// never a part.
    ///
    /// `check` says whether what has the name now may be replaced; between its look and the change
    /// no other change through this service comes.
    pub(crate) fn publish(
        mut self,
        state: &State,
        check: impl FnOnce(&Taken) -> Result<(), Refused>,
    ) -> Result<Published, Refused> {
        self.complete()?;
        let (is_new, replaced) = {
            let _alone = state.alone();
            let taken = self.place.taken()?;
            check(&taken)?;
            let (draft, name) = (self.name.as_str(), self.place.name.as_slice());
            let folder = self.place.folder();
            match taken {
                Taken::Nothing => {
                    rename_to_new(&self.place, draft).map_err(refusal::of_error)?;
                    (true, 0)
                }
                Taken::File(replaced) => {
                    retry_on_intr(|| renameat(folder, draft, folder, name))
                        .map_err(refusal::of_error)?;
                    (false, replaced.size)
                }
                Taken::Folder | Taken::Other => {
                    return Err(refusal::because(StatusCode::CONFLICT, "The name is taken."));
                }
            }
        };
        self.is_there = false;
        if let Some(claim) = self.claim.take() {
            claim.settle(self.len, replaced);
        }
        // The file is published; what is not certain is whether that outlasts a loss of power.
        if let Err(error) = self.place.sync() {
            log::warn!("a folder could not be synced: {error}");
        }
        match self.place.taken()? {
            Taken::File(metadata) => Ok(Published { metadata, is_new }),
            _ => Err(refusal::because(StatusCode::CONFLICT, "The file was replaced meanwhile.")),
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.is_there {
            remove(&self.place, &self.name);
        }
    }
}

/// Gives a draft a name that nothing else may have, whoever else makes files there.
fn rename_to_new(place: &Place, draft: &str) -> Result<(), Errno> {
    match rename_unless_taken(place, draft) {
        // The file system knows no such call; most of those know links.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
        renamed => return renamed,
    }
    let (folder, name) = (place.folder(), place.name.as_slice());
    retry_on_intr(|| linkat(folder, draft, folder, name, AtFlags::empty()))?;
    remove(place, draft);
    Ok(())
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn rename_unless_taken(place: &Place, draft: &str) -> Result<(), Errno> {
    use rustix::fs::{RenameFlags, renameat_with};
    let (folder, name) = (place.folder(), place.name.as_slice());
    retry_on_intr(|| renameat_with(folder, draft, folder, name, RenameFlags::NOREPLACE))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn rename_unless_taken(_place: &Place, _draft: &str) -> Result<(), Errno> {
    Err(Errno::NOSYS)
}

fn remove(place: &Place, draft: &str) {
    if let Err(error) = retry_on_intr(|| unlinkat(place.folder(), draft, AtFlags::empty())) {
        log::warn!("{draft} stays behind: {error}");
    }
}

/// Removes what uploads of a process that was killed have left behind: drafts that nobody has written
/// to for a day.
///
/// *Blocking*: for as long as it takes to look at every file.
pub(crate) fn sweep(root: &Root) {
    let long_ago = dates::seconds(SystemTime::now()).saturating_sub(24 * 60 * 60);
    for_each_file(root, |folder, name, stat| {
        if !FilePath::is_draft_name(name) || stat.st_mtime > long_ago {
            return;
        }
        match retry_on_intr(|| unlinkat(folder, name, AtFlags::empty())) {
            Ok(()) => log::info!("removed an upload that was broken off"),
            Err(error) => log::warn!("an upload that was broken off stays: {error}"),
        }
    });
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::root::Links;

    #[test]
    fn what_a_killed_process_left_is_removed_after_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("deep");
        std::fs::create_dir(&deep).unwrap();
        let make = |name: &str, seconds: u64| {
            let file = File::create(deep.join(name)).unwrap();
            file.set_modified(UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        };
        let now = u64::try_from(dates::seconds(SystemTime::now())).unwrap();
        make(&format!("{DRAFT}old"), now - 90_000);
        make(&format!("{DRAFT}new"), now - 80_000);
        make("old", now - 90_000);
        sweep(&Root::open(folder.path(), Links::Inside).unwrap());
        let mut left: Vec<_> =
            std::fs::read_dir(&deep).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [format!("{DRAFT}new").as_str(), "old"]);
    }
}
