use http::{HeaderName, Method, Version};
use memchr::memchr;

use crate::bytes::{target_len, token_len};
use crate::error::{Fault, Limit, ReadError};
use crate::fields::Fields;
use crate::framing::{self, Options};
use crate::host::{Port, is_authority};
use crate::line::{over_limit, version};
use crate::list::ListItems;
use crate::section::{self, Progress, Rules};
use crate::table::Lines;
use crate::target::{Target, TargetForm};
use crate::unfinished::Unfinished;
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
        let asks = asks_upgrade(fields, self.version, framing::options(fields));
        asks.then(|| {
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
#[inline]
pub(crate) fn asks_upgrade(fields: Fields<'_>, version: Version, options: Options) -> bool {
    options.upgrade && version == Version::HTTP_11 && fields.lines.known.upgrade.any()
}

/// The methods that the rules of the format know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Head,
    Connect,
    Options,
    Other,
}

impl Kind {
    #[inline]
    pub(crate) fn of(method: &[u8]) -> Self {
        match method {
            b"HEAD" => Self::Head,
            b"CONNECT" => Self::Connect,
            b"OPTIONS" => Self::Options,
            _ => Self::Other,
        }
    }
}

/// The first line of a request, by the places of its parts: the method begins at 0, the target one byte after
/// the method.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestLine {
    method_end: usize,
    target_end: usize,
    /// With CRLF.
    end: usize,
    pub(crate) kind: Kind,
    form: TargetForm,
    pub(crate) version: Version,
}

impl RequestLine {
    /// The head that `bytes` are, of which this is the first line.
    #[inline]
    pub(crate) fn head<'b>(self, fields: Fields<'b>) -> RequestHead<'b> {
        let bytes = fields.bytes;
        let target = bytes.get(self.method_end + 1..self.target_end).unwrap_or_default();
        RequestHead {
            method: known_method(bytes.get(..self.method_end).unwrap_or_default()),
            target: Target::checked(target, self.form),
            version: self.version,
            fields,
            raw_line: bytes.get(..self.end - 2).unwrap_or_default(),
        }
    }
}

/// Reads a head from the start of `head` if it is whole and right and nothing was looked at before, as nearly
/// every head is.
#[inline(always)]
pub(crate) fn parse_fresh(
    head: &[u8],
    limits: &Limits,
    leniency: &Leniency,
    lines: &mut Lines,
    unfinished: Unfinished,
) -> Option<(RequestLine, usize)> {
    if !unfinished.is_fresh() {
        return None;
    }
    parse(head, limits, leniency, lines).ok()?
}

/// Reads any other head: `None` while its end has not come.
#[cold]
#[inline(never)]
pub(crate) fn parse_pieces(
    head: &[u8],
    limits: &Limits,
    leniency: &Leniency,
    lines: &mut Lines,
    unfinished: &mut Unfinished,
) -> Result<Option<(RequestLine, usize)>, ReadError> {
    if check_unfinished(head, limits, lines, unfinished)? {
        let parsed = parse(head, limits, leniency, lines)?;
        debug_assert!(parsed.is_some(), "a head that has come whole is parsed whole");
        return Ok(parsed);
    }
    match over_limit(head.len(), limits.head) {
        Some(error) => Err(error),
        None => Ok(None),
    }
}

/// Reads a whole head from the start of `head`; `None` while its end has not come.
///
/// Errors come in the order of the bytes and do not depend on how much follows them.
#[inline(always)]
fn parse(
    head: &[u8],
    limits: &Limits,
    leniency: &Leniency,
    lines: &mut Lines,
) -> Result<Option<(RequestLine, usize)>, ReadError> {
    lines.clear();
    let window = head.get(..limits.head).unwrap_or(head);
    let Some(line) = parse_line(window, limits)? else { return Ok(None) };
    let rules = Rules::strict(limits.fields, Limit::Fields);
    let Progress::Complete(end) = section::parse(window, line.end, lines, rules)? else {
        return Ok(None);
    };
    let bytes = window.get(..end).unwrap_or_default();
    check_host(Fields { bytes, lines }, line.version, leniency)?;
    Ok(Some((line, end)))
}

/// Checks what has come of a head since the last call. Says whether the head has come whole.
fn check_unfinished(
    head: &[u8],
    limits: &Limits,
    lines: &mut Lines,
    unfinished: &mut Unfinished,
) -> Result<bool, ReadError> {
    let window = head.get(..limits.head).unwrap_or(head);
    let rules = Rules::strict(limits.fields, Limit::Fields);
    let whole = unfinished.advance(window, |line, number| match number.checked_sub(1) {
        None => parse_line(line, limits).map(|_| false),
        Some(before) => section::check_line(line, before, lines, rules),
    })?;
    if !whole && unfinished.lines == 0 {
        // A peer that speaks another protocol need not send a line feed at all.
        check_method(window)?;
        if window.len() >= limits.request_line {
            parse_line(window, limits)?;
        }
    }
    Ok(whole)
}

/// `request-line = method SP request-target SP HTTP-version CRLF`.
///
/// Nearly every line has a path for its target and names HTTP/1.1; then the end of each part is found by
/// checking its bytes. Every other line, right or wrong, is left to [`parse_odd_line`].
#[inline(always)]
fn parse_line(head: &[u8], limits: &Limits) -> Result<Option<RequestLine>, ReadError> {
    let method_end = token_len(head);
    let target = head.get(method_end + 1..).unwrap_or_default();
    let target_end = method_end + 1 + target_len(target);
    let end = target_end + END_OF_LINE.len();
    let kind = Kind::of(head.get(..method_end).unwrap_or_default());
    let is_usual = head.get(target_end..end) == Some(END_OF_LINE)
        && (1..=LONGEST_METHOD).contains(&method_end)
        && head.get(method_end) == Some(&b' ')
        && target.first() == Some(&b'/')
        && kind != Kind::Connect
        && end <= limits.request_line;
    if is_usual {
        let (form, version) = (TargetForm::Origin, Version::HTTP_11);
        return Ok(Some(RequestLine { method_end, target_end, end, kind, form, version }));
    }
    parse_odd_line(head, limits)
}

const END_OF_LINE: &[u8] = b" HTTP/1.1\r\n";

#[inline]
fn known_method(method: &[u8]) -> Method {
    match method {
        b"GET" => Method::GET,
        b"POST" => Method::POST,
        _ => Method::from_bytes(method).expect("every token of at most 32 bytes is a method"),
    }
}

#[cold]
#[inline(never)]
fn parse_odd_line(head: &[u8], limits: &Limits) -> Result<Option<RequestLine>, ReadError> {
    let Some(method_end) = check_method(head)? else { return Ok(None) };
    let window = head.get(..limits.request_line).unwrap_or(head);
    let Some(lf) = memchr(b'\n', window) else {
        return if head.len() >= limits.request_line {
            let most = limits.request_line;
            Err(ReadError::exceeded(Limit::RequestLine, most, most))
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
    let target_start = method_end + 1;
    let Some([target @ .., b' ']) = rest.get(target_start..) else {
        return Err(ReadError::malformed(Fault::RequestLine, target_start));
    };
    let kind = Kind::of(head.get(..method_end).unwrap_or_default());
    let form = Target::parse(kind, target).map_err(|error| error.shifted(target_start))?.form();
    let target_end = target_start + target.len();
    Ok(Some(RequestLine { method_end, target_end, end: lf + 1, kind, form, version }))
}

/// The length of the method; `None` while its end has not come.
fn check_method(head: &[u8]) -> Result<Option<usize>, ReadError> {
    let end = token_len(head.get(..=LONGEST_METHOD).unwrap_or(head));
    match head.get(end) {
        None => Ok(None),
        Some(b' ') if end > 0 && end <= LONGEST_METHOD => Ok(Some(end)),
        Some(_) => Err(ReadError::malformed(Fault::Method, end)),
    }
}

/// RFC 9112 §3.2: "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request
/// message that lacks a Host header field and to any request message that contains more than one Host
/// header field line or a Host header field with an invalid field value."
#[inline]
fn check_host(fields: Fields<'_>, version: Version, leniency: &Leniency) -> Result<(), ReadError> {
    let seen = fields.lines.known.host;
    if seen.count == 1 && fields.known(seen).is_some_and(|v| is_authority(v, Port::Optional)) {
        return Ok(());
    }
    no_single_host(fields, version, leniency)
}

#[cold]
fn no_single_host(
    fields: Fields<'_>,
    version: Version,
    leniency: &Leniency,
) -> Result<(), ReadError> {
    let seen = fields.lines.known.host;
    let at = |index: u16| {
        fields.lines.spans.get(usize::from(index)).map_or(0, |line| line.name_start as usize)
    };
    match seen.count {
        0 if version == Version::HTTP_10 || leniency.missing_host => Ok(()),
        0 => Err(ReadError::malformed(Fault::MissingHost, fields.bytes.len())),
        1 => Err(ReadError::malformed(Fault::Host, at(seen.first))),
        _ => Err(ReadError::malformed(Fault::SeveralHosts, at(seen.first))),
    }
}
