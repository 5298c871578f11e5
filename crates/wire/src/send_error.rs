use std::fmt;

/// A misuse of the sending half. Nothing was written, and the state is what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// A head cannot be sent now: none was asked for, or one was sent already.
    HeadNotDue,
    /// Content or its end cannot be sent now: no head was sent, or the message is complete.
    ContentNotDue,
    /// More content than the head declared.
    TooLong {
        /// The bytes that may still follow.
        left: u64,
    },
    /// The message was ended before the declared content was sent.
    TooShort {
        /// The bytes that are missing.
        missing: u64,
    },
    /// Trailers for a message that is not chunked.
    TrailersNotChunked,
    /// A trailer field that must stand in the head (RFC 9110 §6.5.1).
    ForbiddenTrailer,
    /// An interim response with a status that is not 1xx, or with 101, which is final for its request.
    NotInterim,
    /// A 1xx status other than 101 for a final response.
    NotFinal,
    /// An interim response for a client of HTTP/1.0 (RFC 9110 §15.2).
    InterimToHttp10,
    /// 101 without `Upgrade` in both request and response (RFC 9110 §7.8, §15.2.2).
    SwitchNotAsked,
    /// 101 to a client that waits for 100 (RFC 9110 §7.8: the 100 goes first).
    ContinueFirst,
    /// Content where there can be none: a response with 101, 204 or 205, a response with 2xx to CONNECT,
    /// a request with CONNECT or TRACE.
    ContentForbidden,
    /// A request target that is empty or holds a byte that no target holds, or has a wrong form.
    Target,
    /// A request of HTTP/1.1 needs exactly one valid `Host`.
    Host,
    /// Content of unknown length in a request of HTTP/1.0.
    LengthRequired,
    /// `Expect: 100-continue` in a request without content (RFC 9110 §10.1.1).
    ExpectWithoutContent,
    /// A method that is no token of at most 32 bytes.
    Method,
    /// A reason phrase with a byte that none holds.
    Reason,
    /// No request can follow: too many wait for a response, or one of them may change or end the
    /// connection.
    NoMoreRequests,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeadNotDue => f.write_str("a head is not due"),
            Self::ContentNotDue => f.write_str("content is not due"),
            Self::TooLong { left } => {
                write!(f, "more content than declared, {left} bytes may follow")
            }
            Self::TooShort { missing } => {
                write!(f, "less content than declared, {missing} bytes are missing")
            }
            Self::TrailersNotChunked => f.write_str("trailers need a chunked message"),
            Self::ForbiddenTrailer => f.write_str("a field that cannot stand in trailers"),
            Self::NotInterim => f.write_str("an interim response needs a 1xx status but 101"),
            Self::NotFinal => f.write_str("a final response cannot have a 1xx status but 101"),
            Self::InterimToHttp10 => f.write_str("no interim response to an http/1.0 client"),
            Self::SwitchNotAsked => f.write_str("101 needs upgrade in request and response"),
            Self::ContinueFirst => f.write_str("the client waits for 100, which goes before 101"),
            Self::ContentForbidden => f.write_str("content in a message that has none"),
            Self::Target => f.write_str("invalid request target"),
            Self::Host => f.write_str("a request needs exactly one valid host field"),
            Self::LengthRequired => f.write_str("content of an http/1.0 request needs a length"),
            Self::ExpectWithoutContent => f.write_str("100-continue expected without content"),
            Self::Method => f.write_str("invalid method"),
            Self::Reason => f.write_str("invalid reason phrase"),
            Self::NoMoreRequests => f.write_str("no further request can be sent now"),
        }
    }
}

impl std::error::Error for SendError {}
