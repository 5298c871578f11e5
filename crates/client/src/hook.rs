//! What others may do on every hop of a transfer: cookies, authentication, HSTS, logs.

use std::borrow::Cow;

use avocet_wire::{FieldBuf, ResponseHead};
use http::Method;
use url::{Position, Url};

use crate::connect::Route;
use crate::error::Error;
use crate::request::Content;

/// Looks at every request and every response, redirects and repetitions included.
pub trait Hook: Send + Sync {
    /// A hop is about to begin, the first or one by a redirect; it may be sent elsewhere. What comes
    /// out has to be a URL of http or https with a host.
    fn on_url(&self, url: &mut Url) {
        let _ = url;
    }

    /// A redirect of this hop is about to be followed, before anything is connected for it.
    ///
    /// *Errors*: end the transfer.
    fn on_redirect(&self, hop: &Hop<'_>, target: &Url) -> Result<(), Error> {
        let _ = (hop, target);
        Ok(())
    }

    /// A request is about to be sent; fields may be added, changed and taken away.
    ///
    /// *Errors*: end the transfer.
    fn on_request(&self, hop: &Hop<'_>, fields: &mut FieldBuf) -> Result<(), Error> {
        let _ = (hop, fields);
        Ok(())
    }

    /// The head of an interim response (1xx) has come.
    fn on_interim(&self, hop: &Hop<'_>, head: &ResponseHead<'_>) {
        let _ = (hop, head);
    }

    /// The head of a final response has come.
    fn on_response(&self, hop: &Hop<'_>, head: &ResponseHead<'_>) -> Verdict {
        let _ = (hop, head);
        Verdict::Proceed
    }
}

/// One request of a transfer.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
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
    /// Whether this very request was made before, on a kept connection that turned out to be closed:
    /// to the server it is one.
    pub replayed: bool,
    /// The fields that the request brought itself.
    pub fields: &'a FieldBuf,
    /// Its content; `None` once that was sent and cannot be sent again.
    pub content: Option<&'a Content>,
    /// The way it takes.
    pub route: &'a Route,
    /// What its request was [tagged](crate::Options::tag) with.
    pub tag: u64,
    pub(crate) target: Option<&'a str>,
}

impl<'a> Hop<'a> {
    /// The target as it stands in the request line: path and query, or to a proxy the whole URL
    /// without fragment and credentials.
    pub fn target(&self) -> Cow<'a, str> {
        if let Some(target) = self.target {
            return Cow::Borrowed(target);
        }
        let url = self.url;
        let path = &url[Position::BeforePath..Position::AfterQuery];
        let asterisk = *self.method == Method::OPTIONS && path == "*";
        if !self.route.wants_absolute_form() || asterisk {
            return Cow::Borrowed(path);
        }
        let scheme = &url[..Position::BeforeUsername];
        Cow::Owned([scheme, &url[Position::BeforeHost..Position::AfterQuery]].concat())
    }
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
