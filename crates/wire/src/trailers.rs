//! Trailer sections (RFC 9112 §7.1.2): read within bounds, and freed of what must not stand in them.

use crate::Limits;
use crate::error::{Limit, ReadError};
use crate::section::{self, Progress, Rules};
use crate::table::{Known, Lines};
use crate::unfinished::Unfinished;

/// Reads a trailer section from the start of `input`; `None` while its end has not come.
pub(crate) fn parse(
    input: &[u8],
    unfinished: &mut Unfinished,
    limits: &Limits,
    lines: &mut Lines,
) -> Result<Option<usize>, ReadError> {
    let window = input.get(..limits.trailers).unwrap_or(input);
    let rules = Rules::strict(limits.trailer_fields, Limit::TrailerFields);
    let whole = unfinished
        .advance(window, |line, before| section::check_line(line, before, lines, rules))?;
    if !whole {
        return if input.len() >= limits.trailers {
            Err(ReadError::exceeded(Limit::Trailers, limits.trailers, limits.trailers))
        } else {
            Ok(None)
        };
    }
    lines.clear();
    let Progress::Complete(end) = section::parse(window, 0, lines, rules)? else {
        debug_assert!(false, "trailers that have come whole are parsed whole");
        return Ok(None);
    };
    lines.spans.retain(|line| !is_forbidden(line.name(window)));
    lines.known = Known::NONE;
    Ok(Some(end))
}

/// Whether a field of this name changes framing, routing, authentication, request modifiers or the meaning
/// of the content, and so must not come after it (RFC 9110 §6.5.1).
pub(crate) fn is_forbidden(name: &[u8]) -> bool {
    FORBIDDEN.iter().any(|forbidden| name.eq_ignore_ascii_case(forbidden.as_bytes()))
}

const FORBIDDEN: [&str; 40] = [
    "age",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-location",
    "content-range",
    "content-type",
    "cookie",
    "cookie2",
    "date",
    "expect",
    "expires",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "location",
    "max-forwards",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "retry-after",
    "set-cookie",
    "set-cookie2",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "proxy-authentication-info",
];
