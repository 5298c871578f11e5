//! Calls out of order.

use std::error::Error as StdError;
use std::fmt;

use crate::error::{Error, ErrorKind, Phase};

/// A call that has to wait for another one; named as in Python's `httplib`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// There is no connection, and none is to be opened by itself.
    NotConnected,
    /// Another request is begun, or its response is due or unread.
    CannotSendRequest,
    /// No request is begun that a field could be added to.
    CannotSendHeader,
    /// No request was sent, its content is not complete, or an earlier response is unread.
    ResponseNotReady,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotConnected => "there is no connection",
            Self::CannotSendRequest => "a request cannot be sent now",
            Self::CannotSendHeader => "no request is begun",
            Self::ResponseNotReady => "no response can be read now",
        })
    }
}

impl StdError for Misuse {}

impl From<Misuse> for Error {
    fn from(misuse: Misuse) -> Self {
        Self::new(ErrorKind::Misuse, Phase::Prepare, misuse).caused_by(misuse)
    }
}

impl Error {
    /// The call out of order that it is about.
    pub fn misuse(&self) -> Option<Misuse> {
        StdError::source(self).and_then(|source| source.downcast_ref()).copied()
    }
}
