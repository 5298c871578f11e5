//! What request lines and status lines share: the version, and the longest head.

use http::Version;

use crate::error::{Fault, Feature, Limit, ReadError};

/// `HTTP-version` (RFC 9112 §2.3): `HTTP/` DIGIT `.` DIGIT, case-sensitive.
///
/// A minor version above 1 is read as 1.1: RFC 9110 §2.5 has a recipient process such a message as the
/// highest minor version of that major version to which it conforms.
#[inline]
pub(crate) fn version(bytes: &[u8; 8], position: usize) -> Result<Version, ReadError> {
    if bytes == b"HTTP/1.1" { Ok(Version::HTTP_11) } else { other_version(bytes, position) }
}

#[cold]
fn other_version(bytes: &[u8; 8], position: usize) -> Result<Version, ReadError> {
    match bytes {
        b"HTTP/1.0" => Ok(Version::HTTP_10),
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            if *major == b'1' {
                Ok(Version::HTTP_11)
            } else {
                Err(ReadError::Unsupported { feature: Feature::Version, position })
            }
        }
        _ => Err(ReadError::malformed(Fault::Version, position)),
    }
}

/// The error for a head that does not end within its limit, and `None` while it may still end.
pub(crate) fn over_limit(length: usize, limit: usize) -> Option<ReadError> {
    (length >= limit).then_some(ReadError::exceeded(Limit::Head, limit, limit))
}
