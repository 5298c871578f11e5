//! The part of an upload that has come, on the disk.

use std::fs::File;
use std::io::{self, Read, Write};
use std::time::{Duration, SystemTime};

use avocet_semantics::dates;
use avocet_server::Response;
use http::StatusCode;
use rustix::fs::{AtFlags, Mode, OFlags, Timestamps, UTIME_NOW, fstat, openat, renameat, unlinkat};
use rustix::fs::{Timespec, utimensat};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::geteuid;
use sha2::{Digest, Sha256};

use super::record::{LARGEST, Record};
use crate::changes::draft::{Draft, RECORD};
use crate::changes::place::Place;
use crate::changes::put::Target;
use crate::changes::refusal::{self, Refused};
use crate::changes::terms::Terms;
use crate::metadata::{Kind, Metadata};
use crate::path::{DRAFT, FilePath};
use crate::service::Shared;

/// A draft that can be resumed, also by a later process: beside it lies a record of how much of it is on the
/// disk. No client is told of more.
///
/// Both stay when this is dropped. The record goes first when they are to go, so that no record speaks of a
/// draft that was given up.
pub(super) struct Part {
    draft: Draft,
    /// `None` for one that nobody can resume, whose file goes with it.
    kept: Option<Kept>,
}

struct Kept {
    names: Names,
    /// The record as it was written last.
    text: Vec<u8>,
}

/// The names of the files of an upload. They are made of the upload's own name in a way that cannot be turned
/// round: who may look into the folder does not learn how to go on with what others upload.
struct Names {
    draft: String,
    record: String,
    /// The next record, before it takes the place of the last one.
    next: String,
}

/// What was left behind of an upload.
pub(super) struct Left {
    pub(super) part: Part,
    pub(super) target: Target,
    pub(super) length: Option<u64>,
    /// For how long nobody has asked for it.
    pub(super) age: Duration,
}

impl Part {
    /// An empty one, for an upload of this name, or one without that nobody can resume.
    pub(super) fn new(
        shared: &Shared,
        target: &Target,
        token: Option<&str>,
        length: Option<u64>,
    ) -> Result<Self, Refused> {
        let foreseen = length.unwrap_or(0);
        let Some(token) = token else {
            let name = crate::changes::draft::new_name()?;
            return Ok(Self { draft: target.open(shared, foreseen, &name)?, kept: None });
        };
        let names = Names::of(token);
        let draft = target.open(shared, foreseen, &names.draft)?;
        let mut part = Self { draft, kept: Some(Kept { names, text: Vec::new() }) };
        // Nothing has come yet, so that nothing can be lost with this record.
        part.record(&target.terms, length, false)?;
        part.draft.stay();
        Ok(part)
    }

    /// What an earlier process, or service, has left behind; `None` where there is nothing of that kind.
    ///
    /// *Errors*: as an answer, where it cannot be had now.
    pub(super) fn left(
        shared: &Shared,
        path: &FilePath<'_>,
        token: &str,
        most: Duration,
    ) -> Result<Option<Left>, Refused> {
        let root = shared.base.root();
        let place = match Place::find(&root, &shared.rules, path) {
            Ok(place) => place,
            // There is no such folder, so there is nothing in it.
            Err(refused) if refused.status() == StatusCode::CONFLICT => return Ok(None),
            Err(refused) => return Err(refused),
        };
        let names = Names::of(token);
        let Some((text, age)) = read(&place, &names.record)? else { return Ok(None) };
        let Some(record) = Record::read(&text).filter(|record| record.name == place.name) else {
            log::warn!("{} is not what is known of an upload", names.record);
            return Ok(None);
        };
        if age >= most {
            remove(&place, &names.record);
            remove(&place, &names.draft);
            return Ok(None);
        }
        let changes = &shared.changes;
        let found = (record.offset, record.inode);
        let claim = || changes.quota.adopt(&root, &names.draft, record.offset);
        match Draft::again(place, &names.draft, found, claim, changes.rules.largest) {
            Ok(draft) => {
                let target = Target { path: path.to_owned(), terms: record.terms };
                let part = Self { draft, kept: Some(Kept { names, text }) };
                Ok(Some(Left { part, target, length: record.length, age }))
            }
            Err(refused) if refused.status() == StatusCode::NOT_FOUND => {
                log::warn!("{} is not what is known of it", names.draft);
                Ok(None)
            }
            Err(refused) => Err(refused),
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.draft.len()
    }

    /// Appends; what was written is certain only when it was saved.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        self.draft.write(bytes)
    }

    /// Has what was written outlast the process and a loss of power.
    ///
    /// *Blocking*: until it is on the disk.
    pub(super) fn save(&mut self, terms: &Terms, length: Option<u64>) -> Result<(), Refused> {
        if self.kept.is_none() {
            return Ok(());
        }
        self.record(terms, length, true)
    }

    /// Writes a record, unless it would be the last one again. Of one that is not `certain` it is known
    /// only that there is a whole one, this or the last.
    fn record(&mut self, terms: &Terms, length: Option<u64>, certain: bool) -> Result<(), Refused> {
        let Some(kept) = &mut self.kept else { return Ok(()) };
        let place = self.draft.place();
        let (name, inode, offset) = (place.name.clone(), self.draft.inode()?, self.draft.len());
        let text = Record { name, inode, offset, length, terms: terms.clone() }.write();
        if text == kept.text {
            return Ok(());
        }
        if certain {
            self.draft.sync()?;
        }
        replace(place, &kept.names, &text, certain).map_err(|error| refusal::of_io(&error))?;
        kept.text = text;
        Ok(())
    }

    /// Notes that somebody still asks for it.
    pub(super) fn touch(&self) {
        let Some(kept) = &self.kept else { return };
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        let times = Timestamps { last_access: now, last_modification: now };
        let (folder, flags) = (self.draft.place().folder(), AtFlags::SYMLINK_NOFOLLOW);
        if let Err(error) = utimensat(folder, kept.names.record.as_str(), &times, flags) {
            log::debug!("the age of an upload is not noted: {error}");
        }
    }

    /// Goes on under the rules of a service that may have taken the place of another.
    pub(super) fn follow(&mut self, shared: &Shared) {
        let (changes, root) = (&shared.changes, shared.base.root());
        self.draft.follow(&changes.quota, &root, changes.rules.largest);
    }

    /// Gives the file its name.
    pub(super) fn publish(self, shared: &Shared, target: &Target) -> Response {
        let Self { draft, kept } = self;
        let folder = kept.as_ref().map(|_| draft.place().again());
        let response = target.publish(shared, draft);
        if let (Some(kept), Some(place)) = (kept, folder) {
            remove(&place, &kept.names.record);
        }
        response
    }

    /// Removes it from the disk.
    pub(super) fn discard(self) {
        if let Some(kept) = &self.kept {
            remove(self.draft.place(), &kept.names.record);
        }
        self.draft.discard();
    }
}

impl Names {
    fn of(token: &str) -> Self {
        let digest = Sha256::new().chain_update("avocet upload ").chain_update(token).finalize();
        let start = digest.iter().take(16).fold(0, |sum, &byte| sum << 8 | u128::from(byte));
        let draft = format!("{DRAFT}{start:032x}");
        Self { record: format!("{draft}{RECORD}"), next: format!("{draft}.next"), draft }
    }
}

/// The content and the age of a record, if it is one of ours that nobody else could have written.
fn read(place: &Place, name: &str) -> Result<Option<(Vec<u8>, Duration)>, Refused> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match retry_on_intr(|| openat(place.folder(), name, flags, Mode::empty())) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT | Errno::LOOP | Errno::ACCESS) => return Ok(None),
        Err(error) => return Err(refusal::of_error(error)),
    };
    let stat = fstat(&file).map_err(refusal::of_error)?;
    let metadata = Metadata::from_stat(&stat);
    let is_ours = metadata.kind == Kind::File
        && stat.st_uid == geteuid().as_raw()
        && stat.st_mode & 0o077 == 0
        && metadata.size <= LARGEST as u64;
    if !is_ours {
        log::warn!("{name} is not this program's own");
        return Ok(None);
    }
    let mut text = Vec::new();
    let read = file.take(LARGEST as u64 + 1).read_to_end(&mut text);
    read.map_err(|error| refusal::of_io(&error))?;
    // One from the future is one whose clock was set back since.
    let age = dates::seconds(SystemTime::now()).saturating_sub(stat.st_mtime);
    Ok(Some((text, Duration::from_secs(u64::try_from(age).unwrap_or(0)))))
}

/// Writes a record beside the last one and puts it in its place.
fn replace(place: &Place, names: &Names, text: &[u8], certain: bool) -> io::Result<()> {
    let (next, folder) = (names.next.as_str(), place.folder());
    let mut file = create(place, next)?;
    let written = file.write_all(text);
    let written = if certain { written.and_then(|()| file.sync_all()) } else { written };
    let placed = written.and_then(|()| {
        let rename = || renameat(folder, next, folder, names.record.as_str());
        retry_on_intr(rename).map_err(io::Error::from)
    });
    if let Err(error) = placed {
        remove(place, next);
        return Err(error);
    }
    if certain {
        place.sync()?;
    }
    Ok(())
}

/// A new file for a record, which nobody else can read. One that was left half written goes.
fn create(place: &Place, name: &str) -> Result<File, Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = || retry_on_intr(|| openat(place.folder(), name, flags, Mode::from_raw_mode(0o600)));
    match open() {
        Err(Errno::EXIST) => {
            remove(place, name);
            open().map(File::from)
        }
        opened => opened.map(File::from),
    }
}

fn remove(place: &Place, name: &str) {
    match retry_on_intr(|| unlinkat(place.folder(), name, AtFlags::empty())) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(error) => log::warn!("{name} stays behind: {error}"),
    }
}
