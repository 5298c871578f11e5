use http::{HeaderName, Method, Version};
use memchr::memchr;

use crate::bytes::token_len;
use crate::error::{Fault, Limit, ReadError};
use crate::fields::Fields;
use crate::framing;
use crate::host::{Port, is_authority};
use crate::line::version;
use crate::list::ListItems;
use crate::section::{self, Progress, Rules};
use crate::table::Lines;
use crate::target::Target;
use crate::{Leniency, Limits};

/// Longest method in bytes. The longest registered one has 17.
pub(crate) const LONGEST_METHOD: usize = 32;

/// The head of a request, borrowed from the input and the field table.
///
/// *Spec*: RFC 9112 §3.
#[derive(Clone, Debug)]
pub struct RequestHead<'b> {
    /// The method, its case kept: a token of at most 32 bytes. One of more than 15 bytes is the only part
    /// of a head that costs an allocation.
    pub method: Method,
    /// The target, checked against the forms that the method allows.
    pub target: Target<'b>,
    /// HTTP/1.0, or HTTP/1.1 for every later minor version.
    pub version: Version,
    /// The field lines.
    pub fields: Fields<'b>,
    /// The request line as sent, without its CRLF.
    pub raw_line: &'b [u8],
}

impl<'b> RequestHead<'b> {
    /// The host that the request is for: the authority of the target, or else `Host`.
    ///
    /// `None` only with HTTP/1.0, where `Host` is optional, or if [`Leniency::missing_host`] is on.
    ///
    /// *Spec*: RFC 9112 §3.2.2: the absolute form wins over `Host`.
    #[must_use]
    pub fn host(&self) -> Option<&'b str> {
        self.target.authority().or_else(|| self.fields.host())
    }

    /// The protocols of `Upgrade`, in order of preference, if the request asks for an upgrade with
    /// `Connection: upgrade` on HTTP/1.1. *Spec*: RFC 9110 §7.8.
    pub fn upgrade(&self) -> Option<impl Iterator<Item = &'b [u8]> + use<'b>> {
        let fields = self.fields;
        asks_upgrade(fields, self.version).then(|| {
            fields.known_all(fields.lines.known.upgrade, b"upgrade").flat_map(ListItems::new)
        })
    }

    /// Whether `Connection` has this option, compared without case. *Spec*: RFC 9110 §7.6.1.
    #[must_use]
    pub fn has_connection_option(&self, option: &HeaderName) -> bool {
        framing::connection_options(self.fields)
            .any(|sent| sent.eq_ignore_ascii_case(option.as_str().as_bytes()))
    }
}

/// RFC 9110 §7.8: "A server MUST ignore an Upgrade header field that is received in an HTTP/1.0 request."
pub(crate) fn asks_upgrade(fields: Fields<'_>, version: Version) -> bool {
    version == Version::HTTP_11
        && fields.lines.known.upgrade.any()
        && framing::connection_options(fields).any(|option| option.eq_ignore_ascii_case(b"upgrade"))
}

/// The first line of a request.
#[derive(Debug)]
pub(crate) struct RequestLine<'b> {
    pub(crate) method: Method,
    pub(crate) target: Target<'b>,
    pub(crate) version: Version,
    pub(crate) raw: &'b [u8],
}

/// Reads a whole head from the start of `head`; `None` while its end has not come.
///
/// Errors come in the order of the bytes and do not depend on how much follows them, so that the same
/// request fails in the same way however it is cut.
pub(crate) fn parse<'b>(
    head: &'b [u8],
    limits: &Limits,
    leniency: &Leniency,
    lines: &mut Lines,
) -> Result<Option<(RequestLine<'b>, usize)>, ReadError> {
    lines.clear();
    let window = head.get(..limits.head).unwrap_or(head);
    let Some((line, start)) = parse_line(window, limits)? else { return Ok(None) };
    let rules = Rules::strict(limits.fields, Limit::Fields);
    let Progress::Complete(end) = section::parse(window, start, lines, rules)? else {
        return Ok(None);
    };
    let bytes = window.get(..end).unwrap_or_default();
    section::check(bytes.get(start..).unwrap_or_default()).map_err(|error| error.shifted(start))?;
    check_host(Fields { bytes, lines }, line.version, leniency)?;
    Ok(Some((line, end)))
}

/// `request-line = method SP request-target SP HTTP-version CRLF`.
fn parse_line<'b>(
    head: &'b [u8],
    limits: &Limits,
) -> Result<Option<(RequestLine<'b>, usize)>, ReadError> {
    let method = token_len(head.get(..=LONGEST_METHOD).unwrap_or(head));
    match head.get(method) {
        None => return Ok(None),
        Some(b' ') if method > 0 && method <= LONGEST_METHOD => {}
        Some(_) => return Err(ReadError::malformed(Fault::Method, method)),
    }
    let window = head.get(..limits.request_line).unwrap_or(head);
    let Some(lf) = memchr(b'\n', window) else {
        return if head.len() >= limits.request_line {
            let position = limits.request_line;
            Err(ReadError::LimitExceeded { limit: Limit::RequestLine, position })
        } else {
            Ok(None)
        };
    };
    let Some([raw @ .., b'\r']) = window.get(..lf) else {
        return Err(ReadError::malformed(Fault::BareLf, lf));
    };
    let Some((rest, last)) = raw.split_last_chunk::<8>() else {
        return Err(ReadError::malformed(Fault::RequestLine, 0));
    };
    let version = version(last, rest.len())?;
    let target_start = method + 1;
    let Some([target @ .., b' ']) = rest.get(target_start..) else {
        return Err(ReadError::malformed(Fault::RequestLine, target_start));
    };
    let method = head.get(..method).unwrap_or_default();
    let method = Method::from_bytes(method).map_err(|_| ReadError::malformed(Fault::Method, 0))?;
    let target = Target::parse(&method, target).map_err(|error| error.shifted(target_start))?;
    Ok(Some((RequestLine { method, target, version, raw }, lf + 1)))
}

/// RFC 9112 §3.2: "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request
/// message that lacks a Host header field and to any request message that contains more than one Host
/// header field line or a Host header field with an invalid field value."
fn check_host(fields: Fields<'_>, version: Version, leniency: &Leniency) -> Result<(), ReadError> {
    let seen = fields.lines.known.host;
    let at = |index: u16| {
        fields.lines.spans.get(usize::from(index)).map_or(0, |line| line.name_start as usize)
    };
    match seen.count {
        0 if version == Version::HTTP_10 || leniency.missing_host => Ok(()),
        0 => Err(ReadError::malformed(Fault::MissingHost, fields.bytes.len())),
        1 => match fields.known(seen) {
            Some(value) if is_authority(value, Port::Optional) => Ok(()),
            _ => Err(ReadError::malformed(Fault::Host, at(seen.first))),
        },
        _ => Err(ReadError::malformed(Fault::SeveralHosts, at(seen.first))),
    }
}
