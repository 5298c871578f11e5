//! What is the same for all files of a folder.

use std::borrow::Cow;

use avocet_semantics::media_types::MediaType;
use avocet_server::Response;
use avocet_wire::FieldBuf;
use http::header::{HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};

use crate::path::FilePath;
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
    /// Fields by path. They take the place of others of their names.
    pub(crate) fields_by_path: Vec<(Pattern, HeaderName, String)>,
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

    /// The fields that every response for a path below the root has.
    pub(crate) fn fields_of(&self, path: &[u8]) -> Cow<'_, FieldBuf> {
        let mut fields = Cow::Borrowed(&self.fields);
        let matching = || self.fields_by_path.iter().filter(|(of, ..)| of.matches(path));
        for (_, name, _) in matching() {
            if fields.contains(name) {
                fields.to_mut().remove(name);
            }
        }
        for (_, name, value) in matching() {
            if let Err(error) = fields.to_mut().push(name, value) {
                log::error!("the field {name}: {error}");
            }
        }
        fields
    }

    /// The same response with the fields that every one has.
    pub(crate) fn complete(&self, response: Response) -> Response {
        with(response, &self.fields)
    }

    /// The same for a path as it was asked for.
    pub(crate) fn complete_at(&self, response: Response, path: &FilePath<'_>) -> Response {
        with(response, &self.fields_of(path.key()))
    }

    /// Whether files of this type are offered in codings.
    pub(crate) fn compresses(&self, media_type: &str) -> bool {
        self.offers_codings && is_worth_compressing(media_type)
    }
}

/// What a response says of its own safety it knows best.
fn with(mut response: Response, fields: &FieldBuf) -> Response {
    let own: Vec<&HeaderName> = SECURITY
        .iter()
        .map(|(name, _)| name)
        .filter(|name| response.fields().contains(name))
        .collect();
    if own.is_empty() {
        response.fields_mut().extend(fields);
        return response;
    }
    let mut rest = fields.clone();
    for name in own {
        rest.remove(name);
    }
    response.fields_mut().extend(&rest);
    response
}

/// Fields that keep browsers from doing with a page what it was not made for.
pub(crate) static SECURITY: [(HeaderName, &str); 5] = [
    // Types are not guessed (the Fetch standard, nosniff).
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Other sites put no page into a frame, where a click could be stolen (RFC 7034).
    (X_FRAME_OPTIONS, "SAMEORIGIN"),
    // Other sites learn of the address of a page no more than its origin.
    (REFERRER_POLICY, "strict-origin-when-cross-origin"),
    // Windows of other sites have no hold on those of this one.
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    // Pages of other sites load nothing from here, unless it is shared.
    (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
];

pub(crate) const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

/// Whether files of this type become much shorter by compression.
pub(crate) fn is_worth_compressing(media_type: &str) -> bool {
    MediaType::parse(media_type.as_bytes()).is_ok_and(|parsed| parsed.compresses())
}
