//! The hook that logs in.

use std::sync::{Mutex, MutexGuard, PoisonError};

use avocet_semantics::auth::{self, Scheme};
use avocet_wire::{FieldBuf, ResponseHead};
use http::StatusCode;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};

use super::known::{Known, Place};
use super::{Credentials, Passwords};
use crate::error::{Error, ErrorKind, Phase};
use crate::hook::{Hook, Hop, Verdict};

/// Logs in where servers ask for it: by Digest, with the feature `digest`, or by Basic.
///
/// A request that brings an Authorization field of its own is left alone. What a server has asked
/// for once is sent to its origin with every further request, by Basic below the path of the first.
///
/// ```
/// use std::sync::Arc;
///
/// use avocet_client::{Config, Credentials, Login, Vault};
///
/// let url = "https://h/".parse()?;
/// let login = Login::new(Vault::of_origin(&url, Credentials::new("me", "word")));
/// let mut config = Config::default();
/// config.hooks.push(Arc::new(login));
/// # Ok::<(), url::ParseError>(())
/// ```
///
/// *Spec*: RFC 9110 §11, RFC 7616, RFC 7617.
pub struct Login {
    passwords: Box<dyn Passwords>,
    at_once: bool,
    basic: bool,
    known: Mutex<Known>,
}

impl Login {
    /// With these passwords, and those that stand in URLs.
    pub fn new(passwords: impl Passwords + 'static) -> Self {
        let passwords = Box::new(passwords);
        Self { passwords, at_once: false, basic: true, known: Mutex::default() }
    }

    /// The same, but it does not wait to be asked: the first request has its password by Basic.
    #[must_use]
    pub fn at_once(mut self) -> Self {
        self.at_once = true;
        self
    }

    /// The same, but no password goes out by Basic, which does not hide it.
    #[must_use]
    pub fn without_basic(mut self) -> Self {
        self.basic = false;
        self.at_once = false;
        self
    }

    fn find(&self, hop: &Hop<'_>, realm: Option<&str>) -> Option<Credentials> {
        let found = self.passwords.find(hop.url, realm);
        found.or_else(|| Credentials::of_url(hop.url).ok().flatten())
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hook for Login {
    fn on_request(&self, hop: &Hop<'_>, fields: &mut FieldBuf) -> Result<(), Error> {
        if fields.contains(&AUTHORIZATION) {
            return Ok(());
        }
        let known = self.known().get(&hop.url.origin()).and_then(|place| place.authorize(hop));
        let value = match known {
            Some(value) => value,
            None if self.at_once && self.basic => match self.find(hop, None) {
                Some(credentials) => credentials.to_basic()?.into_bytes(),
                None => return Ok(()),
            },
            None => return Ok(()),
        };
        fields
            .push(&AUTHORIZATION, value)
            .map_err(|error| Error::new(ErrorKind::Request, Phase::Prepare, error).caused_by(error))
    }

    fn on_response(&self, hop: &Hop<'_>, head: &ResponseHead<'_>) -> Verdict {
        if head.status != StatusCode::UNAUTHORIZED || hop.fields.contains(&AUTHORIZATION) {
            return Verdict::Proceed;
        }
        let challenges: Vec<Scheme<'_>> = head
            .fields
            .get_all(&WWW_AUTHENTICATE)
            .filter_map(|value| auth::challenges(value).ok())
            .flatten()
            .collect();
        let origin = hop.url.origin();
        let mut known = self.known();
        // The answer was wrong: what was sent is not sent again.
        if hop.repeats > 0 && !Place::is_stale(&challenges) {
            known.remove(&origin);
            return Verdict::Proceed;
        }
        let find = |realm: Option<&str>| self.find(hop, realm);
        match Place::of_challenges(&challenges, hop, find, self.basic) {
            Some(place) => {
                // The repetition asks for the field as any request does.
                known.insert(origin, place);
                Verdict::Repeat(FieldBuf::new())
            }
            None => Verdict::Proceed,
        }
    }
}
