//! Basic: a name and a password, encoded and not hidden.
//!
//! *Spec*: RFC 7617.
//!
//! ```
//! use avocet_semantics::auth::{self, basic::Login};
//!
//! let value = Login::new("Aladdin", "open sesame").unwrap().to_field();
//! assert_eq!(value, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
//! let scheme = auth::credentials(value.as_bytes()).unwrap();
//! let login = Login::from_scheme(&scheme).unwrap();
//! assert!(login.is(b"Aladdin", b"open sesame"));
//! ```

use std::fmt;

use super::{Scheme, secrets_eq};
use crate::{Error, base64, grammar};

/// A name with its password. Its debugging form hides both.
#[derive(Clone)]
pub struct Login {
    /// `name:password`, as it is encoded.
    pair: Vec<u8>,
    colon: usize,
}

impl Login {
    /// Puts a name and a password together.
    ///
    /// *Errors*: a colon in the name, a control character in either of them.
    pub fn new(name: &str, password: &str) -> Result<Self, Error> {
        if name.contains(':') {
            return Err(Error::Syntax { what: "name (for its colon)", at: 0 });
        }
        let pair = format!("{name}:{password}").into_bytes();
        match pair.iter().position(u8::is_ascii_control) {
            Some(at) => Err(Error::Syntax { what: "name or password", at }),
            None => Ok(Self { pair, colon: name.len() }),
        }
    }

    /// Reads credentials; `None` unless they are Basic and well encoded.
    ///
    /// The name ends at the first colon. The bytes are taken as they are: most clients send UTF-8,
    /// some send Latin-1, and the field does not say which.
    pub fn from_scheme(scheme: &Scheme<'_>) -> Option<Self> {
        if !scheme.is("basic") {
            return None;
        }
        let pair = base64::decode(scheme.token68?.as_bytes())?;
        // "The user-id and password MUST NOT contain any control characters."
        if pair.iter().any(u8::is_ascii_control) {
            return None;
        }
        let colon = pair.iter().position(|&byte| byte == b':')?;
        Some(Self { pair, colon })
    }

    /// The name.
    pub fn name(&self) -> &[u8] {
        &self.pair[..self.colon]
    }

    /// The password.
    pub fn password(&self) -> &[u8] {
        &self.pair[self.colon + 1..]
    }

    /// Whether name and password are these, compared in a time that tells nothing about them.
    pub fn is(&self, name: &[u8], password: &[u8]) -> bool {
        // Both are compared in any case: a wrong name takes as long as a wrong password.
        secrets_eq(self.name(), name) & secrets_eq(self.password(), password)
    }

    /// The value of an Authorization or Proxy-Authorization field.
    pub fn to_field(&self) -> String {
        format!("Basic {}", base64::encode(&self.pair))
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(..)")
    }
}

/// The challenge that asks for a name and a password, and says that they are to be in UTF-8.
///
/// *Errors*: a control character in the realm.
pub fn challenge(realm: &str) -> Result<Vec<u8>, Error> {
    let mut value = b"Basic realm=".to_vec();
    grammar::write_quoted(realm.as_bytes(), &mut value)?;
    value.extend_from_slice(b", charset=\"UTF-8\"");
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{challenges, credentials};

    fn read(value: &str) -> Option<Login> {
        Login::from_scheme(&credentials(value.as_bytes()).ok()?)
    }

    #[test]
    fn the_password_may_have_colons_and_the_name_may_not() {
        let login = Login::new("a", "b:c").unwrap();
        let same = read(&login.to_field()).unwrap();
        assert_eq!((same.name(), same.password()), (&b"a"[..], &b"b:c"[..]));
        assert!(Login::new("a:b", "c").is_err());
        assert!(Login::new("a\n", "c").is_err() && Login::new("a", "c\0").is_err());
        assert!(Login::new("", "").is_ok());
    }

    /// RFC 7617 §2.1: the pound sign in UTF-8.
    #[test]
    fn names_beyond_ascii() {
        assert_eq!(Login::new("test", "123£").unwrap().to_field(), "Basic dGVzdDoxMjPCow==");
    }

    #[test]
    fn what_is_no_login() {
        for value in
            ["Bearer dGVzdDoxMjM=", "Basic dGVzdA==", "Basic", "Basic dGVzdDo", "Basic a=b"]
        {
            assert!(read(value).is_none(), "{value}");
        }
        assert!(read(&format!("Basic {}", base64::encode(b"a:b\r\nX: y"))).is_none());
    }

    #[test]
    fn a_login_is_compared_whole_and_never_shown() {
        let login = Login::new("user", "secret").unwrap();
        assert!(login.is(b"user", b"secret"));
        assert!(!login.is(b"user", b"Secret") && !login.is(b"use", b"secret"));
        assert!(!format!("{login:?}").contains("secret"));
    }

    #[test]
    fn a_realm_is_quoted() {
        let value = challenge(r#"the "vault""#).unwrap();
        let found = challenges(&value).unwrap();
        assert_eq!(found[0].text("realm").as_deref(), Some(r#"the "vault""#));
        assert!(challenge("a\r\nb").is_err());
    }
}
