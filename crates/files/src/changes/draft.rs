//! A file on its way: under a name of its own until it is whole.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::sync::Arc;
use std::time::SystemTime;

use avocet_semantics::dates;
use http::StatusCode;
use rustix::fs::{
    AtFlags, FlockOperation, Mode, OFlags, flock, fstat, linkat, openat, renameat, statat, unlinkat,
};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::geteuid;

use super::digests::Digests;
use super::every::for_each_file;
use super::place::{Place, Taken};
use super::quota::{Claim, Quota};
use super::refusal::Refused;
use super::{State, refusal};
use crate::metadata::{Kind, Metadata};
use crate::path::{DRAFT, FilePath};
use crate::random;
use crate::root::Root;

/// A temporary file in the folder where it is to be; it goes when it is dropped before it was
/// published, unless it was said that it stays.
pub(crate) struct Draft {
    place: Place,
    /// Its name until then.
    name: String,
    file: Option<File>,
    claim: Option<Claim>,
    len: u64,
    largest: u64,
    is_there: bool,
    /// Whether the file outlives this.
    stays: bool,
}

/// What publishing has done.
pub(crate) struct Published {
    pub(crate) metadata: Metadata,
    pub(crate) is_new: bool,
}

impl Draft {
    /// Makes an empty one. `claim` is what its content may take so far, `largest` what it may at most.
    pub(crate) fn new(place: Place, claim: Claim, largest: u64) -> Result<Self, Refused> {
        Self::named(place, &new_name()?, claim, largest)
    }

    /// The same with a name of the caller's, which must be one of a draft.
    pub(crate) fn named(
        place: Place,
        name: &str,
        mut claim: Claim,
        largest: u64,
    ) -> Result<Self, Refused> {
        debug_assert!(FilePath::is_draft_name(name.as_bytes()), "drafts are never served");
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let (flags, mode) = (flags | OFlags::CLOEXEC, Mode::from_raw_mode(0o666));
        let file = retry_on_intr(|| openat(place.folder(), name, flags, mode));
        let file = Some(File::from(file.map_err(refusal::of_error)?));
        claim.cover(name);
        let (name, claim) = (name.to_owned(), Some(claim));
        Ok(Self { place, name, file, claim, len: 0, largest, is_there: true, stays: false })
    }

    /// One that was left behind, of which the first `len` bytes count.
    ///
    /// *Errors*: as an answer; 404 where there is none of which that can be true.
    pub(crate) fn again(
        place: Place,
        name: &str,
        (len, inode): (u64, u64),
        claim: impl FnOnce() -> Claim,
        largest: u64,
    ) -> Result<Self, Refused> {
        let gone = || refusal::plain(StatusCode::NOT_FOUND);
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = retry_on_intr(|| openat(place.folder(), name, flags, Mode::empty()));
        let file = File::from(file.map_err(|_| gone())?);
        let stat = fstat(&file).map_err(refusal::of_error)?;
        let metadata = Metadata::from_stat(&stat);
        let is_ours = metadata.kind == Kind::File
            && metadata.inode == inode
            && metadata.size >= len
            && stat.st_nlink == 1
            && stat.st_uid == geteuid().as_raw();
        if !is_ours {
            return Err(gone());
        }
        // Another process may be about to hand over, its last request not at its end.
        // Not every file system has locks; those that have keep away another process, which may be about
        // to hand over, its last request not at its end.
        let locked = retry_on_intr(|| flock(&file, FlockOperation::NonBlockingLockExclusive));
        if matches!(locked, Err(Errno::WOULDBLOCK)) {
            return Err(refusal::busy());
        }
        let set = file.set_len(len).and_then(|()| (&file).seek(SeekFrom::End(0)));
        set.map_err(|error| refusal::of_io(&error))?;
        let (name, file, claim) = (name.to_owned(), Some(file), Some(claim()));
        Ok(Self { place, name, file, claim, len, largest, is_there: true, stays: true })
    }

    /// Keeps the file when this is dropped, for [`again`](Self::again). A second process that tries
    /// that meanwhile is told to wait.
    pub(crate) fn stay(&mut self) {
        self.stays = true;
        let Some(file) = &self.file else { return };
        if let Err(error) = retry_on_intr(|| flock(file, FlockOperation::NonBlockingLockExclusive))
        {
            log::debug!("an upload is not locked: {error}");
        }
    }

    /// Removes the file.
    pub(crate) fn discard(mut self) {
        self.stays = false;
    }

    /// Goes on under the rules of a service that has taken the place of another.
    pub(crate) fn follow(&mut self, quota: &Arc<Quota>, root: &Root, largest: u64) {
        self.largest = largest;
        if self.claim.as_ref().is_none_or(|claim| !claim.is_of(quota)) {
            self.claim = Some(quota.adopt(root, &self.name, self.len));
        }
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn inode(&self) -> Result<u64, Refused> {
        let Some(file) = &self.file else { return Err(refusal::of_error(Errno::BADF)) };
        Ok(Metadata::of(file).map_err(refusal::of_error)?.inode)
    }

    /// Has what was written so far outlast a loss of power.
    pub(crate) fn sync(&self) -> Result<(), Refused> {
        let Some(file) = &self.file else { return Ok(()) };
        file.sync_data().map_err(|error| refusal::of_io(&error))
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

    /// Makes sure that the content is what its client says.
    ///
    /// *Errors*: 400, as an answer.
    pub(crate) fn check(&self, digests: &Digests) -> Result<(), Refused> {
        if digests.is_empty() {
            return Ok(());
        }
        let Some(mut file) = self.file.as_ref() else { return Err(refusal::of_error(Errno::BADF)) };
        let read = file.seek(SeekFrom::Start(0)).and_then(|_| digests.are_of(file));
        if read.map_err(|error| refusal::of_io(&error))? {
            return Ok(());
        }
        let explanation = "The content that has come is not that of Repr-Digest.";
        Err(refusal::because(StatusCode::BAD_REQUEST, explanation))
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
        self.stays = false;
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
        if self.is_there && !self.stays {
            remove(&self.place, &self.name);
        }
    }
}

/// A name for a draft.
///
/// *Errors*: as an answer, where the system has no randomness.
pub(crate) fn new_name() -> Result<String, Refused> {
    let token = random::token().map_err(|error| refusal::of_io(&error))?;
    Ok(format!("{DRAFT}{token}"))
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

/// Removes what was left behind of uploads with which nobody has gone on for a day.
///
/// *Blocking*: for as long as it takes to look at every file.
pub(crate) fn sweep(root: &Root) {
    let long_ago = dates::seconds(SystemTime::now()).saturating_sub(24 * 60 * 60);
    for_each_file(root, |folder, name, stat| {
        if !FilePath::is_draft_name(name) || stat.st_mtime > long_ago {
            return;
        }
        // Somebody may have asked for the upload, though it has not grown since.
        let record = [name, RECORD.as_bytes()].concat();
        let asked = retry_on_intr(|| statat(folder, &record, AtFlags::SYMLINK_NOFOLLOW));
        if asked.is_ok_and(|stat| stat.st_mtime > long_ago) {
            return;
        }
        // Without what is known of it a draft is of no use, however young it is.
        for name in [Some(name), name.strip_suffix(RECORD.as_bytes())].into_iter().flatten() {
            match retry_on_intr(|| unlinkat(folder, name, AtFlags::empty())) {
                Ok(()) => log::info!("removed what was left of an upload"),
                Err(Errno::NOENT) => {}
                Err(error) => log::warn!("what was left of an upload stays: {error}"),
            }
        }
    });
}

/// How the name of what is known of a draft ends, behind the draft's own.
pub(crate) const RECORD: &str = ".state";

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
        make(&format!("{DRAFT}asked"), now - 90_000);
        make(&format!("{DRAFT}asked{RECORD}"), now - 80_000);
        make(&format!("{DRAFT}left"), now - 80_000);
        make(&format!("{DRAFT}left{RECORD}"), now - 90_000);
        make("old", now - 90_000);
        sweep(&Root::open(folder.path(), Links::Inside).unwrap());
        let mut left: Vec<_> =
            std::fs::read_dir(&deep).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        let asked = [format!("{DRAFT}asked"), format!("{DRAFT}asked{RECORD}")];
        assert_eq!(left, [&asked[0], &asked[1], &format!("{DRAFT}new"), "old"]);
    }
}
