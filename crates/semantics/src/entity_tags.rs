//! Entity tags, alone and in lists.
//!
//! *Spec*: RFC 9110 §8.8.3.
//!
//! ```
//! use avocet_semantics::entity_tags::{EntityTag, entity_tags};
//!
//! let tag = EntityTag::parse(br#"W/"a,b""#).unwrap();
//! assert!(tag.is_weak());
//! let listed: Vec<_> = entity_tags(br#""x", "a,b""#).map(Result::unwrap).collect();
//! assert!(listed[1].weak_eq(&tag) && !listed[1].strong_eq(&tag));
//! ```

use crate::Error;
use crate::grammar::Cursor;

/// A tag that changes with its representation.
///
/// There is no `==`: which of the two comparisons holds is a decision each time.
#[derive(Clone, Copy, Debug)]
pub struct EntityTag<'v> {
    opaque: &'v [u8],
    weak: bool,
}

impl<'v> EntityTag<'v> {
    /// A strong tag of what will stand between the quotes; `None` if a byte cannot stand there.
    pub fn strong(opaque: &'v [u8]) -> Option<Self> {
        opaque.iter().all(|&byte| is_tag_byte(byte)).then_some(Self { opaque, weak: false })
    }

    /// A weak tag, as [`strong`](Self::strong).
    pub fn weak(opaque: &'v [u8]) -> Option<Self> {
        Self::strong(opaque).map(|tag| Self { weak: true, ..tag })
    }

    /// Reads a whole value as one tag.
    ///
    /// *Errors*: quotes are not optional, `W/` is upper case, blanks within are not allowed.
    pub fn parse(value: &'v [u8]) -> Result<Self, Error> {
        let mut cursor = Cursor::new(value);
        let tag = Self::read(&mut cursor)?;
        if cursor.is_done() { Ok(tag) } else { Err(cursor.error("entity tag")) }
    }

    /// What stands between the quotes.
    pub fn opaque(&self) -> &'v [u8] {
        self.opaque
    }

    /// Whether the tag promises equivalence only, not equal bytes.
    pub fn is_weak(&self) -> bool {
        self.weak
    }

    /// Whether the bytes are the same: both tags are strong and equal.
    ///
    /// *Spec*: RFC 9110 §8.8.3.2, strong comparison.
    pub fn strong_eq(&self, other: &EntityTag<'_>) -> bool {
        !self.weak && !other.weak && self.opaque == other.opaque
    }

    /// Whether one can stand for the other.
    ///
    /// *Spec*: RFC 9110 §8.8.3.2, weak comparison.
    pub fn weak_eq(&self, other: &EntityTag<'_>) -> bool {
        self.opaque == other.opaque
    }

    /// Writes the tag as it stands in a field.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.weak { b"W/\"" } else { b"\"" });
        out.extend_from_slice(self.opaque);
        out.push(b'"');
    }

    fn read(cursor: &mut Cursor<'v>) -> Result<Self, Error> {
        let weak = cursor.rest().starts_with(b"W/");
        if weak {
            cursor.move_to(cursor.at() + 2);
        }
        // A tag has no escapes, which is why it is not read as a quoted string.
        if !cursor.eat(b'"') {
            return Err(cursor.error("entity tag"));
        }
        let opaque = cursor.take_while(is_tag_byte);
        if cursor.eat(b'"') { Ok(Self { opaque, weak }) } else { Err(cursor.error("entity tag")) }
    }
}

/// The tags of a list.
///
/// *Errors*: the first thing that is no tag gives an error and ends the iteration.
pub fn entity_tags(value: &[u8]) -> EntityTags<'_> {
    EntityTags { cursor: Cursor::new(value), failed: false }
}

/// The iterator that [`entity_tags`] gives.
#[derive(Clone, Debug)]
pub struct EntityTags<'v> {
    cursor: Cursor<'v>,
    failed: bool,
}

impl<'v> Iterator for EntityTags<'v> {
    type Item = Result<EntityTag<'v>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let cursor = &mut self.cursor;
        while matches!(cursor.peek(), Some(b' ' | b'\t' | b',')) {
            cursor.move_to(cursor.at() + 1);
        }
        if cursor.is_done() {
            return None;
        }
        let read = EntityTag::read(cursor).and_then(|tag| {
            cursor.skip_blanks();
            let ended = cursor.is_done() || cursor.peek() == Some(b',');
            if ended { Ok(tag) } else { Err(cursor.error("list of entity tags")) }
        });
        self.failed = read.is_err();
        Some(read)
    }
}

/// *Spec*: RFC 9110 §8.8.3, `etagc`.
const fn is_tag_byte(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x7E | 0x80..=0xFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(value: &str) -> EntityTag<'_> {
        EntityTag::parse(value.as_bytes()).unwrap()
    }

    /// The table of RFC 9110 §8.8.3.2.
    #[test]
    fn comparisons() {
        let table = [
            (r#"W/"1""#, r#"W/"1""#, false, true),
            (r#"W/"1""#, r#"W/"2""#, false, false),
            (r#"W/"1""#, r#""1""#, false, true),
            (r#""1""#, r#""1""#, true, true),
        ];
        for (left, right, strong, weak) in table {
            assert_eq!(tag(left).strong_eq(&tag(right)), strong, "{left} {right}");
            assert_eq!(tag(left).weak_eq(&tag(right)), weak, "{left} {right}");
        }
    }

    #[test]
    fn what_is_no_tag() {
        let bad =
            ["", "a", "\"", "\"a", "a\"", "w/\"a\"", "W\"a\"", "W/ \"a\"", "\"a b\"", "\"a\"\""];
        for value in bad {
            assert!(EntityTag::parse(value.as_bytes()).is_err(), "{value}");
        }
        assert!(EntityTag::strong(b"a\"b").is_none());
        assert!(EntityTag::weak(b"a\r\nb").is_none());
    }

    #[test]
    fn a_backslash_is_a_byte_like_any_other() {
        assert_eq!(tag(r#""a\""#).opaque(), br"a\");
    }

    #[test]
    fn lists_end_at_the_first_error() {
        let mut found = entity_tags(br#" , "a" ,, W/"b,c" , d, "e""#);
        assert_eq!(found.next().unwrap().unwrap().opaque(), b"a");
        assert_eq!(found.next().unwrap().unwrap().opaque(), b"b,c");
        assert!(found.next().unwrap().is_err());
        assert!(found.next().is_none());
        assert!(entity_tags(br#""a" "b""#).next().unwrap().is_err());
    }

    #[test]
    fn a_tag_is_written_as_it_was_read() {
        for value in [r#""""#, r#""x""#, r#"W/"y""#] {
            let mut out = Vec::new();
            tag(value).write(&mut out);
            assert_eq!(out, value.as_bytes());
        }
    }
}
