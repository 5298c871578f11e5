use std::fmt;

use crate::{Coding, DecodeError};

/// The codings of one message in the order in which they were applied; empty means identity.
///
/// *Bounds*: at most [`ContentCodings::MAX`] codings. What a decoder accepts is a separate and
/// lower limit, [`Limits::codings`](crate::Limits::codings).
///
/// *Spec*: RFC 9110 §8.4.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ContentCodings {
    items: [Coding; Self::MAX],
    len: usize,
}

impl ContentCodings {
    /// The longest list that can be held.
    pub const MAX: usize = 8;

    /// The empty list: content that is not coded.
    pub const IDENTITY: Self = Self { items: [Coding::Gzip; Self::MAX], len: 0 };

    /// Reads all `Content-Encoding` field lines of a message, in their order.
    ///
    /// Empty list items and `identity` are passed over, names are taken in any case.
    ///
    /// *Errors*: [`DecodeError::UnknownCoding`] for any other name: passing such content on as if
    /// it were plain would be a guess. [`DecodeError::TooManyCodings`] past [`Self::MAX`].
    ///
    /// ```
    /// use avocet_encoding::{Coding, ContentCodings};
    /// let codings = ContentCodings::parse([&b"gzip, ,"[..], b"BR"])?;
    /// assert_eq!(codings.as_slice(), [Coding::Gzip, Coding::Br]);
    /// # Ok::<(), avocet_encoding::DecodeError>(())
    /// ```
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, DecodeError> {
        let mut codings = Self::IDENTITY;
        for item in lines.into_iter().flat_map(list_items) {
            if item.eq_ignore_ascii_case(b"identity") {
                continue;
            }
            let coding = Coding::parse(item).ok_or_else(|| DecodeError::unknown_coding(item))?;
            codings.push(coding)?;
        }
        Ok(codings)
    }

    /// Adds a coding that is applied after all those already in the list.
    ///
    /// *Errors*: [`DecodeError::TooManyCodings`] when the list is full.
    pub fn push(&mut self, coding: Coding) -> Result<(), DecodeError> {
        let Some(place) = self.items.get_mut(self.len) else {
            return Err(DecodeError::TooManyCodings { limit: Self::MAX });
        };
        *place = coding;
        self.len += 1;
        Ok(())
    }

    /// The codings in the order in which they were applied; a decoder undoes them from the end.
    pub fn as_slice(&self) -> &[Coding] {
        &self.items[..self.len]
    }

    /// Whether the content is not coded at all.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl Default for ContentCodings {
    fn default() -> Self {
        Self::IDENTITY
    }
}

impl From<Coding> for ContentCodings {
    fn from(coding: Coding) -> Self {
        Self { items: [coding; Self::MAX], len: 1 }
    }
}

/// As it is written in a `Content-Encoding` field; nothing for identity.
impl fmt::Display for ContentCodings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, coding) in self.as_slice().iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{coding}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ContentCodings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.as_slice()).finish()
    }
}

/// The items of a comma-separated list without the white space around them, empty ones left out
/// (RFC 9110 §5.6.1.2: a recipient must ignore a reasonable number of empty elements).
pub(crate) fn list_items(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|&byte| byte == b',').map(trim).filter(|item| !item.is_empty())
}

/// Takes optional white space, which is space and tab only (RFC 9110 §5.6.3), off both ends.
pub(crate) fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(lines: &[&str]) -> Result<String, DecodeError> {
        ContentCodings::parse(lines.iter().map(|line| line.as_bytes())).map(|c| c.to_string())
    }

    #[test]
    fn lists_run_over_lines_and_drop_what_codes_nothing() {
        assert_eq!(parse(&[]).unwrap(), "");
        assert_eq!(parse(&["", " , ,\t"]).unwrap(), "");
        assert_eq!(parse(&["identity"]).unwrap(), "");
        assert_eq!(parse(&["GZip"]).unwrap(), "gzip");
        assert_eq!(parse(&[" gzip ,br", "\tIdentity, zstd,"]).unwrap(), "gzip, br, zstd");
    }

    #[test]
    fn names_that_are_not_codings_are_errors() {
        for bad in ["compress-x", "gzip;q=1", "gzip br", "gzip\u{b}", "gzip, exi"] {
            let error = parse(&[bad]).unwrap_err();
            assert!(matches!(error, DecodeError::UnknownCoding { .. }), "{bad}: {error}");
        }
    }

    #[test]
    fn the_list_is_bounded() {
        let full = ["gzip"; ContentCodings::MAX].join(",");
        assert_eq!(parse(&[&full]).unwrap().matches("gzip").count(), ContentCodings::MAX);
        let error = parse(&[&full, "br"]).unwrap_err();
        assert_eq!(error, DecodeError::TooManyCodings { limit: ContentCodings::MAX });
    }
}
