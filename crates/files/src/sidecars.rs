//! Compressed siblings that are made here and kept fresh on the disk.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use avocet_encoding::{Coding, Encoder, Level};
use avocet_net::WorkerPool;
use avocet_server::Response;
use rustix::fs::{
    AtFlags, Mode, OFlags, XattrFlags, fgetxattr, fsetxattr, openat, statat, unlinkat,
};
use rustix::io::Errno;

use crate::changes::{Draft, Place, Taken, for_each_file};
use crate::metadata::{Kind, Metadata};
use crate::path::FilePath;
use crate::resource::CODINGS;
use crate::service::Shared;

/// Makes siblings, one at a time, so that requests have the other threads to themselves.
///
/// A sibling that is made here bears a mark, an attribute of the file, and the file's own time. One
/// without the mark is somebody else's and is never touched; where the file system has no attributes,
/// a sibling is made once and not again.
///
/// *Bounds*: files up to 256 MiB; 256 that wait, and what is beyond is made at another time.
pub(crate) struct Sidecars {
    pool: WorkerPool,
    /// The states of files that were seen to already, so that nothing is tried twice.
    tried: Arc<Mutex<HashSet<Key>>>,
}

/// A path, what is to be made of it, and the state that the file had.
type Key = (Vec<u8>, Coding, Metadata);

impl Sidecars {
    pub(crate) fn new() -> Self {
        Self { pool: WorkerPool::with_bounds(1, 256), tried: Arc::default() }
    }

    /// Has the sibling of a file made, or made anew.
    pub(crate) fn make(&self, shared: &Arc<Shared>, path: &[u8], coding: Coding, state: &Metadata) {
        let key = (path.to_vec(), coding, *state);
        let mut tried = lock(&self.tried);
        if tried.len() >= MOST_TRIED {
            tried.clear();
        }
        if !tried.insert(key.clone()) {
            return;
        }
        drop(tried);
        let (shared, all) = (shared.clone(), self.tried.clone());
        let work = key.clone();
        let job = move || {
            let (path, coding, _) = &work;
            match make(&shared, path, *coding) {
                Ok(true) => log::info!("made {}.{coding}", path.escape_ascii()),
                Ok(false) => {}
                Err(error) => {
                    log::warn!("no {coding} sibling of {}: {error}", path.escape_ascii());
                    lock(&all).remove(&work);
                }
            }
        };
        if self.pool.execute(job).is_err() {
            lock(&self.tried).remove(&key);
        }
    }

    /// Removes those whose file is gone.
    pub(crate) fn sweep(&self, shared: &Arc<Shared>) {
        let shared = shared.clone();
        if self.pool.execute(move || sweep(&shared)).is_err() {
            log::warn!("siblings without a file are not looked for");
        }
    }
}

fn lock(tried: &Mutex<HashSet<Key>>) -> MutexGuard<'_, HashSet<Key>> {
    // The set is never left half changed.
    tried.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a sibling was made; it is not where it would not be shorter, or somebody else's is there.
fn make(shared: &Shared, path: &[u8], coding: Coding) -> io::Result<bool> {
    let root = shared.base.root();
    let Some((_, ending)) = CODINGS.iter().find(|(known, _)| *known == coding) else {
        return Ok(false);
    };
    let plain = root.open_below(path)?;
    let metadata = Metadata::of(&plain)?;
    if metadata.kind != Kind::File || metadata.size > LARGEST {
        return Ok(false);
    }
    let beside = [path, ending].concat();
    let Some(beside) = FilePath::from_clean(beside) else { return Ok(false) };
    let place = Place::find(&root, &shared.rules, &beside).map_err(told)?;
    let before = match place.taken().map_err(told)? {
        Taken::Nothing => None,
        Taken::File(found) => {
            let is_fresh = found.modified == metadata.modified;
            let is_ours = root.open_below(beside.as_bytes()).is_ok_and(|file| is_marked(&file));
            if is_fresh || !is_ours {
                return Ok(false);
            }
            Some(found)
        }
        Taken::Folder | Taken::Other => return Ok(false),
    };
    let claim =
        shared.changes.claim(&root).ok_or_else(|| io::Error::other("the quota is used up"))?;
    let mut draft = Draft::new(place, claim, metadata.size).map_err(told)?;
    let plain = File::from(plain);
    if !encode(&plain, coding, &metadata, &mut draft)? {
        return Ok(false);
    }
    draft.become_like(&plain, mark)?;
    if !Metadata::of(&plain)?.has_content_of(&metadata) {
        return Err(io::Error::other("the file was changed while it was compressed"));
    }
    let check = |taken: &Taken| match (taken, before) {
        (Taken::Nothing, _) => Ok(()),
        (Taken::File(found), Some(before)) if found.inode == before.inode => Ok(()),
        _ => Err(Response::error(http::StatusCode::CONFLICT).into()),
    };
    draft.publish(&shared.changes, check).map_err(told)?;
    Ok(true)
}

/// Writes the coded content; false where it does not get shorter.
fn encode(
    mut plain: &File,
    coding: Coding,
    metadata: &Metadata,
    draft: &mut Draft,
) -> io::Result<bool> {
    // What is made once may take its time, but not minutes of it.
    let level = if metadata.size <= SMALL { Level::Best } else { Level::Default };
    let mut encoder = Encoder::new(coding, level).map_err(io::Error::other)?;
    encoder.declare_length(metadata.size).map_err(io::Error::other)?;
    let (mut input, mut out) = (vec![0; PIECE], vec![0; PIECE]);
    let mut left = metadata.size;
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        plain.read_exact(&mut input[..most])?;
        left -= most as u64;
        let mut rest = &input[..most];
        while !rest.is_empty() {
            let progress = encoder.encode(rest, &mut out).map_err(io::Error::other)?;
            rest = &rest[progress.read..];
            if draft.len() + progress.written as u64 >= metadata.size {
                return Ok(false);
            }
            draft.write(&out[..progress.written]).map_err(told)?;
        }
    }
    loop {
        let drained = encoder.finish(&mut out).map_err(io::Error::other)?;
        if draft.len() + drained.written as u64 >= metadata.size {
            return Ok(false);
        }
        draft.write(&out[..drained.written]).map_err(told)?;
        if drained.is_done {
            return Ok(true);
        }
    }
}

/// The answer that an upload would get, as an error.
fn told(refused: crate::changes::Refused) -> io::Error {
    io::Error::other(format!("status {}", refused.status()))
}

fn mark(file: &File) -> Result<(), Errno> {
    match fsetxattr(file, MARK, b"1", XattrFlags::empty()) {
        // It is made once then.
        Err(Errno::OPNOTSUPP) => Ok(()),
        marked => marked,
    }
}

fn is_marked(file: &OwnedFd) -> bool {
    let mut value = [0; 1];
    fgetxattr(file, MARK, &mut value[..]).is_ok_and(|len| len == 1)
}

fn sweep(shared: &Shared) {
    let root = shared.base.root();
    for_each_file(&root, |folder, name, _| {
        let plain = CODINGS.iter().find_map(|(_, ending)| name.strip_suffix(*ending));
        let Some(plain) = plain.filter(|plain| !plain.is_empty()) else { return };
        let is_gone = |name: &[u8]| {
            let flags = AtFlags::SYMLINK_NOFOLLOW;
            matches!(statat(folder, name, flags), Err(Errno::NOENT))
        };
        if !is_gone(plain) {
            return;
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = openat(folder.as_fd(), name, flags, Mode::empty());
        if !opened.is_ok_and(|file| is_marked(&file)) {
            return;
        }
        match unlinkat(folder, name, AtFlags::empty()) {
            Ok(()) => log::info!("removed {}, whose file is gone", name.escape_ascii()),
            Err(error) => log::warn!("{} stays: {error}", name.escape_ascii()),
        }
    });
}

/// What tells our siblings from those of others.
const MARK: &str = "user.avocet.sidecar";

/// Files beyond this are not worth the time.
const LARGEST: u64 = 256 * 1024 * 1024;

/// Files up to this are made as small as can be.
const SMALL: u64 = 1024 * 1024;

const PIECE: usize = 64 * 1024;
const MOST_TRIED: usize = 10_000;
