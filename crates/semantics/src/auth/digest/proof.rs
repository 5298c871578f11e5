//! The formula of a proof.

use super::{Algorithm, Protection};

/// What a proof is computed from, the password aside.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'v> {
    /// The hash function of the challenge.
    pub algorithm: Algorithm,
    /// The name, not hashed.
    pub username: &'v [u8],
    /// The realm of the challenge.
    pub realm: &'v [u8],
    /// The nonce of the challenge.
    pub nonce: &'v [u8],
    /// The method of the request.
    pub method: &'v str,
    /// The target of the request as it stands in the request line.
    pub uri: &'v [u8],
    /// What the proof covers, `None` for the form of RFC 2069.
    pub protection: Option<Protection>,
    /// The client's own random word; not empty where there is a protection or a session.
    pub cnonce: &'v [u8],
    /// How many requests were sent with this nonce, this one included.
    pub count: u32,
    /// The hash of the content; needed for [`Protection::AuthInt`].
    pub content_hash: &'v str,
}

/// The `response` of a request, in hexadecimal.
///
/// A client writes it into its [`Credentials`](super::Credentials); a server computes it again from
/// the password that it knows and compares with [`secrets_eq`](crate::auth::secrets_eq).
///
/// *Spec*: RFC 7616 §3.4.1 to §3.4.3.
pub fn proof(exchange: &Exchange<'_>, password: &[u8], hash: impl Fn(&[u8]) -> String) -> String {
    let mut key = hash(&join(&[exchange.username, exchange.realm, password]));
    if exchange.algorithm.is_session() {
        key = hash(&join(&[key.as_bytes(), exchange.nonce, exchange.cnonce]));
    }
    let method = exchange.method.as_bytes();
    let covered = match exchange.protection {
        Some(Protection::AuthInt) => {
            join(&[method, exchange.uri, exchange.content_hash.as_bytes()])
        }
        Some(Protection::Auth) | None => join(&[method, exchange.uri]),
    };
    let covered = hash(&covered);
    let count = format!("{:08x}", exchange.count);
    let whole = match exchange.protection {
        Some(protection) => join(&[
            key.as_bytes(),
            exchange.nonce,
            count.as_bytes(),
            exchange.cnonce,
            protection.name().as_bytes(),
            covered.as_bytes(),
        ]),
        None => join(&[key.as_bytes(), exchange.nonce, covered.as_bytes()]),
    };
    hash(&whole)
}

/// The hashed form of a name, for servers that take one.
///
/// *Spec*: RFC 7616 §3.4.4.
pub fn user_hash(username: &[u8], realm: &[u8], hash: impl Fn(&[u8]) -> String) -> String {
    hash(&join(&[username, realm]))
}

/// The parts with colons between them.
fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.join(&b':')
}
