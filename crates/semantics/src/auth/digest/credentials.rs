//! The credentials of Digest on the wire.

use std::borrow::Cow;
use std::io::Write;

use super::{Algorithm, Protection};
use crate::auth::Scheme;
use crate::content_disposition::extended;
use crate::{Error, grammar};

/// What a client answers to a challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials<'v> {
    /// The name, or its hash where [`userhash`](Self::userhash) says so.
    pub username: Cow<'v, [u8]>,
    /// Whether the name is hashed.
    pub userhash: bool,
    /// The realm of the challenge.
    pub realm: Cow<'v, [u8]>,
    /// The nonce of the challenge.
    pub nonce: Cow<'v, [u8]>,
    /// The target that the proof is for; a server checks that it is the one of the request.
    pub uri: Cow<'v, [u8]>,
    /// The proof; see [`proof`](super::proof).
    pub response: Cow<'v, [u8]>,
    /// The hash function.
    pub algorithm: Algorithm,
    /// The opaque word of the challenge.
    pub opaque: Option<Cow<'v, [u8]>>,
    /// What the proof covers, `None` for the form of RFC 2069.
    pub protection: Option<Protection>,
    /// The client's own random word.
    pub cnonce: Cow<'v, [u8]>,
    /// How many requests were sent with this nonce; a server refuses a number it has seen.
    pub count: u32,
}

impl<'v> Credentials<'v> {
    /// Reads credentials; `None` if they are no Digest, or a part is missing or broken.
    pub fn from_scheme(scheme: &Scheme<'v>) -> Option<Self> {
        if !scheme.is("digest") {
            return None;
        }
        let bytes = |name: &str| scheme.parameter(name).map(|value| value.bytes());
        let algorithm = match scheme.parameter("algorithm") {
            Some(name) => Algorithm::from_name(&name.text()?)?,
            None => Algorithm::Md5,
        };
        let protection = match scheme.parameter("qop") {
            Some(name) => Some(Protection::from_name(&name.text()?)?),
            None => None,
        };
        let userhash =
            scheme.parameter("userhash").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let username = match (bytes("username"), bytes("username*")) {
            (Some(plain), None) => plain,
            // A name in the extended form is never hashed, and never there twice.
            (None, Some(value)) if !userhash => Cow::Owned(extended::decode(&value)?.into_bytes()),
            _ => return None,
        };
        let (cnonce, count) = match protection {
            Some(_) => (bytes("cnonce")?, count(&bytes("nc")?)?),
            None => (bytes("cnonce").unwrap_or_default(), 0),
        };
        Some(Self {
            username,
            userhash,
            realm: bytes("realm")?,
            nonce: bytes("nonce")?,
            uri: bytes("uri")?,
            response: bytes("response")?,
            algorithm,
            opaque: bytes("opaque"),
            protection,
            cnonce,
            count,
        })
    }

    /// The value of an Authorization field.
    ///
    /// Quotes stand where RFC 7616 §3.4 has them, and nowhere else: some servers read no other form.
    /// A name beyond ASCII is written in the extended form.
    ///
    /// *Errors*: a control character in one of the parts.
    pub fn to_field(&self) -> Result<Vec<u8>, Error> {
        let mut out = b"Digest ".to_vec();
        match std::str::from_utf8(&self.username) {
            Ok(name) if !name.is_ascii() && !self.userhash => {
                out.extend_from_slice(b"username*=");
                out.extend_from_slice(extended::encode(name).as_bytes());
            }
            _ => {
                out.extend_from_slice(b"username=");
                grammar::write_quoted(&self.username, &mut out)?;
            }
        }
        for (name, value) in [
            ("realm", &self.realm),
            ("nonce", &self.nonce),
            ("uri", &self.uri),
            ("response", &self.response),
        ] {
            write_parameter(name, value, &mut out)?;
        }
        if let Some(opaque) = &self.opaque {
            write_parameter("opaque", opaque, &mut out)?;
        }
        write!(out, ", algorithm={}", self.algorithm.name()).expect(VECTOR);
        if let Some(protection) = self.protection {
            write!(out, ", qop={}, nc={:08x}", protection.name(), self.count).expect(VECTOR);
        }
        if !self.cnonce.is_empty() {
            write_parameter("cnonce", &self.cnonce, &mut out)?;
        }
        if self.userhash {
            out.extend_from_slice(b", userhash=true");
        }
        Ok(out)
    }
}

/// `8LHEX`
fn count(digits: &[u8]) -> Option<u32> {
    let is_count = digits.len() == 8 && digits.iter().all(u8::is_ascii_hexdigit);
    let text = std::str::from_utf8(digits).ok().filter(|_| is_count)?;
    u32::from_str_radix(text, 16).ok()
}

fn write_parameter(name: &str, value: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    write!(out, ", {name}=").expect(VECTOR);
    grammar::write_quoted(value, out)
}

const VECTOR: &str = "a vector takes every write";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::credentials;

    fn sample() -> Credentials<'static> {
        Credentials {
            username: b"Mufasa"[..].into(),
            userhash: false,
            realm: br#"a "realm""#[..].into(),
            nonce: b"n"[..].into(),
            uri: b"/dir?x=1"[..].into(),
            response: b"0123"[..].into(),
            algorithm: Algorithm::Sha256,
            opaque: Some(b"o"[..].into()),
            protection: Some(Protection::Auth),
            cnonce: b"c"[..].into(),
            count: 0x1f,
        }
    }

    fn round_trip(given: &Credentials<'_>) -> String {
        let value = given.to_field().unwrap();
        let scheme = credentials(&value).unwrap();
        assert_eq!(Credentials::from_scheme(&scheme).as_ref(), Some(given));
        String::from_utf8(value).unwrap()
    }

    #[test]
    fn quotes_stand_where_the_specification_has_them() {
        let expected = "Digest username=\"Mufasa\", realm=\"a \\\"realm\\\"\", nonce=\"n\", \
                        uri=\"/dir?x=1\", response=\"0123\", opaque=\"o\", algorithm=SHA-256, \
                        qop=auth, nc=0000001f, cnonce=\"c\"";
        assert_eq!(round_trip(&sample()), expected);
    }

    /// The name of RFC 7616 §3.9.2.
    #[test]
    fn a_name_beyond_ascii_is_written_in_the_extended_form() {
        let name = "J\u{e4}s\u{f8}n Doe";
        let given = Credentials { username: name.as_bytes().to_vec().into(), ..sample() };
        let field = round_trip(&given);
        assert!(field.starts_with("Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, "), "{field}");
    }

    #[test]
    fn the_old_form_has_no_count() {
        let given = Credentials { protection: None, cnonce: b""[..].into(), count: 0, ..sample() };
        let field = round_trip(&given);
        assert!(!field.contains("nc=") && !field.contains("qop="));
    }

    #[test]
    fn a_hashed_name_says_so() {
        let given = Credentials { userhash: true, username: b"abc"[..].into(), ..sample() };
        assert!(round_trip(&given).ends_with(", userhash=true"));
    }

    #[test]
    fn broken_credentials_are_none() {
        let good = "Digest username=u, realm=r, nonce=n, uri=\"/\", response=x";
        assert!(Credentials::from_scheme(&credentials(good.as_bytes()).unwrap()).is_some());
        let bad = [
            "Basic abc".to_owned(),
            good.replace("username=u, ", ""),
            good.replace(", response=x", ""),
            format!("{good}, algorithm=SHA"),
            format!("{good}, qop=token"),
            format!("{good}, qop=auth, nc=00000001"),
            format!("{good}, qop=auth, cnonce=c"),
            format!("{good}, qop=auth, cnonce=c, nc=1"),
            format!("{good}, qop=auth, cnonce=c, nc=+0000001"),
            format!("{good}, username*=UTF-8''u"),
        ];
        for value in bad {
            let scheme = credentials(value.as_bytes()).unwrap();
            assert_eq!(Credentials::from_scheme(&scheme), None, "{value}");
        }
    }

    #[test]
    fn control_characters_are_not_written() {
        let given = Credentials { uri: b"/\r\nX: y"[..].into(), ..sample() };
        assert!(given.to_field().is_err());
    }
}
