//! Seconds into fixed arrays of bytes: no allocation, no failure.

use super::civil::Civil;

/// The preferred form of an HTTP date, as in `Sun, 06 Nov 1994 08:49:37 GMT`.
///
/// *Bounds*: always 29 bytes of ASCII. Seconds outside [`MIN`](super::MIN) and
/// [`MAX`](super::MAX) are clamped, because the form has four digits for the year.
///
/// *Spec*: RFC 9110 §5.6.7, `IMF-fixdate`.
pub fn format_imf(seconds: i64) -> [u8; 29] {
    let date = Civil::from_seconds(seconds);
    let mut out = *b"Www, DD Mmm YYYY HH:MM:SS GMT";
    out[..3].copy_from_slice(&date.weekday().as_bytes()[..3]);
    two_digits(&mut out[5..7], date.day);
    out[8..11].copy_from_slice(date.month_name().as_bytes());
    four_digits(&mut out[12..16], date.year);
    time(&mut out[17..25], date);
    out
}

/// The date of a line of the common log format in UTC, as in `18/Apr/2013:13:39:33 +0000`.
///
/// *Bounds*: as [`format_imf`], 26 bytes.
pub fn format_clf(seconds: i64) -> [u8; 26] {
    format_clf_at(seconds, 0)
}

/// The date of a line of the common log format in a zone `offset` minutes east of Greenwich.
///
/// The caller knows the zone; looking it up needs files and belongs elsewhere.
///
/// *Bounds*: as [`format_clf`]; the offset is clamped to a day short of a minute on either side.
pub fn format_clf_at(seconds: i64, offset: i16) -> [u8; 26] {
    let offset = offset.clamp(-1_439, 1_439);
    let date = Civil::from_seconds(seconds.saturating_add(i64::from(offset) * 60));
    let mut out = *b"DD/Mmm/YYYY:HH:MM:SS +hhmm";
    two_digits(&mut out[0..2], date.day);
    out[3..6].copy_from_slice(date.month_name().as_bytes());
    four_digits(&mut out[7..11], date.year);
    time(&mut out[12..20], date);
    if offset < 0 {
        out[21] = b'-';
    }
    let minutes = offset.unsigned_abs();
    four_digits(&mut out[22..26], i64::from(minutes / 60 * 100 + minutes % 60));
    out
}

/// The form of logs that machines read, as in `2013-04-18T13:39:33Z`.
///
/// *Bounds*: as [`format_imf`], 20 bytes.
///
/// *Spec*: RFC 3339 §5.6, `date-time`.
pub fn format_rfc3339(seconds: i64) -> [u8; 20] {
    let date = Civil::from_seconds(seconds);
    let mut out = *b"YYYY-MM-DDTHH:MM:SSZ";
    four_digits(&mut out[0..4], date.year);
    two_digits(&mut out[5..7], date.month);
    two_digits(&mut out[8..10], date.day);
    time(&mut out[11..19], date);
    out
}

/// `HH:MM:SS` into eight bytes.
fn time(out: &mut [u8], date: Civil) {
    two_digits(&mut out[0..2], date.hour);
    two_digits(&mut out[3..5], date.minute);
    two_digits(&mut out[6..8], date.second);
}

fn two_digits(out: &mut [u8], value: u8) {
    out[0] = b'0' + value / 10 % 10;
    out[1] = b'0' + value % 10;
}

fn four_digits(out: &mut [u8], value: i64) {
    for (place, power) in out.iter_mut().zip([1_000, 100, 10, 1]) {
        let digit = value / power % 10;
        *place = b'0' + u8::try_from(digit).expect("a digit of a number that is not negative");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_date_in_zones_east_and_west() {
        let seconds = 1_366_292_373;
        assert_eq!(&format_clf(seconds), b"18/Apr/2013:13:39:33 +0000");
        assert_eq!(&format_clf_at(seconds, 120), b"18/Apr/2013:15:39:33 +0200");
        assert_eq!(&format_clf_at(seconds, -210), b"18/Apr/2013:10:09:33 -0330");
        assert_eq!(&format_clf_at(seconds, 630), b"19/Apr/2013:00:09:33 +1030");
    }

    #[test]
    fn dates_out_of_range_are_clamped() {
        assert_eq!(&format_imf(i64::MAX), b"Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(&format_imf(i64::MIN), b"Sat, 01 Jan 0000 00:00:00 GMT");
        assert_eq!(&format_clf_at(i64::MAX, i16::MAX), b"31/Dec/9999:23:59:59 +2359");
        assert_eq!(&format_clf_at(i64::MIN, i16::MIN), b"01/Jan/0000:00:00:00 -2359");
    }

    #[test]
    fn a_date_for_machines() {
        assert_eq!(&format_rfc3339(1_366_292_373), b"2013-04-18T13:39:33Z");
    }
}
