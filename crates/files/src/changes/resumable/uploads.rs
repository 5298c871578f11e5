//! The uploads that can be resumed.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::part::{Left, Part};
use crate::changes::intake::Intake;
use crate::changes::put::Target;
use crate::changes::refusal::Refused;
use crate::path::FilePath;
use crate::root::Root;
use crate::service::Shared;

/// The uploads by their names.
///
/// *Bounds*: as many as were given, each for a day after it was last used; one that is over makes room
/// for a new one.
pub(in crate::changes) struct Uploads {
    slots: Mutex<HashMap<String, Arc<Slot>>>,
    most: usize,
}

/// One upload.
pub(super) struct Slot {
    pub(super) token: String,
    pub(super) target: Target,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    stage: Stage,
    length: Option<u64>,
    used: Instant,
}

enum Stage {
    /// Somebody has the draft, or it is not made yet.
    Busy(Option<Intake>),
    Resting(Box<Part>),
    Complete,
    Over,
}

/// What became of an upload.
pub(super) enum Found {
    /// It may go on; whoever has the part gives it back.
    Part(Box<Part>),
    Complete,
    Nothing,
    /// The request that has the draft does not end in time.
    Busy,
}

impl Uploads {
    /// The uploads into this folder. All services of it share them, so that none ever works on a draft
    /// that another one has, as when one takes the place of another while requests are under way.
    pub(in crate::changes) fn of(root: &Root, most: usize) -> Arc<Self> {
        let mut folders = FOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
        folders.retain(|(_, uploads)| uploads.strong_count() > 0);
        let mut known = folders.iter().filter(|(identity, _)| *identity == root.identity());
        if let Some(uploads) = known.find_map(|(_, uploads)| uploads.upgrade()) {
            return uploads;
        }
        let uploads = Arc::new(Self { slots: Mutex::default(), most });
        folders.push((root.identity(), Arc::downgrade(&uploads)));
        uploads
    }

    /// A new upload; `None` where there are too many.
    ///
    /// *Blocking*: on the file system, where others have to go.
    pub(super) fn insert(
        &self,
        token: &str,
        target: Target,
        length: Option<u64>,
    ) -> Option<Arc<Slot>> {
        let mut slots = self.lock();
        self.make_room(&mut slots)?;
        let slot = Slot::new(token.to_owned(), target, length, Duration::ZERO);
        slots.insert(token.to_owned(), slot.clone());
        Some(slot)
    }

    /// The upload of this name into this path: one of this process, or one that an earlier one has left.
    ///
    /// *Errors*: as an answer, where it is there and cannot be had now.
    ///
    /// *Blocking*: on the file system.
    pub(super) fn find(
        &self,
        shared: &Shared,
        path: &FilePath<'_>,
        token: &str,
    ) -> Result<Option<Arc<Slot>>, Refused> {
        let is_name = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if token.len() != 32 || !token.bytes().all(is_name) {
            return Ok(None);
        }
        let mut slots = self.lock();
        if let Some(slot) = slots.get(token) {
            let slot = slot.clone();
            return Ok((slot.target.path == *path && slot.is_wanted()).then_some(slot));
        }
        let Some(left) = Part::left(shared, path, token, KEPT)? else { return Ok(None) };
        if self.make_room(&mut slots).is_none() {
            log::warn!("too many uploads wait to be resumed");
            return Err(super::too_many());
        }
        let Left { part, target, length, age } = left;
        let slot = Slot::new(token.to_owned(), target, length, age);
        slot.lock().stage = Stage::Resting(Box::new(part));
        slots.insert(token.to_owned(), slot.clone());
        Ok(slot.is_wanted().then_some(slot))
    }

    pub(super) fn remove(&self, token: &str) {
        let removed = self.lock().remove(token);
        drop(removed);
    }

    /// Has those go with which nobody goes on, and one that is over where there are too many; `None` where
    /// there still are.
    fn make_room(&self, slots: &mut HashMap<String, Arc<Slot>>) -> Option<()> {
        slots.retain(|_, slot| !slot.expire());
        if slots.len() >= self.most {
            // One that is over is kept for clients that missed the answer, not at the cost of others.
            let over = slots.values().filter_map(|slot| Some((slot.over_for()?, &slot.token)));
            let oldest = over.max_by_key(|(span, _)| *span).map(|(_, token)| token.clone());
            slots.remove(&oldest?);
        }
        Some(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn new(token: String, target: Target, length: Option<u64>, age: Duration) -> Arc<Self> {
        let now = Instant::now();
        let used = now.checked_sub(age).unwrap_or(now);
        let state = State { stage: Stage::Busy(None), length, used };
        Arc::new(Self { token, target, state: Mutex::new(state), changed: Condvar::new() })
    }

    /// An upload that nobody can resume.
    pub(super) fn alone(target: Target, length: Option<u64>) -> Arc<Self> {
        Self::new(String::new(), target, length, Duration::ZERO)
    }

    /// Its name, unless nobody can resume it.
    pub(super) fn name(&self) -> Option<&str> {
        (!self.token.is_empty()).then_some(&self.token)
    }

    pub(super) fn length(&self) -> Option<u64> {
        self.lock().length
    }

    /// Notes that somebody asks for it; false when it is too late.
    fn is_wanted(&self) -> bool {
        let mut state = self.lock();
        let is_kept = state.used.elapsed() < KEPT;
        if is_kept {
            state.used = Instant::now();
        }
        is_kept
    }

    /// Gives up what nobody goes on with; true when it may be forgotten.
    fn expire(&self) -> bool {
        let mut state = self.lock();
        if state.used.elapsed() < KEPT || matches!(state.stage, Stage::Busy(_)) {
            return false;
        }
        let stage = std::mem::replace(&mut state.stage, Stage::Over);
        drop(state);
        if let Stage::Resting(part) = stage {
            part.discard();
        }
        true
    }

    /// For how long it has been over; `None` for one that may go on.
    fn over_for(&self) -> Option<Duration> {
        let state = self.lock();
        matches!(state.stage, Stage::Complete | Stage::Over).then(|| state.used.elapsed())
    }

    pub(super) fn seconds_left(&self) -> u64 {
        KEPT.saturating_sub(self.lock().used.elapsed()).as_secs()
    }

    /// Notes the length of the whole; false where it was another one.
    pub(super) fn agree_on(&self, length: Option<u64>) -> bool {
        let mut state = self.lock();
        let Some(length) = length else { return true };
        *state.length.get_or_insert(length) == length
    }

    /// Notes who has the draft, so that a later request can end that one.
    pub(super) fn begin(&self, intake: Intake) {
        let mut state = self.lock();
        if matches!(state.stage, Stage::Busy(_)) {
            state.stage = Stage::Busy(Some(intake));
            drop(state);
            self.changed.notify_all();
        }
    }

    /// Takes the draft. A request that still has it is ended: its client has lost the connection, or
    /// it would not ask (section 4.6 of the draft).
    ///
    /// *Blocking*: until that request has ended, 5 s at most.
    pub(super) fn take(&self) -> Found {
        let until = Instant::now() + PATIENCE;
        let mut state = self.lock();
        loop {
            match std::mem::replace(&mut state.stage, Stage::Busy(None)) {
                Stage::Resting(part) => return Found::Part(part),
                Stage::Complete => {
                    state.stage = Stage::Complete;
                    return Found::Complete;
                }
                Stage::Over => {
                    state.stage = Stage::Over;
                    return Found::Nothing;
                }
                Stage::Busy(Some(intake)) => {
                    drop(state);
                    intake.cut_off();
                    state = self.lock();
                    continue;
                }
                Stage::Busy(None) => {}
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Found::Busy;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Gives the part back, with all that has come on the disk.
    ///
    /// *Errors*: the answer, where that could not be done; the upload is over then, since nobody could
    /// tell how much there is of it.
    ///
    /// *Blocking*: until it is there.
    pub(super) fn rest(&self, mut part: Box<Part>) -> Result<(), Refused> {
        if self.name().is_none() {
            part.discard();
            self.forget();
            return Ok(());
        }
        match part.save(&self.target.terms, self.length()) {
            Ok(()) => {
                self.turn(Stage::Resting(part));
                Ok(())
            }
            Err(refused) => {
                part.discard();
                self.forget();
                Err(refused)
            }
        }
    }

    /// The same, leaving it to whoever asks next to have it on the disk.
    pub(super) fn put_back(&self, part: Box<Part>) {
        let stage = if self.name().is_none() { Stage::Over } else { Stage::Resting(part) };
        self.turn(stage);
    }

    pub(super) fn complete(&self, length: u64) {
        self.lock().length = Some(length);
        self.turn(Stage::Complete);
    }

    pub(super) fn forget(&self) {
        self.turn(Stage::Over);
    }

    /// The request that had the draft has ended without one.
    pub(super) fn settle(&self) {
        let mut state = self.lock();
        if matches!(state.stage, Stage::Busy(_)) {
            state.stage = Stage::Over;
            drop(state);
            self.changed.notify_all();
        }
    }

    fn turn(&self, stage: Stage) {
        let mut state = self.lock();
        state.used = Instant::now();
        let before = std::mem::replace(&mut state.stage, stage);
        drop(state);
        self.changed.notify_all();
        drop(before);
    }

    /// The state is plain data that is never left half changed.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The uploads of each folder that is served, by its identity.
static FOLDERS: Mutex<Vec<Folder>> = Mutex::new(Vec::new());

type Folder = ((u64, u64), Weak<Uploads>);

/// How long an upload that nobody goes on with is kept.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a request waits for an earlier one to let go.
const PATIENCE: Duration = Duration::from_secs(5);
