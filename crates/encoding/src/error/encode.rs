use std::{fmt, io};

use crate::Coding;

/// Why content could not be encoded. All but [`EncodeError::OutOfMemory`] and
/// [`EncodeError::Failed`] are misuse.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// The feature for the coding is off in this build.
    NotBuiltIn {
        /// The coding.
        coding: Coding,
    },
    /// The coding has no such level.
    LevelOutOfRange {
        /// The coding.
        coding: Coding,
        /// The level that was asked for.
        level: u8,
        /// The lowest level there is.
        least: u8,
        /// The highest level there is.
        most: u8,
    },
    /// The length of the content was declared after some of it was given.
    DeclaredTooLate,
    /// The content is not as long as was declared.
    LengthMismatch {
        /// The declared bytes.
        declared: u64,
        /// The bytes that were given, or would have been with the last piece.
        given: u64,
    },
    /// More content was given after its end.
    AfterEnd,
    /// Dictionary and content are too long for the window of the coding.
    WindowExceeded {
        /// The coding.
        coding: Coding,
        /// The bytes of both.
        len: u64,
        /// The bytes that the largest window holds.
        limit: u64,
    },
    /// There is no memory for the state of the encoder.
    OutOfMemory {
        /// The coding.
        coding: Coding,
    },
    /// The encoder failed for a reason of its own.
    Failed {
        /// The coding.
        coding: Coding,
        /// The reason.
        reason: &'static str,
    },
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBuiltIn { coding } => {
                write!(f, "the content coding {coding} is not built in")
            }
            Self::LevelOutOfRange { coding, level, least, most } => {
                write!(f, "{coding} has levels {least} to {most}, not {level}")
            }
            Self::DeclaredTooLate => {
                f.write_str("the length of the content was declared after its start")
            }
            Self::LengthMismatch { declared, given } => {
                write!(f, "{given} bytes of content where {declared} were declared")
            }
            Self::AfterEnd => f.write_str("content was given after its end"),
            Self::WindowExceeded { coding, len, limit } => {
                write!(f, "{len} bytes of dictionary and content, {coding} has room for {limit}")
            }
            Self::OutOfMemory { coding } => write!(f, "no memory for a {coding} encoder"),
            Self::Failed { coding, reason } => write!(f, "the {coding} encoder failed: {reason}"),
        }
    }
}

impl std::error::Error for EncodeError {}

/// `Unsupported` and `OutOfMemory` as they say, `InvalidInput` for misuse, `Other` for
/// [`EncodeError::Failed`].
impl From<EncodeError> for io::Error {
    fn from(error: EncodeError) -> Self {
        let kind = match error {
            EncodeError::NotBuiltIn { .. } => io::ErrorKind::Unsupported,
            EncodeError::OutOfMemory { .. } => io::ErrorKind::OutOfMemory,
            EncodeError::Failed { .. } => io::ErrorKind::Other,
            _ => io::ErrorKind::InvalidInput,
        };
        Self::new(kind, error)
    }
}
