//! What would become of a Set-Cookie line, and why.

use std::time::SystemTime;

use url::Url;

use super::Jar;
use crate::{
    context::Context,
    cookie::Cookie,
    receive::{Request, receive},
    set_cookie::parse_with_notes,
    verdict::{Accepted, Note, Refusal},
};

/// What [`Jar::explain_set`] found out.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Explanation {
    /// What would become of the line.
    pub verdict: Result<Accepted, Refusal>,
    /// The cookie it makes, where it makes one; a later rule may refuse it still.
    pub cookie: Option<Cookie>,
    /// What of the line has another effect than it says, in the order in which it was met.
    pub notes: Vec<Note>,
}

impl Jar {
    /// Says what [`set`](Self::set) would do with a line, and leaves the jar as it is.
    ///
    /// This copies the jar to try it out, so it is for people who ask, not for every response.
    pub fn explain_set(
        &self,
        url: &Url,
        line: &[u8],
        context: &Context,
        now: SystemTime,
    ) -> Explanation {
        let mut notes = Vec::new();
        let cookie = parse_with_notes(line, &mut |note| notes.push(note)).and_then(|line| {
            let request = Request::new(url, context, self.trust_loopback)?;
            receive(&line, &request, &self.limits, &mut |note| notes.push(note), now)
        });
        let verdict = match &cookie {
            Ok(_) => self.clone().set(url, line, context, now),
            Err(refusal) => Err(*refusal),
        };
        Explanation { verdict, cookie: cookie.ok(), notes }
    }
}
