//! Numbers by chance that a seed gives again.

use std::time::{SystemTime, UNIX_EPOCH};

/// Steele, Lea and Flood's SplitMix64: short, and good enough for moments and content.
pub(super) struct Noise(u64);

impl Noise {
    /// From the seed in `AVOCET_SEED`, or from the clock; it is printed, so that a run can be had again.
    pub(super) fn seeded() -> Result<Self, String> {
        let seed = match std::env::var("AVOCET_SEED") {
            Ok(text) => text.parse().map_err(|_| format!("AVOCET_SEED={text} is no number"))?,
            Err(_) => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(1, |since| since.subsec_nanos().into()),
        };
        println!("AVOCET_SEED={seed}");
        Ok(Self(seed))
    }

    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number below `bound`.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// So many bytes that no coding makes smaller.
    pub(super) fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> = Vec::with_capacity(len + 8);
        while bytes.len() < len {
            bytes.extend(self.next().to_le_bytes());
        }
        bytes.truncate(len);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_again() {
        assert_eq!(Noise::new(7).bytes(21), Noise::new(7).bytes(21));
        assert_ne!(Noise::new(7).bytes(21), Noise::new(8).bytes(21));
        assert!((0..1000).all(|seed| Noise::new(seed).below(3) < 3));
    }
}
