//! Base64, as credentials and keys in fields use it.
//!
//! *Spec*: RFC 4648 §4: the standard alphabet with padding.
//!
//! ```
//! use avocet_semantics::base64;
//!
//! assert_eq!(base64::encode(b"Aladdin:open sesame"), "QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
//! assert_eq!(base64::decode(b"QWxhZGRpbg==").as_deref(), Some(&b"Aladdin"[..]));
//! ```

/// The text form of bytes.
pub fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let index = (bits >> (18 - 6 * place)) & 0x3F;
            let letter = ALPHABET.get(index as usize).copied().unwrap_or(b'=');
            out.push(char::from(if place <= group.len() { letter } else { b'=' }));
        }
    }
    out
}

/// The bytes of a text, `None` unless it is exactly what [`encode`] gives for them.
///
/// Missing padding, blanks and stray bits are refused, so that no two texts mean the same bytes.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let padding = text.iter().rev().take_while(|&&byte| byte == b'=').count();
    let letters = text.get(..text.len() - padding.min(2))?;
    let mut out = Vec::with_capacity(letters.len() / 4 * 3 + 2);
    for group in letters.chunks(4) {
        let mut bits: u32 = 0;
        for place in 0..4 {
            let letter = group.get(place).copied();
            bits = bits << 6 | letter.map_or(Some(0), value)?;
        }
        let [_, bytes @ ..] = bits.to_be_bytes();
        // Two letters carry one byte, three carry two; the bits beyond them must be zero.
        let (said, rest) = bytes.split_at(group.len().checked_sub(1)?);
        if said.is_empty() || rest.iter().any(|&byte| byte != 0) {
            return None;
        }
        out.extend_from_slice(said);
    }
    Some(out)
}

fn value(letter: u8) -> Option<u32> {
    let index = match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(index))
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648 §10.
    #[test]
    fn the_vectors_of_the_specification() {
        let table = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (bytes, text) in table {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text.as_bytes()).unwrap(), bytes.as_bytes());
        }
    }

    #[test]
    fn only_the_one_spelling_is_read() {
        let bad = [
            "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "=", "====", "Z===", "Zg==Zg==", "Zm 9v",
            "Zm9v\n", "Zm-_",
        ];
        for text in bad {
            assert_eq!(decode(text.as_bytes()), None, "{text:?}");
        }
    }
}
