//! What is the same for all files of a folder.

use avocet_semantics::media_types::MediaType;
use avocet_server::Response;
use avocet_wire::FieldBuf;

use crate::pattern::Pattern;
use crate::types::Types;

/// How files are sent.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) types: Types,
    /// The path of the server below which the folder is served, without a slash at its end.
    pub(crate) at: String,
    /// Fields of every response.
    pub(crate) fields: FieldBuf,
    /// Cache-Control by path; the first pattern that matches counts.
    pub(crate) cache_control: Vec<(Pattern, String)>,
    /// The value of Allow.
    pub(crate) methods: String,
    /// Whether scripts of other origins may read what is served.
    pub(crate) is_shared: bool,
    /// Whether folders are sent as archives.
    pub(crate) archives: bool,
    /// Whether codings are offered at all.
    pub(crate) offers_codings: bool,
    /// Whether those that lie beside a file are.
    pub(crate) uses_siblings: bool,
    /// Whether codings are made where none lies beside.
    pub(crate) makes_codings: bool,
    /// Files shorter than this are sent as they are.
    pub(crate) least_to_compress: u64,
}

impl Settings {
    /// Cache-Control of a file below the root.
    pub(crate) fn cache_control(&self, path: &[u8]) -> Option<&str> {
        let found = self.cache_control.iter().find(|(pattern, _)| pattern.matches(path));
        found.map(|(_, value)| value.as_str())
    }

    /// The same response with the fields that every one has.
    pub(crate) fn complete(&self, mut response: Response) -> Response {
        response.fields_mut().extend(&self.fields);
        response
    }

    /// Whether files of this type are offered in codings.
    pub(crate) fn compresses(&self, media_type: &str) -> bool {
        self.offers_codings && is_worth_compressing(media_type)
    }
}

/// Whether files of this type become much shorter by compression.
pub(crate) fn is_worth_compressing(media_type: &str) -> bool {
    MediaType::parse(media_type.as_bytes()).is_ok_and(|parsed| is_compressible(&parsed))
}

/// Whether compression is worth it. Pictures, sound, films and archives are compressed already.
fn is_compressible(media_type: &MediaType<'_>) -> bool {
    let subtype = media_type.subtype().to_ascii_lowercase();
    match media_type.kind().to_ascii_lowercase().as_str() {
        "text" => true,
        "application" => APPLICATIONS.contains(&subtype.as_str()) || ends_in_text(&subtype),
        "image" => {
            ["bmp", "x-icon", "vnd.microsoft.icon"].contains(&subtype.as_str())
                || ends_in_text(&subtype)
        }
        "font" => ["ttf", "otf", "collection", "sfnt"].contains(&subtype.as_str()),
        "model" | "message" => ends_in_text(&subtype) || subtype == "rfc822",
        _ => false,
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
    fn text_in_all_its_forms_is_compressed_and_pictures_are_not() {
        let compresses = |name: &str| is_compressible(&MediaType::parse(name.as_bytes()).unwrap());
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
}
