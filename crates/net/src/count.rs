//! One limit for the connections of all loops, with hysteresis.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::readiness::Readiness;
use crate::task::Notifier;

/// Counts the connections of all loops of a server against one limit.
///
/// *Bounds*: at the limit no more permits are given, on no loop, until a tenth of the connections
/// has ended; then everybody who was refused is woken.
#[derive(Clone)]
pub struct ConnectionCount(Arc<Count>);

struct Count {
    /// The live connections times two, and a bit for the pause. One word, so that all changes of
    /// both have one order: whoever ends a connection after the pause began sees the pause, and
    /// whoever begins the pause sees the connections that ended before.
    state: AtomicUsize,
    limit: usize,
    /// As soon as no more than these live, a pause ends.
    resume: usize,
    /// Who waits for the end of the pause: each task once.
    waiting: Mutex<Vec<Notifier>>,
}

/// The right to one connection, given back on drop.
pub struct ConnectionPermit(ConnectionCount);

impl ConnectionCount {
    /// At most `limit` connections at a time; a limit of 0 counts as 1.
    pub fn new(limit: usize) -> Self {
        let limit = limit.clamp(1, usize::MAX / ONE);
        let resume = limit - limit.div_ceil(10);
        let (state, waiting) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        Self(Arc::new(Count { state, limit, resume, waiting }))
    }

    /// The lesser of 10,000 and what the limit on descriptors leaves after 64 for files, logs and
    /// listeners; of a limit below 128 half is left, so that a single client cannot shut out all
    /// others.
    pub fn default_limit() -> usize {
        let descriptors = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let usable = descriptors.map_or(MOST, |most| most - RESERVED.min(most / 2));
        usize::try_from(usable.clamp(1, MOST)).unwrap_or(usize::MAX)
    }

    /// The connections that live now.
    pub fn live(&self) -> usize {
        self.0.state.load(Ordering::Acquire) / ONE
    }

    /// The most connections at a time.
    pub fn limit(&self) -> usize {
        self.0.limit
    }

    /// Whether the limit was reached and a tenth of the connections has not ended since.
    pub fn is_paused(&self) -> bool {
        self.0.state.load(Ordering::Acquire) & PAUSED != 0
    }

    /// A permit, or `None` at the limit and until the pause that it begins has ended; the notifier
    /// is then told that its listener is readable.
    pub fn acquire(&self, notifier: impl Fn() -> Notifier) -> Option<ConnectionPermit> {
        let count = &*self.0;
        loop {
            let state = count.state.load(Ordering::Acquire);
            if state & PAUSED != 0 || state / ONE >= count.limit {
                if count.pause(&notifier) {
                    return None;
                }
                continue;
            }
            let more = state + ONE;
            let order = (Ordering::AcqRel, Ordering::Acquire);
            if count.state.compare_exchange_weak(state, more, order.0, order.1).is_ok() {
                return Some(ConnectionPermit(self.clone()));
            }
        }
    }
}

impl Count {
    /// Begins or joins a pause; false when there is room already.
    fn pause(&self, notifier: impl Fn() -> Notifier) -> bool {
        let mut waiting = self.lock();
        let before = self.state.fetch_or(PAUSED, Ordering::AcqRel);
        if before / ONE <= self.resume {
            // Whoever ends the pause waits for our lock, or we began it ourselves.
            self.state.fetch_and(!PAUSED, Ordering::AcqRel);
            return false;
        }
        // From here on a connection that ends sees the pause, and then comes for the lock.
        let notifier = notifier();
        if !waiting.iter().any(|other| other.is_same(&notifier)) {
            waiting.push(notifier);
        }
        if before & PAUSED == 0 {
            log::warn!("{} connections: not accepting more for now", self.limit);
        }
        true
    }

    fn release(&self) {
        let before = self.state.fetch_sub(ONE, Ordering::AcqRel);
        let left = (before / ONE).saturating_sub(1);
        if before & PAUSED == 0 || left > self.resume {
            return;
        }
        let mut waiting = self.lock();
        self.state.fetch_and(!PAUSED, Ordering::AcqRel);
        let woken = std::mem::take(&mut *waiting);
        drop(waiting);
        if !woken.is_empty() {
            log::info!("{left} connections: accepting again");
        }
        for notifier in woken {
            notifier.ready(Readiness::READABLE);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Notifier>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        self.0.0.release();
    }
}

const PAUSED: usize = 1;
const ONE: usize = 2;
const MOST: u64 = 10_000;
const RESERVED: u64 = 64;

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Instant;

    use super::*;
    use crate::{EventLoop, Next, Task, Turn};

    struct Sleeper(Arc<AtomicUsize>);

    impl Task for Sleeper {
        fn turn(&mut self, _: &mut Turn<'_>) -> Next {
            self.0.fetch_add(1, Ordering::Relaxed);
            Next::Wait(None)
        }
    }

    #[test]
    fn the_pause_holds_for_everybody_until_a_tenth_has_gone() {
        let now = Instant::now();
        let mut event_loop = EventLoop::simulated(now);
        let turns = Arc::new(AtomicUsize::new(0));
        let ids = [(); 2].map(|()| event_loop.spawn(Box::new(Sleeper(turns.clone()))));
        event_loop.turn_at(now);
        let [first, second] = ids.map(|id| event_loop.notifier(id));
        let count = ConnectionCount::new(20);
        let mut permits: Vec<_> =
            (0..20).map(|_| count.acquire(|| first.clone()).unwrap()).collect();
        assert!(count.acquire(|| first.clone()).is_none());
        permits.pop();
        assert!(count.acquire(|| first.clone()).is_none(), "one below the limit is not enough");
        assert!(count.acquire(|| second.clone()).is_none());
        for _ in 0..1000 {
            assert!(count.acquire(|| second.clone()).is_none());
        }
        assert_eq!(count.0.lock().len(), 2, "each waits once");
        event_loop.turn_at(now);
        assert_eq!(turns.swap(0, Ordering::Relaxed), 2);
        permits.pop();
        assert!(!count.is_paused());
        event_loop.turn_at(now);
        assert_eq!(turns.load(Ordering::Relaxed), 2, "both are woken");
        assert_eq!(count.live(), 18);
        assert!(count.acquire(|| first.clone()).is_some());
    }

    #[test]
    fn the_smallest_limits_pause_and_resume() {
        let now = Instant::now();
        let mut event_loop = EventLoop::simulated(now);
        let id = event_loop.spawn(Box::new(Sleeper(Arc::default())));
        let notifier = event_loop.notifier(id);
        for limit in [0, 1, 2, 9] {
            let count = ConnectionCount::new(limit);
            for _ in 0..3 {
                let permits: Vec<_> =
                    std::iter::from_fn(|| count.acquire(|| notifier.clone())).collect();
                assert_eq!(permits.len(), limit.max(1));
                assert!(count.is_paused());
                drop(permits);
                assert!(!count.is_paused() && count.live() == 0);
            }
        }
    }

    #[test]
    fn no_waiter_is_left_behind_however_threads_come_and_go() {
        const LIMIT: usize = 4;
        let count = ConnectionCount::new(LIMIT);
        let now = Instant::now();
        let mut event_loop = EventLoop::simulated(now);
        let id = event_loop.spawn(Box::new(Sleeper(Arc::default())));
        event_loop.turn_at(now);
        let peak = AtomicUsize::new(0);
        thread::scope(|scope| {
            let workers: Vec<_> = (0..4)
                .map(|_| {
                    let (count, notifier) = (count.clone(), event_loop.notifier(id));
                    let peak = &peak;
                    scope.spawn(move || {
                        for _ in 0..20_000 {
                            let held: Vec<_> =
                                (0..3).map_while(|_| count.acquire(|| notifier.clone())).collect();
                            peak.fetch_max(count.live(), Ordering::Relaxed);
                            drop(held);
                        }
                    })
                })
                .collect();
            while !workers.iter().all(|worker| worker.is_finished()) {
                event_loop.turn_at(now);
            }
        });
        assert!(peak.load(Ordering::Relaxed) <= LIMIT);
        assert_eq!(count.live(), 0);
        assert!(!count.is_paused(), "the last to leave ends the pause");
        assert!(count.0.lock().is_empty(), "nobody waits for a pause that is over");
    }
}
