//! The pieces that field values are made of: tokens, blanks, quoted strings.
//!
//! *Spec*: RFC 9110 §5.6.
//!
//! ```
//! use avocet_semantics::grammar;
//!
//! assert!(grammar::is_token(b"text-2.0"));
//! assert_eq!(grammar::unquote(br#""a \"b\"""#).as_deref(), Some(br#"a "b""#.as_slice()));
//! ```

use std::borrow::Cow;

use crate::Error;

/// Whether the byte may stand in a token.
///
/// *Spec*: RFC 9110 §5.6.2, `tchar`.
pub const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

/// Whether the bytes are a token: one byte or more, all of them of tokens.
pub fn is_token(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(|&byte| is_token_byte(byte))
}

/// The value without the spaces and tabs around it.
///
/// *Spec*: RFC 9110 §5.6.3, `OWS`.
pub fn trim(value: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = value.iter().position(|byte| !blank(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    &value[start..end]
}

/// What a quoted string says: without its quotes, and with `\x` as `x`.
///
/// `None` unless the whole value is one well-formed quoted string.
///
/// *Spec*: RFC 9110 §5.6.4.
pub fn unquote(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    let mut cursor = Cursor::new(value);
    let inner = cursor.quoted_string()?;
    cursor.is_done().then(|| unescape(inner))
}

/// Writes a value as a token where it is one and as a quoted string otherwise.
///
/// *Errors*: a control byte other than a tab cannot be written in either form.
pub fn write_word(value: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    if is_token(value) {
        out.extend_from_slice(value);
        return Ok(());
    }
    write_quoted(value, out)
}

/// Writes a value as a quoted string.
///
/// *Errors*: as [`write_word`]. Nothing is written then.
pub fn write_quoted(value: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let control = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
    if let Some(at) = value.iter().position(control) {
        return Err(Error::Syntax { what: "quoted string", at });
    }
    out.push(b'"');
    for &byte in value {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
    Ok(())
}

/// The inner part of a quoted string without its backslashes.
pub(crate) fn unescape(inner: &[u8]) -> Cow<'_, [u8]> {
    if !inner.contains(&b'\\') {
        return Cow::Borrowed(inner);
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(&byte) = bytes.next() {
        let meant = if byte == b'\\' { bytes.next().copied() } else { Some(byte) };
        out.extend(meant);
    }
    Cow::Owned(out)
}

/// A place in a value, moved forward by whole grammar rules.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'v> {
    value: &'v [u8],
    at: usize,
}

impl<'v> Cursor<'v> {
    pub(crate) fn new(value: &'v [u8]) -> Self {
        Self { value, at: 0 }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn is_done(&self) -> bool {
        self.at == self.value.len()
    }

    pub(crate) fn rest(&self) -> &'v [u8] {
        &self.value[self.at..]
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.value.get(self.at).copied()
    }

    /// Goes back or forth to a place that was reached before.
    pub(crate) fn move_to(&mut self, at: usize) {
        self.at = at.min(self.value.len());
    }

    pub(crate) fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// Passes one byte if it is the expected one.
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Passes all bytes that satisfy the condition.
    pub(crate) fn take_while(&mut self, condition: impl Fn(u8) -> bool) -> &'v [u8] {
        let rest = self.rest();
        let len = rest.iter().position(|&byte| !condition(byte)).unwrap_or(rest.len());
        self.at += len;
        &rest[..len]
    }

    pub(crate) fn token(&mut self) -> Option<&'v str> {
        let token = self.take_while(is_token_byte);
        // All bytes of a token are ASCII, so they are text.
        std::str::from_utf8(token).ok().filter(|token| !token.is_empty())
    }

    /// Passes a quoted string and gives what stands between the quotes, still escaped.
    ///
    /// Stays where it is if there is none.
    pub(crate) fn quoted_string(&mut self) -> Option<&'v [u8]> {
        let rest = self.rest();
        if rest.first() != Some(&b'"') {
            return None;
        }
        let mut index = 1;
        loop {
            match *rest.get(index)? {
                b'"' => {
                    self.at += index + 1;
                    return Some(&rest[1..index]);
                }
                b'\\' => {
                    let escaped = *rest.get(index + 1)?;
                    if escaped.is_ascii_control() && escaped != b'\t' {
                        return None;
                    }
                    index += 2;
                }
                byte if byte.is_ascii_control() && byte != b'\t' => return None,
                _ => index += 1,
            }
        }
    }

    pub(crate) fn error(&self, what: &'static str) -> Error {
        Error::Syntax { what, at: self.at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens() {
        assert!(is_token(b"!#$%&'*+-.^_`|~09azAZ"));
        for bad in [&b""[..], b"a b", b"a,b", b"a\"", b"a/b", b"\xc3\xa9", b"a\x7f", b"a="] {
            assert!(!is_token(bad), "{bad:?}");
        }
    }

    #[test]
    fn blanks_are_trimmed() {
        assert_eq!(trim(b" \t a b\t "), b"a b");
        assert_eq!(trim(b" \t "), b"");
        assert_eq!(trim(b"\r\n"), b"\r\n");
    }

    #[test]
    fn quoted_strings() {
        assert_eq!(unquote(br#""""#).unwrap(), &b""[..]);
        assert_eq!(unquote(b"\"\xe9\t\"").unwrap(), &b"\xe9\t"[..]);
        let bad = [&b""[..], b"a", b"\"", b"\"a", b"\"a\\\"", b"\"a\"b", b"\"a\nb\"", b"\"\\\n\""];
        for bad in bad {
            assert_eq!(unquote(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_word_is_quoted_only_where_it_must_be() {
        let mut out = Vec::new();
        write_word(b"plain", &mut out).unwrap();
        write_word(br#"a "b" \"#, &mut out).unwrap();
        write_word(b"", &mut out).unwrap();
        assert_eq!(out, br#"plain"a \"b\" \\""""#);
        assert_eq!(
            write_word(b"a\r\nb", &mut out),
            Err(Error::Syntax { what: "quoted string", at: 1 })
        );
    }
}
