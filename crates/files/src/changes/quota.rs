//! How much the folder may hold.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::every::for_each_file;
use crate::path::FilePath;
use crate::root::Root;

/// The bytes of all files below the root, counted anew once a minute at most, and what uploads under
/// way have claimed. Without a bound nothing is counted.
pub(crate) struct Quota {
    most: Option<u64>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    bytes: u64,
    claimed: u64,
    counted: Option<Instant>,
    /// The drafts whose bytes are claimed, so that they are not counted beside that.
    drafts: HashSet<String>,
}

/// Bytes that an upload may write; given back when it is dropped.
pub(crate) struct Claim {
    quota: Arc<Quota>,
    bytes: u64,
    /// The draft that it is for.
    draft: Option<String>,
}

impl Quota {
    pub(crate) fn new(most: Option<u64>) -> Arc<Self> {
        Arc::new(Self { most, held: Mutex::default() })
    }

    /// Claims bytes; `None` where the folder would hold too much.
    ///
    /// *Blocking*: on the file system, for as long as it takes to look at every file.
    pub(crate) fn claim(self: &Arc<Self>, root: &Root, bytes: u64) -> Option<Claim> {
        self.count_if_due(root);
        let mut claim = Claim { quota: self.clone(), bytes: 0, draft: None };
        claim.grow(bytes).then_some(claim)
    }

    /// Claims what a draft has already that was left behind.
    ///
    /// *Blocking*: as [`claim`](Self::claim).
    pub(crate) fn adopt(self: &Arc<Self>, root: &Root, draft: &str, bytes: u64) -> Claim {
        self.count_if_due(root);
        let mut claim = Claim { quota: self.clone(), bytes, draft: None };
        {
            let mut held = self.lock();
            held.bytes = held.bytes.saturating_sub(bytes);
            held.claimed = held.claimed.saturating_add(bytes);
        }
        claim.cover(draft);
        claim
    }

    fn count_if_due(&self, root: &Root) {
        if self.most.is_none() {
            return;
        }
        let mut held = self.lock();
        if held.counted.is_none_or(|counted| counted.elapsed() > COUNTED_EVERY) {
            held.bytes = count(root, &held.drafts);
            held.counted = Some(Instant::now());
        }
    }

    /// Counts what was taken away.
    pub(crate) fn give_back(&self, bytes: u64) {
        let mut held = self.lock();
        held.bytes = held.bytes.saturating_sub(bytes);
    }

    /// The state is plain data that is never left half changed.
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claim {
    pub(crate) fn is_of(&self, quota: &Arc<Quota>) -> bool {
        Arc::ptr_eq(&self.quota, quota)
    }

    /// Says for which draft it is.
    pub(crate) fn cover(&mut self, draft: &str) {
        if self.quota.most.is_some() {
            self.draft = Some(draft.to_owned());
            self.quota.lock().drafts.insert(draft.to_owned());
        }
    }

    /// Claims more; false where the folder would hold too much.
    pub(crate) fn grow(&mut self, more: u64) -> bool {
        let Some(most) = self.quota.most else { return true };
        let mut held = self.quota.lock();
        let sum = held.bytes.saturating_add(held.claimed).saturating_add(more);
        if sum > most {
            return false;
        }
        held.claimed += more;
        self.bytes += more;
        true
    }

    /// Claims what is missing up to `bytes`.
    pub(crate) fn reach(&mut self, bytes: u64) -> bool {
        bytes <= self.bytes || self.grow(bytes - self.bytes)
    }

    /// The claim has become a file of this size, in place of another one.
    pub(crate) fn settle(self, size: u64, replaced: u64) {
        let mut held = self.quota.lock();
        held.bytes = held.bytes.saturating_add(size).saturating_sub(replaced);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut held = self.quota.lock();
        held.claimed = held.claimed.saturating_sub(self.bytes);
        if let Some(draft) = &self.draft {
            held.drafts.remove(draft);
        }
    }
}

/// The bytes of all files, without those that are still being uploaded. What cannot be read is not
/// counted.
fn count(root: &Root, drafts: &HashSet<String>) -> u64 {
    let mut sum: u64 = 0;
    for_each_file(root, |_, name, stat| {
        let is_claimed = FilePath::is_draft_name(name)
            && std::str::from_utf8(name).is_ok_and(|name| drafts.contains(name));
        if !is_claimed {
            sum = sum.saturating_add(u64::try_from(stat.st_size).unwrap_or_default());
        }
    });
    sum
}

const COUNTED_EVERY: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::root::Links;

    #[test]
    fn claims_and_files_add_up() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("deep")).unwrap();
        std::fs::write(folder.path().join("deep/a"), [0; 60]).unwrap();
        std::os::unix::fs::symlink("deep/a", folder.path().join("link")).unwrap();
        let root = Root::open(folder.path(), Links::Inside).unwrap();
        let quota = Quota::new(Some(100));
        let mut claim = quota.claim(&root, 30).unwrap();
        assert!(quota.claim(&root, 11).is_none(), "60 and 30 are held");
        assert!(claim.reach(40) && !claim.reach(41));
        claim.settle(35, 0);
        assert!(quota.claim(&root, 6).is_none());
        quota.give_back(60);
        drop(quota.claim(&root, 65).unwrap());
        assert!(quota.claim(&root, 65).is_some(), "a claim that is dropped is given back");
        assert!(Quota::new(None).claim(&root, u64::MAX).is_some());
    }

    #[test]
    fn what_was_left_behind_counts_once() {
        let folder = tempfile::tempdir().unwrap();
        let name = format!("{}left", crate::path::DRAFT);
        std::fs::write(folder.path().join(&name), [0; 60]).unwrap();
        let root = Root::open(folder.path(), Links::Inside).unwrap();
        let quota = Quota::new(Some(100));
        assert!(quota.claim(&root, 41).is_none(), "nobody has claimed what it holds");
        let mut claim = quota.adopt(&root, &name, 60);
        quota.lock().counted = None;
        assert!(quota.claim(&root, 41).is_none() && quota.claim(&root, 40).is_some());
        assert!(claim.reach(100) && !claim.reach(101));
        drop(claim);
        quota.lock().counted = None;
        assert!(quota.claim(&root, 41).is_none(), "it is still there");
    }
}
