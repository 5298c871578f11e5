//! The dates of cookies: the lenient reader that `Expires` needs (RFC 6265bis §5.1.1) and the
//! writers that files and servers need.
//!
//! All times are whole seconds since 1970-01-01 00:00:00 UTC; earlier times are negative.

/// Reads a cookie date (RFC 6265bis §5.1.1).
///
/// Time zones and the name of the day are not looked at: the algorithm takes the first time, day,
/// month and year it meets, in any order, and reads them as UTC. `None` means that the text is no
/// date, and then an `Expires` attribute is ignored.
///
/// ```
/// use avocet_cookies::dates;
/// assert_eq!(dates::cookie(b"Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
/// assert_eq!(dates::cookie(b"06-Nov-94 08:49:37"), Some(784_111_777));
/// assert_eq!(dates::cookie(b"31 Feb 2021 00:00:00"), None);
/// ```
pub fn cookie(text: &[u8]) -> Option<i64> {
    let mut time = None;
    let mut day = None;
    let mut month = None;
    let mut year = None;
    for token in text.split(|octet| is_delimiter(*octet)) {
        if time.is_none() {
            time = clock(token);
            if time.is_some() {
                continue;
            }
        }
        if day.is_none() {
            day = number(token, 1, 2);
            if day.is_some() {
                continue;
            }
        }
        if month.is_none() {
            month = month_of(token);
            if month.is_some() {
                continue;
            }
        }
        if year.is_none() {
            year = number(token, 2, 4);
        }
    }
    let year = match year? {
        two @ 70..=99 => two + 1900,
        two @ 0..=69 => two + 2000,
        full => full,
    };
    let (hour, minute, second) = time?;
    if year < 1601 || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (month, day) = (month?, day?);
    if day < 1 || day > days_in(month, year) {
        return None;
    }
    Some(days_from_civil(year, month, day) * DAY + hour * 3600 + minute * 60 + second)
}

/// The date as HTTP writes it (IMF-fixdate, RFC 9110 §5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
///
/// *Bounds*: years 0 to 9999; what lies outside is written as the nearest end.
pub fn http(seconds: i64) -> String {
    let at = Civil::of(seconds);
    let (weekday, month) = at.names();
    format!(
        "{weekday}, {:02} {month} {:04} {:02}:{:02}:{:02} GMT",
        at.day, at.year, at.hour, at.minute, at.second
    )
}

/// The date as Netscape wrote it: `Sun, 06-Nov-1994 08:49:37 GMT`. Bounds as for [`http`].
pub fn netscape(seconds: i64) -> String {
    let at = Civil::of(seconds);
    let (weekday, month) = at.names();
    format!(
        "{weekday}, {:02}-{month}-{:04} {:02}:{:02}:{:02} GMT",
        at.day, at.year, at.hour, at.minute, at.second
    )
}

/// The date as LWP files hold it: `1994-11-06 08:49:37Z`. Bounds as for [`http`].
pub fn iso(seconds: i64) -> String {
    let at = Civil::of(seconds);
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}Z",
        at.year, at.month, at.day, at.hour, at.minute, at.second
    )
}

/// Reads what [`iso`] writes; `T` in the middle and a missing `Z` are accepted too.
pub fn parse_iso(text: &[u8]) -> Option<i64> {
    let text = text.strip_suffix(b"Z").unwrap_or(text);
    let text: &[u8; 19] = text.try_into().ok()?;
    if text[4] != b'-' || text[7] != b'-' || !matches!(text[10], b' ' | b'T') {
        return None;
    }
    let year = number(&text[..4], 4, 4)?;
    let month = number(&text[5..7], 2, 2)?;
    let day = number(&text[8..10], 2, 2)?;
    let (hour, minute, second) = clock(&text[11..])?;
    let in_range = (1..=12).contains(&month) && hour < 24 && minute < 60 && second < 60;
    if !in_range || day < 1 || day > days_in(month, year) {
        return None;
    }
    Some(days_from_civil(year, month, day) * DAY + hour * 3600 + minute * 60 + second)
}

struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    weekday: usize,
}

impl Civil {
    /// Days since 1970-01-01 become a date by counting from 0000-03-01 in eras of 400 years,
    /// which all have the same length; a year that begins in March has its leap day last.
    fn of(seconds: i64) -> Self {
        let seconds = seconds.clamp(FIRST, LAST);
        let (days, clock) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        let since_march = days + DAYS_TO_EPOCH;
        let era = since_march.div_euclid(ERA);
        let day_of_era = since_march.rem_euclid(ERA);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day: day_of_year - (153 * march_month + 2) / 5 + 1,
            hour: clock / 3600,
            minute: clock / 60 % 60,
            second: clock % 60,
            // 1970-01-01 was a Thursday.
            weekday: usize::try_from((days + 3).rem_euclid(7)).unwrap_or(0),
        }
    }

    fn names(&self) -> (&'static str, &'static str) {
        const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        const NAMES: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let month = usize::try_from(self.month - 1).unwrap_or(0);
        (WEEKDAYS[self.weekday], NAMES[month])
    }
}

/// `delimiter = %x09 / %x20-2F / %x3B-40 / %x5B-60 / %x7B-7E`
fn is_delimiter(octet: u8) -> bool {
    matches!(octet, 0x09 | 0x20..=0x2f | 0x3b..=0x40 | 0x5b..=0x60 | 0x7b..=0x7e)
}

/// `least*most DIGIT [ non-digit *OCTET ]`
fn number(token: &[u8], least: usize, most: usize) -> Option<i64> {
    let (value, digits) = digits(token);
    (least..=most).contains(&digits).then_some(value)
}

/// The value and count of the leading digits. Five digits are already too many everywhere here,
/// so counting stops there and the value stays small.
fn digits(token: &[u8]) -> (i64, usize) {
    let mut value = 0;
    let mut count = 0;
    for octet in token.iter().take_while(|octet| octet.is_ascii_digit()).take(5) {
        value = value * 10 + i64::from(octet - b'0');
        count += 1;
    }
    (value, count)
}

/// `hms-time [ non-digit *OCTET ]`, where each of the three fields has one or two digits.
fn clock(token: &[u8]) -> Option<(i64, i64, i64)> {
    let mut fields = [0; 3];
    let mut rest = token;
    for (index, field) in fields.iter_mut().enumerate() {
        if index > 0 {
            rest = rest.strip_prefix(b":")?;
        }
        let (value, count) = digits(rest);
        if !(1..=2).contains(&count) {
            return None;
        }
        *field = value;
        rest = &rest[count..];
    }
    Some((fields[0], fields[1], fields[2]))
}

fn month_of(token: &[u8]) -> Option<i64> {
    const NAMES: &[u8; 36] = b"janfebmaraprmayjunjulaugsepoctnovdec";
    let start = token.get(..3)?;
    let at = NAMES.chunks_exact(3).position(|name| name.eq_ignore_ascii_case(start))?;
    i64::try_from(at + 1).ok()
}

fn days_in(month: i64, year: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 to the given date of the proleptic Gregorian calendar.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let march_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * march_month + 2) / 5 + day - 1;
    era * ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year
        - DAYS_TO_EPOCH
}

const DAY: i64 = 86_400;
/// Days in 400 years.
const ERA: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const DAYS_TO_EPOCH: i64 = 719_468;
/// 0000-01-01 00:00:00.
const FIRST: i64 = -62_167_219_200;
/// 9999-12-31 23:59:59.
const LAST: i64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_five_centuries_survives_the_way_there_and_back() {
        let from = days_from_civil(1601, 1, 1);
        let to = days_from_civil(2101, 1, 1);
        assert_eq!(to - from, 500 * 365 + 121);
        for day in from..to {
            let seconds = day * DAY + 45_296;
            assert_eq!(cookie(http(seconds).as_bytes()), Some(seconds));
            assert_eq!(cookie(netscape(seconds).as_bytes()), Some(seconds));
            assert_eq!(parse_iso(iso(seconds).as_bytes()), Some(seconds));
        }
    }

    #[test]
    fn ends_of_the_range_are_clamped() {
        assert_eq!(http(i64::MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(iso(i64::MIN), "0000-01-01 00:00:00Z");
    }

    #[test]
    fn iso_dates_out_of_range_are_refused() {
        for text in [
            "",
            "1994-11-06",
            "1994-13-06 08:49:37Z",
            "1994-11-31 08:49:37Z",
            "1994-11-06 24:00:00Z",
            "1994-11-06 08:60:00Z",
            "1994/11/06 08:49:37Z",
            "1994-11-06 08:49:37ZZ",
            "1994-11-06 8:49:37Z",
            "1994-00-10 08:49:37Z",
            "1994-01-00 08:49:37Z",
        ] {
            assert_eq!(parse_iso(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(parse_iso(b"1994-11-06T08:49:37"), Some(784_111_777));
    }

    #[test]
    fn long_digit_runs_neither_match_nor_overflow() {
        let long = format!("{} Jan 2021 10:00:00", "9".repeat(4000));
        assert_eq!(cookie(long.as_bytes()), None);
        let clock = format!("1 Jan 2021 {}:00:00", "1".repeat(4000));
        assert_eq!(cookie(clock.as_bytes()), None);
    }
}
