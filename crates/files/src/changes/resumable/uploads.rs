//! The uploads that can be resumed.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::changes::draft::Draft;
use crate::changes::intake::Intake;
use crate::changes::put::Target;

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
    Resting(Draft),
    Complete,
    Over,
}

/// What became of an upload.
pub(super) enum Found {
    /// It may go on; whoever has the draft gives it back.
    Draft(Draft),
    Complete,
    Nothing,
    /// The request that has the draft does not end in time.
    Busy,
}

impl Uploads {
    pub(in crate::changes) fn new(most: usize) -> Self {
        Self { slots: Mutex::default(), most }
    }

    /// A new upload; `None` where there are too many.
    pub(super) fn insert(
        &self,
        token: &str,
        target: Target,
        length: Option<u64>,
    ) -> Option<Arc<Slot>> {
        let mut slots = self.lock();
        slots.retain(|_, slot| slot.seconds_left() > 0);
        if slots.len() >= self.most {
            // One that is over is kept for clients that missed the answer, not at the cost of others.
            let over = slots.values().filter_map(|slot| Some((slot.over_for()?, &slot.token)));
            let oldest = over.max_by_key(|(span, _)| *span).map(|(_, token)| token.clone());
            slots.remove(&oldest?);
        }
        let slot = Slot::new(token.to_owned(), target, length);
        slots.insert(token.to_owned(), slot.clone());
        Some(slot)
    }

    pub(super) fn find(&self, token: &str) -> Option<Arc<Slot>> {
        let slot = self.lock().get(token)?.clone();
        let mut state = slot.lock();
        if state.used.elapsed() >= KEPT {
            return None;
        }
        state.used = Instant::now();
        drop(state);
        Some(slot)
    }

    pub(super) fn remove(&self, token: &str) {
        let removed = self.lock().remove(token);
        // A draft that goes with it removes its file, for which nobody should wait.
        drop(removed);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn new(token: String, target: Target, length: Option<u64>) -> Arc<Self> {
        let stage = Stage::Busy(None);
        let state = State { stage, length, used: Instant::now() };
        Arc::new(Self { token, target, state: Mutex::new(state), changed: Condvar::new() })
    }

    /// An upload that nobody can resume.
    pub(super) fn alone(target: Target, length: Option<u64>) -> Arc<Self> {
        Self::new(String::new(), target, length)
    }

    pub(super) fn length(&self) -> Option<u64> {
        self.lock().length
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
                Stage::Resting(draft) => return Found::Draft(draft),
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

    /// Gives the draft back.
    pub(super) fn rest(&self, draft: Draft) {
        let stage = if self.token.is_empty() { Stage::Over } else { Stage::Resting(draft) };
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

/// How long an upload that nobody goes on with is kept.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a request waits for an earlier one to let go.
const PATIENCE: Duration = Duration::from_secs(5);
