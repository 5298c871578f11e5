//! Links that open something until they expire.

use std::fmt;

use avocet_semantics::auth;
use hmac::Mac;

use super::password::keyed;
use crate::path::FilePath;

/// Signs links and knows its own again.
///
/// A signature is the HMAC-SHA-256 of path and query, with the time of expiry in it. It opens that path
/// with that query and nothing else: not what is below a folder, and no archive of it unless that was
/// signed.
///
/// ```
/// use avocet_files::LinkKey;
///
/// let key = LinkKey::new(b"at least sixteen bytes").unwrap();
/// let link = key.sign("/report.pdf", 1_900_000_000).unwrap();
/// assert!(link.starts_with("/report.pdf?expires=1900000000&signature="));
/// ```
#[derive(Clone)]
pub struct LinkKey(Vec<u8>);

/// Why there is no key, or no link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkError {
    /// A key of fewer than 16 bytes.
    ShortKey,
    /// A path that does not begin with a slash, leads above the root, or is badly encoded.
    NoPath,
}

impl LinkKey {
    /// *Errors*: a key of fewer than 16 bytes, which could be guessed.
    pub fn new(key: &[u8]) -> Result<Self, LinkError> {
        if key.len() < 16 { Err(LinkError::ShortKey) } else { Ok(Self(key.to_vec())) }
    }

    /// The link to a path of the folder, with its query if it has one, that opens it until `expires`,
    /// in seconds since the epoch.
    ///
    /// *Errors*: a path that is none.
    pub fn sign(&self, target: &str, expires: i64) -> Result<String, LinkError> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let parsed = FilePath::parse(path).map_err(|_| LinkError::NoPath)?;
        let path = parsed.to_url(parsed.is_folder());
        let and = if query.is_empty() { "" } else { "&" };
        let signed = format!("{query}{and}expires={expires}");
        let signature = hex(&self.code(&path, &signed));
        Ok(format!("{path}?{signed}&signature={signature}"))
    }

    /// Whether the query is that of a link of ours for this path; false where it is no link at all.
    ///
    /// *Errors*: why it opens nothing.
    pub(super) fn check(
        &self,
        query: Option<&str>,
        path: &FilePath<'_>,
        now: i64,
    ) -> Result<bool, &'static str> {
        let Some((signed, signature)) = query.and_then(|query| query.rsplit_once("&signature="))
        else {
            return Ok(false);
        };
        let expected = hex(&self.code(&path.to_url(path.is_folder()), signed));
        if !auth::secrets_eq(signature.as_bytes(), expected.as_bytes()) {
            return Err("The link is not signed by this server, or was changed.");
        }
        let expires = signed.rsplit('&').next().and_then(|last| last.strip_prefix("expires="));
        match expires.and_then(|expires| expires.parse::<i64>().ok()) {
            Some(expires) if now < expires => Ok(true),
            Some(_) => Err("The link has expired."),
            None => Err("The link does not say when it expires."),
        }
    }

    fn code(&self, path: &str, signed: &str) -> [u8; 32] {
        let mut code = keyed(&self.0);
        // Neither an encoded path nor a query can hold a line break.
        for part in ["avocet link 1\n", path, "\n", signed] {
            code.update(part.as_bytes());
        }
        code.finalize().into_bytes().into()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKey(..)")
    }
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ShortKey => "a key of fewer than 16 bytes",
            Self::NoPath => "a link needs a path that begins with a slash",
        })
    }
}

impl std::error::Error for LinkError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn security_a_link_opens_its_path_and_query_until_it_expires() {
        let key = LinkKey::new(&[7; 16]).unwrap();
        let check = |key: &LinkKey, link: &str, now| {
            let (path, query) = link.split_once('?').unwrap();
            key.check(Some(query), &FilePath::parse(path).unwrap(), now)
        };
        let link = key.sign("/a b/%63", 1000).unwrap();
        assert!(link.starts_with("/a%20b/c?expires=1000&signature="), "{link}");
        assert_eq!(check(&key, &link, 999), Ok(true));
        assert_eq!(check(&key, &link.replace("/c?", "/./%63?"), 999), Ok(true), "the same path");
        assert!(check(&key, &link, 1000).is_err(), "it has expired");
        assert!(check(&LinkKey::new(&[8; 16]).unwrap(), &link, 999).is_err());
        for changed in [
            link.replace("1000", "1001"),
            link.replace("/c?", "/d?"),
            link.replace("/c?", "/c/?"),
            link.replace("?expires", "?archive=zip&expires"),
            link.clone() + "&archive=zip",
            link[..link.len() - 1].to_owned(),
            link.to_uppercase()
                .replace("/A%20B/C?EXPIRES", "/a%20b/c?expires")
                .replace("SIGNATURE", "signature"),
        ] {
            assert!(check(&key, &changed, 999).is_err(), "{changed}");
        }
        assert_eq!(check(&key, "/a?expires=1000", 999), Ok(false));
        let archive = key.sign("/a/?archive=zip", 1000).unwrap();
        assert_eq!(check(&key, &archive, 999), Ok(true));
        assert_eq!(LinkKey::new(&[7; 15]).unwrap_err(), LinkError::ShortKey);
        assert_eq!(key.sign("a", 1), Err(LinkError::NoPath));
        assert_eq!(format!("{key:?}"), "LinkKey(..)");
    }
}
