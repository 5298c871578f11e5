use std::fmt;

use http::HeaderName;

use crate::bytes::{invalid_in_value, is_token_text, trim};
use crate::name;

/// Field lines to be sent, checked and kept as they go on the wire, so that sending them is one copy.
///
/// There is no unchecked way in: a value cannot hold CR, LF, NUL or another control character but HTAB, a
/// name is a token, and the fields that say where a message ends or whether the connection goes on
/// (`Content-Length`, `Transfer-Encoding`, `Connection`) belong to the [`Connection`](crate::Connection).
///
/// *Bounds*: none of its own; it grows with what is pushed. [`clear`](Self::clear) keeps the memory.
///
/// ```
/// use avocet_wire::FieldBuf;
/// use http::header::CONTENT_TYPE;
///
/// let mut fields = FieldBuf::new();
/// fields.push(&CONTENT_TYPE, "text/plain")?;
/// assert_eq!(fields.as_bytes(), b"Content-Type: text/plain\r\n");
/// assert!(fields.push(&CONTENT_TYPE, "a\r\nSet-Cookie: b").is_err());
/// # Ok::<(), avocet_wire::InvalidField>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldBuf {
    bytes: Vec<u8>,
    marks: Marks,
}

/// Which of the fields that the connection must know are among the lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks(u8);

impl Marks {
    pub(crate) const HOST: Self = Self(1);
    pub(crate) const UPGRADE: Self = Self(2);
    pub(crate) const TE: Self = Self(4);
    pub(crate) const EXPECT: Self = Self(8);
    pub(crate) const DATE: Self = Self(16);
    pub(crate) const SERVER: Self = Self(32);

    pub(crate) const fn has(self, mark: Self) -> bool {
        self.0 & mark.0 != 0
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn of(name: &str) -> Self {
        let marks: &[(Self, &str)] = match name.len() {
            2 => &[(Self::TE, "te")],
            4 => &[(Self::HOST, "host"), (Self::DATE, "date")],
            6 => &[(Self::EXPECT, "expect"), (Self::SERVER, "server")],
            7 => &[(Self::UPGRADE, "upgrade")],
            _ => &[],
        };
        let found = marks.iter().find(|(_, spelled)| name.eq_ignore_ascii_case(spelled));
        found.map_or(Self(0), |(mark, _)| *mark)
    }
}

impl FieldBuf {
    /// No fields. Allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), marks: Marks(0) }
    }

    /// No fields, with room for `bytes` bytes of lines.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), marks: Marks(0) }
    }

    /// Adds a line, its name in the customary case (`Content-Type`), its value without the blanks around
    /// it.
    ///
    /// *Errors*: [`InvalidField`]; nothing is added then.
    pub fn push(&mut self, name: &HeaderName, value: impl AsRef<[u8]>) -> Result<(), InvalidField> {
        if is_reserved(name.as_str()) {
            return Err(InvalidField::Reserved);
        }
        let value = checked(value.as_ref())?;
        self.marks = self.marks.and(Marks::of(name.as_str()));
        self.bytes.reserve(name.as_str().len() + value.len() + 4);
        name::push(&mut self.bytes, name.as_str());
        self.push_value(value);
        Ok(())
    }

    /// Adds a line, its name in the case given, its value without the blanks around it.
    ///
    /// *Errors*: [`InvalidField`]; nothing is added then.
    pub fn push_raw(&mut self, name: &str, value: impl AsRef<[u8]>) -> Result<(), InvalidField> {
        if !is_token_text(name.as_bytes()) {
            return Err(InvalidField::Name);
        }
        if is_reserved(name) {
            return Err(InvalidField::Reserved);
        }
        let value = checked(value.as_ref())?;
        self.marks = self.marks.and(Marks::of(name));
        self.bytes.extend_from_slice(name.as_bytes());
        self.push_value(value);
        Ok(())
    }

    fn push_value(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(b": ");
        self.bytes.extend_from_slice(value);
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// Adds all lines of `other`.
    pub fn extend(&mut self, other: &Self) {
        self.bytes.extend_from_slice(&other.bytes);
        self.marks = self.marks.and(other.marks);
    }

    /// Removes all lines and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.marks = Marks(0);
    }

    /// Whether there is no line.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether `Date` is among the lines; known without a search.
    #[must_use]
    pub fn has_date(&self) -> bool {
        self.marks.has(Marks::DATE)
    }

    /// Whether `Server` is among the lines; known without a search.
    #[must_use]
    pub fn has_server(&self) -> bool {
        self.marks.has(Marks::SERVER)
    }

    /// The lines as they go on the wire, each with its CRLF.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Every line: name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let mut rest = self.bytes.as_slice();
        std::iter::from_fn(move || {
            let (line, after) = split_line(rest)?;
            rest = after;
            let (name, value) = split_name(line)?;
            Some((std::str::from_utf8(name).ok()?, value))
        })
    }

    /// The value of the first line with this name, compared without case.
    #[must_use]
    pub fn get(&self, name: &HeaderName) -> Option<&[u8]> {
        self.get_raw(name.as_str())
    }

    pub(crate) fn marks(&self) -> Marks {
        self.marks
    }

    pub(crate) fn get_raw(&self, name: &str) -> Option<&[u8]> {
        self.get_all_raw(name).next()
    }

    pub(crate) fn get_all_raw<'b>(&'b self, wanted: &str) -> impl Iterator<Item = &'b [u8]> {
        let mut rest = self.bytes.as_slice();
        std::iter::from_fn(move || {
            while let Some((line, after)) = split_line(rest) {
                rest = after;
                // The colon stands where the name would end: most lines are passed by one look.
                if line.get(wanted.len()) == Some(&b':')
                    && let Some((name, value)) = split_name(line)
                    && name.eq_ignore_ascii_case(wanted.as_bytes())
                {
                    return Some(value);
                }
            }
            None
        })
    }

    /// Whether a line has this name.
    #[must_use]
    pub fn contains(&self, name: &HeaderName) -> bool {
        self.get(name).is_some()
    }

    /// Removes all lines with this name and says whether there were any.
    pub fn remove(&mut self, name: &HeaderName) -> bool {
        let mut kept = Vec::with_capacity(self.bytes.len());
        let mut rest = self.bytes.as_slice();
        while let Some((line, after)) = split_line(rest) {
            let is_named = split_name(line)
                .is_some_and(|(n, _)| n.eq_ignore_ascii_case(name.as_str().as_bytes()));
            if !is_named {
                kept.extend_from_slice(line);
                kept.extend_from_slice(b"\r\n");
            }
            rest = after;
        }
        let removed = kept.len() != self.bytes.len();
        self.bytes = kept;
        self.marks.0 &= !Marks::of(name.as_str()).0;
        removed
    }
}

/// The first line without its CRLF, and what follows it.
fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(b'\n', bytes)?;
    Some((bytes.get(..end.checked_sub(1)?)?, bytes.get(end + 1..)?))
}

fn split_name(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', line)?;
    Some((line.get(..colon)?, line.get(colon + 2..)?))
}

fn checked(value: &[u8]) -> Result<&[u8], InvalidField> {
    match invalid_in_value(value) {
        None => Ok(trim(value)),
        Some(_) => Err(InvalidField::Value),
    }
}

fn is_reserved(name: &str) -> bool {
    ["content-length", "transfer-encoding", "connection"]
        .iter()
        .any(|reserved| name.eq_ignore_ascii_case(reserved))
}

/// Why a field cannot be sent or converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidField {
    /// The name is not a token, or is longer than the `http` crate takes (32 KiB).
    Name,
    /// The value holds a control character.
    Value,
    /// The name is one of those that the connection writes itself.
    Reserved,
    /// More fields than the `http` crate takes (32,768).
    TooMany,
}

impl fmt::Display for InvalidField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "invalid field name",
            Self::Value => "control character in a field value",
            Self::Reserved => "field that the connection writes itself",
            Self::TooMany => "more fields than a header map holds",
        })
    }
}

impl std::error::Error for InvalidField {}
