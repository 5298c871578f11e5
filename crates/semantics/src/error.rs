//! What a value can be refused for.

use std::fmt;

use http::StatusCode;

/// A field value that does not follow its grammar, or is larger than it may be.
///
/// Values that HTTP wants ignored when they are wrong (dates, ranges, conditions) give `None` or
/// an outcome and never this error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The grammar of `what` is broken at a byte of the value.
    Syntax {
        /// The thing that was read, as in "media type".
        what: &'static str,
        /// The offset in bytes of the first byte that does not fit.
        at: usize,
    },
    /// There is more of `what` than `limit` allows.
    TooMany {
        /// The thing that was counted, as in "challenges".
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// The Connection field names a field that the message cannot lose.
    ProtectedField,
}

impl Error {
    /// The status that a server answers with when it cannot do without the value.
    pub fn status_hint(&self) -> StatusCode {
        StatusCode::BAD_REQUEST
    }
}

impl Error {
    /// The same error in a value of which the one that was read is the rest after `start` bytes.
    pub(crate) fn after(self, start: usize) -> Self {
        match self {
            Self::Syntax { what, at } => Self::Syntax { what, at: at.saturating_add(start) },
            other => other,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { what, at } => write!(f, "invalid {what} at byte {at}"),
            Self::TooMany { what, limit } => write!(f, "more than {limit} {what}"),
            Self::ProtectedField => {
                write!(f, "the connection field names a field that must reach the recipient")
            }
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_thing_and_the_limit() {
        let syntax = Error::Syntax { what: "media type", at: 4 };
        assert_eq!(syntax.to_string(), "invalid media type at byte 4");
        assert_eq!(syntax.status_hint(), StatusCode::BAD_REQUEST);
        let many = Error::TooMany { what: "challenges", limit: 32 };
        assert_eq!(many.to_string(), "more than 32 challenges");
    }
}
