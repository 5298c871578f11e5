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
    MediaType::parse(media_type.as_bytes()).is_ok_and(|parsed| parsed.compresses())
}
