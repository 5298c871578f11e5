//! Challenges and credentials.
//!
//! Both have one grammar: a scheme, then either one opaque word or parameters. [`challenges`] reads
//! WWW-Authenticate and Proxy-Authenticate, [`credentials`] reads Authorization and
//! Proxy-Authorization. [`basic`] and [`digest`] give the two schemes their meaning.
//!
//! *Spec*: RFC 9110 §11.
//!
//! ```
//! use avocet_semantics::auth;
//!
//! let offered = auth::challenges(br#"Negotiate, Digest realm="a, b", nonce=x, Basic realm=c"#);
//! let offered = offered.unwrap();
//! assert_eq!(offered.len(), 3);
//! assert!(offered[1].is("digest"));
//! assert_eq!(offered[1].text("realm").as_deref(), Some("a, b"));
//! ```

use std::borrow::Cow;

use crate::Error;
use crate::grammar::Cursor;
use crate::parameters::{Parameter, Value};

pub mod basic;
pub mod digest;

/// An authentication scheme with what came with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheme<'v> {
    /// The name as it was written; see [`is`](Self::is).
    pub name: &'v str,
    /// The opaque word of schemes like Basic and Bearer.
    pub token68: Option<&'v str>,
    /// The parameters of schemes like Digest, each name once.
    pub parameters: Vec<Parameter<'v>>,
}

impl<'v> Scheme<'v> {
    /// Whether this is the scheme of that name, letter case aside.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<Value<'v>> {
        self.parameters.iter().find(|parameter| parameter.is(name)).map(|found| found.value)
    }

    /// The value of a parameter as text; `None` where it is missing or not UTF-8.
    pub fn text(&self, name: &str) -> Option<Cow<'v, str>> {
        self.parameter(name)?.text()
    }
}

/// Reads a list of challenges in their order, which is the order of the server's preference.
///
/// Several lines of one field are read one by one: a challenge does not go over the end of a line.
///
/// *Errors*: broken grammar; more than 32 challenges, more than 32 parameters in one of them, a
/// parameter given twice.
pub fn challenges(value: &[u8]) -> Result<Vec<Scheme<'_>>, Error> {
    let mut cursor = Cursor::new(value);
    let mut found = Vec::new();
    skip_commas(&mut cursor);
    while !cursor.is_done() {
        if found.len() == MAX {
            return Err(Error::TooMany { what: "challenges", limit: MAX });
        }
        found.push(scheme(&mut cursor)?);
        skip_commas(&mut cursor);
    }
    Ok(found)
}

/// Reads the credentials of a request.
///
/// *Errors*: as [`challenges`], and anything after the first scheme.
pub fn credentials(value: &[u8]) -> Result<Scheme<'_>, Error> {
    let mut cursor = Cursor::new(value);
    cursor.skip_blanks();
    let found = scheme(&mut cursor)?;
    if cursor.is_done() { Ok(found) } else { Err(cursor.error("credentials")) }
}

/// Compares secrets in a time that depends on their lengths only.
///
/// A comparison that ends at the first difference tells an attacker how much of a guess was right.
pub fn secrets_eq(left: &[u8], right: &[u8]) -> bool {
    let difference = left.iter().zip(right).fold(0, |sum: u8, (left, right)| sum | (left ^ right));
    // The optimizer must not learn that the sum cannot fall again.
    std::hint::black_box(difference) == 0 && left.len() == right.len()
}

/// A scheme and all that belongs to it, up to the comma before the next scheme.
fn scheme<'v>(cursor: &mut Cursor<'v>) -> Result<Scheme<'v>, Error> {
    let name = cursor.token().ok_or_else(|| cursor.error("authentication scheme"))?;
    let mut found = Scheme { name, token68: None, parameters: Vec::new() };
    let has_blank = cursor.peek() == Some(b' ');
    cursor.skip_blanks();
    if cursor.is_done() || cursor.peek() == Some(b',') {
        return Ok(found);
    }
    if !has_blank {
        return Err(cursor.error("authentication scheme"));
    }
    found.token68 = token68(cursor);
    if found.token68.is_some() {
        return Ok(found);
    }
    while let Some(parameter) = parameter(cursor)? {
        if found.parameters.len() == MAX {
            return Err(Error::TooMany { what: "parameters of a challenge", limit: MAX });
        }
        if found.parameter(parameter.name).is_some() {
            return Err(cursor.error("repeated parameter of a challenge"));
        }
        found.parameters.push(parameter);
        cursor.skip_blanks();
        if !cursor.is_done() && cursor.peek() != Some(b',') {
            return Err(cursor.error("challenge"));
        }
        let end = cursor.at();
        skip_commas(cursor);
        if !at_parameter(*cursor) {
            cursor.move_to(end);
            break;
        }
    }
    Ok(found)
}

/// An opaque word that is all there is before the next comma; otherwise the cursor stays.
fn token68<'v>(cursor: &mut Cursor<'v>) -> Option<&'v str> {
    let mut ahead = *cursor;
    let word = ahead.take_while(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
    });
    let padding = ahead.take_while(|byte| byte == b'=');
    let whole = &cursor.rest()[..word.len() + padding.len()];
    ahead.skip_blanks();
    if word.is_empty() || !(ahead.is_done() || ahead.peek() == Some(b',')) {
        return None;
    }
    *cursor = ahead;
    std::str::from_utf8(whole).ok()
}

fn parameter<'v>(cursor: &mut Cursor<'v>) -> Result<Option<Parameter<'v>>, Error> {
    if cursor.is_done() {
        return Ok(None);
    }
    let name = cursor.token().ok_or_else(|| cursor.error("challenge"))?;
    cursor.skip_blanks();
    if !cursor.eat(b'=') {
        return Err(cursor.error("challenge"));
    }
    cursor.skip_blanks();
    let value = Value::read(cursor).ok_or_else(|| cursor.error("parameter value"))?;
    Ok(Some(Parameter { name, value }))
}

/// Whether a parameter starts here, and not the next challenge.
fn at_parameter(mut cursor: Cursor<'_>) -> bool {
    cursor.token().is_some() && {
        cursor.skip_blanks();
        cursor.eat(b'=')
    }
}

fn skip_commas(cursor: &mut Cursor<'_>) {
    cursor.take_while(|byte| matches!(byte, b' ' | b'\t' | b','));
}

const MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn names(value: &str) -> Vec<String> {
        let found = challenges(value.as_bytes()).unwrap();
        found.iter().map(|scheme| format!("{}/{}", scheme.name, scheme.parameters.len())).collect()
    }

    #[test]
    fn lists_in_lists_come_apart() {
        assert_eq!(names("Basic realm=a"), ["Basic/1"]);
        assert_eq!(names("Basic"), ["Basic/0"]);
        assert_eq!(names(", Basic ,, Negotiate,"), ["Basic/0", "Negotiate/0"]);
        assert_eq!(
            names(
                r#"Newauth realm="apps", type=1, title="Login to \"apps\"", Basic realm="simple""#
            ),
            ["Newauth/3", "Basic/1"],
            "the example of RFC 9110 §11.6.1"
        );
        assert_eq!(names("A a = b , ,c=\"d\",B,C x=y"), ["A/2", "B/0", "C/1"]);
        assert_eq!(names(""), [""; 0]);
    }

    #[test]
    fn opaque_words() {
        let found = challenges(b"Negotiate abc/+==, Bearer x, Digest a=b").unwrap();
        assert_eq!(found[0].token68, Some("abc/+=="));
        assert_eq!(found[1].token68, Some("x"));
        assert_eq!(found[2].token68, None);
        assert_eq!(found[2].text("A").as_deref(), Some("b"));
        let one = credentials(b"basic QWxhZGRpbg== ").unwrap();
        assert!(one.is("Basic"));
        assert_eq!(one.token68, Some("QWxhZGRpbg=="));
    }

    #[test]
    fn broken_values_are_refused() {
        let bad = [
            "=",
            "\"a\"",
            "Basic realm=\"a",
            "Digest a=b c=d",
            "Digest a=b, a=c",
            "Digest a=,b=c",
            "Basic;realm=a",
            "Digest a b",
            "A\tb=c",
        ];
        for value in bad {
            assert!(challenges(value.as_bytes()).is_err(), "{value}");
        }
        for value in ["", "Basic a, Basic b", "Digest a=b, Basic"] {
            assert!(credentials(value.as_bytes()).is_err(), "{value}");
        }
    }

    #[test]
    fn endless_lists_are_refused() {
        let schemes = vec!["A"; 33].join(",");
        assert!(matches!(challenges(schemes.as_bytes()), Err(Error::TooMany { .. })));
        let parameters: Vec<String> = (0..33).map(|i| format!("p{i}=1")).collect();
        let value = format!("A {}", parameters.join(","));
        assert!(matches!(challenges(value.as_bytes()), Err(Error::TooMany { .. })));
    }

    #[test]
    fn secrets_are_compared_whole() {
        assert!(secrets_eq(b"", b"") && secrets_eq(b"abc", b"abc"));
        assert!(!secrets_eq(b"abc", b"abd") && !secrets_eq(b"abc", b"ab"));
        assert!(!secrets_eq(b"", b"a") && !secrets_eq(b"Abc", b"abc"));
    }
}
