//! Names and passwords, and how they answer the challenges of servers.
//!
//! A password belongs to an origin (scheme, host and port): [`Login`] asks its [`Passwords`] for each
//! hop anew, so that a redirect never takes one along.

#[cfg(feature = "digest")]
mod digest;
mod known;
mod login;
mod netrc;
mod vault;

use std::fmt;

use avocet_semantics::auth::basic;
use url::Url;

use crate::error::{Error, ErrorKind, Phase};

pub use login::Login;
pub use netrc::{Netrc, NetrcError};
pub use vault::Vault;

/// A name with its password. Its debugging form hides both.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    name: String,
    password: String,
}

/// Knows passwords. Closures do too: `|url: &Url, realm: Option<&str>| ...`.
pub trait Passwords: Send + Sync {
    /// What to log in with at this URL; `realm` is what the server calls the place, once it has
    /// asked.
    fn find(&self, url: &Url, realm: Option<&str>) -> Option<Credentials>;
}

impl<F: Fn(&Url, Option<&str>) -> Option<Credentials> + Send + Sync> Passwords for F {
    fn find(&self, url: &Url, realm: Option<&str>) -> Option<Credentials> {
        self(url, realm)
    }
}

impl Credentials {
    /// A name and a password.
    pub fn new(name: impl Into<String>, password: impl Into<String>) -> Self {
        Self { name: name.into(), password: password.into() }
    }

    /// Those that stand in a URL, percent-decoded; `None` if there are none.
    ///
    /// *Errors*: they are not text.
    pub fn of_url(url: &Url) -> Result<Option<Self>, Error> {
        if url.username().is_empty() && url.password().is_none() {
            return Ok(None);
        }
        let decode = |part: &str| {
            let bytes: Vec<u8> = percent_encoding::percent_decode_str(part).collect();
            String::from_utf8(bytes).map_err(|_| {
                let message = "the user or password in the URL is not text";
                Error::new(ErrorKind::Url, Phase::Prepare, message).about(url)
            })
        };
        let (name, password) = (decode(url.username())?, decode(url.password().unwrap_or(""))?);
        Ok(Some(Self { name, password }))
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The password.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The value of an Authorization field by Basic.
    ///
    /// *Errors*: a colon in the name, a control character in either of them.
    pub fn to_basic(&self) -> Result<String, Error> {
        match basic::Login::new(&self.name, &self.password) {
            Ok(login) => Ok(login.to_field()),
            Err(error) => {
                Err(Error::new(ErrorKind::Request, Phase::Prepare, error).caused_by(error))
            }
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}
