//! The fields and problems of resumable uploads.

use avocet_server::{Request, Response};
use avocet_wire::InvalidField;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderName};

use crate::changes::refusal::Refused;
use crate::service::or_500;

/// What a request says of the upload that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::changes) struct Wanted {
    /// Whether its content is the last.
    pub(super) is_last: bool,
    /// Whether the client understands our 104.
    pub(super) knows_interim: bool,
    /// The length of the whole, where it is said.
    length: Option<u64>,
    /// The length of this content, where it is known.
    content: Option<u64>,
}

impl Wanted {
    /// `None` for a request that has nothing to do with resumable uploads.
    pub(in crate::changes) fn of(request: &Request<'_>) -> Option<Self> {
        let is_last = match one(request, &UPLOAD_COMPLETE)? {
            b"?1" => true,
            b"?0" => false,
            // "Other values MUST cause the entire header field to be ignored."
            _ => return None,
        };
        Some(Self {
            is_last,
            knows_interim: one(request, &VERSION_FIELD) == Some(VERSION.as_bytes()),
            length: number(request, &UPLOAD_LENGTH),
            content: request.content_length(),
        })
    }

    /// The length of the whole as this request gives it, behind `offset` bytes that came before.
    ///
    /// *Errors*: two lengths that differ, as an answer.
    pub(super) fn total(&self, offset: u64) -> Result<Option<u64>, Refused> {
        let end = match self.content {
            Some(content) => Some(offset.checked_add(content).ok_or_else(inconsistent)?),
            None => None,
        };
        match (self.length, end) {
            (Some(length), Some(end)) if end > length || self.is_last && end != length => {
                Err(inconsistent())
            }
            (Some(length), _) => Ok(Some(length)),
            (None, end) => Ok(end.filter(|_| self.is_last)),
        }
    }
}

/// A field that must be a non-negative Integer of RFC 9651; anything else is as if it were not there.
pub(super) fn number(request: &Request<'_>, name: &HeaderName) -> Option<u64> {
    let value = one(request, name)?;
    let is_integer = (1..=15).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
    if is_integer { std::str::from_utf8(value).ok()?.parse().ok() } else { None }
}

fn one<'a>(request: &Request<'a>, name: &HeaderName) -> Option<&'a [u8]> {
    request.fields().single(name).ok().flatten()
}

pub(super) fn boolean(value: bool) -> &'static str {
    if value { "?1" } else { "?0" }
}

/// Says that a refusal is of the file and not of the upload, which is over: there is nothing to be
/// resumed (section 4.1.2 of the draft).
pub(super) fn of_target(refused: Refused) -> Refused {
    let response = Response::from(refused);
    if response.fields().contains(&UPLOAD_COMPLETE) {
        return response.into();
    }
    or_500(response.with_field(&UPLOAD_COMPLETE, boolean(true))).into()
}

/// The client would append somewhere else than at the end.
pub(super) fn mismatching(expected: u64, provided: u64) -> Refused {
    let problem = format!(
        "{{\"type\":\"{PROBLEMS}mismatching-upload-offset\",\"title\":\"Mismatching Upload Offset\",\
         \"status\":409,\"expected-offset\":{expected},\"provided-offset\":{provided}}}\n"
    );
    let response = problem_of(StatusCode::CONFLICT, problem);
    or_500(response.and_then(|response| response.with_field(&UPLOAD_OFFSET, expected.to_string())))
        .into()
}

/// The lengths that were given do not agree, or more has come than they allow.
pub(super) fn inconsistent() -> Refused {
    simple("inconsistent-upload-length", "Inconsistent Upload Length Values")
}

/// There is nothing to append to any more.
pub(super) fn completed(is_empty: bool) -> Refused {
    if is_empty { simple("completed-upload", "Upload Is Completed") } else { inconsistent() }
}

fn simple(kind: &str, title: &str) -> Refused {
    let problem =
        format!("{{\"type\":\"{PROBLEMS}{kind}\",\"title\":\"{title}\",\"status\":400}}\n");
    or_500(problem_of(StatusCode::BAD_REQUEST, problem)).into()
}

/// A problem of the upload, not of what is uploaded, as a client is told by a false `Upload-Complete`
/// (section 4.1.2 of the draft).
fn problem_of(status: StatusCode, problem: String) -> Result<Response, InvalidField> {
    Response::new(status)
        .with_body(problem)
        .with_field(&CONTENT_TYPE, "application/problem+json")?
        .with_field(&UPLOAD_COMPLETE, boolean(false))
}

pub(super) static UPLOAD_COMPLETE: HeaderName = HeaderName::from_static("upload-complete");
pub(super) static UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
pub(super) static UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
pub(super) static VERSION_FIELD: HeaderName =
    HeaderName::from_static("upload-draft-interop-version");
pub(crate) static ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");
pub(crate) const PARTIAL_UPLOAD: &str = "application/partial-upload";

/// The state of the protocol that is spoken: "Server implementations of draft versions of the
/// protocol MUST NOT send a 104 (Upload Resumption Supported) informational response when the
/// interop version [...] in the request is missing or mismatching."
pub(super) const VERSION: &str = "8";

const PROBLEMS: &str = "https://iana.org/assignments/http-problem-types#";
