//! The Content-Range field.

use std::fmt;

use super::ByteRange;
use crate::Error;
use crate::grammar::Cursor;

/// What a part of a representation is a part of.
///
/// *Spec*: RFC 9110 §14.4.
///
/// ```
/// use avocet_semantics::ranges::{ByteRange, ContentRange};
///
/// let range = ByteRange { first: 0, last: 4 };
/// let field = ContentRange::Range { range, complete: Some(26) };
/// assert_eq!(field.to_string(), "bytes 0-4/26");
/// assert_eq!(ContentRange::parse(b"bytes 0-4/26"), Ok(field));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentRange {
    /// The content is this range.
    Range {
        /// Where it starts and ends.
        range: ByteRange,
        /// The length of the whole, if the sender knows it.
        complete: Option<u64>,
    },
    /// None of the ranges lay within the whole, which has this length.
    Unsatisfied {
        /// The length of the whole.
        complete: u64,
    },
}

impl ContentRange {
    /// The field as it is sent.
    pub fn value(&self) -> String {
        let mut text = String::with_capacity(LONGEST);
        let mut push = |before: &str, number: u64| {
            text.push_str(before);
            text.push_str(itoa::Buffer::new().format(number));
        };
        match *self {
            Self::Range { range, complete } => {
                push("bytes ", range.first);
                push("-", range.last);
                match complete {
                    Some(complete) => push("/", complete),
                    None => text.push_str("/*"),
                }
            }
            Self::Unsatisfied { complete } => push("bytes */", complete),
        }
        text
    }

    /// Reads the field of an answer.
    ///
    /// *Errors*: a unit other than bytes, a last byte before the first or outside the whole, and
    /// numbers beyond 64 bits. A client that combined such a part with others would corrupt a file.
    pub fn parse(value: &[u8]) -> Result<Self, Error> {
        let mut cursor = Cursor::new(value);
        Self::read(&mut cursor).ok_or_else(|| cursor.error("content range"))
    }

    fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        let unit = cursor.token()?;
        if !unit.eq_ignore_ascii_case("bytes") || !cursor.eat(b' ') {
            return None;
        }
        let parsed = if cursor.eat(b'*') {
            eat(cursor, b'/')?;
            Self::Unsatisfied { complete: number(cursor)? }
        } else {
            let first = number(cursor)?;
            eat(cursor, b'-')?;
            let last = number(cursor)?;
            eat(cursor, b'/')?;
            let complete = if cursor.eat(b'*') { None } else { Some(number(cursor)?) };
            if last < first || complete.is_some_and(|complete| last >= complete) {
                return None;
            }
            Self::Range { range: ByteRange { first, last }, complete }
        };
        cursor.is_done().then_some(parsed)
    }
}

impl fmt::Display for ContentRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.value())
    }
}

/// `bytes`, three numbers of 20 digits and what stands between.
const LONGEST: usize = 68;

fn eat(cursor: &mut Cursor<'_>, byte: u8) -> Option<()> {
    cursor.eat(byte).then_some(())
}

fn number(cursor: &mut Cursor<'_>) -> Option<u64> {
    let digits = cursor.take_while(|byte| byte.is_ascii_digit());
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms() {
        let range = ByteRange { first: 42, last: 1_233 };
        let table = [
            ("bytes 42-1233/1234", ContentRange::Range { range, complete: Some(1_234) }),
            ("bytes 42-1233/*", ContentRange::Range { range, complete: None }),
            ("bytes */1234", ContentRange::Unsatisfied { complete: 1_234 }),
        ];
        for (text, field) in table {
            assert_eq!(ContentRange::parse(text.as_bytes()), Ok(field));
            assert_eq!(field.to_string(), text);
        }
    }

    #[test]
    fn what_would_corrupt_a_file_is_refused() {
        let bad = [
            "",
            "bytes",
            "bytes ",
            "bytes */*",
            "bytes 0-4",
            "bytes 5-4/10",
            "bytes 0-10/10",
            "bytes=0-4/10",
            "bytes  0-4/10",
            "bytes 0-4/10 ",
            "bytes 0 - 4/10",
            "bytes -4/10",
            "bytes 0-/10",
            "items 0-4/10",
            "bytes 0-4/18446744073709551616",
            "bytes +0-4/10",
        ];
        for value in bad {
            assert!(ContentRange::parse(value.as_bytes()).is_err(), "{value}");
        }
    }
}
