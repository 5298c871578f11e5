use std::{fmt, io};

use crate::Coding;

/// Why content could not be decoded.
///
/// `offset` counts the coded bytes of that coding which were read before the fault; for the inner
/// coding of a stack these are the bytes that the outer one gave.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// `Content-Encoding` names something that is not a known coding.
    UnknownCoding {
        /// The name, escaped and shortened to what is fit for a message.
        name: String,
    },
    /// The coding is known, but the feature for it is off in this build.
    NotBuiltIn {
        /// The coding.
        coding: Coding,
    },
    /// More codings lie over each other than the limit allows.
    TooManyCodings {
        /// The limit.
        limit: usize,
    },
    /// The input ended in the middle, or before it began.
    Truncated {
        /// The coding that lacks its end.
        coding: Coding,
        /// The coded bytes that were there.
        offset: u64,
    },
    /// The coded stream is whole and its content was given out, but more bytes follow it.
    TrailingData {
        /// The coding that had ended.
        coding: Coding,
        /// The length of the whole stream.
        offset: u64,
    },
    /// The input breaks the format.
    Corrupt {
        /// The coding.
        coding: Coding,
        /// The coded bytes read so far.
        offset: u64,
        /// What is wrong.
        reason: &'static str,
    },
    /// A checksum in the stream is not that of the content.
    Checksum {
        /// The coding.
        coding: Coding,
        /// The coded bytes read so far.
        offset: u64,
    },
    /// A length in the stream, as gzip members and zstd frames have it, is not that of the content.
    LengthMismatch {
        /// The coding.
        coding: Coding,
        /// The coded bytes read so far.
        offset: u64,
    },
    /// The stream wants a larger window than the web allows for this coding.
    WindowTooLarge {
        /// The coding.
        coding: Coding,
        /// The coded bytes read so far.
        offset: u64,
    },
    /// The stream wants a dictionary that it does not bring.
    DictionaryNeeded {
        /// The coding.
        coding: Coding,
        /// The coded bytes read so far.
        offset: u64,
    },
    /// The content is longer than [`Limits::output`](crate::Limits::output).
    OutputLimit {
        /// The limit in bytes.
        limit: u64,
    },
    /// The content grew past [`Limits::ratio`](crate::Limits::ratio).
    RatioLimit {
        /// The limit in decoded bytes for each coded byte.
        ratio: u64,
        /// The coded bytes read so far.
        read: u64,
        /// The decoded bytes so far.
        written: u64,
    },
    /// There is no memory for the state of the decoder.
    OutOfMemory {
        /// The coding.
        coding: Coding,
    },
    /// Misuse: the end of the input was announced while content was waiting to be taken.
    OutputPending,
}

impl DecodeError {
    /// The status with which a server answers a request whose content fails like this.
    ///
    /// *Spec*: RFC 9110 §15.5.16 (415 for a coding that is not supported), §15.5.14 (413).
    pub const fn status_hint(&self) -> u16 {
        match self {
            Self::UnknownCoding { .. } | Self::NotBuiltIn { .. } => 415,
            Self::TooManyCodings { .. } | Self::OutputLimit { .. } | Self::RatioLimit { .. } => 413,
            Self::OutOfMemory { .. } | Self::OutputPending => 500,
            _ => 400,
        }
    }

    pub(crate) fn unknown_coding(name: &[u8]) -> Self {
        let shown = &name[..name.len().min(SHOWN_NAME)];
        let dots = if shown.len() < name.len() { "..." } else { "" };
        Self::UnknownCoding { name: format!("{}{dots}", shown.escape_ascii()) }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownCoding { name } => write!(f, "unknown content coding \"{name}\""),
            Self::NotBuiltIn { coding } => {
                write!(f, "the content coding {coding} is not built in")
            }
            Self::TooManyCodings { limit } => {
                write!(f, "more than {limit} content codings over each other")
            }
            Self::Truncated { coding, offset } => {
                write!(f, "{coding} content ends too early, after {offset} bytes")
            }
            Self::TrailingData { coding, offset } => {
                write!(f, "more data follows the end of the {coding} content at byte {offset}")
            }
            Self::Corrupt { coding, offset, reason } => {
                write!(f, "bad {coding} content at byte {offset}: {reason}")
            }
            Self::Checksum { coding, offset } => {
                write!(f, "bad {coding} content at byte {offset}: the checksum does not match")
            }
            Self::LengthMismatch { coding, offset } => {
                write!(f, "bad {coding} content at byte {offset}: the length does not match")
            }
            Self::WindowTooLarge { coding, offset } => {
                write!(f, "{coding} content wants a window above the limit at byte {offset}")
            }
            Self::DictionaryNeeded { coding, offset } => {
                write!(f, "{coding} content wants a preset dictionary at byte {offset}")
            }
            Self::OutputLimit { limit } => {
                write!(f, "decoded content is longer than the limit of {limit} bytes")
            }
            Self::RatioLimit { ratio, read, written } => write!(
                f,
                "{read} coded bytes grew to {written}, above the limit of {ratio} for each"
            ),
            Self::OutOfMemory { coding } => write!(f, "no memory for a {coding} decoder"),
            Self::OutputPending => {
                f.write_str("decoding was ended while decoded content was waiting to be taken")
            }
        }
    }
}

impl std::error::Error for DecodeError {}

/// `UnexpectedEof` for truncated content, `Unsupported` for codings that cannot be undone here,
/// `OutOfMemory` and `InvalidInput` (misuse) as they say, `InvalidData` for all others.
impl From<DecodeError> for io::Error {
    fn from(error: DecodeError) -> Self {
        let kind = match error {
            DecodeError::Truncated { .. } => io::ErrorKind::UnexpectedEof,
            DecodeError::UnknownCoding { .. } | DecodeError::NotBuiltIn { .. } => {
                io::ErrorKind::Unsupported
            }
            DecodeError::OutOfMemory { .. } => io::ErrorKind::OutOfMemory,
            DecodeError::OutputPending => io::ErrorKind::InvalidInput,
            _ => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

/// How many bytes of an unknown name an error shows.
const SHOWN_NAME: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_are_shown_short_and_without_control_bytes() {
        let error = DecodeError::unknown_coding(b"x\x1b[2J\xff\"");
        assert_eq!(error.to_string(), r#"unknown content coding "x\x1b[2J\xff\"""#);
        let error = DecodeError::unknown_coding(&[b'a'; 5000]);
        assert!(error.to_string().len() < 80, "{error}");
        assert_eq!(error.status_hint(), 415);
    }

    #[test]
    fn truncation_reaches_io_as_unexpected_eof() {
        let error = DecodeError::Truncated { coding: Coding::Gzip, offset: 7 };
        assert_eq!(error.to_string(), "gzip content ends too early, after 7 bytes");
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::UnexpectedEof);
    }
}
