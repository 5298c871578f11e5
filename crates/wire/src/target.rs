use std::fmt;

use crate::bytes::is_target;
use crate::error::{Fault, ReadError};
use crate::host::{Port, is_authority};
use crate::request::Kind;

/// A request target, checked and split by its form. *Spec*: RFC 9112 §3.2.
///
/// Its bytes are visible ASCII without `"`, `#`, `<`, `>`, and without a backslash before the query.
/// Percent-encoding is neither decoded nor checked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Target<'b> {
    bytes: &'b [u8],
    form: TargetForm,
}

/// The four forms of a request target. *Spec*: RFC 9112 §3.2.1 to §3.2.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetForm {
    /// `/path?query`.
    Origin,
    /// `http://host/path?query`, as proxies get it; servers must take it too.
    Absolute,
    /// `host:port`, only with CONNECT.
    Authority,
    /// `*`, only with OPTIONS.
    Asterisk,
}

impl<'b> Target<'b> {
    /// Checks `bytes` as the target of a request with a method of this kind.
    pub(crate) fn parse(kind: Kind, bytes: &'b [u8]) -> Result<Self, ReadError> {
        let form = match bytes {
            [b'/', ..] if kind != Kind::Connect => TargetForm::Origin,
            _ => other_form(kind, bytes)?,
        };
        check_bytes(bytes)?;
        Ok(Self { bytes, form })
    }

    /// A path, with a query or without, as the target of a request other than CONNECT: for those who
    /// lead a request elsewhere.
    ///
    /// # Errors
    ///
    /// It does not begin with a slash, or holds what no target may.
    pub fn of_path(path: &'b str) -> Result<Self, ReadError> {
        match path.starts_with('/') {
            true => Self::parse(Kind::Other, path.as_bytes()),
            false => Err(ReadError::malformed(Fault::TargetForm, 0)),
        }
    }

    /// A target that was checked before.
    #[inline]
    pub(crate) fn checked(bytes: &'b [u8], form: TargetForm) -> Self {
        Self { bytes, form }
    }

    /// The target as sent.
    #[must_use]
    pub fn as_str(&self) -> &'b str {
        ascii(self.bytes)
    }

    /// The bytes of the target as sent.
    #[must_use]
    pub fn as_bytes(&self) -> &'b [u8] {
        self.bytes
    }

    /// Its form.
    #[must_use]
    pub fn form(&self) -> TargetForm {
        self.form
    }

    /// The path of an origin or absolute form, never with the query. `/` if an absolute form has no path;
    /// `*` for the asterisk form; empty for the authority form.
    #[must_use]
    pub fn path(&self) -> &'b str {
        match self.form {
            TargetForm::Authority => "",
            TargetForm::Asterisk => self.as_str(),
            TargetForm::Origin | TargetForm::Absolute => ascii(self.path_bytes()),
        }
    }

    /// The bytes of [`path`](Self::path).
    #[must_use]
    pub fn path_bytes(&self) -> &'b [u8] {
        match self.form {
            TargetForm::Authority => b"",
            TargetForm::Asterisk => self.bytes,
            TargetForm::Origin | TargetForm::Absolute => {
                let bytes = self.path_and_query();
                let end = bytes.iter().position(|byte| *byte == b'?').unwrap_or(bytes.len());
                let path = bytes.get(..end).unwrap_or_default();
                if path.is_empty() { b"/" } else { path }
            }
        }
    }

    /// What follows the first `?`, without it.
    #[must_use]
    pub fn query(&self) -> Option<&'b str> {
        match self.form {
            TargetForm::Authority | TargetForm::Asterisk => None,
            TargetForm::Origin | TargetForm::Absolute => {
                let bytes = self.path_and_query();
                let mark = bytes.iter().position(|byte| *byte == b'?')?;
                bytes.get(mark + 1..).map(ascii)
            }
        }
    }

    /// Host and port of an absolute or authority form.
    #[must_use]
    pub fn authority(&self) -> Option<&'b str> {
        match self.form {
            TargetForm::Origin | TargetForm::Asterisk => None,
            TargetForm::Authority => Some(self.as_str()),
            TargetForm::Absolute => {
                let (_, rest) = self.as_str().split_once("://")?;
                rest.get(..authority_len(rest))
            }
        }
    }

    /// The scheme of an absolute form, as sent.
    #[must_use]
    pub fn scheme(&self) -> Option<&'b str> {
        match self.form {
            TargetForm::Absolute => self.as_str().split_once("://").map(|(scheme, _)| scheme),
            TargetForm::Origin | TargetForm::Authority | TargetForm::Asterisk => None,
        }
    }

    fn path_and_query(&self) -> &'b [u8] {
        match self.form {
            TargetForm::Absolute => {
                let rest = self.as_str().split_once("://").map_or("", |(_, rest)| rest);
                rest.as_bytes().get(authority_len(rest)..).unwrap_or_default()
            }
            TargetForm::Origin | TargetForm::Authority | TargetForm::Asterisk => self.bytes,
        }
    }
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({:?})", self.form, self.as_str())
    }
}

fn ascii(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("only ASCII is accepted as a target")
}

fn authority_len(rest: &str) -> usize {
    rest.bytes().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len())
}

/// The form of a target that is no path, if the method allows it. Its authority is checked.
fn other_form(kind: Kind, bytes: &[u8]) -> Result<TargetForm, ReadError> {
    let wrong = ReadError::malformed(Fault::TargetForm, 0);
    // RFC 9112 §3.2.3: "When making a CONNECT request [...] a client MUST send only the host and port".
    if kind == Kind::Connect {
        return if is_authority(bytes, Port::Required) {
            Ok(TargetForm::Authority)
        } else {
            Err(wrong)
        };
    }
    match bytes {
        // RFC 9112 §3.2.4: "The asterisk-form of request-target is only used for a server-wide OPTIONS".
        [b'*'] if kind == Kind::Options => Ok(TargetForm::Asterisk),
        [] => Err(ReadError::malformed(Fault::RequestLine, 0)),
        [first, ..] if first.is_ascii_alphabetic() => {
            let scheme = bytes
                .iter()
                .position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.')))
                .unwrap_or(bytes.len());
            let Some([b':', b'/', b'/', rest @ ..]) = bytes.get(scheme..) else {
                return Err(wrong);
            };
            let authority =
                rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
            if is_authority(rest.get(..authority).unwrap_or_default(), Port::Optional) {
                Ok(TargetForm::Absolute)
            } else {
                Err(wrong)
            }
        }
        _ => Err(wrong),
    }
}

/// Browsers send a backslash raw in queries; before them it could separate folders for a careless reader.
fn check_bytes(bytes: &[u8]) -> Result<(), ReadError> {
    let mut in_query = false;
    for (position, &byte) in bytes.iter().enumerate() {
        if !is_target(byte) || (byte == b'\\' && !in_query) {
            return Err(ReadError::malformed(Fault::Target, position));
        }
        in_query |= byte == b'?';
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    #[test]
    fn a_path_of_a_program_is_held_to_the_same_rules() {
        let target = Target::of_path("/a%20b?x=\\").unwrap();
        assert_eq!((target.path(), target.query()), ("/a%20b", Some("x=\\")));
        for wrong in ["", "a", "*", "http://h/", "/a b", "/a\\b", "/\r\n", "/\u{e9}"] {
            assert!(Target::of_path(wrong).is_err(), "{wrong}");
        }
    }

    fn parse(method: Method, text: &str) -> Result<Target<'_>, ReadError> {
        Target::parse(Kind::of(method.as_str().as_bytes()), text.as_bytes())
    }

    #[test]
    fn origin_form_is_split_at_the_first_question_mark() {
        let target = parse(Method::GET, "/a/b?c=d?e").unwrap();
        assert_eq!(target.form(), TargetForm::Origin);
        assert_eq!((target.path(), target.query()), ("/a/b", Some("c=d?e")));
        assert_eq!((target.authority(), target.scheme()), (None, None));
        assert_eq!(parse(Method::GET, "//a").unwrap().path(), "//a");
        assert_eq!(parse(Method::GET, "/?").unwrap().query(), Some(""));
    }

    #[test]
    fn absolute_form_gives_authority_and_path() {
        let target = parse(Method::GET, "http://example.com:80/a?b").unwrap();
        assert_eq!(target.form(), TargetForm::Absolute);
        assert_eq!(target.scheme(), Some("http"));
        assert_eq!(target.authority(), Some("example.com:80"));
        assert_eq!((target.path(), target.query()), ("/a", Some("b")));
        let target = parse(Method::GET, "http://example.com?b").unwrap();
        assert_eq!((target.path(), target.query()), ("/", Some("b")));
        for bad in ["http://", "http:///a", "http://u@h/", "http://a:b@h/", "http:/a", "h ttp://a"]
        {
            assert!(parse(Method::GET, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn authority_and_asterisk_belong_to_their_methods() {
        let target = parse(Method::CONNECT, "example.com:443").unwrap();
        assert_eq!(target.form(), TargetForm::Authority);
        assert_eq!((target.authority(), target.path()), (Some("example.com:443"), ""));
        assert_eq!(parse(Method::OPTIONS, "*").unwrap().form(), TargetForm::Asterisk);
        for (method, bad) in [
            (Method::GET, "*"),
            (Method::POST, "*"),
            (Method::OPTIONS, "**"),
            (Method::GET, "example.com:443"),
            (Method::CONNECT, "/"),
            (Method::CONNECT, "http://example.com:443/"),
            (Method::GET, "foo/bar"),
            (Method::GET, ""),
            (Method::GET, "?a"),
        ] {
            assert!(parse(method.clone(), bad).is_err(), "{method} {bad}");
        }
    }

    #[test]
    fn bytes_that_no_target_holds() {
        for bad in
            ["/a#b", "/a b", "/a\\b", "/a\"b", "/<", "/>", "/caf\u{e9}", "/\x7f", "/\0", "/\t"]
        {
            assert!(parse(Method::GET, bad).is_err(), "{bad:?}");
        }
        for good in ["/a?x[]=1|2", "/?a=\\", "/{a}^`", "/a%zz", "/%0d%0a"] {
            assert!(parse(Method::GET, good).is_ok(), "{good:?}");
        }
    }
}
