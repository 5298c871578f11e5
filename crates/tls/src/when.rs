//! Instants as people read them.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970 now; negative on a clock that is set before.
pub(crate) fn now() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |secs| -secs),
    }
}

/// An instant as `2026-11-20 14:03:00 UTC`.
pub(crate) fn text(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// Year, month and day of an instant.
#[cfg(feature = "issue")]
pub(crate) fn date(seconds: i64) -> (i64, i64, i64) {
    civil(seconds.div_euclid(DAY))
}

/// Seconds since 1970 of a date of the Gregorian calendar.
pub(crate) fn seconds(year: i64, month: i64, day: i64, second_of_day: i64) -> i64 {
    // Years that begin in March have their leap day at the end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + day - 1;
    let of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    (era * DAYS_OF_ERA + of_era - TO_1970) * DAY + second_of_day
}

fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + TO_1970;
    let (era, of_era) = (days.div_euclid(DAYS_OF_ERA), days.rem_euclid(DAYS_OF_ERA));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next, month, day)
}

pub(crate) const DAY: i64 = 24 * 3600;
const DAYS_OF_ERA: i64 = 146_097;
/// Days from the first of March of the year 0 to 1970.
const TO_1970: i64 = 719_468;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_there_and_back() {
        assert_eq!(text(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(text(951_782_400), "2000-02-29 00:00:00 UTC");
        assert_eq!(text(-1), "1969-12-31 23:59:59 UTC");
        assert_eq!(text(1_795_183_449), "2026-11-20 14:04:09 UTC");
        assert_eq!(seconds(2049, 12, 31, DAY - 1), 2_524_607_999);
        for days in (-200_000..2_000_000).step_by(37) {
            let (year, month, day) = civil(days);
            assert_eq!(seconds(year, month, day, 5), days * DAY + 5);
        }
    }
}
