//! Digest: the state between a challenge and the requests that answer it.

use std::fmt::Write;
use std::hash::{BuildHasher, RandomState};
use std::io;

use avocet_net::{FileRange, Outbox};
use avocet_semantics::auth::Scheme;
use avocet_semantics::auth::digest::{
    self, Algorithm, Challenge, Exchange, Protection, proof, user_hash,
};
use md5::Md5;
use sha2::digest::{Digest, DynDigest};
use sha2::{Sha256, Sha512_256};

use super::Credentials;
use crate::hook::Hop;
use crate::request::Content;

/// A nonce and what was done with it.
pub(super) struct Session {
    credentials: Credentials,
    realm: Vec<u8>,
    nonce: Vec<u8>,
    opaque: Option<Vec<u8>>,
    algorithm: Algorithm,
    protection: Option<Protection>,
    userhash: bool,
    /// Fixed for a session algorithm, whose key it is part of.
    cnonce: String,
    count: u32,
}

impl Session {
    /// The session that a challenge begins; `None` if it is none of Digest that can be answered.
    pub(super) fn of_challenge(
        challenge: &Scheme<'_>,
        hop: &Hop<'_>,
        find: impl FnOnce() -> Option<Credentials>,
    ) -> Option<Self> {
        let challenge = Challenge::from_scheme(challenge)?;
        let protection = challenge.protection();
        // What covers the content needs to have it in hand before it is sent.
        if protection == Some(Protection::AuthInt)
            && !hop.content.is_some_and(Content::is_repeatable)
        {
            return None;
        }
        Some(Self {
            credentials: find()?,
            realm: challenge.realm.into_owned(),
            nonce: challenge.nonce.into_owned(),
            opaque: challenge.opaque.map(std::borrow::Cow::into_owned),
            algorithm: challenge.algorithm,
            protection,
            userhash: challenge.userhash,
            cnonce: client_nonce(),
            count: 0,
        })
    }

    /// The value of Authorization for a request; `None` if it cannot be made.
    pub(super) fn authorize(&mut self, hop: &Hop<'_>) -> Option<Vec<u8>> {
        self.count = self.count.checked_add(1)?;
        let target = hop.target();
        let hash = |bytes: &[u8]| hash(self.algorithm, bytes);
        let content_hash = match self.protection {
            Some(Protection::AuthInt) => match content_hash(self.algorithm, hop.content?) {
                Ok(hash) => hash?,
                Err(error) => {
                    log::warn!("the content that is to be proved cannot be read: {error}");
                    return None;
                }
            },
            _ => String::new(),
        };
        let (name, password) = (self.credentials.name(), self.credentials.password());
        let exchange = Exchange {
            algorithm: self.algorithm,
            username: name.as_bytes(),
            realm: &self.realm,
            nonce: &self.nonce,
            method: hop.method.as_str(),
            uri: target.as_bytes(),
            protection: self.protection,
            cnonce: self.cnonce.as_bytes(),
            count: self.count,
            content_hash: &content_hash,
        };
        let response = proof(&exchange, password.as_bytes(), hash);
        let username = match self.userhash {
            true => user_hash(name.as_bytes(), &self.realm, hash).into_bytes(),
            false => name.as_bytes().to_vec(),
        };
        let needs_cnonce = self.protection.is_some() || self.algorithm.is_session();
        let cnonce = if needs_cnonce { self.cnonce.as_str() } else { "" };
        let credentials = digest::Credentials {
            username: username.into(),
            userhash: self.userhash,
            realm: (&self.realm[..]).into(),
            nonce: (&self.nonce[..]).into(),
            uri: target.as_bytes().into(),
            response: response.into_bytes().into(),
            algorithm: self.algorithm,
            opaque: self.opaque.as_deref().map(Into::into),
            protection: self.protection,
            cnonce: cnonce.as_bytes().into(),
            count: self.count,
        };
        credentials.to_field().inspect_err(|error| log::warn!("no proof by Digest: {error}")).ok()
    }
}

fn hasher(algorithm: Algorithm) -> Box<dyn DynDigest> {
    match algorithm {
        Algorithm::Sha256 | Algorithm::Sha256Sess => Box::new(Sha256::new()),
        Algorithm::Sha512_256 | Algorithm::Sha512_256Sess => Box::new(Sha512_256::new()),
        _ => Box::new(Md5::new()),
    }
}

fn hash(algorithm: Algorithm, bytes: &[u8]) -> String {
    let mut hasher = hasher(algorithm);
    hasher.update(bytes);
    hex(&hasher.finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes every write");
        text
    })
}

/// The hash of content; `None` for content that can be read only once.
///
/// *Blocking*: reads the files in it.
fn content_hash(algorithm: Algorithm, content: &Content) -> io::Result<Option<String>> {
    let mut hasher = hasher(algorithm);
    Ok(update(&mut *hasher, content)?.then(|| hex(&hasher.finalize())))
}

fn update(hasher: &mut dyn DynDigest, content: &Content) -> io::Result<bool> {
    match content {
        Content::Empty => {}
        Content::Bytes(bytes) => hasher.update(bytes),
        Content::File(range) => {
            let (mut rest, mut piece) = (range.clone(), vec![0; 64 * 1024]);
            while rest.len > 0 {
                let count = Outbox::read_file(&rest, &mut piece)?;
                hasher.update(&piece[..count]);
                let FileRange { offset, len, .. } = &mut rest;
                (*offset, *len) = (*offset + count as u64, *len - count as u64);
            }
        }
        Content::Parts(parts) => {
            for part in parts {
                if !update(hasher, part)? {
                    return Ok(false);
                }
            }
        }
        Content::Reader { .. } => return Ok(false),
    }
    Ok(true)
}

/// A word that nobody has used before: two numbers that nobody can foresee who does not know the
/// keys that the standard library has drawn.
fn client_nonce() -> String {
    let number = || RandomState::new().hash_one(0);
    format!("{:016x}{:016x}", number(), number())
}
