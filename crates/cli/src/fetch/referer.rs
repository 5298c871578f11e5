//! `-e URL;auto`: the page that led to the next one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use avocet::client::{Error, ErrorKind, Hook, Hop, Phase};
use avocet::wire::FieldBuf;
use http::header::REFERER;
use url::Url;

/// What -e has behind its URL for "and then the page that led there".
pub(super) const AUTO: &str = ";auto";

/// Says in each request after a redirect where that came from.
pub(super) struct Referers {
    first: String,
    /// Where each transfer is, by where it began.
    last: Mutex<HashMap<Url, Place>>,
}

/// A hop, which may be made more than once, and the page that led to it.
struct Place {
    redirects: u32,
    url: Url,
    before: Option<Url>,
}

impl Referers {
    /// The first request says this; nothing if it is empty.
    pub(super) fn after(first: &str) -> Self {
        Self { first: first.to_owned(), last: Mutex::default() }
    }
}

impl Hook for Referers {
    fn on_request(&self, hop: &Hop<'_>, fields: &mut FieldBuf) -> Result<(), Error> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match last.remove(hop.first) {
            _ if hop.redirects == 0 => None,
            Some(place) if place.redirects == hop.redirects => place.before,
            Some(place) => Some(place.url),
            None => None,
        };
        let (redirects, url) = (hop.redirects, hop.url.clone());
        last.insert(hop.first.clone(), Place { redirects, url, before: before.clone() });
        // RFC 9110 §10.1.3: "A user agent MUST NOT include the fragment and userinfo components", and
        // "MUST NOT send a Referer header field in an unsecured HTTP request if the referring resource
        // was accessed with a secure protocol".
        let value = match before {
            None => self.first.clone(),
            Some(before) if before.scheme() == "https" && hop.url.scheme() == "http" => {
                return Ok(());
            }
            Some(mut before) => {
                before.set_fragment(None);
                // Neither can fail for a URL with a host.
                let _ = (before.set_username(""), before.set_password(None));
                before.into()
            }
        };
        if value.is_empty() || fields.contains(&REFERER) {
            return Ok(());
        }
        fields
            .push(&REFERER, value.as_bytes())
            .map_err(|error| Error::new(ErrorKind::Request, Phase::Prepare, error))
    }
}
