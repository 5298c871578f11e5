//! Which cookies go out with a request, and in which order (RFC 6265bis §5.8.3).

use std::{cmp::Reverse, time::SystemTime};

use url::Url;

use super::Jar;
use crate::{
    context::Context,
    cookie::{Cookie, SameSite},
    host::{domain_match, site},
    path::path_match,
    policy::Policy,
    receive::Request,
    time,
    verdict::Withheld,
};

impl Jar {
    /// The value of the Cookie field for a request, or `None` where no cookie goes with it. The
    /// cookies sent count as used now.
    ///
    /// The value is octets as servers sent them: no control characters but tab, otherwise
    /// anything, UTF-8 or not.
    pub fn header_for(&mut self, url: &Url, context: &Context, now: SystemTime) -> Option<Vec<u8>> {
        if self.len == 0 {
            return None;
        }
        let policy = self.policy.clone();
        let request = Request::new(url, context, self.trust_loopback).ok()?;
        let retrieval = Retrieval::new(&request, policy.as_deref(), now);
        let cookies = self.sites.get_mut(site(request.host))?;
        let mut chosen: Vec<&mut Cookie> =
            cookies.iter_mut().filter(|cookie| retrieval.check(cookie).is_ok()).collect();
        chosen.sort_unstable_by_key(|cookie| rank(cookie));
        let mut room = Room::new(self.limits.header);
        chosen.retain(|cookie| room.takes(cookie));
        let mut out = Vec::with_capacity(room.used);
        let used = time::micros(now);
        for cookie in chosen {
            if !out.is_empty() {
                out.extend_from_slice(b"; ");
            }
            cookie.write_pair(&mut out);
            cookie.accessed = used;
        }
        (!out.is_empty()).then_some(out)
    }

    /// The cookies that [`header_for`](Self::header_for) would send, in its order, without
    /// counting as a use.
    pub fn cookies_for(&self, url: &Url, context: &Context, now: SystemTime) -> Vec<&Cookie> {
        let Ok(request) = Request::new(url, context, self.trust_loopback) else {
            return Vec::new();
        };
        let retrieval = Retrieval::new(&request, self.policy.as_deref(), now);
        let held = self.sites.get(site(request.host)).into_iter().flatten();
        let mut chosen: Vec<&Cookie> =
            held.filter(|cookie| retrieval.check(cookie).is_ok()).collect();
        chosen.sort_unstable_by_key(|cookie| rank(cookie));
        let mut room = Room::new(self.limits.header);
        chosen.retain(|cookie| room.takes(cookie));
        chosen
    }

    /// Every cookie of the jar with the reason why it goes out with the request or does not:
    /// first those that go, in the order in which they go, then the others by creation.
    pub fn explain_send(
        &self,
        url: &Url,
        context: &Context,
        now: SystemTime,
    ) -> Vec<(&Cookie, Result<(), Withheld>)> {
        let request = Request::new(url, context, self.trust_loopback).ok();
        let retrieval =
            request.as_ref().map(|request| Retrieval::new(request, self.policy.as_deref(), now));
        let verdict = |cookie: &Cookie| match &retrieval {
            Some(retrieval) => retrieval.check(cookie),
            None => Err(Withheld::Scheme),
        };
        let judged = self.in_order().into_iter().map(|cookie| (cookie, verdict(cookie)));
        let (mut sent, withheld): (Vec<_>, Vec<_>) =
            judged.partition(|(_, verdict)| verdict.is_ok());
        sent.sort_by_key(|(cookie, _)| rank(cookie));
        let mut room = Room::new(self.limits.header);
        for (cookie, verdict) in &mut sent {
            if !room.takes(cookie) {
                *verdict = Err(Withheld::NoRoom);
            }
        }
        sent.sort_by_key(|(_, verdict)| verdict.is_err());
        sent.extend(withheld);
        sent
    }
}

/// Longer paths first, then earlier creation.
fn rank(cookie: &Cookie) -> (Reverse<usize>, i64, u64) {
    (Reverse(cookie.path.len()), cookie.created, cookie.order)
}

/// How much of the Cookie field is taken.
struct Room {
    used: usize,
    limit: usize,
}

impl Room {
    fn new(limit: usize) -> Self {
        Self { used: 0, limit }
    }

    /// Whether this cookie is the next in the field; one that is too long for what is left makes
    /// way for those after it.
    fn takes(&mut self, cookie: &Cookie) -> bool {
        let between = if self.used == 0 { 0 } else { 2 };
        let used = self.used + between + cookie.pair_len();
        if used > self.limit {
            return false;
        }
        self.used = used;
        true
    }
}

struct Retrieval<'r> {
    request: &'r Request<'r>,
    policy: Option<&'r dyn Policy>,
    now: i64,
}

impl<'r> Retrieval<'r> {
    fn new(request: &'r Request<'r>, policy: Option<&'r dyn Policy>, now: SystemTime) -> Self {
        Self { request, policy, now: time::seconds(now) }
    }

    fn check(&self, cookie: &Cookie) -> Result<(), Withheld> {
        let Request { url, host, path, secure, context } = *self.request;
        if cookie.host_only && *cookie.domain != *host {
            return Err(Withheld::OtherHost);
        }
        if !cookie.host_only && !domain_match(host, &cookie.domain) {
            return Err(Withheld::OtherDomain);
        }
        if cookie.expired_at(self.now) {
            return Err(Withheld::Expired);
        }
        if !path_match(path, &cookie.path) {
            return Err(Withheld::OtherPath);
        }
        if cookie.secure && !secure {
            return Err(Withheld::InsecureConnection);
        }
        if cookie.http_only && context.script {
            return Err(Withheld::HttpOnly);
        }
        let lax = matches!(cookie.same_site, SameSite::Lax | SameSite::Default);
        let followed = lax && !context.script && context.safe_method && context.top_level;
        if cookie.same_site != SameSite::None && !context.same_site && !followed {
            return Err(Withheld::CrossSite);
        }
        if cookie.partition.is_some() && cookie.partition != self.request.partition() {
            return Err(Withheld::OtherPartition);
        }
        if self.policy.is_some_and(|policy| !policy.send(cookie, url, context)) {
            return Err(Withheld::Policy);
        }
        Ok(())
    }
}
