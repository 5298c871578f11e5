//! What lies between a client and a server.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::random::Random;

/// How bytes travel: in pieces of which size, how late, and how many at a time.
#[derive(Clone, Debug)]
pub struct Network {
    /// Sizes of the pieces into which what was sent is cut.
    pub piece: RangeInclusive<usize>,
    /// How long a piece is under way. Pieces never overtake each other.
    pub delay: RangeInclusive<Duration>,
    /// Bytes that are under way in one direction at most.
    pub window: usize,
    /// Bytes that wait to be read at either end at most.
    pub capacity: usize,
}

impl Network {
    /// Everything arrives at once, as it was sent.
    pub fn calm() -> Self {
        Self {
            piece: usize::MAX..=usize::MAX,
            delay: Duration::ZERO..=Duration::ZERO,
            window: 1 << 20,
            capacity: 1 << 20,
        }
    }

    /// Everything arrives at once, byte by byte, and nowhere is room for more than one.
    pub fn single_bytes() -> Self {
        Self { piece: 1..=1, delay: Duration::ZERO..=Duration::ZERO, window: 1, capacity: 1 }
    }

    /// Anything between those two, with delays of up to half a second. However small the pieces, some
    /// 20 KB a second get through in each direction, so that no time-out on slow peers is at stake.
    pub fn rough(random: &mut Random) -> Self {
        let window = random.size(1..=200_000);
        let slowest = random.size(0..=500_000).min(window.saturating_mul(50));
        Self {
            piece: 1..=random.size(1..=70_000),
            delay: Duration::ZERO..=Duration::from_micros(slowest as u64),
            window,
            capacity: random.size(1..=200_000),
        }
    }
}
