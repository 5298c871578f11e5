//! Media types by the ending of a name.

use std::borrow::Cow;
use std::collections::HashMap;

use avocet_wire::{FieldBuf, InvalidField};
use http::header::CONTENT_TYPE;

/// Which media type a file has, by what stands behind the last dot of its name, without regard to
/// case.
///
/// What was added by [`with`](Self::with) wins over the built-in table. A name that is in neither is
/// `application/octet-stream`.
///
/// ```
/// use avocet_files::Types;
///
/// let types = Types::default().with(".GMI", "text/gemini");
/// assert_eq!(types.of(b"a/page.gmi"), "text/gemini; charset=utf-8");
/// assert_eq!(types.of(b"photo.JPG"), "image/jpeg");
/// assert_eq!(types.of(b"README"), "application/octet-stream");
/// ```
#[derive(Clone, Debug)]
pub struct Types {
    own: HashMap<String, String>,
    charset: Option<String>,
}

impl Types {
    /// Adds a type for an ending, which may begin with a dot or not.
    #[must_use]
    pub fn with(mut self, ending: &str, media_type: impl Into<String>) -> Self {
        let ending = ending.strip_prefix('.').unwrap_or(ending).to_ascii_lowercase();
        self.own.insert(ending, media_type.into());
        self
    }

    /// Adds what a table of the system says (`/etc/mime.types`) about endings that are in neither
    /// table so far. A line has a media type and the endings of its files; `#` begins a comment.
    #[must_use]
    pub fn with_table(mut self, table: &str) -> Self {
        for line in table.lines() {
            let mut words = line.split('#').next().unwrap_or_default().split_ascii_whitespace();
            let Some(media_type) = words.next() else { continue };
            for ending in words.map(str::to_ascii_lowercase) {
                if self.by_ending(&ending).is_none() {
                    self.own.insert(ending, media_type.to_owned());
                }
            }
        }
        self
    }

    /// *Errors*: a type or charset that cannot be sent.
    pub(crate) fn check(&self) -> Result<(), InvalidField> {
        let names = self.own.values().chain(&self.charset);
        names.into_iter().try_for_each(|name| FieldBuf::new().push(&CONTENT_TYPE, name))
    }

    /// The charset that is added to types of text that do not name one; UTF-8 unless changed, and
    /// `None` adds nothing.
    #[must_use]
    pub fn with_charset(mut self, charset: Option<&str>) -> Self {
        self.charset = charset.map(str::to_owned);
        self
    }

    /// The type of a file with this path or name.
    pub fn of(&self, path: &[u8]) -> Cow<'_, str> {
        let known = ending(path).and_then(|ending| self.by_ending(&ending));
        let media_type = known.unwrap_or(Cow::Borrowed(UNKNOWN));
        match &self.charset {
            Some(charset) if is_text(&media_type) && !media_type.contains("charset=") => {
                Cow::Owned(format!("{media_type}; charset={charset}"))
            }
            _ => media_type,
        }
    }

    fn by_ending(&self, ending: &str) -> Option<Cow<'_, str>> {
        if let Some(own) = self.own.get(ending) {
            return Some(Cow::Borrowed(own));
        }
        let built_in = OVERRIDES.iter().find(|(known, _)| *known == ending).map(|(_, name)| *name);
        built_in.or_else(|| mime_guess::from_ext(ending).first_raw()).map(Cow::Borrowed)
    }
}

impl Default for Types {
    fn default() -> Self {
        Self { own: HashMap::new(), charset: Some("utf-8".to_owned()) }
    }
}

/// What stands behind the last dot of the last segment, in lower case.
fn ending(path: &[u8]) -> Option<String> {
    let name = path.rsplit(|&byte| byte == b'/').next()?;
    let dot = name.iter().rposition(|&byte| byte == b'.')?;
    let ending = std::str::from_utf8(name.get(dot + 1..)?).ok()?;
    (!ending.is_empty()).then(|| ending.to_ascii_lowercase())
}

/// Types whose bytes are text in some charset.
fn is_text(media_type: &str) -> bool {
    media_type.starts_with("text/") || media_type == "application/javascript"
}

const UNKNOWN: &str = "application/octet-stream";

/// Where the table of the crate is behind the registry.
const OVERRIDES: &[(&str, &str)] = &[
    ("avif", "image/avif"),
    ("br", "application/octet-stream"),
    ("cjs", "text/javascript"),
    ("jxl", "image/jxl"),
    ("mjs", "text/javascript"),
    ("ts", "text/plain"),
    ("webmanifest", "application/manifest+json"),
    ("zst", "application/zstd"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_count_without_case_and_behind_the_last_dot() {
        let types = Types::default();
        assert_eq!(types.of(b"a.b/INDEX.HTML"), "text/html; charset=utf-8");
        assert_eq!(types.of(b"data.json"), "application/json");
        assert_eq!(types.of(b"app.js"), "text/javascript; charset=utf-8");
        assert_eq!(types.of(b"x.tar.gz"), "application/gzip");
        assert_eq!(types.of(b"module.wasm"), "application/wasm");
        for unknown in [&b"noext"[..], b"a.html/noext", b"dot.", b"a.\xff", b"a.qqqq", b""] {
            assert_eq!(types.of(unknown), UNKNOWN);
        }
    }

    #[test]
    fn a_table_fills_gaps_only() {
        let table =
            "# types\n\ntext/x-bird\tbird Birds # and feathers\nimage/odd html bird\nnone\n";
        let types = Types::default().with_table(table);
        assert_eq!(types.of(b"a.bird"), "text/x-bird; charset=utf-8");
        assert_eq!(types.of(b"a.birds"), "text/x-bird; charset=utf-8");
        assert_eq!(types.of(b"a.html"), "text/html; charset=utf-8");
    }

    #[test]
    fn charsets_are_added_to_text_only() {
        let types = Types::default().with("txt", "text/plain; charset=latin1");
        assert_eq!(types.of(b"a.txt"), "text/plain; charset=latin1");
        assert_eq!(types.of(b"a.png"), "image/png");
        let types = Types::default().with_charset(None);
        assert_eq!(types.of(b"a.html"), "text/html");
        let types = Types::default().with_charset(Some("koi8-r"));
        assert_eq!(types.of(b"a.css"), "text/css; charset=koi8-r");
    }
}
