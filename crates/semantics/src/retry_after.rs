//! The Retry-After field.
//!
//! *Spec*: RFC 9110 §10.2.3.

use std::time::Duration;

use crate::dates;

/// How long a server asks to wait, `None` for a value that says nothing.
///
/// `now`, in seconds since the epoch, is subtracted from a date; a date that has passed is no wait.
///
/// *Bounds*: numbers beyond 64 bits become the longest wait there is. The caller decides how
/// much of it is bearable.
///
/// ```
/// use std::time::Duration;
/// use avocet_semantics::retry_after;
///
/// assert_eq!(retry_after::parse(b"120", 0), Some(Duration::from_secs(120)));
/// let date = b"Sun, 06 Nov 1994 08:49:37 GMT";
/// assert_eq!(retry_after::parse(date, 784_111_770), Some(Duration::from_secs(7)));
/// ```
pub fn parse(value: &[u8], now: i64) -> Option<Duration> {
    if !value.is_empty() && value.iter().all(u8::is_ascii_digit) {
        let seconds = value.iter().fold(0, |sum: u64, digit| {
            sum.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
        });
        return Some(Duration::from_secs(seconds));
    }
    let wait = dates::parse(value, now)?.saturating_sub(now);
    Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_dates_and_neither() {
        assert_eq!(parse(b"0", 0), Some(Duration::ZERO));
        assert_eq!(parse(b"99999999999999999999", 0), Some(Duration::from_secs(u64::MAX)));
        let past = parse(b"Sun, 06 Nov 1994 08:49:37 GMT", 1_700_000_000);
        assert_eq!(past, Some(Duration::ZERO));
        for bad in ["", "-1", "1.5", "1 s", "soon"] {
            assert_eq!(parse(bad.as_bytes(), 0), None, "{bad}");
        }
    }
}
