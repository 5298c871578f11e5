//! Parameter values beyond ASCII: `UTF-8'en'%e2%82%ac`.
//!
//! *Spec*: RFC 8187.
//!
//! ```
//! use avocet_semantics::content_disposition::extended;
//!
//! assert_eq!(extended::encode("\u{a3} rates"), "UTF-8''%C2%A3%20rates");
//! assert_eq!(extended::decode(b"iso-8859-1'en'%A3%20rates").as_deref(), Some("\u{a3} rates"));
//! ```

/// What an extended value says, `None` if it is broken or in a charset other than UTF-8 and
/// ISO-8859-1. The language is dropped.
pub fn decode(value: &[u8]) -> Option<String> {
    let mut parts = value.splitn(3, |&byte| byte == b'\'');
    let (charset, _language, coded) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes = percent_decode(coded)?;
    if charset.eq_ignore_ascii_case(b"utf-8") {
        String::from_utf8(bytes).ok()
    } else if charset.eq_ignore_ascii_case(b"iso-8859-1") {
        Some(bytes.into_iter().map(char::from).collect())
    } else {
        None
    }
}

/// The extended value of a text, in UTF-8 and without a language.
pub fn encode(text: &str) -> String {
    let mut out = String::from("UTF-8''");
    for byte in text.bytes() {
        if is_plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for digit in [byte >> 4, byte & 0xF] {
                out.push(char::from(HEX[usize::from(digit)]));
            }
        }
    }
    out
}

fn percent_decode(coded: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(coded.len());
    let mut bytes = coded.iter();
    while let Some(&byte) = bytes.next() {
        let meant = match byte {
            b'%' => hex(*bytes.next()?)? << 4 | hex(*bytes.next()?)?,
            _ if is_plain(byte) => byte,
            _ => return None,
        };
        out.push(meant);
    }
    Some(out)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// *Spec*: RFC 8187 §3.2.1, `attr-char`.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'&' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

const HEX: &[u8; 16] = b"0123456789ABCDEF";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_values_are_none() {
        let bad = [
            "",
            "abc",
            "UTF-8'abc",
            "UTF-8''%",
            "UTF-8''%2",
            "UTF-8''%zz",
            "UTF-8''a b",
            "UTF-8''%ff",
            "UTF-16''a",
            "''a",
            "UTF-8''a'b",
        ];
        for value in bad {
            assert_eq!(decode(value.as_bytes()), None, "{value}");
        }
    }

    #[test]
    fn every_letter_survives() {
        let text = "\0 aZ'\"%/\u{7f}\u{e9}\u{20ac}\u{1f426}";
        assert_eq!(decode(encode(text).as_bytes()).as_deref(), Some(text));
    }
}
