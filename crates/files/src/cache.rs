//! What was found, kept within bounds.

use std::collections::HashMap;
use std::iter::Sum;
use std::mem;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Values by path. Nobody waits here: who finds a part of it taken goes without.
///
/// *Bounds*: bytes and descriptors, as given; beyond them what was not asked for lately goes.
pub(crate) struct Cache<V> {
    shards: Vec<Mutex<Shard<V>>>,
    /// What one generation of one shard may weigh.
    most: Weight,
    recheck: Duration,
}

/// What a value holds on to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Weight {
    pub(crate) bytes: usize,
    pub(crate) files: usize,
}

/// A value that was found.
pub(crate) struct Found<V> {
    pub(crate) value: Arc<V>,
    /// It was asked for often, and looked at on the disk less than the set time ago.
    pub(crate) is_hot: bool,
}

/// Two generations: what is asked for moves to the young one, and when that is full the old one
/// goes and the young one takes its place.
struct Shard<V> {
    young: HashMap<Box<[u8]>, Entry<V>>,
    old: HashMap<Box<[u8]>, Entry<V>>,
    weight: Weight,
}

struct Entry<V> {
    value: Arc<V>,
    weight: Weight,
    /// When the span began in which requests are counted now.
    since: Instant,
    count: u32,
    /// How many there were in the span before.
    before: u32,
}

impl<V> Cache<V> {
    /// A cache of about this weight, whose hot values are checked once per `recheck`.
    pub(crate) fn new(most: Weight, recheck: Duration) -> Self {
        let shard =
            || Shard { young: HashMap::new(), old: HashMap::new(), weight: Weight::default() };
        let generations = 2 * SHARDS;
        let most =
            Weight { bytes: most.bytes / generations, files: most.files.div_ceil(generations) };
        Self { shards: (0..SHARDS).map(|_| Mutex::new(shard())).collect(), most, recheck }
    }

    pub(crate) fn get(&self, key: &[u8], now: Instant) -> Option<Found<V>> {
        let mut shard = self.shard(key).try_lock().ok()?;
        if let Some(entry) = shard.young.get_mut(key) {
            return Some(entry.find(now, self.recheck));
        }
        let (key, mut entry) = shard.old.remove_entry(key)?;
        let found = entry.find(now, self.recheck);
        shard.keep(key, entry, self.most);
        Some(found)
    }

    /// Keeps a value, in place of an earlier one.
    pub(crate) fn insert(&self, key: &[u8], value: Arc<V>, weight: Weight, now: Instant) {
        if !weight.fits(self.most) {
            return;
        }
        if let Ok(mut shard) = self.shard(key).try_lock() {
            shard.remove(key);
            let entry = Entry { value, weight, since: now, count: 0, before: 0 };
            shard.keep(key.into(), entry, self.most);
        }
    }

    /// Notes that a value has become heavier. It goes if it is too heavy now.
    pub(crate) fn reweigh(&self, key: &[u8], value: &Arc<V>, weight: Weight) {
        let Ok(mut shard) = self.shard(key).try_lock() else { return };
        let is_it = |entry: &Entry<V>| Arc::ptr_eq(&entry.value, value);
        if !shard.young.get(key).is_some_and(is_it) && !shard.old.get(key).is_some_and(is_it) {
            return;
        }
        if let Some((key, entry)) = shard.remove(key)
            && weight.fits(self.most)
        {
            shard.keep(key, Entry { weight, ..entry }, self.most);
        }
    }

    pub(crate) fn remove(&self, key: &[u8]) {
        if let Ok(mut shard) = self.shard(key).try_lock() {
            shard.remove(key);
        }
    }

    /// Lets go of everything, because the system lacks descriptors.
    pub(crate) fn clear(&self) {
        for shard in &self.shards {
            if let Ok(mut shard) = shard.try_lock() {
                shard.young.clear();
                shard.old.clear();
                shard.weight = Weight::default();
            }
        }
    }

    fn shard(&self, key: &[u8]) -> &Mutex<Shard<V>> {
        let mix = |hash: u32, &byte: &u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        let hash = key.iter().fold(0x811c_9dc5, mix);
        &self.shards[(hash >> 16) as usize % SHARDS]
    }
}

impl<V> Shard<V> {
    fn keep(&mut self, key: Box<[u8]>, entry: Entry<V>, most: Weight) {
        let weight = self.weight.plus(entry.weight);
        if weight.fits(most) {
            self.weight = weight;
        } else {
            self.old = mem::take(&mut self.young);
            self.weight = entry.weight;
        }
        self.young.insert(key, entry);
    }

    fn remove(&mut self, key: &[u8]) -> Option<(Box<[u8]>, Entry<V>)> {
        if let Some((key, entry)) = self.young.remove_entry(key) {
            self.weight = self.weight.minus(entry.weight);
            return Some((key, entry));
        }
        self.old.remove_entry(key)
    }
}

impl<V> Entry<V> {
    fn find(&mut self, now: Instant, recheck: Duration) -> Found<V> {
        let is_hot = if now.saturating_duration_since(self.since) < recheck {
            self.count = self.count.saturating_add(1);
            self.before >= OFTEN || self.count > OFTEN
        } else {
            (self.since, self.before, self.count) = (now, self.count, 0);
            false
        };
        Found { value: self.value.clone(), is_hot }
    }
}

impl Sum for Weight {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Self::plus)
    }
}

impl Weight {
    fn plus(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(other.bytes),
            files: self.files.saturating_add(other.files),
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_sub(other.bytes),
            files: self.files.saturating_sub(other.files),
        }
    }

    fn fits(self, most: Self) -> bool {
        self.bytes <= most.bytes && self.files <= most.files
    }
}

const SHARDS: usize = 8;

/// Requests within one span from which on a value is hot.
const OFTEN: u32 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn cache(bytes: usize) -> Cache<&'static str> {
        Cache::new(Weight { bytes: bytes * 2 * SHARDS, files: 1_000 }, SECOND)
    }

    fn weight(bytes: usize) -> Weight {
        Weight { bytes, files: 0 }
    }

    #[test]
    fn what_is_asked_for_stays_and_the_rest_goes() {
        let (cache, now) = (cache(10), Instant::now());
        let keys: Vec<[u8; 1]> = (0..=255).map(|byte| [byte]).collect();
        for key in &keys {
            cache.insert(key, Arc::new("value"), weight(4), now);
            assert!(cache.get(&keys[0], now).is_some(), "after {key:?}");
        }
        let kept = keys.iter().filter(|key| cache.get(*key, now).is_some()).count();
        assert!(kept <= 2 * 2 * SHARDS, "{kept} are kept");
        cache.clear();
        assert!(keys.iter().all(|key| cache.get(key, now).is_none()));
    }

    #[test]
    fn what_is_too_heavy_is_not_kept() {
        let (cache, now) = (cache(10), Instant::now());
        cache.insert(b"a", Arc::new("heavy"), weight(11), now);
        assert!(cache.get(b"a", now).is_none());
        let value = Arc::new("grows");
        cache.insert(b"a", value.clone(), weight(1), now);
        cache.reweigh(b"a", &Arc::new("another"), weight(11));
        assert!(cache.get(b"a", now).is_some());
        cache.reweigh(b"a", &value, weight(11));
        assert!(cache.get(b"a", now).is_none());
    }

    #[test]
    fn descriptors_count_too() {
        let cache = Cache::new(Weight { bytes: usize::MAX, files: 16 }, SECOND);
        let now = Instant::now();
        for number in 0_u32..1_000 {
            let weight = Weight { bytes: 0, files: 1 };
            cache.insert(&number.to_le_bytes(), Arc::new(number), weight, now);
        }
        let kept = (0_u32..1_000).filter(|n| cache.get(&n.to_le_bytes(), now).is_some()).count();
        assert!(kept <= 16, "{kept} descriptors are kept");
    }

    #[test]
    fn a_value_is_hot_while_it_is_asked_for_often_and_was_checked() {
        let (cache, start) = (cache(10), Instant::now());
        cache.insert(b"a", Arc::new("value"), weight(1), start);
        let is_hot = |now| cache.get(b"a", now).unwrap().is_hot;
        for _ in 0..OFTEN {
            assert!(!is_hot(start));
        }
        assert!(is_hot(start));
        assert!(!is_hot(start + SECOND), "it is time for a check");
        assert!(is_hot(start + SECOND));
        assert!(!is_hot(start + 2 * SECOND));
        assert!(!is_hot(start + 2 * SECOND), "it was not asked for often any more");
    }

    #[test]
    fn who_finds_it_taken_goes_without() {
        let (cache, now) = (cache(10), Instant::now());
        cache.insert(b"a", Arc::new("value"), weight(1), now);
        let guard = cache.shard(b"a").lock().unwrap();
        assert!(cache.get(b"a", now).is_none());
        drop(guard);
        assert!(cache.get(b"a", now).is_some());
    }
}
