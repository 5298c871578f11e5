use std::fmt;

use http::StatusCode;

/// Why the bytes of the peer cannot be read on. After one of these the connection reads nothing more:
/// every further [`read`](crate::Connection::read) gives [`ReadError::Failed`].
///
/// Positions count bytes from the start of the `input` given to the call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadError {
    /// The bytes break the grammar or a rule of the protocol.
    Malformed {
        /// The rule that is broken.
        fault: Fault,
        /// Where it was noticed.
        position: usize,
    },
    /// A limit of [`Limits`](crate::Limits) was reached.
    LimitExceeded {
        /// The limit.
        limit: Limit,
        /// What it allows, in the unit of [`Limits`](crate::Limits).
        most: u64,
        /// Where it was noticed.
        position: usize,
    },
    /// The message is legal but asks for what this codec does not do.
    Unsupported {
        /// What it asks for.
        feature: Feature,
        /// Where it was noticed.
        position: usize,
    },
    /// The peer closed before the message was complete (RFC 9112 §8).
    CutShort {
        /// The part that is incomplete.
        during: Part,
    },
    /// Bytes came from a server that has no request to answer. They must not answer the next one.
    Unsolicited,
    /// An earlier error ended reading.
    Failed,
}

/// The rule that malformed bytes break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message of each says what it is")]
pub enum Fault {
    BareCr,
    BareLf,
    EmptyLines,
    Method,
    RequestLine,
    Target,
    TargetForm,
    Version,
    StatusLine,
    Status,
    Reason,
    LeadingBlank,
    FieldName,
    BlankBeforeColon,
    Fold,
    FieldValue,
    MissingHost,
    SeveralHosts,
    Host,
    ContentLength,
    SeveralContentLengths,
    LengthWithTransferEncoding,
    TransferEncodingInHttp10,
    TransferEncoding,
    ContentOfConnect,
    ChunkSize,
    ChunkExtension,
    ChunkEnd,
    UnexpectedSwitch,
}

/// The limit that was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields of `Limits` say what they are")]
pub enum Limit {
    RequestLine,
    Head,
    Fields,
    ChunkLine,
    Extensions,
    Trailers,
    TrailerFields,
    Interim,
}

/// What a legal message asks for in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Feature {
    /// A major version other than 1.
    Version,
    /// A transfer coding before the final `chunked`, or one without it in a response.
    TransferCoding,
    /// An expectation other than `100-continue`.
    Expectation,
}

/// The part of a message that was cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// A request or response was due or had begun.
    Head,
    /// Content with a declared length.
    Content,
    /// Chunked content or its trailers.
    Chunks,
}

impl ReadError {
    /// The status with which a server answers: 400, 414, 417, 431, 501 or 505.
    ///
    /// *Spec*: RFC 9112 §3, §6.1, §6.3; RFC 9110 §10.1.1, §15.5; RFC 6585 §5.
    #[must_use]
    pub const fn status_hint(&self) -> StatusCode {
        match self {
            Self::LimitExceeded { limit, .. } => match limit {
                Limit::RequestLine => StatusCode::URI_TOO_LONG,
                Limit::Head | Limit::Fields | Limit::Trailers | Limit::TrailerFields => {
                    StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
                }
                Limit::ChunkLine | Limit::Extensions | Limit::Interim => StatusCode::BAD_REQUEST,
            },
            Self::Unsupported { feature, .. } => match feature {
                Feature::Version => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
                Feature::TransferCoding => StatusCode::NOT_IMPLEMENTED,
                Feature::Expectation => StatusCode::EXPECTATION_FAILED,
            },
            Self::Malformed { .. } | Self::CutShort { .. } | Self::Unsolicited | Self::Failed => {
                StatusCode::BAD_REQUEST
            }
        }
    }

    /// Where the error was noticed, in bytes from the start of the `input` of the call that failed.
    #[must_use]
    pub const fn position(&self) -> Option<usize> {
        match *self {
            Self::Malformed { position, .. }
            | Self::LimitExceeded { position, .. }
            | Self::Unsupported { position, .. } => Some(position),
            Self::CutShort { .. } | Self::Unsolicited | Self::Failed => None,
        }
    }

    pub(crate) const fn exceeded(limit: Limit, most: usize, position: usize) -> Self {
        Self::LimitExceeded { limit, most: most as u64, position }
    }

    pub(crate) const fn malformed(fault: Fault, position: usize) -> Self {
        Self::Malformed { fault, position }
    }

    /// The same error, `by` bytes further on.
    pub(crate) const fn shifted(self, by: usize) -> Self {
        match self {
            Self::Malformed { fault, position } => {
                Self::Malformed { fault, position: position + by }
            }
            Self::LimitExceeded { limit, most, position } => {
                Self::LimitExceeded { limit, most, position: position + by }
            }
            Self::Unsupported { feature, position } => {
                Self::Unsupported { feature, position: position + by }
            }
            other => other,
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { fault, position } => write!(f, "{fault} at byte {position}"),
            Self::LimitExceeded { limit, most, .. } => write!(f, "{limit}, {most} at most"),
            Self::Unsupported { feature, .. } => write!(f, "{feature}"),
            Self::CutShort { during } => write!(f, "connection closed {during}"),
            Self::Unsolicited => f.write_str("bytes from a server that was not asked anything"),
            Self::Failed => f.write_str("an earlier error ended reading"),
        }
    }
}

impl std::error::Error for ReadError {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BareCr => "carriage return without line feed",
            Self::BareLf => "line feed without carriage return",
            Self::EmptyLines => "too many empty lines before a message",
            Self::Method => "invalid method",
            Self::RequestLine => "invalid request line",
            Self::Target => "invalid byte in the request target",
            Self::TargetForm => "request target of a wrong form",
            Self::Version => "invalid protocol version",
            Self::StatusLine => "invalid status line",
            Self::Status => "invalid status code",
            Self::Reason => "invalid byte in the reason phrase",
            Self::LeadingBlank => "blank before the first field",
            Self::FieldName => "invalid field name",
            Self::BlankBeforeColon => "blank between field name and colon",
            Self::Fold => "folded field line",
            Self::FieldValue => "control character in a field value",
            Self::MissingHost => "host field missing",
            Self::SeveralHosts => "several host fields",
            Self::Host => "invalid host field",
            Self::ContentLength => "invalid content length",
            Self::SeveralContentLengths => "several content lengths",
            Self::LengthWithTransferEncoding => "content length beside transfer encoding",
            Self::TransferEncodingInHttp10 => "transfer encoding in an http/1.0 message",
            Self::TransferEncoding => "invalid transfer encoding",
            Self::ContentOfConnect => "content in a connect request",
            Self::ChunkSize => "invalid chunk size",
            Self::ChunkExtension => "invalid chunk extension",
            Self::ChunkEnd => "chunk data not followed by crlf",
            Self::UnexpectedSwitch => "switch of protocols that was not asked for",
        })
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RequestLine => "too many bytes in the request line",
            Self::Head => "too many bytes in the head",
            Self::Fields => "too many fields in the head",
            Self::ChunkLine => "too many bytes in a chunk-size line",
            Self::Extensions => "too many bytes of chunk extensions",
            Self::Trailers => "too many bytes in the trailers",
            Self::TrailerFields => "too many trailer fields",
            Self::Interim => "too many interim responses",
        })
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version => "protocol version not supported",
            Self::TransferCoding => "transfer coding not supported",
            Self::Expectation => "expectation not supported",
        })
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Head => "before a whole head had come",
            Self::Content => "before the declared length had come",
            Self::Chunks => "before the last chunk had come",
        })
    }
}
