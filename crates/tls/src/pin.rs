//! Keys that a server must have, whoever has issued its certificate.

use std::fmt;
use std::str::FromStr;

/// The SHA-256 of a public key (RFC 7469 §2.4), written `sha256//` and base64 as curl does.
#[derive(Clone, PartialEq, Eq)]
pub struct Pin(Vec<u8>);

impl Pin {
    pub(crate) fn of_digest(digest: Vec<u8>) -> Self {
        Self(digest)
    }

    /// Reads one or more pins, separated by semicolons.
    ///
    /// *Errors*: a sentence that says what is wrong.
    pub fn list(text: &str) -> Result<Vec<Self>, String> {
        text.split(';').map(str::parse).collect()
    }
}

impl FromStr for Pin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is not sha256// and 44 characters of base64");
        let coded = text.strip_prefix("sha256//").ok_or_else(bad)?;
        let digest = decode(coded).ok_or_else(bad)?;
        if digest.len() == 32 { Ok(Self(digest)) } else { Err(bad()) }
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256//")?;
        for chunk in self.0.chunks(3) {
            let bits = chunk.iter().fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte));
            let bits = bits << (8 * (3 - chunk.len()));
            for at in 0..4 {
                let digit = bits >> (18 - 6 * at) & 63;
                let missing = at > chunk.len();
                let letter = ALPHABET.get(digit as usize).copied().unwrap_or(b'=');
                write!(f, "{}", if missing { '=' } else { char::from(letter) })?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pin({self})")
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    if !text.len().is_multiple_of(4) || text.len() - digits.len() > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len());
    let (mut bits, mut count) = (0_u32, 0);
    for letter in digits.bytes() {
        let digit = ALPHABET.iter().position(|&known| known == letter)?;
        bits = bits << 6 | u32::try_from(digit).ok()?;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_as_curl_writes_them() {
        let text = "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        let pin: Pin = text.parse().expect("it is the hash of nothing");
        assert_eq!((pin.to_string().as_str(), pin.0[0]), (text, 0xe3));
        assert_eq!(Pin::list(&format!("{text};{text}")).expect("two").len(), 2);
        for bad in ["", "sha256//", "sha256//AAAA", "sha1//AAAA", &text[..50], &text[8..]] {
            assert!(bad.parse::<Pin>().is_err(), "{bad}");
        }
    }
}
