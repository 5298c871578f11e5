//! Ranges of bytes: what a request asks for, what is given, and how the answer says so.
//!
//! *Spec*: RFC 9110 §14.
//!
//! ```
//! use avocet_semantics::ranges::{ByteRange, Limits, Selection, select};
//!
//! let limits = Limits::default();
//! let last_four = ByteRange { first: 96, last: 99 };
//! assert_eq!(select(b"bytes=-4", 100, &limits), Selection::Single(last_four));
//! assert_eq!(select(b"bytes=100-", 100, &limits), Selection::Unsatisfiable);
//! assert_eq!(select(b"bytes=5-2", 100, &limits), Selection::Whole);
//! ```

use crate::grammar::{self, Cursor};
use crate::lists;

pub use self::content_range::ContentRange;
pub use self::multipart::Multipart;

mod content_range;
mod multipart;

/// Bytes from `first` to `last`, both included, as HTTP counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteRange {
    /// The offset of the first byte.
    pub first: u64,
    /// The offset of the last byte; never less than `first`.
    pub last: u64,
}

impl ByteRange {
    /// How many bytes that are, at least 1.
    ///
    /// *Bounds*: a range of all 2^64 bytes, which no file has, counts one less.
    pub fn len(&self) -> u64 {
        self.last.saturating_sub(self.first).saturating_add(1)
    }

    /// Always `false`: an empty range cannot be said in HTTP.
    pub fn is_empty(&self) -> bool {
        false
    }
}

/// How much a request for ranges may make of a representation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The ranges that remain after merging. Default 32; more give the whole.
    pub ranges: usize,
    /// The bytes by which an answer in parts may exceed the whole. Default 4 KiB; more give the
    /// whole.
    pub excess: u64,
    /// The ranges that may overlap others. Default 2, which the specification tolerates; more
    /// look like an attack and give the whole.
    pub overlaps: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { ranges: 32, excess: 4_096, overlaps: 2 }
    }
}

/// What a request for ranges gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All of it with status 200: the field is not about bytes, is broken, or asks too much.
    Whole,
    /// One range with status 206.
    Single(ByteRange),
    /// Two ranges or more with status 206 in `multipart/byteranges`; see [`Multipart`].
    Multiple(Vec<ByteRange>),
    /// Status 416, with the length in [`ContentRange::Unsatisfied`].
    Unsatisfiable,
}

/// Decides what a Range field gets of a representation of `length` bytes.
///
/// Ranges that overlap or touch become one; the others keep the order in which they were asked for.
/// Numbers of any size are read: what lies beyond 64 bits lies beyond every representation too.
/// The ways out of [`Limits`] all lead to the whole, because a client must be ready for it.
///
/// *Bounds*: one pass over the value, memory for at most 1,024 ranges.
///
/// *Spec*: RFC 9110 §14.1.2, §14.2, §17.15.
pub fn select(range: &[u8], length: u64, limits: &Limits) -> Selection {
    let Some(list) = list_of_bytes(range) else { return Selection::Whole };
    let mut elements = lists::elements(list);
    // Nearly every request asks for one range, which there is nothing to merge with.
    if let (Some(only), None) = (elements.next(), elements.next())
        && limits.ranges > 0
    {
        return match resolve(only, length) {
            None => Selection::Whole,
            Some(None) => Selection::Unsatisfiable,
            Some(Some(range)) => Selection::Single(range),
        };
    }
    let Some(asked) = satisfiable(list, length) else { return Selection::Whole };
    let several = asked.count > 1;
    let merged = merge(asked.ranges);
    if merged.overlaps > limits.overlaps || merged.ranges.len() > limits.ranges {
        return Selection::Whole;
    }
    match merged.ranges.as_slice() {
        [] => Selection::Unsatisfiable,
        // One range of everything is what was asked for; several that add up to it are not.
        [one] if several && one.len() == length => Selection::Whole,
        [one] => Selection::Single(*one),
        many => {
            let parts = u64::try_from(many.len()).unwrap_or(u64::MAX);
            let content = many.iter().fold(0, |sum: u64, range| sum.saturating_add(range.len()));
            let sent = content.saturating_add(parts.saturating_mul(PART_OVERHEAD));
            if sent > length.saturating_add(limits.excess) {
                Selection::Whole
            } else {
                Selection::Multiple(merged.ranges)
            }
        }
    }
}

/// The ranges of a field that lie within a representation.
struct Asked {
    ranges: Vec<ByteRange>,
    /// How many the field has, those that lie outside included.
    count: usize,
}

/// What stands behind the unit, if that is bytes. "Range units are case-insensitive" by the ABNF of a
/// literal; others than bytes we don't know.
fn list_of_bytes(value: &[u8]) -> Option<&[u8]> {
    let (unit, list) = grammar::trim(value).split_at_checked(BYTES.len())?;
    unit.eq_ignore_ascii_case(BYTES).then_some(list)
}

const BYTES: &[u8] = b"bytes=";

/// `None` where the whole field is to be ignored.
fn satisfiable(list: &[u8], length: u64) -> Option<Asked> {
    let mut asked = Asked { ranges: Vec::new(), count: 0 };
    for element in lists::elements(list) {
        asked.count += 1;
        if asked.count > MAX_ASKED {
            return None;
        }
        asked.ranges.extend(resolve(element, length)?);
    }
    (asked.count > 0).then_some(asked)
}

/// One range against the length: `None` is broken, `Some(None)` lies outside.
fn resolve(element: &[u8], length: u64) -> Option<Option<ByteRange>> {
    let mut cursor = Cursor::new(element);
    let first = cursor.take_while(|byte| byte.is_ascii_digit());
    if !cursor.eat(b'-') {
        return None;
    }
    let last = cursor.take_while(|byte| byte.is_ascii_digit());
    if !cursor.is_done() {
        return None;
    }
    match (first.is_empty(), last.is_empty()) {
        (true, true) => None,
        (true, false) => {
            let suffix = number(last).min(length);
            let range =
                (suffix > 0).then(|| ByteRange { first: length - suffix, last: length - 1 });
            Some(range)
        }
        (false, is_open) => {
            // "An int-range is invalid if the last-pos value is present and less than first-pos."
            if !is_open && is_less(last, first) {
                return None;
            }
            let first = number(first);
            if first >= length {
                return Some(None);
            }
            let end = length - 1;
            let last = if is_open { end } else { number(last).min(end) };
            Some(Some(ByteRange { first, last }))
        }
    }
}

/// The value of digits, `u64::MAX` where they say more.
fn number(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |value: u64, &digit| {
        value.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
    })
}

/// Compares two numbers of any size.
fn is_less(left: &[u8], right: &[u8]) -> bool {
    let significant = |digits: &[u8]| digits.iter().take_while(|&&digit| digit == b'0').count();
    let (left, right) = (&left[significant(left)..], &right[significant(right)..]);
    (left.len(), left) < (right.len(), right)
}

struct Merged {
    ranges: Vec<ByteRange>,
    /// How many of the ranges shared bytes with another.
    overlaps: usize,
}

/// Joins ranges that overlap or touch, each group in the place of its first member.
fn merge(ranges: Vec<ByteRange>) -> Merged {
    let mut ordered: Vec<(ByteRange, usize)> = ranges.into_iter().zip(0..).collect();
    ordered.sort_unstable();
    let mut groups: Vec<(ByteRange, usize)> = Vec::with_capacity(ordered.len());
    let mut overlaps = 0;
    for (range, place) in ordered {
        match groups.last_mut() {
            Some((group, first_place)) if range.first <= group.last.saturating_add(1) => {
                overlaps += usize::from(range.first <= group.last);
                group.last = group.last.max(range.last);
                *first_place = place.min(*first_place);
            }
            _ => groups.push((range, place)),
        }
    }
    groups.sort_unstable_by_key(|&(_, place)| place);
    Merged { ranges: groups.into_iter().map(|(range, _)| range).collect(), overlaps }
}

/// The ranges of one field that are looked at.
const MAX_ASKED: usize = 1_024;

/// What a part costs beside its content: delimiter, two fields, blank line. Generous, because the
/// media type is not known here.
const PART_OVERHEAD: u64 = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str, length: u64) -> Selection {
        select(value.as_bytes(), length, &Limits::default())
    }

    fn single(first: u64, last: u64) -> Selection {
        Selection::Single(ByteRange { first, last })
    }

    fn multiple(ranges: &[(u64, u64)]) -> Selection {
        let range = |&(first, last): &(u64, u64)| ByteRange { first, last };
        Selection::Multiple(ranges.iter().map(range).collect())
    }

    #[test]
    fn one_range() {
        assert_eq!(of("bytes=0-0", 26), single(0, 0));
        assert_eq!(of("bytes=0-", 26), single(0, 25));
        assert_eq!(of("bytes=20-", 26), single(20, 25));
        assert_eq!(of("bytes=20-99", 26), single(20, 25));
        assert_eq!(of("bytes=-5", 26), single(21, 25));
        assert_eq!(of("bytes=-99", 26), single(0, 25));
        assert_eq!(of("BYTES= 0-4 ", 26), single(0, 4));
        assert_eq!(of("bytes=007-010", 26), single(7, 10));
        assert_eq!(of("bytes=,0-4,,", 26), single(0, 4));
    }

    #[test]
    fn what_lies_outside_is_not_satisfiable() {
        for value in ["bytes=26-", "bytes=26-30", "bytes=-0", "bytes=30-,-0"] {
            assert_eq!(of(value, 26), Selection::Unsatisfiable, "{value}");
        }
        for value in ["bytes=0-0", "bytes=0-", "bytes=-1"] {
            assert_eq!(of(value, 0), Selection::Unsatisfiable, "{value}");
        }
    }

    #[test]
    fn a_broken_field_gives_the_whole() {
        let broken = [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "bytes=-",
            "bytes=--5",
            "bytes=abc",
            "bytes=5-2",
            "bytes=0-1-2",
            "bytes=0x1-2",
            "bytes=+1-2",
            "bytes= 0 - 4",
            "bytes =0-4",
            "bytes:0-4",
            "items=0-4",
            "bytes=0-4;q=1",
            "bytes=0-1,abc",
            "bytes=0-1,5-2",
        ];
        for value in broken {
            assert_eq!(of(value, 26), Selection::Whole, "{value}");
        }
    }

    #[test]
    fn numbers_beyond_64_bits() {
        assert_eq!(of("bytes=0-99999999999999999999", 26), single(0, 25));
        assert_eq!(of("bytes=99999999999999999999-", 26), Selection::Unsatisfiable);
        assert_eq!(of("bytes=-99999999999999999999", 26), single(0, 25));
        assert_eq!(
            of("bytes=99999999999999999999-99999999999999999998", 26),
            Selection::Whole,
            "reversed, although both are beyond 64 bits"
        );
        let end = u64::MAX - 1;
        assert_eq!(of(&format!("bytes={end}-"), u64::MAX), single(end, end));
    }

    #[test]
    fn several_ranges_keep_their_order() {
        assert_eq!(of("bytes=0-1,24-25", 1_000), multiple(&[(0, 1), (24, 25)]));
        assert_eq!(of("bytes=24-25,0-1", 1_000), multiple(&[(24, 25), (0, 1)]));
        assert_eq!(of("bytes=0-1,24-25,2000-", 1_000), multiple(&[(0, 1), (24, 25)]));
        assert_eq!(of("bytes=0-1,100-200", 26), single(0, 1));
    }

    #[test]
    fn neighbors_become_one() {
        assert_eq!(of("bytes=0-4,5-9", 1_000), single(0, 9));
        assert_eq!(of("bytes=5-9,0-4", 1_000), single(0, 9));
        assert_eq!(of("bytes=0-9,5-14,100-100", 1_000), multiple(&[(0, 14), (100, 100)]));
        assert_eq!(of("bytes=0-,-5", 26), Selection::Whole);
        assert_eq!(of("bytes=0-0,1-", 26), Selection::Whole);
    }

    /// Two small ranges of a small file are given although the whole would be shorter: within the
    /// allowed excess the client gets what it asked for.
    #[test]
    fn a_small_file_is_given_in_parts_too() {
        assert_eq!(of("bytes=0-1,24-25", 26), multiple(&[(0, 1), (24, 25)]));
    }

    #[test]
    fn attacks_get_the_whole() {
        let many = |part: &dyn Fn(usize) -> String, count| {
            let parts: Vec<String> = (0..count).map(part).collect();
            of(&format!("bytes={}", parts.join(",")), 1_000_000)
        };
        assert_eq!(many(&|_| "0-".into(), 1_000), Selection::Whole);
        assert_eq!(many(&|_| "5-9".into(), 4), Selection::Whole);
        assert_eq!(many(&|i| format!("{}-{}", i * 3, i * 3), 33), Selection::Whole);
        assert!(matches!(
            many(&|i| format!("{}-{}", i * 3, i * 3), 32),
            Selection::Multiple(ranges) if ranges.len() == 32
        ));
        assert_eq!(many(&|i| format!("{i}-{i}"), 1_024), single(0, 1_023));
        assert_eq!(many(&|i| format!("{i}-{i}"), 1_025), Selection::Whole);
    }

    #[test]
    fn parts_never_cost_much_more_than_the_whole() {
        let parts: Vec<String> = (0..30).map(|i| format!("{}-{}", i * 4, i * 4 + 2)).collect();
        assert_eq!(of(&format!("bytes={}", parts.join(",")), 120), Selection::Whole);
    }
}
