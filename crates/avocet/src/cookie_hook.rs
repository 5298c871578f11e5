//! A cookie jar on every hop of a client.

use std::time::SystemTime;

use avocet_client::{Error, Hook, Hop, Verdict};
use avocet_cookies::{Context, SharedJar};
use avocet_wire::{FieldBuf, ResponseHead};
use http::header::{COOKIE, SET_COOKIE};

/// Stores what responses set and sends what the jar holds for each request, redirects included. A
/// Cookie field that a request brings itself goes before that of the jar.
///
/// ```
/// use std::sync::Arc;
///
/// use avocet::cookies::{Jar, SharedJar};
///
/// let jar = SharedJar::new(Jar::new());
/// let mut config = avocet::client::Config::default();
/// config.hooks.push(Arc::new(avocet::CookieHook::new(jar)));
/// ```
#[derive(Clone)]
pub struct CookieHook {
    jar: SharedJar,
}

impl CookieHook {
    /// With this jar.
    pub fn new(jar: SharedJar) -> Self {
        Self { jar }
    }

    fn context(hop: &Hop<'_>) -> Context {
        Context::of_request(hop.url, None, true, hop.method.is_safe())
    }
}

impl Hook for CookieHook {
    fn on_request(&self, hop: &Hop<'_>, fields: &mut FieldBuf) -> Result<(), Error> {
        let Some(stored) = self.jar.header_for(hop.url, &Self::context(hop), SystemTime::now())
        else {
            return Ok(());
        };
        let mut value = match fields.get(&COOKIE) {
            Some(own) => [own, b"; "].concat(),
            None => Vec::new(),
        };
        value.extend_from_slice(&stored);
        fields.remove(&COOKIE);
        if let Err(error) = fields.push(&COOKIE, &value) {
            log::warn!("the cookies for {}: {error}", hop.url.host_str().unwrap_or_default());
        }
        Ok(())
    }

    fn on_response(&self, hop: &Hop<'_>, head: &ResponseHead<'_>) -> Verdict {
        let lines: Vec<&[u8]> = head.fields.get_all(&SET_COOKIE).collect();
        if !lines.is_empty() {
            let context = Self::context(hop);
            for verdict in self.jar.store(hop.url, lines, &context, SystemTime::now()) {
                if let Err(refusal) = verdict {
                    log::info!("a cookie was refused: {refusal}");
                }
            }
        }
        Verdict::Proceed
    }
}
