//! The Content-Disposition field: show or save, and under which name.
//!
//! *Spec*: RFC 6266.
//!
//! ```
//! use avocet_semantics::content_disposition::{self, ContentDisposition};
//!
//! let value = b"attachment; filename=\"EURO rates\"; filename*=utf-8''%e2%82%ac%20rates";
//! let parsed = ContentDisposition::parse(value).unwrap();
//! assert!(parsed.is_attachment());
//! assert_eq!(parsed.filename.as_deref(), Some("\u{20ac} rates"));
//! assert_eq!(content_disposition::attachment("a.txt"), "attachment; filename=\"a.txt\"");
//! ```

use crate::Error;
use crate::grammar::Cursor;
use crate::parameters::{Value, parameters};

pub mod extended;

/// What to do with the content of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentDisposition<'v> {
    /// `inline`, `attachment`, or a word that counts as the latter.
    pub kind: &'v str,
    /// The name that the sender proposes, decoded but not safe: pass it through
    /// [`file_names::safe`](crate::file_names::safe) before it touches a disk.
    pub filename: Option<String>,
}

impl<'v> ContentDisposition<'v> {
    /// Reads the field of an answer.
    ///
    /// The extended form of the name wins, unless it cannot be decoded. Bytes of the plain form
    /// that are not UTF-8 are read as Latin-1, which loses nothing.
    ///
    /// *Errors*: broken grammar, a parameter twice.
    pub fn parse(value: &'v [u8]) -> Result<Self, Error> {
        let mut cursor = Cursor::new(value);
        cursor.skip_blanks();
        let kind = cursor.token().ok_or_else(|| cursor.error("content disposition"))?;
        let (mut plain, mut precise) = (None, None);
        for parameter in parameters(cursor.rest()) {
            let parameter = parameter.map_err(|error| error.after(cursor.at()))?;
            let place = match parameter.name {
                _ if parameter.is("filename") => &mut plain,
                _ if parameter.is("filename*") => &mut precise,
                _ => continue,
            };
            if place.replace(parameter.value).is_some() {
                return Err(cursor.error("repeated file name"));
            }
        }
        let filename = precise.and_then(decode).or_else(|| plain.map(|value| lossless(&value)));
        Ok(Self { kind, filename })
    }

    /// Whether the content is to be saved. All words but `inline` mean that.
    pub fn is_attachment(&self) -> bool {
        !self.kind.eq_ignore_ascii_case("inline")
    }
}

/// The value that has a browser save the content under a name.
///
/// What some browsers misread in the plain form (quotes, backslashes, percent signs, anything
/// beyond ASCII) is replaced there by an underscore, and the extended form says it right.
pub fn attachment(filename: &str) -> String {
    let is_plain =
        |letter: char| matches!(letter, ' '..='~') && !matches!(letter, '"' | '\\' | '%' | '/');
    let plain: String =
        filename.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).collect();
    if plain == filename {
        return format!("attachment; filename=\"{plain}\"");
    }
    format!("attachment; filename=\"{plain}\"; filename*={}", extended::encode(filename))
}

fn decode(value: Value<'_>) -> Option<String> {
    extended::decode(&value.bytes())
}

fn lossless(value: &Value<'_>) -> String {
    match value.text() {
        Some(text) => text.into_owned(),
        None => value.bytes().iter().map(|&byte| char::from(byte)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(value: &str) -> Option<String> {
        ContentDisposition::parse(value.as_bytes()).unwrap().filename
    }

    #[test]
    fn names_in_both_forms() {
        assert_eq!(name("inline"), None);
        assert_eq!(name("attachment; filename=a.txt").as_deref(), Some("a.txt"));
        assert_eq!(name(r#"Attachment; FileName="a \"b\".txt""#).as_deref(), Some("a \"b\".txt"));
        assert_eq!(name("attachment; filename*=UTF-8''%C3%A9; filename=e").as_deref(), Some("é"));
        assert_eq!(name("attachment; filename=e; filename*=KOI8-R''%C1").as_deref(), Some("e"));
        assert_eq!(name("attachment; filename*=UTF-8''%ff"), None);
    }

    #[test]
    fn bytes_that_are_not_text_are_read_as_latin_1() {
        let parsed = ContentDisposition::parse(b"attachment; filename=\"\xe9\"").unwrap();
        assert_eq!(parsed.filename.as_deref(), Some("é"));
    }

    #[test]
    fn only_inline_is_shown() {
        for (value, saved) in [("inline", false), ("INLINE", false), ("x", true)] {
            let parsed = ContentDisposition::parse(value.as_bytes()).unwrap();
            assert_eq!(parsed.is_attachment(), saved);
        }
    }

    #[test]
    fn broken_values_are_refused() {
        for value in [
            "",
            "\"inline\"",
            "attachment; filename",
            "attachment; filename=a b",
            "a; filename=x; filename=y",
        ] {
            assert!(ContentDisposition::parse(value.as_bytes()).is_err(), "{value}");
        }
    }

    #[test]
    fn a_name_goes_out_and_comes_back() {
        for given in ["a.txt", "a b.txt", "é.txt", "100%.txt", "a\"b\\c.txt", "a\r\nX: y", "日本"]
        {
            let value = attachment(given);
            assert!(value.is_ascii() && !value.contains(['\r', '\n']), "{value}");
            assert_eq!(name(&value).as_deref(), Some(given));
        }
        assert_eq!(attachment("a/b"), "attachment; filename=\"a_b\"; filename*=UTF-8''a%2Fb");
    }
}
