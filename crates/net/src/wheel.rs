//! A hashed timing wheel over task indices: arming and cancelling cost a list splice, allocate
//! nothing once warm, and leave no stale entries behind.
//!
//! The wheel is a hint. It keeps the bucket of an index and not its deadline, so it may give an
//! index back too early, when the deadline lies beyond one revolution or has moved on since; it
//! never gives it back too late. The scheduler, which has the deadlines, arms again what came early.

/// Timers in ticks. Each index has at most one.
pub(crate) struct Wheel {
    links: Vec<Link>,
    heads: Box<[u32; BUCKETS]>,
    occupied: [u64; WORDS],
    now: u64,
}

#[derive(Clone, Copy)]
struct Link {
    previous: u32,
    next: u32,
    bucket: u32,
}

impl Wheel {
    pub(crate) fn new() -> Self {
        Self { links: Vec::new(), heads: Box::new([NONE; BUCKETS]), occupied: [0; WORDS], now: 0 }
    }

    /// The tick at which this index will be given back.
    pub(crate) fn armed(&self, index: u32) -> Option<u64> {
        let link = self.links.get(index as usize)?;
        (link.bucket != NONE).then(|| self.tick_of(link.bucket as usize))
    }

    /// Arms the index for a tick; an earlier arming is replaced. A tick that has passed comes with
    /// the next expiry.
    pub(crate) fn arm(&mut self, index: u32, tick: u64) {
        self.cancel(index);
        if self.links.len() <= index as usize {
            self.links.resize(index as usize + 1, Link::UNARMED);
        }
        let reach = tick.clamp(self.now + 1, self.now + BUCKETS as u64);
        let bucket = reach as usize % BUCKETS;
        let head = self.heads[bucket];
        self.links[index as usize] = Link { previous: NONE, next: head, bucket: bucket as u32 };
        if head != NONE {
            self.links[head as usize].previous = index;
        }
        self.heads[bucket] = index;
        self.occupied[bucket / 64] |= 1 << (bucket % 64);
    }

    pub(crate) fn cancel(&mut self, index: u32) {
        let Some(link) = self.links.get(index as usize).copied() else { return };
        if link.bucket == NONE {
            return;
        }
        let bucket = link.bucket as usize;
        if link.previous == NONE {
            self.heads[bucket] = link.next;
            if link.next == NONE {
                self.occupied[bucket / 64] &= !(1 << (bucket % 64));
            }
        } else {
            self.links[link.previous as usize].next = link.next;
        }
        if link.next != NONE {
            self.links[link.next as usize].previous = link.previous;
        }
        self.links[index as usize] = Link::UNARMED;
    }

    /// The earliest tick at which something is given back.
    pub(crate) fn next(&self) -> Option<u64> {
        let start = (self.now + 1) as usize % BUCKETS;
        let first = self.occupied[start / 64] & (u64::MAX << (start % 64));
        if first != 0 {
            return Some(self.tick_of(start / 64 * 64 + first.trailing_zeros() as usize));
        }
        (1..=WORDS).find_map(|step| {
            let word = (start / 64 + step) % WORDS;
            let bits = self.occupied[word];
            (bits != 0).then(|| self.tick_of(word * 64 + bits.trailing_zeros() as usize))
        })
    }

    /// The tick after the present one that falls into the bucket.
    fn tick_of(&self, bucket: usize) -> u64 {
        let start = (self.now + 1) as usize % BUCKETS;
        self.now + 1 + ((bucket + BUCKETS - start) % BUCKETS) as u64
    }

    /// Moves to `now` and appends the indices whose bucket came by to `due`, disarmed.
    pub(crate) fn expire(&mut self, now: u64, due: &mut Vec<u32>) {
        while let Some(tick) = self.next().filter(|tick| *tick <= now) {
            let bucket = tick as usize % BUCKETS;
            let mut index = std::mem::replace(&mut self.heads[bucket], NONE);
            self.occupied[bucket / 64] &= !(1 << (bucket % 64));
            while index != NONE {
                due.push(index);
                index = std::mem::replace(&mut self.links[index as usize], Link::UNARMED).next;
            }
            self.now = tick;
        }
        self.now = self.now.max(now);
    }
}

impl Link {
    const UNARMED: Self = Self { previous: NONE, next: NONE, bucket: NONE };
}

/// What an index costs here, in bytes.
#[cfg(test)]
pub(crate) const LINK: usize = size_of::<Link>();

const NONE: u32 = u32::MAX;

/// With ticks of 8 ms one revolution is about 33 s.
const BUCKETS: usize = 4096;
const WORDS: usize = BUCKETS / 64;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn expired(wheel: &mut Wheel, now: u64) -> Vec<u32> {
        let mut due = Vec::new();
        wheel.expire(now, &mut due);
        due.sort_unstable();
        due
    }

    #[test]
    fn gives_an_index_back_at_its_tick_and_once() {
        let mut wheel = Wheel::new();
        wheel.arm(3, 5);
        wheel.arm(4, 5);
        assert_eq!(wheel.next(), Some(5));
        assert_eq!(wheel.armed(3), Some(5));
        assert!(expired(&mut wheel, 4).is_empty());
        assert_eq!(expired(&mut wheel, 5), [3, 4]);
        assert_eq!(wheel.armed(3), None);
        assert!(expired(&mut wheel, 9000).is_empty());
        assert_eq!(wheel.next(), None);
    }

    #[test]
    fn a_timer_beyond_a_revolution_comes_back_once_per_revolution() {
        let mut wheel = Wheel::new();
        let far = BUCKETS as u64 * 3 + 17;
        wheel.arm(0, far);
        let mut visits = 0;
        while let Some(next) = wheel.next() {
            assert!(next <= far, "{next}");
            assert_eq!(expired(&mut wheel, next), [0]);
            visits += 1;
            if next < far {
                wheel.arm(0, far);
            } else {
                assert_eq!(next, far);
            }
        }
        assert_eq!(visits, 4);
    }

    #[test]
    fn cancelled_and_replaced_timers_do_not_come_back() {
        let mut wheel = Wheel::new();
        for index in 0..10 {
            wheel.arm(index, 7);
        }
        wheel.cancel(9);
        wheel.cancel(0);
        wheel.cancel(5);
        wheel.arm(6, 20);
        assert_eq!(expired(&mut wheel, 7), [1, 2, 3, 4, 7, 8]);
        assert_eq!(expired(&mut wheel, 20), [6]);
    }

    #[test]
    fn the_last_tick_of_all_is_no_overflow() {
        let mut wheel = Wheel::new();
        wheel.arm(0, u64::MAX);
        wheel.arm(1, 0);
        assert_eq!(expired(&mut wheel, 1), [1]);
        assert_eq!(wheel.armed(0), Some(BUCKETS as u64));
    }

    #[test]
    fn agrees_with_a_sorted_list_over_random_work() {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = move |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let mut wheel = Wheel::new();
        let mut model: BTreeMap<u32, u64> = BTreeMap::new();
        let mut now = 0;
        for _ in 0..20_000 {
            let index = random(64) as u32;
            match random(4) {
                0 => {
                    wheel.cancel(index);
                    model.remove(&index);
                }
                1 | 2 => {
                    let tick = now + 1 + random(3 * BUCKETS as u64);
                    wheel.arm(index, tick);
                    model.insert(index, tick);
                }
                _ => {
                    now += if random(50) == 0 { random(20_000) } else { random(200) };
                    let came = expired(&mut wheel, now);
                    for (index, tick) in &model {
                        assert!(*tick > now || came.contains(index), "{index} is late");
                    }
                    for index in came {
                        match model.get(&index) {
                            Some(tick) if *tick > now => wheel.arm(index, *tick),
                            Some(_) => drop(model.remove(&index)),
                            None => panic!("{index} was cancelled"),
                        }
                    }
                }
            }
            assert_eq!(wheel.armed(index).is_some(), model.contains_key(&index));
            let earliest = model.values().min().copied();
            assert_eq!(wheel.next().is_some(), earliest.is_some());
            assert!(wheel.next() <= earliest || earliest.is_none());
        }
    }
}
