//! Properties of ranges, against a set of byte positions worked out one by one.

use std::collections::BTreeSet;

use avocet_semantics::ranges::{ByteRange, ContentRange, Limits, Multipart, Selection, select};
use proptest::prelude::*;

const UNBOUNDED: Limits = Limits { ranges: usize::MAX, excess: u64::MAX / 2, overlaps: usize::MAX };

#[derive(Clone, Debug)]
enum Asked {
    Between(u64, u64),
    From(u64),
    Suffix(u64),
}

impl Asked {
    fn text(&self) -> String {
        match self {
            Self::Between(first, last) => format!("{first}-{last}"),
            Self::From(first) => format!("{first}-"),
            Self::Suffix(len) => format!("-{len}"),
        }
    }

    fn positions(&self, length: u64) -> BTreeSet<u64> {
        let wanted = |position: &u64| match *self {
            Self::Between(first, last) => (first..=last).contains(position),
            Self::From(first) => *position >= first,
            Self::Suffix(len) => *position + len >= length,
        };
        (0..length).filter(wanted).collect()
    }
}

fn asked() -> impl Strategy<Value = Asked> {
    prop_oneof![
        (0..60u64, 0..60u64).prop_map(|(first, more)| Asked::Between(first, first + more)),
        (0..60u64).prop_map(Asked::From),
        (0..60u64).prop_map(Asked::Suffix),
    ]
}

fn field(asked: &[Asked]) -> String {
    let parts: Vec<String> = asked.iter().map(Asked::text).collect();
    format!("bytes={}", parts.join(", "))
}

fn given(selection: &Selection, length: u64) -> Vec<ByteRange> {
    match selection {
        Selection::Whole if length == 0 => vec![],
        Selection::Whole => vec![ByteRange { first: 0, last: length - 1 }],
        Selection::Single(range) => vec![*range],
        Selection::Multiple(ranges) => ranges.clone(),
        Selection::Unsatisfiable => vec![],
    }
}

proptest! {
    #[test]
    fn exactly_the_bytes_asked_for_are_given(
        asked in proptest::collection::vec(asked(), 1..6),
        length in 0..50u64,
    ) {
        let selection = select(field(&asked).as_bytes(), length, &UNBOUNDED);
        let wanted: BTreeSet<u64> =
            asked.iter().flat_map(|asked| asked.positions(length)).collect();
        let given = given(&selection, length);
        let mut positions = BTreeSet::new();
        for range in &given {
            prop_assert!(range.first <= range.last && range.last < length);
            for position in range.first..=range.last {
                prop_assert!(positions.insert(position), "byte {} is given twice", position);
            }
        }
        prop_assert_eq!(&positions, &wanted);
        prop_assert_eq!(selection == Selection::Unsatisfiable, wanted.is_empty());
        if let Selection::Multiple(ranges) = &selection {
            prop_assert!(ranges.len() >= 2);
        }
    }

    #[test]
    fn the_limits_hold(
        asked in proptest::collection::vec(asked(), 1..80),
        length in 0..100u64,
    ) {
        let limits = Limits::default();
        let selection = select(field(&asked).as_bytes(), length, &limits);
        if let Selection::Multiple(ranges) = &selection {
            prop_assert!(ranges.len() <= limits.ranges);
            let frame = Multipart {
                boundary: "0123456789012345678901234567890123456789",
                content_type: b"application/vnd.openxmlformats-officedocument.text",
                complete: length,
            };
            let sent = frame.length(ranges).unwrap();
            prop_assert!(sent <= length + limits.excess, "{} bytes for {}", sent, length);
        }
    }

    #[test]
    fn any_bytes_can_be_read(value in proptest::collection::vec(any::<u8>(), 0..60), length: u64) {
        for range in given(&select(&value, length, &Limits::default()), length) {
            prop_assert!(range.first <= range.last && range.last < length);
        }
    }

    #[test]
    fn any_range_can_be_read(tail in "[-0-9, ]{0,60}", length: u64) {
        let value = format!("bytes={tail}");
        for range in given(&select(value.as_bytes(), length, &Limits::default()), length) {
            prop_assert!(range.first <= range.last && range.last < length);
        }
    }

    #[test]
    fn a_content_range_is_read_as_it_was_written(first: u64, len in 0..u64::MAX, known: bool) {
        let last = first.saturating_add(len).min(u64::MAX - 1).max(first.min(u64::MAX - 1));
        let range = ByteRange { first: first.min(last), last };
        let written = ContentRange::Range { range, complete: known.then_some(last + 1) };
        prop_assert_eq!(ContentRange::parse(written.to_string().as_bytes()), Ok(written));
    }

    #[test]
    fn any_content_range_can_be_read(value in "bytes [-0-9*/]{0,40}") {
        if let Ok(ContentRange::Range { range, complete }) = ContentRange::parse(value.as_bytes()) {
            prop_assert!(range.first <= range.last);
            prop_assert!(complete.is_none_or(|complete| range.last < complete));
        }
    }
}
