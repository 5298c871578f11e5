//! Parameters: `; name=value`, the value a token or a quoted string.
//!
//! *Spec*: RFC 9110 §5.6.6.
//!
//! ```
//! use avocet_semantics::parameters::parameters;
//!
//! let mut found = parameters(br#"; a=1; b="x; y""#).map(|parameter| parameter.unwrap());
//! let (a, b) = (found.next().unwrap(), found.next().unwrap());
//! assert_eq!((a.name, &*a.value.bytes()), ("a", &b"1"[..]));
//! assert_eq!((b.name, &*b.value.bytes()), ("b", &b"x; y"[..]));
//! assert!(found.next().is_none());
//! ```

use std::borrow::Cow;

use crate::Error;
use crate::grammar::{self, Cursor};

/// Reads parameters to the end of the value, which starts with a semicolon or is empty.
///
/// Empty parameters (`;;`) are passed over. There is no blank around `=`.
///
/// *Errors*: the first broken parameter gives an error and ends the iteration.
pub fn parameters(value: &[u8]) -> Parameters<'_> {
    Parameters { cursor: Cursor::new(value), failed: false }
}

/// The iterator that [`parameters`] gives.
#[derive(Clone, Debug)]
pub struct Parameters<'v> {
    cursor: Cursor<'v>,
    failed: bool,
}

/// A name with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter<'v> {
    /// A token. Names of parameters are compared without regard to letter case.
    pub name: &'v str,
    /// What stands after the equals sign.
    pub value: Value<'v>,
}

impl Parameter<'_> {
    /// Whether this is the parameter of that name.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// The value of a parameter. Both spellings of one value are equal.
#[derive(Clone, Copy, Debug)]
pub struct Value<'v> {
    /// The token, or what stands between the quotes, escapes untouched.
    raw: &'v [u8],
    quoted: bool,
}

impl<'v> Value<'v> {
    /// What the value says, unescaped. Bytes, because a quoted string may hold any above 0x7F.
    pub fn bytes(&self) -> Cow<'v, [u8]> {
        if self.quoted { grammar::unescape(self.raw) } else { Cow::Borrowed(self.raw) }
    }

    /// As text, `None` where the bytes are not UTF-8.
    pub fn text(&self) -> Option<Cow<'v, str>> {
        match self.bytes() {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
        }
    }

    /// Whether the value was written as a quoted string.
    pub fn is_quoted(&self) -> bool {
        self.quoted
    }

    /// Compares without regard to letter case, as charset names and many others want it.
    pub fn eq_ignore_ascii_case(&self, other: &str) -> bool {
        self.bytes().eq_ignore_ascii_case(other.as_bytes())
    }

    /// A token or a quoted string at the cursor.
    pub(crate) fn read(cursor: &mut Cursor<'v>) -> Option<Self> {
        if cursor.peek() == Some(b'"') {
            let raw = cursor.quoted_string()?;
            return Some(Self { raw, quoted: true });
        }
        let token = cursor.token()?;
        Some(Self { raw: token.as_bytes(), quoted: false })
    }
}

impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Value<'_> {}

impl<'v> Parameters<'v> {
    fn read(&mut self) -> Result<Option<Parameter<'v>>, Error> {
        let cursor = &mut self.cursor;
        loop {
            cursor.skip_blanks();
            if cursor.is_done() {
                return Ok(None);
            }
            if !cursor.eat(b';') {
                return Err(cursor.error("parameter"));
            }
            cursor.skip_blanks();
            if cursor.is_done() || cursor.peek() == Some(b';') {
                continue;
            }
            let name = cursor.token().ok_or_else(|| cursor.error("parameter name"))?;
            if !cursor.eat(b'=') {
                return Err(cursor.error("parameter"));
            }
            let value = Value::read(cursor).ok_or_else(|| cursor.error("parameter value"))?;
            return Ok(Some(Parameter { name, value }));
        }
    }
}

impl<'v> Iterator for Parameters<'v> {
    type Item = Result<Parameter<'v>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let read = self.read();
        self.failed = read.is_err();
        read.transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_case_and_values_in_both_spellings() {
        let list: Result<Vec<_>, _> = parameters(br#" ; A=b;;a="b" ; c="\d" ;"#).collect();
        let list = list.unwrap();
        assert_eq!(list.len(), 3);
        assert!(list[0].is("a") && list[1].is("A"));
        assert_eq!(list[0].value, list[1].value);
        assert!(!list[0].value.is_quoted() && list[1].value.is_quoted());
        assert_eq!(list[2].value.text().as_deref(), Some("d"));
    }

    #[test]
    fn broken_parameters_are_named_by_place() {
        for (value, at) in
            [("a", 0), ("; a", 3), ("; a =b", 3), ("; a= b", 4), ("; a=\"b", 4), ("; =b", 2)]
        {
            let mut found = parameters(value.as_bytes());
            let Some(Err(Error::Syntax { at: found_at, .. })) = found.next() else {
                panic!("{value}: no error");
            };
            assert_eq!(found_at, at, "{value}");
            assert!(found.next().is_none(), "{value}");
        }
    }

    #[test]
    fn bytes_that_are_not_text_are_kept() {
        let parameter = parameters(b";a=\"\xff\"").next().unwrap().unwrap();
        assert_eq!(&*parameter.value.bytes(), b"\xff");
        assert_eq!(parameter.value.text(), None);
    }
}
