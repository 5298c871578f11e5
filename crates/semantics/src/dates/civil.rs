//! The proleptic Gregorian calendar, in both directions.

use super::{MAX, MIN};

/// A second of the calendar in UTC, years 0 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Civil {
    pub(super) year: i64,
    /// 1 to 12.
    pub(super) month: u8,
    /// 1 to 31.
    pub(super) day: u8,
    pub(super) hour: u8,
    pub(super) minute: u8,
    /// 0 to 60: the sixtieth is a leap second.
    pub(super) second: u8,
}

pub(super) const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

pub(super) const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl Civil {
    /// The calendar's reading of a count of seconds, clamped to the years 0 to 9999.
    pub(super) fn from_seconds(seconds: i64) -> Self {
        let seconds = seconds.clamp(MIN, MAX);
        let (days, of_day) =
            (seconds.div_euclid(SECONDS_PER_DAY), seconds.rem_euclid(SECONDS_PER_DAY));
        // Years are counted from March here, so that the leap day is the last of its year and
        // the lengths of the months before it follow one straight line (153 days in 5 months).
        let shifted = days + DAYS_FROM_MARCH_0_TO_EPOCH;
        let era = shifted.div_euclid(DAYS_PER_ERA);
        let day_of_era = shifted.rem_euclid(DAYS_PER_ERA);
        let leap_days = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
        let year_of_era = (day_of_era - leap_days) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        Self {
            year: era * 400 + year_of_era + i64::from(month <= 2),
            month: small(month),
            day: small(day),
            hour: small(of_day / 3_600),
            minute: small(of_day / 60 % 60),
            second: small(of_day % 60),
        }
    }

    /// The count of seconds, `None` where the day or the time does not exist.
    pub(super) fn to_seconds(self) -> Option<i64> {
        let exists = (0..=9_999).contains(&self.year)
            && (1..=12).contains(&self.month)
            && (1..=days_in_month(self.year, self.month)).contains(&self.day)
            && self.hour < 24
            && self.minute < 60
            && self.second <= 60;
        if !exists {
            return None;
        }
        let time =
            i64::from(self.hour) * 3_600 + i64::from(self.minute) * 60 + i64::from(self.second);
        Some(self.days() * SECONDS_PER_DAY + time)
    }

    /// The name of the weekday, in full.
    pub(super) fn weekday(self) -> &'static str {
        // 1970-01-01 was a Thursday, the fourth of the table.
        let index = (self.days() + 3).rem_euclid(7);
        WEEKDAYS[usize::from(small(index))]
    }

    /// The name of the month, three letters.
    pub(super) fn month_name(self) -> &'static str {
        MONTHS[usize::from(self.month.saturating_sub(1).min(11))]
    }

    /// Days since 1970-01-01 of a day that exists.
    fn days(self) -> i64 {
        let (month, day) = (i64::from(self.month), i64::from(self.day));
        let year = if month <= 2 { self.year - 1 } else { self.year };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let month_from_march = if month > 2 { month - 3 } else { month + 9 };
        let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * DAYS_PER_ERA + day_of_era - DAYS_FROM_MARCH_0_TO_EPOCH
    }
}

/// The length of a month; 0 for a month that does not exist.
fn days_in_month(year: i64, month: u8) -> u8 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 0,
    }
}

/// Narrows a calendar quantity, all of which are below 100.
fn small(value: i64) -> u8 {
    debug_assert!((0..100).contains(&value));
    u8::try_from(value).unwrap_or(0)
}

const SECONDS_PER_DAY: i64 = 86_400;
const DAYS_PER_ERA: i64 = 146_097;
/// From 0000-03-01, where the eras of 400 years start, to 1970-01-01.
const DAYS_FROM_MARCH_0_TO_EPOCH: i64 = 719_468;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_eight_hundred_years_follows_the_one_before() {
        let mut expected = Civil { year: 1_600, month: 1, day: 1, hour: 0, minute: 0, second: 0 };
        let first = expected.to_seconds().unwrap();
        for day in 0..2 * DAYS_PER_ERA {
            let seconds = first + day * SECONDS_PER_DAY;
            assert_eq!(Civil::from_seconds(seconds), expected);
            assert_eq!(expected.to_seconds(), Some(seconds));
            expected.day += 1;
            if expected.day > days_in_month(expected.year, expected.month) {
                expected.day = 1;
                expected.month += 1;
            }
            if expected.month > 12 {
                expected.month = 1;
                expected.year += 1;
            }
        }
    }

    #[test]
    fn both_ends_of_the_range() {
        assert_eq!(Civil::from_seconds(i64::MIN).to_seconds(), Some(MIN));
        assert_eq!(Civil::from_seconds(i64::MAX).to_seconds(), Some(MAX));
        assert_eq!(Civil::from_seconds(MIN).year, 0);
        assert_eq!(Civil::from_seconds(MAX).year, 9_999);
    }
}
