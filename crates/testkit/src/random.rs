//! Numbers that look random and are the same for the same seed.

use std::ops::RangeInclusive;
use std::time::Duration;

/// A generator of 64-bit numbers (splitmix64). It is made for choosing test cases and for nothing
/// else.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 for a bound of 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.number() % bound }
    }

    /// A number of the range; every number of binary digits is about as likely as every other, since
    /// most faults lie at 1, 2 and 3 and some at the far end.
    pub fn size(&mut self, range: RangeInclusive<usize>) -> usize {
        let (low, high) = (*range.start() as u64, *range.end() as u64);
        let span = high.saturating_sub(low);
        let bits = u64::from(u64::BITS - span.leading_zeros());
        let bound = 1_u64.checked_shl(self.below(bits + 1) as u32).unwrap_or(u64::MAX);
        (low + self.below(bound.min(span.saturating_add(1)))) as usize
    }

    /// A duration of the range.
    pub fn duration(&mut self, range: &RangeInclusive<Duration>) -> Duration {
        let span = range.end().saturating_sub(*range.start());
        let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        *range.start() + Duration::from_micros(self.below(micros.saturating_add(1)))
    }

    /// True once in `times` on average; never for 0.
    pub fn one_in(&mut self, times: u32) -> bool {
        times > 0 && self.below(u64::from(times)) == 0
    }

    /// A generator of its own whose sequence does not depend on how often this one is asked later.
    pub fn fork(&mut self) -> Self {
        Self(self.number())
    }

    /// Puts the items into another order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for index in (1..items.len()).rev() {
            items.swap(index, self.below(index as u64 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_sequence_and_ranges_hold() {
        let mut random = Random::new(7);
        let numbers: Vec<u64> = std::iter::repeat_with(|| random.number()).take(5).collect();
        let mut same = Random::new(7);
        assert!(numbers.iter().all(|number| *number == same.number()));
        assert_ne!(numbers[0], Random::new(8).number());
        let sizes: Vec<usize> = (0..2000).map(|_| random.size(1..=1000)).collect();
        assert!(sizes.iter().all(|size| (1..=1000).contains(size)));
        assert!(sizes.iter().filter(|size| **size <= 4).count() > 300);
        assert!(sizes.iter().filter(|size| **size > 500).count() > 30);
        assert_eq!(random.size(usize::MAX..=usize::MAX), usize::MAX);
        let millis = Duration::from_millis;
        let durations: Vec<_> =
            (0..1000).map(|_| random.duration(&(millis(2)..=millis(9)))).collect();
        assert!(durations.iter().all(|d| (millis(2)..=millis(9)).contains(d)));
        assert!((0..1000).filter(|_| random.one_in(4)).count().abs_diff(250) < 100);
        assert!(!(0..1000).any(|_| random.one_in(0)));
    }
}
