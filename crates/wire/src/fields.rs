use std::fmt;

use http::HeaderName;

use crate::list::ListItems;
use crate::table::{Line, Lines, Seen};

/// The field lines of a head or of trailers, borrowed: in the order and the case in which they were sent.
///
/// A look-up compares lengths first and is linear in the number of lines, which
/// [`Limits::fields`](crate::Limits::fields) bounds.
#[derive(Clone, Copy)]
pub struct Fields<'b> {
    pub(crate) bytes: &'b [u8],
    pub(crate) lines: &'b Lines,
}

static NO_LINES: Lines = Lines::EMPTY;

impl<'b> Fields<'b> {
    /// No fields.
    #[must_use]
    pub const fn none() -> Self {
        Self { bytes: &[], lines: &NO_LINES }
    }

    /// The number of lines.
    #[must_use]
    pub fn len(self) -> usize {
        self.lines.spans.len()
    }

    /// Whether there is no line.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.lines.spans.is_empty()
    }

    /// Every line: the name as sent, and the value without the blanks around it.
    #[must_use]
    pub fn iter(self) -> FieldIter<'b> {
        FieldIter { bytes: self.bytes, lines: self.lines.spans.iter() }
    }

    /// The value of the first line with this name.
    #[must_use]
    pub fn get(self, name: &HeaderName) -> Option<&'b [u8]> {
        self.get_all(name).next()
    }

    /// Whether a line has this name.
    #[must_use]
    pub fn contains(self, name: &HeaderName) -> bool {
        self.get(name).is_some()
    }

    /// The values of all lines with this name, in order.
    pub fn get_all<'n>(self, name: &'n HeaderName) -> impl Iterator<Item = &'b [u8]> + use<'b, 'n> {
        self.named(name.as_str().as_bytes())
    }

    /// The values of all lines with this name. Most lines are passed by their length alone.
    #[inline]
    fn named<'n>(self, name: &'n [u8]) -> impl Iterator<Item = &'b [u8]> + use<'b, 'n> {
        let length = name.len();
        self.lines
            .spans
            .iter()
            .filter(move |line| {
                (line.name_end - line.name_start) as usize == length
                    && line.name(self.bytes).eq_ignore_ascii_case(name)
            })
            .map(move |line| line.value(self.bytes))
    }

    /// The members of the comma-separated list that all lines with this name make up: trimmed, empty
    /// members left out, commas in quoted strings kept. *Spec*: RFC 9110 §5.6.1.
    pub fn list<'n>(self, name: &'n HeaderName) -> impl Iterator<Item = &'b [u8]> + use<'b, 'n> {
        self.get_all(name).flat_map(ListItems::new)
    }

    /// The value of a field that may stand once only.
    ///
    /// *Errors*: [`NotSingle`] if there are several lines with this name, equal or not.
    pub fn single(self, name: &HeaderName) -> Result<Option<&'b [u8]>, NotSingle> {
        let mut values = self.get_all(name);
        let first = values.next();
        if values.next().is_some() { Err(NotSingle) } else { Ok(first) }
    }

    /// The value of `Host`. In a request it was checked to be `host [ ":" port ]`, and to stand once.
    #[must_use]
    pub fn host(self) -> Option<&'b str> {
        std::str::from_utf8(self.known(self.lines.known.host)?).ok()
    }

    /// The value of the first line of a field that was found while the lines were read.
    #[inline]
    pub(crate) fn known(self, seen: Seen) -> Option<&'b [u8]> {
        if !seen.any() {
            return None;
        }
        self.lines.spans.get(usize::from(seen.first)).map(|line| line.value(self.bytes))
    }

    /// The values of all lines of a field that was found while the lines were read.
    pub(crate) fn known_all(
        self,
        seen: Seen,
        name: &'static [u8],
    ) -> impl Iterator<Item = &'b [u8]> + use<'b> {
        self.lines
            .spans
            .iter()
            .skip(usize::from(seen.first))
            .filter(move |line| line.name(self.bytes).eq_ignore_ascii_case(name))
            .map(move |line| line.value(self.bytes))
            .take(usize::from(seen.count))
    }
}

impl<'b> IntoIterator for Fields<'b> {
    type Item = (&'b str, &'b [u8]);
    type IntoIter = FieldIter<'b>;

    fn into_iter(self) -> FieldIter<'b> {
        self.iter()
    }
}

impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(name, value)| (name, value.escape_ascii().to_string())))
            .finish()
    }
}

/// Iterator over the lines of [`Fields`].
#[derive(Clone, Debug)]
pub struct FieldIter<'b> {
    bytes: &'b [u8],
    lines: std::slice::Iter<'b, Line>,
}

impl<'b> Iterator for FieldIter<'b> {
    type Item = (&'b str, &'b [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.lines.next()?;
        let name = std::str::from_utf8(line.name(self.bytes))
            .expect("only tokens, which are ASCII, are recorded as names");
        Some((name, line.value(self.bytes)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.lines.size_hint()
    }
}

impl ExactSizeIterator for FieldIter<'_> {}

/// A field that may stand once only stands on several lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotSingle;

impl fmt::Display for NotSingle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field that may stand once stands on several lines")
    }
}

impl std::error::Error for NotSingle {}
