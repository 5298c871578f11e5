//! Properties of the date functions.

use avocet_semantics::dates;
use proptest::prelude::*;

proptest! {
    #[test]
    fn what_is_written_is_read(seconds in dates::MIN..=dates::MAX, now in any::<i64>()) {
        prop_assert_eq!(dates::parse(&dates::format_imf(seconds), now), Some(seconds));
    }

    #[test]
    fn any_second_can_be_written(seconds in any::<i64>(), offset in any::<i16>()) {
        prop_assert!(dates::format_imf(seconds).is_ascii());
        prop_assert!(dates::format_clf_at(seconds, offset).is_ascii());
        prop_assert!(dates::format_rfc3339(seconds).is_ascii());
    }

    #[test]
    fn any_bytes_can_be_read(value in proptest::collection::vec(any::<u8>(), 0..40), now in any::<i64>()) {
        if let Some(seconds) = dates::parse(&value, now) {
            prop_assert!((dates::MIN..=dates::MAX + 1).contains(&seconds));
        }
    }

    /// One byte changed gives no date or a date in one of the three forms, never a crash.
    #[test]
    fn a_damaged_date_is_refused_or_a_date(
        form in 0..3usize,
        index in 0..30usize,
        byte in any::<u8>(),
        now in any::<i64>(),
    ) {
        let forms = [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ];
        let mut value = forms[form].as_bytes().to_vec();
        let index = index % value.len();
        let damaged = std::mem::replace(&mut value[index], byte) != byte;
        if let Some(seconds) = dates::parse(&value, now) {
            prop_assert!((dates::MIN..=dates::MAX + 1).contains(&seconds));
            // A date that is still one differs in a letter of its weekday or in a digit.
            prop_assert!(!damaged || byte.is_ascii_alphanumeric() || byte == b' ');
        }
    }

    /// Two digits never name a date more than 50 years ahead, nor one 50 years or more behind.
    #[test]
    fn a_short_year_lies_around_now(
        year in 0..100u8,
        now in 0..4_000_000_000i64,
    ) {
        let value = format!("Monday, 01-Mar-{year:02} 12:00:00 GMT");
        let seconds = dates::parse(value.as_bytes(), now).unwrap();
        let years = (seconds - now) / 31_556_952;
        prop_assert!((-50..=50).contains(&years), "{years}");
    }
}
