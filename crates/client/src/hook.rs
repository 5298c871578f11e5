//! What others may do on every hop of a transfer: cookies, authentication, HSTS, logs.

use avocet_wire::{FieldBuf, ResponseHead};
use http::Method;
use url::Url;

use crate::error::Error;

/// Looks at every request and every response, redirects and repetitions included.
pub trait Hook: Send + Sync {
    /// A request is about to be sent; fields may be added, changed and taken away.
    ///
    /// *Errors*: end the transfer.
    fn on_request(&self, hop: &Hop<'_>, fields: &mut FieldBuf) -> Result<(), Error> {
        let _ = (hop, fields);
        Ok(())
    }

    /// The head of a final response has come.
    fn on_response(&self, hop: &Hop<'_>, head: &ResponseHead<'_>) -> Verdict {
        let _ = (hop, head);
        Verdict::Proceed
    }
}

/// One request of a transfer.
#[derive(Clone, Copy, Debug)]
pub struct Hop<'a> {
    /// Where it goes.
    pub url: &'a Url,
    /// Where the transfer began.
    pub first: &'a Url,
    /// Its method.
    pub method: &'a Method,
    /// Redirects so far.
    pub redirects: u32,
    /// How often this hop was repeated.
    pub repeats: u32,
}

/// What a hook wants after a response.
#[derive(Debug)]
pub enum Verdict {
    /// Go on.
    Proceed,
    /// Make the same request again with these fields instead of others of their name: the answer to
    /// a challenge. At most 3 times per hop, and only when the content can be sent again.
    Repeat(FieldBuf),
}
