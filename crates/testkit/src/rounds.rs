//! The rounds of a random test: a seed each, printed, and taken from the environment.

use std::env;
use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Runs a test for several seeds.
///
/// | variable | meaning |
/// |---|---|
/// | `AVOCET_SEED` | the seed of the first round; with it alone there is one round |
/// | `AVOCET_ROUNDS` | the number of rounds, instead of `default` |
///
/// Without a seed the first is drawn anew for each run, so that every run of the tests looks at
/// cases that none has seen before; round after round it grows by one. A round that fails prints
/// its seed.
///
/// # Panics
/// When a round does, and when a variable is no number.
pub fn rounds(default: u32, mut round: impl FnMut(u64)) {
    let number = |name| env::var(name).ok().map(|text| parse(name, &text));
    let (seed, count) = plan(number("AVOCET_SEED"), number("AVOCET_ROUNDS"), default);
    let seed = seed.unwrap_or_else(|| RandomState::new().hash_one(0) >> 16);
    for seed in (0..count).map(|index| seed.wrapping_add(index)) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| round(seed))) {
            eprintln!("the round with seed {seed} failed: AVOCET_SEED={seed} runs it again");
            resume_unwind(panic);
        }
    }
}

fn plan(seed: Option<u64>, rounds: Option<u64>, default: u32) -> (Option<u64>, u64) {
    let usual = if seed.is_some() { 1 } else { u64::from(default) };
    (seed, rounds.unwrap_or(usual))
}

fn parse(name: &str, text: &str) -> u64 {
    text.trim().parse().unwrap_or_else(|_| panic!("{name} is `{text}`, which is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_decides_about_seed_and_number() {
        assert_eq!(plan(None, None, 20), (None, 20));
        assert_eq!(plan(Some(7), None, 20), (Some(7), 1));
        assert_eq!(plan(Some(7), Some(3), 20), (Some(7), 3));
        assert_eq!(plan(None, Some(500), 20), (None, 500));
        assert_eq!(parse("AVOCET_SEED", " 12\n"), 12);
        assert!(catch_unwind(|| parse("AVOCET_SEED", "0x1f")).is_err());
    }
}
