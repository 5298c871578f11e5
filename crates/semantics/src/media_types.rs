//! Media types.
//!
//! *Spec*: RFC 9110 §8.3.
//!
//! ```
//! use avocet_semantics::media_types::MediaType;
//!
//! let media_type = MediaType::parse(b"Text/HTML; charset=\"utf-8\"").unwrap();
//! assert!(media_type.is("text", "html"));
//! assert_eq!(media_type.essence(), "text/html");
//! assert_eq!(media_type.charset().as_deref(), Some("utf-8"));
//! ```

use std::borrow::Cow;

use crate::Error;
use crate::grammar::Cursor;
use crate::parameters::{Parameter, Parameters, Value, parameters};

/// A media type with its parameters.
#[derive(Clone, Copy, Debug)]
pub struct MediaType<'v> {
    kind: &'v str,
    subtype: &'v str,
    parameters: &'v [u8],
}

impl<'v> MediaType<'v> {
    /// Reads the value of a Content-Type field or an element of an Accept field.
    ///
    /// *Errors*: the type or the subtype is no token, or a parameter is broken.
    pub fn parse(value: &'v [u8]) -> Result<Self, Error> {
        let mut cursor = Cursor::new(value);
        cursor.skip_blanks();
        let kind = cursor.token().ok_or_else(|| cursor.error("media type"))?;
        if !cursor.eat(b'/') {
            return Err(cursor.error("media type"));
        }
        let subtype = cursor.token().ok_or_else(|| cursor.error("media type"))?;
        let start = cursor.at();
        for parameter in parameters(cursor.rest()) {
            parameter.map_err(|error| error.after(start))?;
        }
        Ok(Self { kind, subtype, parameters: cursor.rest() })
    }

    /// What stands before the slash, as it was written.
    pub fn kind(&self) -> &'v str {
        self.kind
    }

    /// What stands after the slash, as it was written.
    pub fn subtype(&self) -> &'v str {
        self.subtype
    }

    /// Whether these are its type and subtype, letter case aside.
    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind) && self.subtype.eq_ignore_ascii_case(subtype)
    }

    /// Type and subtype in lower case without parameters.
    pub fn essence(&self) -> String {
        let mut essence = format!("{}/{}", self.kind, self.subtype);
        essence.make_ascii_lowercase();
        essence
    }

    /// The parameters in their order.
    pub fn parameters(&self) -> impl Iterator<Item = Parameter<'v>> + use<'v> {
        let all: Parameters<'v> = parameters(self.parameters);
        // They were all read once by `parse`, so none of them is broken.
        all.flatten()
    }

    /// The value of the first parameter of a name.
    pub fn parameter(&self, name: &str) -> Option<Value<'v>> {
        self.parameters().find(|parameter| parameter.is(name)).map(|parameter| parameter.value)
    }

    /// The charset parameter as it was written; `None` where there is none or it is no text.
    pub fn charset(&self) -> Option<Cow<'v, str>> {
        self.parameter("charset")?.text()
    }

    /// Whether content of this type becomes much shorter by compression: text in all its forms does;
    /// pictures, sound, films and archives are compressed already.
    pub fn compresses(&self) -> bool {
        let subtype = self.subtype.to_ascii_lowercase();
        let subtype = subtype.as_str();
        match self.kind.to_ascii_lowercase().as_str() {
            "text" => true,
            "application" => APPLICATIONS.contains(&subtype) || ends_in_text(subtype),
            "image" => {
                ["bmp", "x-icon", "vnd.microsoft.icon"].contains(&subtype) || ends_in_text(subtype)
            }
            "font" => ["ttf", "otf", "collection", "sfnt"].contains(&subtype),
            "model" | "message" => ends_in_text(subtype) || subtype == "rfc822",
            _ => false,
        }
    }
}

/// Whether the structured syntax of a type is text (RFC 6839).
fn ends_in_text(subtype: &str) -> bool {
    subtype.ends_with("+xml") || subtype.ends_with("+json") || subtype.ends_with("+text")
}

const APPLICATIONS: &[&str] = &[
    "ecmascript",
    "javascript",
    "json",
    "rtf",
    "sql",
    "toml",
    "vnd.ms-fontobject",
    "wasm",
    "x-javascript",
    "x-ndjson",
    "x-sh",
    "x-tex",
    "x-yaml",
    "xml",
    "yaml",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_with_and_without_parameters() {
        let plain = MediaType::parse(b"application/vnd.a+json").unwrap();
        assert_eq!((plain.kind(), plain.subtype()), ("application", "vnd.a+json"));
        assert_eq!(plain.parameters().count(), 0);
        let form = MediaType::parse(b"multipart/form-data; boundary=\"a b\" ;x=1").unwrap();
        assert_eq!(&*form.parameter("Boundary").unwrap().bytes(), b"a b");
        assert_eq!(form.parameters().count(), 2);
        assert!(form.charset().is_none());
    }

    #[test]
    fn text_in_all_its_forms_is_compressed_and_pictures_are_not() {
        let compresses = |name: &str| MediaType::parse(name.as_bytes()).unwrap().compresses();
        for name in [
            "text/html; charset=utf-8",
            "application/json",
            "image/svg+xml",
            "TEXT/PLAIN",
            "application/manifest+json",
            "application/wasm",
            "font/ttf",
        ] {
            assert!(compresses(name), "{name}");
        }
        for name in [
            "image/png",
            "video/mp4",
            "application/gzip",
            "application/octet-stream",
            "font/woff2",
            "application/zip",
            "application/pdf",
        ] {
            assert!(!compresses(name), "{name}");
        }
    }

    #[test]
    fn what_is_no_media_type() {
        let bad: [(&[u8], usize); 8] = [
            (b"", 0),
            (b"text", 4),
            (b"text/", 5),
            (b"/html", 0),
            (b"text /html", 4),
            (b"text/html charset=a", 10),
            (b"text/html; charset", 18),
            (b"text/html; charset=\"a", 19),
        ];
        for (value, at) in bad {
            let Err(Error::Syntax { at: found, .. }) = MediaType::parse(value) else {
                panic!("{value:?} was taken");
            };
            assert_eq!(found, at, "{value:?}");
        }
    }
}
