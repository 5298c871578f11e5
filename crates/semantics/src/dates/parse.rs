//! The three forms of an HTTP date into seconds.

use super::civil::{Civil, MONTHS, WEEKDAYS};

/// Reads an HTTP date; `None` for anything that is not exactly one of its three forms.
///
/// Accepted are `IMF-fixdate`, which is what everybody sends, and the two obsolete forms that a
/// recipient must still read: RFC 850 with its two digits for the year, and asctime. `now`, in
/// seconds since the epoch, decides the century of the two digits: a date that would lie more than
/// 50 years ahead belongs to the century before.
///
/// The name of the weekday must be one, but is not checked against the date: it carries no
/// information that the date does not. A leap second counts as the first second of the next minute.
///
/// *Bounds*: the answer lies between [`MIN`](super::MIN) and [`MAX`](super::MAX) or is the leap
/// second after the latter.
///
/// *Spec*: RFC 9110 §5.6.7. A field whose date is not valid is ignored by its own definition (for
/// example §13.1.3), which is why this does not guess as a cookie parser must.
pub fn parse(value: &[u8], now: i64) -> Option<i64> {
    let mut rest = value;
    let name = take_letters(&mut rest)?;
    let day = WEEKDAYS.iter().find(|day| day.as_bytes().starts_with(name))?;
    match (name.len() == 3, name.len() == day.len()) {
        (true, _) if rest.starts_with(b", ") => imf_fixdate(rest),
        (true, _) => asctime(rest),
        (false, true) => rfc850(rest, now),
        (false, false) => None,
    }
}

/// `, 06 Nov 1994 08:49:37 GMT`
fn imf_fixdate(mut rest: &[u8]) -> Option<i64> {
    skip(&mut rest, b", ")?;
    let day = two_digits(&mut rest)?;
    skip(&mut rest, b" ")?;
    let month = month(&mut rest)?;
    skip(&mut rest, b" ")?;
    let year = four_digits(&mut rest)?;
    skip(&mut rest, b" ")?;
    let (hour, minute, second) = time(&mut rest)?;
    (rest == b" GMT").then_some(())?;
    Civil { year, month, day, hour, minute, second }.to_seconds()
}

/// `, 06-Nov-94 08:49:37 GMT`
fn rfc850(mut rest: &[u8], now: i64) -> Option<i64> {
    skip(&mut rest, b", ")?;
    let day = two_digits(&mut rest)?;
    skip(&mut rest, b"-")?;
    let month = month(&mut rest)?;
    skip(&mut rest, b"-")?;
    let of_century = i64::from(two_digits(&mut rest)?);
    skip(&mut rest, b" ")?;
    let (hour, minute, second) = time(&mut rest)?;
    (rest == b" GMT").then_some(())?;
    // "Recipients of a timestamp value in rfc850-date format, which uses a two-digit year, MUST
    // interpret a timestamp that appears to be more than 50 years in the future as representing
    // the most recent year in the past that had the same last two digits." So the year is the
    // last one with these digits whose date is at most 50 years ahead.
    let mut latest = Civil::from_seconds(now);
    latest.year += 50;
    let century = latest.year - latest.year.rem_euclid(100);
    let mut date = Civil { year: century + of_century, month, day, hour, minute, second };
    if date > latest {
        date.year -= 100;
    }
    date.to_seconds()
}

/// ` Nov  6 08:49:37 1994`
fn asctime(mut rest: &[u8]) -> Option<i64> {
    skip(&mut rest, b" ")?;
    let month = month(&mut rest)?;
    skip(&mut rest, b" ")?;
    let day =
        if skip(&mut rest, b" ").is_some() { digit(&mut rest)? } else { two_digits(&mut rest)? };
    skip(&mut rest, b" ")?;
    let (hour, minute, second) = time(&mut rest)?;
    skip(&mut rest, b" ")?;
    let year = four_digits(&mut rest)?;
    rest.is_empty().then_some(())?;
    Civil { year, month, day, hour, minute, second }.to_seconds()
}

/// `08:49:37`
fn time(rest: &mut &[u8]) -> Option<(u8, u8, u8)> {
    let hour = two_digits(rest)?;
    skip(rest, b":")?;
    let minute = two_digits(rest)?;
    skip(rest, b":")?;
    let second = two_digits(rest)?;
    Some((hour, minute, second))
}

/// A month's three letters, in their exact case, as its number.
fn month(rest: &mut &[u8]) -> Option<u8> {
    let name = rest.get(..3)?;
    let index = MONTHS.iter().position(|month| month.as_bytes() == name)?;
    *rest = &rest[3..];
    u8::try_from(index + 1).ok()
}

fn take_letters<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let len = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let (name, after) = rest.split_at_checked(len).filter(|(name, _)| name.len() >= 3)?;
    *rest = after;
    Some(name)
}

fn skip(rest: &mut &[u8], expected: &[u8]) -> Option<()> {
    *rest = rest.strip_prefix(expected)?;
    Some(())
}

fn digit(rest: &mut &[u8]) -> Option<u8> {
    let (&first, after) = rest.split_first()?;
    *rest = after;
    first.is_ascii_digit().then(|| first - b'0')
}

fn two_digits(rest: &mut &[u8]) -> Option<u8> {
    Some(digit(rest)? * 10 + digit(rest)?)
}

fn four_digits(rest: &mut &[u8]) -> Option<i64> {
    Some(i64::from(two_digits(rest)?) * 100 + i64::from(two_digits(rest)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(value: &str, now: &str) -> Option<String> {
        let now = parse(now.as_bytes(), 0).unwrap();
        let seconds = parse(value.as_bytes(), now)?;
        Some(String::from_utf8(super::super::format_imf(seconds).to_vec()).unwrap())
    }

    #[test]
    fn two_digits_of_a_year_reach_fifty_years_ahead() {
        let now = "Fri, 20 Nov 2026 11:00:00 GMT";
        let cases = [
            ("Friday, 20-Nov-76 11:00:00 GMT", "Fri, 20 Nov 2076 11:00:00 GMT"),
            ("Saturday, 20-Nov-76 11:00:01 GMT", "Sat, 20 Nov 1976 11:00:01 GMT"),
            ("Saturday, 21-Nov-76 00:00:00 GMT", "Sun, 21 Nov 1976 00:00:00 GMT"),
            ("Thursday, 31-Dec-75 23:59:59 GMT", "Tue, 31 Dec 2075 23:59:59 GMT"),
            ("Friday, 31-Dec-99 23:59:59 GMT", "Fri, 31 Dec 1999 23:59:59 GMT"),
            ("Saturday, 01-Jan-00 00:00:00 GMT", "Sat, 01 Jan 2000 00:00:00 GMT"),
        ];
        for (given, expected) in cases {
            assert_eq!(at(given, now).as_deref(), Some(expected), "{given}");
        }
        // Before the turn of a century the digits may name a year after it.
        let now = "Sun, 20 Nov 1994 11:00:00 GMT";
        let given = "Monday, 01-Jan-01 00:00:00 GMT";
        assert_eq!(at(given, now).as_deref(), Some("Mon, 01 Jan 2001 00:00:00 GMT"));
    }

    #[test]
    fn a_leap_day_of_a_year_without_one_does_not_exist() {
        assert_eq!(parse(b"Wednesday, 29-Feb-23 00:00:00 GMT", 1_700_000_000), None);
        assert!(parse(b"Thursday, 29-Feb-24 00:00:00 GMT", 1_700_000_000).is_some());
    }

    #[test]
    fn a_leap_second_is_read() {
        let after = parse(b"Sun, 01 Jan 2017 00:00:00 GMT", 0);
        assert_eq!(parse(b"Sat, 31 Dec 2016 23:59:60 GMT", 0), after);
        assert_eq!(parse(b"Sat, 31 Dec 2016 23:59:61 GMT", 0), None);
    }

    #[test]
    fn near_misses_are_refused() {
        let bad: [&[u8]; 18] = [
            b"",
            b"Sun",
            b"Sun,",
            b"Sun, ",
            b"sun, 06 Nov 1994 08:49:37 GMT",
            b"Sun, 06 nov 1994 08:49:37 GMT",
            b"Sun, 06 Nov 1994 08:49:37 gmt",
            b"Sun, 06 Nov 1994 08:49:37 UTC",
            b"Sun, 06 Nov 1994 08:49:37",
            b"Sun, 06 Nov 1994 08:49:37 GMT ",
            b" Sun, 06 Nov 1994 08:49:37 GMT",
            b"Sun, 6 Nov 1994 08:49:37 GMT",
            b"Sun,  06 Nov 1994 08:49:37 GMT",
            b"Sund, 06-Nov-94 08:49:37 GMT",
            b"Sun, 06-Nov-94 08:49:37 GMT",
            b"Sun Nov 06 08:49:37 94",
            b"Sun Nov   6 08:49:37 1994",
            b"Sun, 06 Nov 1994 08:49:\xb37 GMT",
        ];
        for value in bad {
            assert_eq!(parse(value, 1_700_000_000), None, "{}", String::from_utf8_lossy(value));
        }
    }
}
