//! Dates of HTTP and of the access log.
//!
//! A point in time is a count of whole seconds since 1970-01-01T00:00:00Z, an `i64`, because that
//! is what a field can carry: an HTTP date has no fractions, no zone and no leap seconds. No
//! function here reads a clock.
//!
//! *Spec*: RFC 9110 §5.6.7 (`HTTP-date`), RFC 3339 (`date-time`), and the log format that NCSA
//! httpd began and every log reader knows.
//!
//! ```
//! use avocet_semantics::dates;
//!
//! assert_eq!(&dates::format_imf(784_111_777), b"Sun, 06 Nov 1994 08:49:37 GMT");
//! let now = 1_700_000_000;
//! assert_eq!(dates::parse(b"Sunday, 06-Nov-94 08:49:37 GMT", now), Some(784_111_777));
//! assert_eq!(&dates::format_clf(1_366_292_373), b"18/Apr/2013:13:39:33 +0000");
//! ```

mod civil;
mod format;
mod parse;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use self::format::{format_clf, format_clf_at, format_imf, format_rfc3339};
pub use self::parse::parse;

/// The first second that the formats here can name: 0000-01-01T00:00:00Z.
pub const MIN: i64 = -62_167_219_200;

/// The last second that the formats here can name: 9999-12-31T23:59:59Z.
pub const MAX: i64 = 253_402_300_799;

/// Whole seconds since the epoch of `time`, rounded towards the past.
///
/// Rounding down makes the date of a file never later than the file, so that a validator built
/// from it never promises more than it knows.
///
/// *Bounds*: the answer lies within [`MIN`] and [`MAX`].
pub fn seconds(time: SystemTime) -> i64 {
    let seconds = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).unwrap_or(MAX),
        Err(error) => {
            let before = error.duration();
            let whole = i64::try_from(before.as_secs()).unwrap_or(MAX);
            if before.subsec_nanos() == 0 { -whole } else { -whole - 1 }
        }
    };
    seconds.clamp(MIN, MAX)
}

/// The system's form of a count of seconds, `None` where the system cannot hold it.
pub fn system_time(seconds: i64) -> Option<SystemTime> {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_round_towards_the_past() {
        assert_eq!(seconds(UNIX_EPOCH + Duration::from_millis(1_999)), 1);
        assert_eq!(seconds(UNIX_EPOCH - Duration::from_millis(1)), -1);
        assert_eq!(seconds(UNIX_EPOCH - Duration::from_secs(2)), -2);
    }

    #[test]
    fn system_time_is_the_inverse_of_seconds() {
        for given in [MIN, -1, 0, 1, 784_111_777, MAX] {
            assert_eq!(seconds(system_time(given).unwrap()), given);
        }
    }
}
