//! What can go wrong, told apart by what one would do about it.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

/// A failure of TLS. Where a connection failed it is inside the [`io::Error`] of the transport, from
/// which [`TlsError::of`] takes it out.
#[derive(Clone, Debug)]
pub struct TlsError(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// The kind of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A certificate or key of our own cannot be read or used, or the two do not belong together.
    Credentials,
    /// The certificates of authorities cannot be read.
    Roots,
    /// A revocation list cannot be read.
    RevocationList,
    /// The settings contradict each other or lack something.
    Settings,
    /// The peer's certificate was refused.
    Distrusted(Distrust),
    /// The peer's key is none of those that were pinned.
    Pin,
    /// The peer wants a certificate that it was not given, or refuses the one it was.
    ClientCertificate,
    /// The peer speaks something else than TLS.
    NotTls,
    /// The connection ended within the handshake.
    Closed,
    /// The connection ended without the alert that says so: what came may not be all.
    Truncated,
    /// The peer ended it by an alert.
    Alert,
    /// The two sides have no version, suite or protocol in common.
    Incompatible,
    /// The peer breaks the rules, or bytes were changed on the way.
    Protocol,
}

/// Why a certificate was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Distrust {
    /// Nobody who is trusted here has issued it.
    UnknownIssuer,
    /// It was issued by nobody but itself.
    SelfSigned,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// It is for other names.
    WrongName,
    /// Its issuer has revoked it.
    Revoked,
    /// No valid revocation list says anything about it.
    RevocationUnknown,
    /// It is for something else, as clients or signing.
    Purpose,
    /// A signature in the chain is wrong or of a kind that is not accepted.
    Signature,
    /// It is malformed, or holds a critical part that is not understood.
    Malformed,
}

impl TlsError {
    /// A failure of this kind.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner { kind, message: message.into(), source: None }))
    }

    pub(crate) fn caused_by(
        kind: ErrorKind,
        message: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self(Arc::new(Inner { kind, message: message.into(), source: Some(source.into()) }))
    }

    /// The failure of TLS that stands behind an error, if there is one.
    pub fn of<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref::<Self>() {
                return Some(found);
            }
            // The cause of an error of the system is what it was made of, and not that one's cause.
            next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
                Some(inner) => Some(inner),
                None => error.source(),
            };
        }
        None
    }

    /// The kind.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl Error for TlsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_ref().map(|source| &**source as &(dyn Error + 'static))
    }
}

impl From<TlsError> for io::Error {
    fn from(error: TlsError) -> Self {
        let kind = match error.kind() {
            ErrorKind::Truncated => io::ErrorKind::UnexpectedEof,
            ErrorKind::Closed => io::ErrorKind::ConnectionAborted,
            _ => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_found_behind_other_errors() {
        let ours = TlsError::new(ErrorKind::Pin, "other key");
        let wrapped = io::Error::other(io::Error::from(ours));
        let found = TlsError::of(&wrapped).expect("it is in there");
        assert_eq!((found.kind(), found.to_string().as_str()), (ErrorKind::Pin, "other key"));
        assert!(TlsError::of(&io::Error::other("something else")).is_none());
        assert!(TlsError::of(&io::Error::from(io::ErrorKind::NotFound)).is_none());
    }
}
