//! Points in time as the jar keeps them: whole seconds for expiry, microseconds for the order of
//! creation and use, both counted from 1970 and held within range.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Microseconds since 1970.
pub(crate) fn micros(at: SystemTime) -> i64 {
    match at.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_micros()).unwrap_or(i64::MAX),
        Err(before) => {
            i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |micros| -micros)
        }
    }
}

/// Whole seconds since 1970, rounded down.
pub(crate) fn seconds(at: SystemTime) -> i64 {
    micros(at).div_euclid(1_000_000)
}

/// The point in time, or the nearest that this system can hold.
pub(crate) fn from_micros(micros: i64) -> SystemTime {
    let distance = Duration::from_micros(micros.unsigned_abs());
    let at = if micros < 0 {
        UNIX_EPOCH.checked_sub(distance)
    } else {
        UNIX_EPOCH.checked_add(distance)
    };
    at.unwrap_or(UNIX_EPOCH)
}

/// See [`from_micros`].
pub(crate) fn from_seconds(seconds: i64) -> SystemTime {
    from_micros(seconds.saturating_mul(1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for at in [0, 1, -1, 1_700_000_000, -11_644_473_600, 253_402_300_799] {
            assert_eq!(seconds(from_seconds(at)), at);
        }
        assert_eq!(seconds(from_micros(-1)), -1);
        assert_eq!(seconds(from_seconds(i64::MAX)), i64::MAX / 1_000_000);
    }
}
