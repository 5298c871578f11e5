//! The exit statuses of transfers, which are curl's where curl has one.

use avocet::client::{Error, ErrorKind, Phase};
use avocet::tls::TlsError;

use crate::refusal::Refusal;
use crate::secure;

/// The status that a failed transfer ends the program with.
pub(crate) fn status(error: &Error) -> u8 {
    if let Some(status) = TlsError::of(error).and_then(secure::status) {
        return status;
    }
    if let Some(refusal) = Refusal::of(error) {
        return refusal.status();
    }
    match (error.kind(), error.phase()) {
        (ErrorKind::Url, _) => 3,
        (ErrorKind::Request, _) => 2,
        (ErrorKind::Proxy, _) => 56,
        (ErrorKind::Resolve, Phase::Proxy) => 5,
        (ErrorKind::Resolve, _) => 6,
        (ErrorKind::Connect, _) => 7,
        (ErrorKind::Tls, _) => 35,
        (ErrorKind::Timeout, _) => 28,
        (ErrorKind::CutShort, Phase::Content) => 18,
        (ErrorKind::CutShort, _) => 52,
        (ErrorKind::Connection, Phase::Send) => 55,
        (ErrorKind::Connection, _) => 56,
        (ErrorKind::Protocol, Phase::Content) => 56,
        (ErrorKind::Protocol, _) => 8,
        (ErrorKind::Redirect, _) => 47,
        (ErrorKind::Content, _) => 26,
        (ErrorKind::Receiver, _) => 23,
        (ErrorKind::Decode, _) => 61,
        (ErrorKind::Limit, _) => 63,
        (ErrorKind::Cancelled, _) => 42,
        _ => 2,
    }
}
