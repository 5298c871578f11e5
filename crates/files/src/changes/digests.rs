//! What a client says of the content that it uploads, so that an error on the way is found (RFC 9530).

use std::io::{self, Read};

use avocet_semantics::base64;
use sha2::{Digest, Sha256, Sha512};

/// Digests of a whole file, of algorithms that are known here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Digests {
    sha256: Vec<[u8; 32]>,
    sha512: Vec<[u8; 64]>,
}

/// A digest that cannot be one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Broken;

impl Digests {
    /// Adds what a field says. Other algorithms are passed over, among them those that anybody can find
    /// a second content for.
    ///
    /// *Spec*: RFC 9530 §2, a Dictionary of RFC 9651 whose values are Byte Sequences.
    pub(crate) fn add(&mut self, field: &[u8]) -> Result<(), Broken> {
        let field = std::str::from_utf8(field).map_err(|_| Broken)?;
        for member in field.split(',').map(|member| member.trim_matches([' ', '\t'])) {
            let (algorithm, value) = member.split_once('=').ok_or(Broken)?;
            match algorithm {
                "sha-256" => self.sha256.push(bytes(value)?),
                "sha-512" => self.sha512.push(bytes(value)?),
                _ => {}
            }
        }
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sha256.is_empty() && self.sha512.is_empty()
    }

    /// Whether all of them are of this content.
    ///
    /// *Blocking*: until it was read.
    pub(crate) fn are_of(&self, mut content: impl Read) -> io::Result<bool> {
        let mut sha256 = (!self.sha256.is_empty()).then(Sha256::new);
        let mut sha512 = (!self.sha512.is_empty()).then(Sha512::new);
        let mut piece = vec![0; PIECE];
        loop {
            let count = match content.read(&mut piece) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if let Some(sha256) = &mut sha256 {
                sha256.update(&piece[..count]);
            }
            if let Some(sha512) = &mut sha512 {
                sha512.update(&piece[..count]);
            }
        }
        let short = sha256.map(|digest| <[u8; 32]>::from(digest.finalize()));
        let long = sha512.map(|digest| <[u8; 64]>::from(digest.finalize()));
        Ok(self.sha256.iter().all(|said| Some(*said) == short)
            && self.sha512.iter().all(|said| Some(*said) == long))
    }
}

/// A Byte Sequence of as many bytes as a digest has, without parameters.
fn bytes<const N: usize>(value: &str) -> Result<[u8; N], Broken> {
    let inner = value.strip_prefix(':').and_then(|rest| rest.strip_suffix(':')).ok_or(Broken)?;
    let bytes = base64::decode(inner.as_bytes()).ok_or(Broken)?;
    bytes.try_into().map_err(|_| Broken)
}

/// Bytes that are read at a time.
const PIECE: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// Those of `{"hello": "world"}` and a line feed, from RFC 9530, appendix B.
    const SHORT: &str = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
    const LONG: &str = "sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:";
    const CONTENT: &[u8] = b"{\"hello\": \"world\"}\n";

    fn digests(field: &str) -> Result<Digests, Broken> {
        let mut digests = Digests::default();
        digests.add(field.as_bytes()).map(|()| digests)
    }

    #[test]
    fn digests_of_the_rfc_fit() {
        let both = format!("{SHORT},\t{LONG}");
        let unknown = format!("md5=:AAAA:, {SHORT}, unixsum=1");
        for field in [SHORT, LONG, &both, &unknown] {
            let digests = digests(field).unwrap();
            assert!(digests.are_of(CONTENT).unwrap() && !digests.is_empty(), "{field}");
            assert!(!digests.are_of(&CONTENT[1..]).unwrap(), "{field}");
        }
        let two = SHORT.replace("RK/0", "RK/1") + ", " + SHORT;
        assert!(!digests(&two).unwrap().are_of(CONTENT).unwrap(), "both must be right");
        assert!(digests("md5=:AAAA:").unwrap().is_empty());
    }

    #[test]
    fn what_is_no_digest_is_refused() {
        let short = SHORT.replace("RK/0", "");
        let bare = SHORT.replace(':', "");
        for field in ["", "sha-256", "sha-256=", "sha-256=::", &short, &bare, "sha-512=:AAAA:"] {
            assert_eq!(digests(field), Err(Broken), "{field:?}");
        }
        assert_eq!(Digests::default().add(b"sha-256=:\xff:"), Err(Broken));
    }
}
