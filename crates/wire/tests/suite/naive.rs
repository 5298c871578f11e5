//! The grammar and the rules of RFC 9112 once more, as plainly as they can be written: over whole inputs, with
//! copies, by splitting. Slow, and independent of the crate, so that the two can be held against each other.

/// A request head that is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) minor: u8,
    pub(crate) fields: Vec<(String, Vec<u8>)>,
    /// The bytes of the head, with empty lines before it.
    pub(crate) used: usize,
}

/// What a whole input begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Good(Request),
    Bad,
    /// The empty line has not come.
    Unfinished,
}

/// Reads the request at the start of `input` by RFC 9112 §2 to §5 and the limits of a server.
pub(crate) fn request(input: &[u8]) -> Verdict {
    let mut skipped = 0;
    while input[skipped..].starts_with(b"\r\n") {
        skipped += 2;
        if skipped > 16 {
            return Verdict::Bad;
        }
    }
    let rest = &input[skipped..];
    let Some(length) = find(rest, b"\r\n\r\n") else { return Verdict::Unfinished };
    match head(&rest[..length]) {
        Some(mut request) if length + 4 <= 32_768 => {
            request.used = skipped + length + 4;
            Verdict::Good(request)
        }
        _ => Verdict::Bad,
    }
}

/// `head` without the last CRLF CRLF.
fn head(head: &[u8]) -> Option<Request> {
    let mut lines = split(head, b"\r\n").into_iter();
    let line = lines.next()?;
    if line.len() + 2 > 8192 {
        return None;
    }
    let parts = split(line, b" ");
    let [method, target, version] = parts.as_slice() else { return None };
    let (method, target) = (text(method)?, text(target)?);
    if method.is_empty() || method.len() > 32 || !method.bytes().all(tchar) {
        return None;
    }
    let minor = match version {
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', minor @ b'0'..=b'9'] => minor - b'0',
        _ => return None,
    };
    if !is_target(&method, &target) {
        return None;
    }
    let fields = lines.map(field).collect::<Option<Vec<_>>>()?;
    if fields.len() > 100 {
        return None;
    }
    let hosts = values(&fields, "host");
    let host_is_right = match hosts.as_slice() {
        [] => minor == 0,
        [host] => text(host).is_some_and(|host| is_authority(&host, false)),
        _ => false,
    };
    host_is_right.then_some(Request { method, target, minor, fields, used: 0 })
}

/// `field-line = field-name ":" OWS field-value OWS`.
pub(crate) fn field(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = text(&line[..colon])?;
    let mut value = line[colon + 1..].to_vec();
    if name.is_empty() || !name.bytes().all(tchar) {
        return None;
    }
    if value.iter().any(|byte| (*byte < 32 && *byte != 9) || *byte == 127) {
        return None;
    }
    while value.first().is_some_and(blank) {
        value.remove(0);
    }
    while value.last().is_some_and(blank) {
        value.pop();
    }
    Some((name, value))
}

fn is_target(method: &str, target: &str) -> bool {
    if !target.bytes().all(|byte| (33..=126).contains(&byte) && !b"\"#<>".contains(&byte)) {
        return false;
    }
    let before_query = target.split('?').next().unwrap_or_default();
    if before_query.contains('\\') {
        return false;
    }
    if method == "CONNECT" {
        return is_authority(target, true);
    }
    if target.starts_with('/') {
        return true;
    }
    if target == "*" {
        return method == "OPTIONS";
    }
    let Some((scheme, rest)) = target.split_once("://") else { return false };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        && is_authority(authority, false)
}

/// `uri-host [ ":" port ]`, not empty, without user information, without a comma.
pub(crate) fn is_authority(authority: &str, needs_port: bool) -> bool {
    let (host, port) = match authority.rfind(']') {
        Some(end) => (&authority[..=end], &authority[end + 1..]),
        None => match authority.find(':') {
            Some(colon) => (&authority[..colon], &authority[colon..]),
            None => (authority, ""),
        },
    };
    let port_is_right = match port.strip_prefix(':') {
        None => port.is_empty() && !needs_port,
        Some("") => !needs_port,
        Some(digits) => {
            digits.bytes().all(|byte| byte.is_ascii_digit()) && {
                let digits = digits.trim_start_matches('0');
                digits.len() <= 5
                    && digits.parse::<u32>().unwrap_or(0) <= 65535
                    && !(needs_port && digits.is_empty())
            }
        }
    };
    port_is_right && is_host(host)
}

fn is_host(host: &str) -> bool {
    if let Some(literal) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        if let Some(future) = literal.strip_prefix(['v', 'V']) {
            return future.split_once('.').is_some_and(|(version, address)| {
                !version.is_empty()
                    && version.bytes().all(|byte| byte.is_ascii_hexdigit())
                    && !address.is_empty()
                    && address.bytes().all(|byte| byte == b':' || unreserved_or_sub_delim(byte))
            });
        }
        return literal.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let bytes = host.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%' {
            if !(1..=2).all(|more| bytes.get(at + more).is_some_and(u8::is_ascii_hexdigit)) {
                return false;
            }
        } else if !unreserved_or_sub_delim(bytes[at]) {
            return false;
        }
        at += 1;
    }
    !host.is_empty()
}

fn unreserved_or_sub_delim(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+;=".contains(&byte)
}

/// Where the content of a message ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    None,
    Length(u64),
    Chunked,
    UntilClose,
    Refused,
}

/// RFC 9112 §6.3 for a request, as a strict server reads it.
pub(crate) fn request_body(method: &str, minor: u8, fields: &[(String, Vec<u8>)]) -> Body {
    let lengths = values(fields, "content-length");
    let codings = values(fields, "transfer-encoding");
    let body = match (lengths.as_slice(), codings.as_slice()) {
        ([], []) => Body::None,
        ([length], []) => length_body(length),
        ([], [coding]) if minor > 0 && coding.eq_ignore_ascii_case(b"chunked") => Body::Chunked,
        _ => Body::Refused,
    };
    // RFC 9110 §9.3.6: a CONNECT request has no content.
    if method == "CONNECT" && body != Body::None { Body::Refused } else { body }
}

/// RFC 9112 §6.3 for a final response, as a strict client reads it.
pub(crate) fn response_body(
    asked_head: bool,
    asked_connect: bool,
    status: u16,
    fields: &[(String, Vec<u8>)],
) -> Body {
    if asked_head || status < 200 || status == 204 || status == 304 {
        return Body::None;
    }
    if asked_connect && (200..300).contains(&status) {
        return Body::None;
    }
    let lengths = values(fields, "content-length");
    let codings = values(fields, "transfer-encoding");
    match (lengths.as_slice(), codings.as_slice()) {
        ([], []) => Body::UntilClose,
        ([length], []) => length_body(length),
        ([], [coding]) if coding.eq_ignore_ascii_case(b"chunked") => Body::Chunked,
        _ => Body::Refused,
    }
}

fn length_body(value: &[u8]) -> Body {
    let digits = text(value).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    match digits.and_then(|digits| digits.parse::<u64>().ok()) {
        Some(0) => Body::None,
        Some(length) => Body::Length(length),
        None => Body::Refused,
    }
}

/// A chunked content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Chunked {
    /// Content, trailers as sent, and the bytes used.
    Good(Vec<u8>, Vec<(String, Vec<u8>)>, usize),
    /// It cannot become right, whatever follows.
    Bad,
    Unfinished,
}

/// RFC 9112 §7.1, with sizes of at most 16 digits and the limits of a server but that on extensions.
pub(crate) fn chunked(input: &[u8]) -> Chunked {
    let mut content = Vec::new();
    let mut at = 0;
    loop {
        let Some(length) = find(&input[at..], b"\r\n") else {
            return Chunked::Unfinished;
        };
        let Some(size) = chunk_line(&input[at..at + length]).filter(|_| length + 2 <= 4096) else {
            return Chunked::Bad;
        };
        at += length + 2;
        if size == 0 {
            break;
        }
        let left = &input[at..];
        if (left.len() as u64) < size {
            content.extend_from_slice(left);
            return Chunked::Unfinished;
        }
        let size = size as usize;
        content.extend_from_slice(&left[..size]);
        at += size;
        match &input[at..] {
            [] | [b'\r'] => return Chunked::Unfinished,
            [b'\r', b'\n', ..] => at += 2,
            _ => return Chunked::Bad,
        }
    }
    let mut trailers = Vec::new();
    let start = at;
    loop {
        let Some(length) = find(&input[at..], b"\r\n") else { return Chunked::Unfinished };
        let line = &input[at..at + length];
        at += length + 2;
        if at - start > 16_384 {
            return Chunked::Bad;
        }
        if line.is_empty() {
            return Chunked::Good(content, trailers, at);
        }
        match field(line) {
            Some(field) if trailers.len() < 100 => trailers.push(field),
            _ => return Chunked::Bad,
        }
    }
}

/// `chunk-size [ chunk-ext ]`.
fn chunk_line(line: &[u8]) -> Option<u64> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    if digits == 0 || digits > 16 {
        return None;
    }
    let size = u64::from_str_radix(&text(&line[..digits])?, 16).ok()?;
    extensions(&line[digits..]).then_some(size)
}

/// `*( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )`, by recursive descent.
fn extensions(rest: &[u8]) -> bool {
    if rest.is_empty() {
        return true;
    }
    let Some(rest) = skip_blanks(rest).strip_prefix(b";") else { return false };
    let rest = skip_blanks(rest);
    let name = rest.iter().take_while(|byte| tchar(**byte)).count();
    if name == 0 {
        return false;
    }
    let rest = &rest[name..];
    let Some(value) = skip_blanks(rest).strip_prefix(b"=") else { return extensions(rest) };
    let value = skip_blanks(value);
    if let Some(mut quoted) = value.strip_prefix(b"\"") {
        loop {
            match quoted {
                [b'"', rest @ ..] => return extensions(rest),
                [b'\\', 9 | 32..=126 | 128..=255, rest @ ..] => quoted = rest,
                [b'\\', ..] => return false,
                [9 | 32..=126 | 128..=255, rest @ ..] => quoted = rest,
                _ => return false,
            }
        }
    }
    let token = value.iter().take_while(|byte| tchar(**byte)).count();
    token > 0 && extensions(&value[token..])
}

fn skip_blanks(bytes: &[u8]) -> &[u8] {
    &bytes[bytes.iter().take_while(|byte| blank(byte)).count()..]
}

pub(crate) fn values<'f>(fields: &'f [(String, Vec<u8>)], name: &str) -> Vec<&'f [u8]> {
    let named = |(sent, _): &&(String, Vec<u8>)| sent.eq_ignore_ascii_case(name);
    fields.iter().filter(named).map(|(_, value)| value.as_slice()).collect()
}

fn tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn blank(byte: &u8) -> bool {
    *byte == b' ' || *byte == b'\t'
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

pub(crate) fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn split<'b>(mut bytes: &'b [u8], at: &[u8]) -> Vec<&'b [u8]> {
    let mut parts = Vec::new();
    while let Some(end) = find(bytes, at) {
        parts.push(&bytes[..end]);
        bytes = &bytes[end + at.len()..];
    }
    parts.push(bytes);
    parts
}
