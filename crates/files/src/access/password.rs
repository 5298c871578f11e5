//! Passwords, as they are or as hashes.

use std::fmt;
use std::io;

use avocet_semantics::{auth, base64};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::random;

/// A password that is known, as such or by its hash.
#[derive(Clone)]
pub struct Password(Kind);

#[derive(Clone)]
enum Kind {
    Plain(Vec<u8>),
    /// PBKDF2 with HMAC-SHA-256 (RFC 8018 §5.2).
    Hashed {
        rounds: u32,
        salt: Vec<u8>,
        hash: [u8; 32],
    },
}

/// A text that begins as a hash does and is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidHash;

impl Password {
    /// A password as it is.
    pub fn plain(password: &str) -> Self {
        Self(Kind::Plain(password.as_bytes().to_vec()))
    }

    /// A hash in the form that [`hash`](Self::hash) gives, or else a password as it is.
    ///
    /// *Errors*: what begins with `$pbkdf2-sha256$` and is no such hash, or has no rounds or more than
    /// ten million.
    pub fn parse(text: &str) -> Result<Self, InvalidHash> {
        match text.strip_prefix(PREFIX) {
            Some(rest) => Self::hashed(rest).ok_or(InvalidHash),
            None => Ok(Self::plain(text)),
        }
    }

    /// The hash of a password, as it can be kept in a file: `$pbkdf2-sha256$i=600000$SALT$HASH`.
    ///
    /// *Errors*: those of the system's randomness. *Blocking*: half a second or so.
    pub fn hash(password: &str) -> io::Result<String> {
        Self::hash_with(password, ROUNDS)
    }

    fn hash_with(password: &str, rounds: u32) -> io::Result<String> {
        let salt = random::token()?.into_bytes();
        let hash = pbkdf2(password.as_bytes(), &salt, rounds);
        let text = |bytes: &[u8]| base64::encode(bytes).trim_end_matches('=').to_owned();
        Ok(format!("{PREFIX}i={rounds}${}${}", text(&salt), text(&hash)))
    }

    fn hashed(text: &str) -> Option<Self> {
        let mut parts = text.split('$');
        let (settings, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let settings = settings.strip_suffix(",l=32").unwrap_or(settings);
        let rounds = settings.strip_prefix("i=")?.parse().ok()?;
        let hash = bytes(hash)?.try_into().ok()?;
        let salt = bytes(salt)?;
        let is_fit = (1..=MOST_ROUNDS).contains(&rounds) && !salt.is_empty();
        is_fit.then_some(Self(Kind::Hashed { rounds, salt, hash }))
    }

    /// Whether this is the password.
    ///
    /// *Blocking*: for as long as the hash takes.
    pub(super) fn is(&self, given: &[u8]) -> bool {
        match &self.0 {
            Kind::Plain(password) => auth::secrets_eq(given, password),
            Kind::Hashed { rounds, salt, hash } => {
                auth::secrets_eq(&pbkdf2(given, salt, *rounds), hash)
            }
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

impl fmt::Display for InvalidHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is no hash as $pbkdf2-sha256$i=ROUNDS$SALT$HASH")
    }
}

impl std::error::Error for InvalidHash {}

/// Base64 without the padding.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let padding = "=".repeat((4 - text.len() % 4) % 4);
    base64::decode((text.to_owned() + &padding).as_bytes())
}

/// The first 32 bytes of the key that RFC 8018 §5.2 derives.
fn pbkdf2(password: &[u8], salt: &[u8], rounds: u32) -> [u8; 32] {
    let keyed = keyed(password);
    let mut first = keyed.clone();
    first.update(salt);
    first.update(&1_u32.to_be_bytes());
    let mut last: [u8; 32] = first.finalize().into_bytes().into();
    let mut key = last;
    for _ in 1..rounds {
        let mut next = keyed.clone();
        next.update(&last);
        last = next.finalize().into_bytes().into();
        key.iter_mut().zip(last).for_each(|(byte, other)| *byte ^= other);
    }
    key
}

pub(super) fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

const PREFIX: &str = "$pbkdf2-sha256$";

/// OWASP's advice of 2023 for PBKDF2 with HMAC-SHA-256.
const ROUNDS: u32 = 600_000;

/// Some five seconds.
const MOST_ROUNDS: u32 = 10_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The first halves of the vectors of RFC 7914 §11.
    #[test]
    fn keys_are_derived_as_the_vectors_say() {
        let key = hex(&pbkdf2(b"passwd", b"salt", 1));
        assert_eq!(key, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
        let key = hex(&pbkdf2(b"Password", b"NaCl", 80_000));
        assert_eq!(key, "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56");
    }

    #[test]
    fn a_hash_knows_its_password() {
        let hash = Password::hash_with("correct horse", 100).unwrap();
        let other = Password::hash_with("correct horse", 100).unwrap();
        assert_ne!(hash, other, "salts differ");
        let password = Password::parse(&hash).unwrap();
        assert!(password.is(b"correct horse") && !password.is(b"wrong") && !password.is(b""));
        assert!(Password::parse("$plain").unwrap().is(b"$plain"));
        assert_eq!(format!("{password:?}"), "Password(..)");
    }

    #[test]
    fn what_is_no_hash_is_refused() {
        let good = Password::hash_with("x", 1).unwrap();
        for wrong in [
            "$pbkdf2-sha256$".to_owned(),
            good.replace("i=1$", "i=0$"),
            good.replace("i=1$", "i=99999999999$"),
            good.replace("i=1$", "i=10000001$"),
            good.clone() + "$",
            good[..good.len() - 2].to_owned(),
            good.replace("i=1", "r=1"),
        ] {
            assert!(Password::parse(&wrong).is_err(), "{wrong}");
        }
        assert!(Password::parse(&good.replace("i=1$", "i=1,l=32$")).is_ok());
    }
}
