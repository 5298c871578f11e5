//! Quotation as Python's `http.cookies` and old servers do it: `"a b"`, `\"`, and `\073` for the
//! octets that may not stand in a cookie.

use std::borrow::Cow;

/// The value in quotation marks, or as it is where it needs none; `None` where a character has
/// no place in the 256 that three octal digits can name.
pub(super) fn quote(value: &str) -> Option<Cow<'_, str>> {
    if value.bytes().all(|octet| octet.is_ascii_alphanumeric() || LEGAL.contains(&octet)) {
        return Some(Cow::Borrowed(value));
    }
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for character in value.chars() {
        let octet = u8::try_from(u32::from(character)).ok()?;
        match octet {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            _ if octet.is_ascii_alphanumeric() => out.push(character),
            _ if LEGAL.contains(&octet) || UNESCAPED.contains(&octet) => out.push(character),
            _ => out.push_str(&format!("\\{octet:03o}")),
        }
    }
    out.push('"');
    Some(Cow::Owned(out))
}

/// What [`quote`] wrote, or the value as it is where it is not in quotation marks.
pub(super) fn unquote(value: &[u8]) -> Cow<'_, [u8]> {
    let inside = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    let Some(mut rest) = inside else { return Cow::Borrowed(value) };
    if !rest.contains(&b'\\') {
        return Cow::Borrowed(rest);
    }
    let mut out = Vec::with_capacity(rest.len());
    loop {
        rest = match rest {
            [] => return Cow::Owned(out),
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..] => {
                out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                after
            }
            [b'\\', escaped, after @ ..] => {
                out.push(*escaped);
                after
            }
            [plain, after @ ..] => {
                out.push(*plain);
                after
            }
        };
    }
}

const LEGAL: &[u8] = b"!#$%&'*+-.^_`|~:";
const UNESCAPED: &[u8] = b" ()/<=>?@[]{}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_values_come_back() {
        let all: String = (1..=255_u8).map(char::from).collect();
        for value in ["", "a", "a b", "q\"uote\\", "semi;colon,", &all] {
            let quoted = quote(value).unwrap();
            assert!(!quoted.contains([';', ',', '\r', '\n']) && quoted.is_ascii());
            let back: String = unquote(quoted.as_bytes()).iter().copied().map(char::from).collect();
            assert_eq!(back, value);
        }
        assert_eq!(quote("\u{2603}"), None);
    }

    #[test]
    fn half_quoted_values_stay() {
        for value in ["\"", "\"a", "a\"", "a", ""] {
            assert_eq!(unquote(value.as_bytes()), value.as_bytes());
        }
        assert_eq!(unquote(b"\"a\\\""), &b"a\\"[..]);
        assert_eq!(unquote(b"\"\\400\\08\""), &b"40008"[..]);
    }
}
