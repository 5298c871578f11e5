//! Where the content of a message ends: the one decision, for both roles (RFC 9112 §6.3).

use http::{StatusCode, Version};

use crate::Leniency;
use crate::bytes::decimal;
use crate::error::{Fault, Feature, ReadError};
use crate::fields::Fields;
use crate::list::ListItems;
use crate::request::Kind;

/// How the end of the content is found. *Spec*: RFC 9112 §6.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is no content.
    Empty,
    /// This many bytes, at least 1.
    Length(u64),
    /// Chunks, then trailers.
    Chunked,
    /// Everything until the server closes. Responses only.
    UntilClose,
}

/// What a response answers, as far as its framing depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Head,
    Connect,
    Other,
}

/// The framing of a response, and whether the connection must end with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ResponseFraming {
    pub(crate) framing: Framing,
    pub(crate) must_close: bool,
}

/// The framing of a request. Its method has no say, a body is framed whatever the method; but CONNECT has
/// none, and one that declares some is refused.
#[inline]
pub(crate) fn request(
    fields: Fields<'_>,
    version: Version,
    kind: Kind,
) -> Result<Framing, ReadError> {
    let known = &fields.lines.known;
    if !known.transfer_encoding.any() && !known.content_length.any() {
        // 7. "If this is a request message and none of the above are true, then the message body length
        //    is zero (no message body is present)."
        return Ok(Framing::Empty);
    }
    request_with_content(fields, version, kind)
}

fn request_with_content(
    fields: Fields<'_>,
    version: Version,
    kind: Kind,
) -> Result<Framing, ReadError> {
    let known = &fields.lines.known;
    let (framing, at) = if known.transfer_encoding.any() {
        (request_coded(fields, version)?, known.transfer_encoding.first)
    } else {
        // 5. and 6.
        (content_length(fields, false)?, known.content_length.first)
    };
    // RFC 9110 §9.3.6: "A CONNECT request message does not have content. The interpretation of data sent
    // after the header section of the CONNECT request message is specific to the version of HTTP in use."
    if kind == Kind::Connect && framing != Framing::Empty {
        return Err(ReadError::malformed(Fault::ContentOfConnect, line_start(fields, at)));
    }
    Ok(framing)
}

/// The framing of a request with `Transfer-Encoding`.
fn request_coded(fields: Fields<'_>, version: Version) -> Result<Framing, ReadError> {
    let known = &fields.lines.known;
    let at = line_start(fields, known.transfer_encoding.first);
    // 3. "A server MAY reject a request that contains both Content-Length and Transfer-Encoding or
    //    process such a request in accordance with the Transfer-Encoding alone." We reject it.
    if known.content_length.any() {
        return Err(ReadError::malformed(Fault::LengthWithTransferEncoding, at));
    }
    // §6.1: "A server or client that receives an HTTP/1.0 message containing a Transfer-Encoding header
    // field MUST treat the message as if the framing is faulty".
    if version == Version::HTTP_10 {
        return Err(ReadError::malformed(Fault::TransferEncodingInHttp10, at));
    }
    // 4. "If a Transfer-Encoding header field is present in a request and the chunked transfer coding is
    //    not the final encoding, the message body length cannot be determined reliably; the server MUST
    //    respond with the 400 (Bad Request) status code and then close the connection."
    match codings(fields) {
        Codings::Chunked => Ok(Framing::Chunked),
        // §6.1: "A server that receives a request message with a transfer coding it does not understand
        // SHOULD respond with 501 (Not Implemented)."
        Codings::OthersThenChunked => {
            Err(ReadError::Unsupported { feature: Feature::TransferCoding, position: at })
        }
        Codings::NotChunkedLast | Codings::Malformed => {
            Err(ReadError::malformed(Fault::TransferEncoding, at))
        }
    }
}

/// The framing of a final response to what was `asked`.
pub(crate) fn response(
    fields: Fields<'_>,
    version: Version,
    status: StatusCode,
    asked: Asked,
    leniency: &Leniency,
) -> Result<ResponseFraming, ReadError> {
    let settled = |framing| Ok(ResponseFraming { framing, must_close: false });
    // 1. "Any response to a HEAD request and any response with a 1xx (Informational), 204 (No Content),
    //    or 304 (Not Modified) status code is always terminated by the first empty line after the header
    //    fields".
    if asked == Asked::Head || never_has_content(status) {
        return settled(Framing::Empty);
    }
    // 2. "Any 2xx (Successful) response to a CONNECT request implies that the connection will become a
    //    tunnel immediately after the empty line that concludes the header fields. A client MUST ignore
    //    any Content-Length or Transfer-Encoding header fields received in such a message."
    if asked == Asked::Connect && status.is_success() {
        return settled(Framing::Empty);
    }
    let known = &fields.lines.known;
    if known.transfer_encoding.any() {
        let at = line_start(fields, known.transfer_encoding.first);
        // 3. "If a message is received with both a Transfer-Encoding and a Content-Length header field,
        //    the Transfer-Encoding overrides the Content-Length."
        let beside_length = known.content_length.any();
        if beside_length && !leniency.length_beside_chunked_in_response {
            return Err(ReadError::malformed(Fault::LengthWithTransferEncoding, at));
        }
        // 4. "If a Transfer-Encoding header field is present and the chunked transfer coding is the final
        //    encoding, the message body length is determined by reading and decoding the chunked data".
        //    Content under other codings is refused: to hand it out would pass coded bytes for content.
        return match codings(fields) {
            Codings::Chunked => Ok(ResponseFraming {
                framing: Framing::Chunked,
                must_close: beside_length || version == Version::HTTP_10,
            }),
            Codings::OthersThenChunked | Codings::NotChunkedLast => {
                Err(ReadError::Unsupported { feature: Feature::TransferCoding, position: at })
            }
            Codings::Malformed => Err(ReadError::malformed(Fault::TransferEncoding, at)),
        };
    }
    // 5. and 6.
    if known.content_length.any() {
        return settled(content_length(fields, leniency.equal_lengths_in_response)?);
    }
    // 8. "Otherwise, this is a response message without a declared message body length, so the message
    //    body length is determined by the number of octets received prior to the server closing the
    //    connection."
    Ok(ResponseFraming { framing: Framing::UntilClose, must_close: true })
}

/// Whether responses with this status never have content (RFC 9110 §6.4.1).
pub(crate) fn never_has_content(status: StatusCode) -> bool {
    status.is_informational()
        || status == StatusCode::NO_CONTENT
        || status == StatusCode::NOT_MODIFIED
}

/// 5. "If a message is received without Transfer-Encoding and with an invalid Content-Length header
///    field, then the message framing is invalid and the recipient MUST treat it as an unrecoverable
///    error, unless the field value can be successfully parsed as a comma-separated list [...], all
///    values in the list are valid, and all values in the list are the same".
/// 6. "If a valid Content-Length header field is present without Transfer-Encoding, its decimal value
///    defines the expected message body length in octets."
fn content_length(fields: Fields<'_>, fold_equal: bool) -> Result<Framing, ReadError> {
    let seen = fields.lines.known.content_length;
    let at = line_start(fields, seen.first);
    let invalid = ReadError::malformed(Fault::ContentLength, at);
    let several = ReadError::malformed(Fault::SeveralContentLengths, at);
    let length = if fold_equal {
        let mut agreed = None;
        for value in fields.known_all(seen, b"content-length") {
            for item in value.split(|byte| *byte == b',') {
                let length = decimal(crate::bytes::trim(item)).ok_or(invalid)?;
                if agreed.replace(length).is_some_and(|earlier| earlier != length) {
                    return Err(several);
                }
            }
        }
        agreed.ok_or(invalid)?
    } else if seen.count > 1 {
        return Err(several);
    } else {
        fields.known(seen).and_then(decimal).ok_or(invalid)?
    };
    Ok(if length == 0 { Framing::Empty } else { Framing::Length(length) })
}

/// What the lines of `Transfer-Encoding` say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Codings {
    /// Exactly `chunked`.
    Chunked,
    /// Other codings, then `chunked` last and once.
    OthersThenChunked,
    /// Codings of which the last is not `chunked`.
    NotChunkedLast,
    /// No coding, an empty member, `chunked` twice or with parameters, or something that is no token.
    Malformed,
}

fn codings(fields: Fields<'_>) -> Codings {
    let seen = fields.lines.known.transfer_encoding;
    if seen.count == 1
        && fields.known(seen).is_some_and(|value| value.eq_ignore_ascii_case(b"chunked"))
    {
        return Codings::Chunked;
    }
    let (mut others, mut chunked, mut chunked_last) = (false, 0u32, false);
    for value in fields.known_all(seen, b"transfer-encoding") {
        for item in value.split(|byte| *byte == b',') {
            let item = crate::bytes::trim(item);
            let name = item.get(..crate::bytes::token_len(item)).unwrap_or_default();
            chunked_last = item.eq_ignore_ascii_case(b"chunked");
            if name.is_empty() {
                return Codings::Malformed;
            } else if name.eq_ignore_ascii_case(b"chunked") {
                // §7.1: "The chunked coding does not define any parameters. Their presence SHOULD be
                // treated as an error."
                if !chunked_last {
                    return Codings::Malformed;
                }
                chunked += 1;
            } else {
                others = true;
            }
        }
    }
    match (others, chunked, chunked_last) {
        (_, 0, _) => Codings::NotChunkedLast,
        (_, 1, false) => Codings::NotChunkedLast,
        (true, 1, true) => Codings::OthersThenChunked,
        (false, 1, true) => Codings::Chunked,
        _ => Codings::Malformed,
    }
}

/// The options of `Connection` that the format itself knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) close: bool,
    pub(crate) keep_alive: bool,
    pub(crate) upgrade: bool,
}

/// Which of the known options the `Connection` lines hold.
#[inline]
pub(crate) fn options(fields: Fields<'_>) -> Options {
    let seen = fields.lines.known.connection;
    let mut options = Options::default();
    match fields.known(seen) {
        None => {}
        Some(value) if seen.count == 1 && value.eq_ignore_ascii_case(b"keep-alive") => {
            options.keep_alive = true;
        }
        Some(_) => {
            for option in connection_options(fields) {
                options.close |= option.eq_ignore_ascii_case(b"close");
                options.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                options.upgrade |= option.eq_ignore_ascii_case(b"upgrade");
            }
        }
    }
    options
}

/// The options of all `Connection` lines.
pub(crate) fn connection_options<'b>(
    fields: Fields<'b>,
) -> impl Iterator<Item = &'b [u8]> + use<'b> {
    fields.known_all(fields.lines.known.connection, b"connection").flat_map(ListItems::new)
}

fn line_start(fields: Fields<'_>, index: u16) -> usize {
    fields.lines.spans.get(usize::from(index)).map_or(0, |line| line.name_start as usize)
}
