//! A hashed timing wheel over task indices: arming and cancelling cost a list splice, allocate
//! nothing once warm, and leave no stale entries behind.

/// Timers in ticks. Each index has at most one.
pub(crate) struct Wheel {
    links: Vec<Link>,
    heads: Box<[u32; BUCKETS]>,
    occupied: [u64; BUCKETS / 64],
    now: u64,
}

#[derive(Clone, Copy)]
struct Link {
    previous: u32,
    next: u32,
    tick: u64,
    bucket: u32,
}

impl Wheel {
    pub(crate) fn new() -> Self {
        Self {
            links: Vec::new(),
            heads: Box::new([NONE; BUCKETS]),
            occupied: [0; BUCKETS / 64],
            now: 0,
        }
    }

    /// The tick at which this index is armed.
    pub(crate) fn armed(&self, index: u32) -> Option<u64> {
        self.links.get(index as usize).filter(|link| link.bucket != NONE).map(|link| link.tick)
    }

    /// Arms the index for a tick; an earlier arming is replaced. A tick that has passed fires at
    /// the next expiry.
    pub(crate) fn arm(&mut self, index: u32, tick: u64) {
        self.cancel(index);
        if self.links.len() <= index as usize {
            self.links.resize(index as usize + 1, Link::UNARMED);
        }
        let reach = tick.clamp(self.now + 1, self.now + BUCKETS as u64 - 1);
        let bucket = reach as usize % BUCKETS;
        let head = self.heads[bucket];
        self.links[index as usize] =
            Link { previous: NONE, next: head, tick, bucket: bucket as u32 };
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

    /// The earliest tick at which something may be due. It can be too early, for timers beyond one
    /// revolution, and is never too late.
    pub(crate) fn next(&self) -> Option<u64> {
        let start = (self.now + 1) as usize % BUCKETS;
        let first = self.occupied[start / 64] & (u64::MAX << (start % 64));
        if first != 0 {
            return Some(self.tick_of(start, start / 64 * 64 + first.trailing_zeros() as usize));
        }
        (1..=BUCKETS / 64).find_map(|step| {
            let word = (start / 64 + step) % (BUCKETS / 64);
            let bits = self.occupied[word];
            (bits != 0).then(|| self.tick_of(start, word * 64 + bits.trailing_zeros() as usize))
        })
    }

    fn tick_of(&self, start: usize, bucket: usize) -> u64 {
        self.now + 1 + ((bucket + BUCKETS - start) % BUCKETS) as u64
    }

    /// Moves to `now` and appends the indices that are due to `due`, disarmed.
    pub(crate) fn expire(&mut self, now: u64, due: &mut Vec<u32>) {
        while let Some(tick) = self.next().filter(|tick| *tick <= now) {
            let bucket = tick as usize % BUCKETS;
            self.now = tick;
            let mut index = self.heads[bucket];
            while index != NONE {
                let link = self.links[index as usize];
                self.cancel(index);
                if link.tick <= now {
                    due.push(index);
                } else {
                    self.arm(index, link.tick);
                }
                index = link.next;
            }
        }
        self.now = self.now.max(now);
    }
}

impl Link {
    const UNARMED: Self = Self { previous: NONE, next: NONE, tick: 0, bucket: NONE };
}

const NONE: u32 = u32::MAX;

/// With ticks of 8 ms one revolution is about 33 s.
const BUCKETS: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn fired(wheel: &mut Wheel, now: u64) -> Vec<u32> {
        let mut due = Vec::new();
        wheel.expire(now, &mut due);
        due.sort_unstable();
        due
    }

    #[test]
    fn fires_at_its_tick_and_once() {
        let mut wheel = Wheel::new();
        wheel.arm(3, 5);
        wheel.arm(4, 5);
        assert_eq!(wheel.next(), Some(5));
        assert!(fired(&mut wheel, 4).is_empty());
        assert_eq!(fired(&mut wheel, 5), [3, 4]);
        assert!(fired(&mut wheel, 9000).is_empty());
        assert_eq!(wheel.next(), None);
    }

    #[test]
    fn a_timer_beyond_a_revolution_waits_for_its_own_tick() {
        let mut wheel = Wheel::new();
        let far = BUCKETS as u64 * 3 + 17;
        wheel.arm(0, far);
        let mut now = 0;
        while let Some(next) = wheel.next() {
            assert!(next > now && next <= far, "{next} after {now}");
            now = next;
            let due = fired(&mut wheel, now);
            assert_eq!(due.is_empty(), now < far);
        }
        assert_eq!(now, far);
    }

    #[test]
    fn cancelled_and_replaced_timers_do_not_fire() {
        let mut wheel = Wheel::new();
        for index in 0..10 {
            wheel.arm(index, 7);
        }
        wheel.cancel(9);
        wheel.cancel(0);
        wheel.cancel(5);
        wheel.arm(6, 20);
        assert_eq!(fired(&mut wheel, 7), [1, 2, 3, 4, 7, 8]);
        assert_eq!(fired(&mut wheel, 20), [6]);
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
        let mut model = std::collections::BTreeMap::new();
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
                    now += random(200);
                    let expected: Vec<u32> =
                        model.iter().filter(|(_, tick)| **tick <= now).map(|(i, _)| *i).collect();
                    model.retain(|_, tick| *tick > now);
                    assert_eq!(fired(&mut wheel, now), expected);
                }
            }
            let earliest = model.values().min().copied();
            assert_eq!(wheel.next().is_some(), earliest.is_some());
            assert!(wheel.next() <= earliest || earliest.is_none());
        }
    }
}
