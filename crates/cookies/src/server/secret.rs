//! Values that a client can read but not change, and values that it cannot even read. The
//! cryptography is that of the `cookie` crate: HMAC-SHA256 and AES-256-GCM, compared in constant
//! time.

use std::fmt;

use cookie::{Cookie, CookieJar, Key};

/// A key for signed and private values. Whoever has it can forge them.
///
/// ```
/// use avocet_cookies::server::SecretKey;
/// let key = SecretKey::generate();
/// let signed = key.sign("user", "17");
/// assert_eq!(key.verify("user", &signed).as_deref(), Some("17"));
/// assert_eq!(key.verify("admin", &signed), None);
/// let private = key.seal("cart", "42 apples");
/// assert_eq!(key.open("cart", &private).as_deref(), Some("42 apples"));
/// ```
#[derive(Clone)]
pub struct SecretKey(Key);

/// A key has fewer than 64 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortKey;

impl SecretKey {
    /// A new random key. Values made with it are worthless once it is gone.
    pub fn generate() -> Self {
        Self(Key::generate())
    }

    /// The key in 64 octets or more of secret random data; the first 64 count.
    ///
    /// *Errors*: [`ShortKey`].
    pub fn from_octets(octets: &[u8]) -> Result<Self, ShortKey> {
        Key::try_from(octets).map(Self).map_err(|_| ShortKey)
    }

    /// The key's octets, to be kept in a safe place.
    pub fn octets(&self) -> &[u8] {
        self.0.master()
    }

    /// The value with a signature before it, which binds it to the name. The value can be read by
    /// everybody; it has to be one that [`SetCookie`](super::SetCookie) takes, or be encoded.
    pub fn sign(&self, name: &str, value: &str) -> String {
        let bound = bind(name, value);
        let mut jar = CookieJar::new();
        jar.signed_mut(&self.0).add(Cookie::new(SLOT, bound.clone()));
        let signed = jar.get(SLOT).map(Cookie::value).unwrap_or_default();
        let signature = signed.strip_suffix(&bound).unwrap_or_default();
        format!("{signature}{value}")
    }

    /// The value that [`sign`](Self::sign) signed under this name, or `None` where name, value
    /// or signature is another.
    pub fn verify(&self, name: &str, signed: &str) -> Option<String> {
        let (signature, value) = signed.split_at_checked(SIGNATURE)?;
        let cookie = Cookie::new(SLOT, format!("{signature}{}", bind(name, value)));
        CookieJar::new().signed(&self.0).verify(cookie)?;
        Some(value.to_owned())
    }

    /// The value encrypted and bound to the name, in characters that a cookie may hold.
    pub fn seal(&self, name: &str, value: &str) -> String {
        let mut jar = CookieJar::new();
        jar.private_mut(&self.0).add(Cookie::new(name.to_owned(), value.to_owned()));
        jar.get(name).map(Cookie::value).unwrap_or_default().to_owned()
    }

    /// The value that [`seal`](Self::seal) encrypted under this name, or `None` where it is
    /// another or was changed.
    pub fn open(&self, name: &str, sealed: &str) -> Option<String> {
        let cookie = Cookie::new(name.to_owned(), sealed.to_owned());
        let opened = CookieJar::new().private(&self.0).decrypt(cookie)?;
        Some(opened.value().to_owned())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

impl fmt::Display for ShortKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key needs 64 octets at least")
    }
}

impl std::error::Error for ShortKey {}

/// The crate signs the value alone, so that the value of one cookie would pass for that of
/// another; here the name is part of what is signed. Its length keeps name and value apart.
fn bind(name: &str, value: &str) -> String {
    format!("{}:{name}={value}", name.len())
}

/// The name under which all values are signed; [`bind`] adds the real one.
const SLOT: &str = "s";
/// Characters of an HMAC-SHA256 in base64.
const SIGNATURE: usize = 44;

#[cfg(test)]
mod tests {
    use super::*;

    fn key(fill: u8) -> SecretKey {
        SecretKey::from_octets(&[fill; 64]).unwrap()
    }

    #[test]
    fn signed_values_are_bound_to_name_value_and_key() {
        let signed = key(1).sign("a", "value=1");
        assert!(signed.ends_with("value=1"));
        assert_eq!(key(1).verify("a", &signed).as_deref(), Some("value=1"));
        assert_eq!(key(2).verify("a", &signed), None);
        assert_eq!(key(1).verify("b", &signed), None);
        for at in 0..signed.len() {
            let mut changed = signed.clone().into_bytes();
            changed[at] ^= 1;
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(key(1).verify("a", &changed), None, "{changed}");
            assert_eq!(key(1).verify("a", &signed[..at]), None);
        }
    }

    #[test]
    fn name_and_value_cannot_trade_octets() {
        let signed = key(1).sign("a=b", "c");
        let (signature, _) = signed.split_at(SIGNATURE);
        assert_eq!(key(1).verify("a", &format!("{signature}b=c")), None);
    }

    #[test]
    fn private_values_say_nothing_and_cannot_be_changed() {
        let sealed = key(1).seal("a", "secret value; \u{2603}");
        assert!(!sealed.contains("secret"));
        assert!(super::super::SetCookie::builder("a", sealed.clone()).build().is_ok());
        assert_eq!(key(1).open("a", &sealed).as_deref(), Some("secret value; \u{2603}"));
        assert_ne!(key(1).seal("a", "x"), key(1).seal("a", "x"));
        assert_eq!(key(1).open("b", &sealed), None);
        assert_eq!(key(2).open("a", &sealed), None);
        for bad in ["", "x", "\u{2603}", &sealed[1..], &sealed[..sealed.len() - 4]] {
            assert_eq!(key(1).open("a", bad), None, "{bad}");
            assert_eq!(key(1).verify("a", bad), None, "{bad}");
        }
    }

    #[test]
    fn keys() {
        assert_eq!(SecretKey::from_octets(&[0; 63]).unwrap_err(), ShortKey);
        assert_eq!(key(7).octets(), [7; 64]);
        assert_eq!(format!("{:?}", key(7)), "SecretKey(..)");
        assert_ne!(SecretKey::generate().octets(), SecretKey::generate().octets());
    }
}
