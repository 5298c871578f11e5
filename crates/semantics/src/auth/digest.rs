//! Digest: proof of a password by a hash, the syntax and the formula.
//!
//! The hash functions themselves stay with the caller, who has them from a library; every function
//! here that needs one takes `hash`, which gives the lower-case hexadecimal hash of bytes by the
//! challenge's [`Algorithm`].
//!
//! *Spec*: RFC 7616.

use std::borrow::Cow;

use super::Scheme;
use crate::lists;

pub use self::credentials::Credentials;
pub use self::proof::{Exchange, proof, user_hash};

mod credentials;
mod proof;

/// The hash functions of Digest. Those with `Sess` mix both nonces into the first hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Algorithm {
    /// MD5: broken as a hash, still what most servers ask for.
    Md5,
    /// MD5 with a session key.
    Md5Sess,
    /// SHA-256.
    Sha256,
    /// SHA-256 with a session key.
    Sha256Sess,
    /// SHA-512 cut to 256 bits by its own initial values, not by truncation alone.
    Sha512_256,
    /// SHA-512/256 with a session key.
    Sha512_256Sess,
}

impl Algorithm {
    /// The algorithm of a registered name, letter case aside.
    pub fn from_name(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|&(found, _)| found)
    }

    /// The registered name.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|&&(known, _)| known == self).map_or("MD5", |&(_, name)| name)
    }

    /// Whether the session variant is meant.
    pub fn is_session(self) -> bool {
        matches!(self, Self::Md5Sess | Self::Sha256Sess | Self::Sha512_256Sess)
    }
}

const NAMES: [(Algorithm, &str); 6] = [
    (Algorithm::Md5, "MD5"),
    (Algorithm::Md5Sess, "MD5-sess"),
    (Algorithm::Sha256, "SHA-256"),
    (Algorithm::Sha256Sess, "SHA-256-sess"),
    (Algorithm::Sha512_256, "SHA-512-256"),
    (Algorithm::Sha512_256Sess, "SHA-512-256-sess"),
];

/// What a proof covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Method and target.
    Auth,
    /// Method, target and content.
    AuthInt,
}

impl Protection {
    /// The value of `qop`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
        }
    }

    /// The protection of that name, letter case aside.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Auth, Self::AuthInt].into_iter().find(|it| it.name().eq_ignore_ascii_case(name))
    }
}

/// A server's challenge.
///
/// ```
/// use avocet_semantics::auth::{self, digest::{Algorithm, Challenge}};
///
/// let value = br#"Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth, auth-int""#;
/// let challenge = Challenge::from_scheme(&auth::challenges(value).unwrap()[0]).unwrap();
/// assert_eq!(challenge.algorithm, Algorithm::Sha256);
/// assert!(challenge.auth && challenge.auth_int && !challenge.stale);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge<'v> {
    /// What the name and password are for.
    pub realm: Cow<'v, [u8]>,
    /// The server's word that makes old proofs useless.
    pub nonce: Cow<'v, [u8]>,
    /// To be sent back as it is.
    pub opaque: Option<Cow<'v, [u8]>>,
    /// The hash function; MD5 where none is named.
    pub algorithm: Algorithm,
    /// Whether the proof may cover method and target only.
    pub auth: bool,
    /// Whether the proof may cover the content too.
    pub auth_int: bool,
    /// Whether only the nonce was too old, so that the password need not be asked for again.
    pub stale: bool,
    /// Whether the name may be sent hashed.
    pub userhash: bool,
}

impl<'v> Challenge<'v> {
    /// Reads a challenge; `None` if it is no Digest, lacks a realm or a nonce, or asks for an
    /// algorithm or a protection that nobody has defined.
    ///
    /// A client goes on to the next challenge then, as RFC 7616 §3.7 wants it.
    pub fn from_scheme(scheme: &Scheme<'v>) -> Option<Self> {
        if !scheme.is("digest") {
            return None;
        }
        let bytes = |name: &str| scheme.parameter(name).map(|value| value.bytes());
        let is_true = |name: &str| {
            scheme.parameter(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
        };
        let algorithm = match scheme.parameter("algorithm") {
            Some(name) => Algorithm::from_name(&name.text()?)?,
            None => Algorithm::Md5,
        };
        let (auth, auth_int) = match bytes("qop") {
            Some(list) => (lists::contains(&list, "auth"), lists::contains(&list, "auth-int")),
            None => (false, false),
        };
        if scheme.parameter("qop").is_some() && !auth && !auth_int {
            return None;
        }
        Some(Self {
            realm: bytes("realm")?,
            nonce: bytes("nonce")?,
            opaque: bytes("opaque"),
            algorithm,
            auth,
            auth_int,
            stale: is_true("stale"),
            userhash: is_true("userhash"),
        })
    }

    /// The protection to answer with: `None` is the old form of RFC 2069, for servers that offer
    /// none. The content is covered only where nothing less is offered, because that costs a pass
    /// over the content before the first byte goes out.
    pub fn protection(&self) -> Option<Protection> {
        match (self.auth, self.auth_int) {
            (true, _) => Some(Protection::Auth),
            (false, true) => Some(Protection::AuthInt),
            (false, false) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::challenges;

    fn read(value: &str) -> Option<Challenge<'_>> {
        Challenge::from_scheme(&challenges(value.as_bytes()).unwrap()[0])
    }

    #[test]
    fn names_of_algorithms_go_both_ways() {
        for (algorithm, name) in NAMES {
            assert_eq!(Algorithm::from_name(name), Some(algorithm));
            assert_eq!(Algorithm::from_name(&name.to_lowercase()), Some(algorithm));
            assert_eq!(algorithm.name(), name);
            assert_eq!(algorithm.is_session(), name.ends_with("-sess"));
        }
        assert_eq!(Algorithm::from_name("SHA"), None);
    }

    #[test]
    fn what_is_missing_has_a_default() {
        let challenge = read(r#"digest realm="r", nonce="n""#).unwrap();
        assert_eq!(challenge.algorithm, Algorithm::Md5);
        assert_eq!(challenge.protection(), None);
        assert!(!challenge.stale && !challenge.userhash && challenge.opaque.is_none());
    }

    #[test]
    fn the_lesser_protection_is_chosen() {
        let with = |qop: &str| {
            let value = format!(r#"Digest realm=r, nonce=n, qop="{qop}""#);
            read(&value).map(|challenge| challenge.protection())
        };
        assert_eq!(with("auth"), Some(Some(Protection::Auth)));
        assert_eq!(with("auth-int,auth"), Some(Some(Protection::Auth)));
        assert_eq!(with("auth-int"), Some(Some(Protection::AuthInt)));
        assert_eq!(with("token"), None);
    }

    #[test]
    fn what_cannot_be_answered_is_none() {
        for value in [
            "Basic realm=r",
            "Digest realm=r",
            "Digest nonce=n",
            "Digest realm=r, nonce=n, algorithm=SHA",
            "Digest abc=",
        ] {
            assert_eq!(read(value), None, "{value}");
        }
    }
}
