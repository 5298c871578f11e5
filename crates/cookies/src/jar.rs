//! The jar: cookies by site, and the ways in, out and through it.

use std::{collections::HashMap, sync::Arc, time::SystemTime};

use url::Url;

use crate::{
    context::Context,
    cookie::Cookie,
    host::site,
    limits::Limits,
    policy::Policy,
    receive::{Request, receive},
    set_cookie::parse_set_cookie,
    time,
    verdict::{Accepted, Refusal},
};

mod explain;
mod overlay;
mod retrieve;
mod room;

pub use self::explain::Explanation;

/// A cookie store by RFC 6265bis.
///
/// Cookies are kept by site (registrable domain), so that a request looks at the cookies of its
/// site only. Time is always an argument: the jar reads no clock, and it does no I/O.
///
/// *Bounds*: [`Limits`]; what is more than fits pushes out others in the order of the
/// specification.
///
/// ```
/// use std::time::SystemTime;
/// use avocet_cookies::{Context, Jar};
/// use url::Url;
///
/// let now = SystemTime::now();
/// let url = Url::parse("https://www.example.com/login")?;
/// let mut jar = Jar::new();
/// jar.set(&url, b"sid=42; Path=/; Secure; HttpOnly", &Context::new(), now)?;
/// let next = Url::parse("https://www.example.com/home")?;
/// assert_eq!(jar.header_for(&next, &Context::new(), now).as_deref(), Some(&b"sid=42"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Jar {
    sites: HashMap<Box<str>, Vec<Cookie>>,
    len: usize,
    next_order: u64,
    limits: Limits,
    trust_loopback: bool,
    policy: Option<Arc<dyn Policy>>,
}

impl Jar {
    /// An empty jar with the default limits and no policy.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with other limits. They hold from the next cookie on.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same with a policy that may refuse cookies.
    #[must_use]
    pub fn with_policy(mut self, policy: impl Policy + 'static) -> Self {
        self.policy = Some(Arc::new(policy));
        self
    }

    /// Treats connections to this machine (`localhost`, 127.0.0.0/8, `::1`) as secure without
    /// TLS, as browsers and curl do. Off by default: other users of the machine may listen there.
    #[must_use]
    pub fn trust_loopback(mut self, yes: bool) -> Self {
        self.trust_loopback = yes;
        self
    }

    /// How many cookies there are, expired ones included that nothing has looked at since.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Every cookie, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Cookie> {
        self.sites.values().flatten()
    }

    /// Every cookie in the order of creation.
    pub fn in_order(&self) -> Vec<&Cookie> {
        let mut all: Vec<&Cookie> = self.iter().collect();
        all.sort_by_key(|cookie| (cookie.created, cookie.order));
        all
    }

    /// Receives one Set-Cookie line, without its field name, from a response to `url`.
    ///
    /// *Errors*: the reason why it was not stored; the jar is as before then, apart from expired
    /// cookies of the same site, which are gone.
    ///
    /// *Spec*: RFC 6265bis §5.6, §5.7.
    pub fn set(
        &mut self,
        url: &Url,
        line: &[u8],
        context: &Context,
        now: SystemTime,
    ) -> Result<Accepted, Refusal> {
        let line = parse_set_cookie(line)?;
        let request = Request::new(url, context, self.trust_loopback)?;
        let cookie = receive(&line, &request, &self.limits, &mut |_| {}, now)?;
        self.drop_expired_of(site(&cookie.domain), now);
        self.check_overlay(&cookie, &request)?;
        if self.policy.as_ref().is_some_and(|policy| !policy.accept(&cookie, url, context)) {
            return Err(Refusal::Policy);
        }
        if context.script && self.place_of(&cookie).is_some_and(|old| old.http_only) {
            return Err(Refusal::HttpOnlyOverwrite);
        }
        self.admit(cookie, now)
    }

    /// Receives all Set-Cookie lines of a response, in their order; one verdict for each.
    pub fn store<'l>(
        &mut self,
        url: &Url,
        lines: impl IntoIterator<Item = &'l [u8]>,
        context: &Context,
        now: SystemTime,
    ) -> Vec<Result<Accepted, Refusal>> {
        lines.into_iter().map(|line| self.set(url, line, context, now)).collect()
    }

    /// Puts a cookie in as it is, without request and policy; what built it has checked it.
    ///
    /// *Errors*: [`Refusal::Full`].
    pub fn insert(&mut self, cookie: Cookie, now: SystemTime) -> Result<Accepted, Refusal> {
        self.drop_expired_of(site(&cookie.domain), now);
        self.admit(cookie, now)
    }

    /// Removes the cookies that fit all that is given: the domain (its sub-domains are others),
    /// the path, the name. Answers how many went.
    pub fn clear(
        &mut self,
        domain: Option<&str>,
        path: Option<&[u8]>,
        name: Option<&[u8]>,
    ) -> usize {
        let domain = domain.map(|domain| domain.strip_prefix('.').unwrap_or(domain));
        self.remove_if(|cookie| {
            domain.is_none_or(|domain| cookie.domain.eq_ignore_ascii_case(domain))
                && path.is_none_or(|path| *cookie.path == *path)
                && name.is_none_or(|name| *cookie.name == *name)
        })
    }

    /// Removes the cookies of this domain, path and name; there can be one for the host, one for
    /// its sub-domains too, and one per partition. Answers how many went.
    pub fn remove(&mut self, domain: &str, path: &[u8], name: &[u8]) -> usize {
        self.clear(Some(domain), Some(path), Some(name))
    }

    /// Ends the session: removes all cookies without an expiry time. Answers how many went.
    pub fn clear_session(&mut self) -> usize {
        self.remove_if(|cookie| cookie.expires.is_none())
    }

    /// Removes all cookies whose time is over. Answers how many went.
    pub fn clear_expired(&mut self, now: SystemTime) -> usize {
        let now = time::seconds(now);
        self.remove_if(|cookie| cookie.expired_at(now))
    }

    /// Removes the cookies that `doomed` names. Answers how many went.
    pub fn remove_if(&mut self, mut doomed: impl FnMut(&Cookie) -> bool) -> usize {
        let before = self.len;
        self.sites.retain(|_, cookies| {
            cookies.retain(|cookie| !doomed(cookie));
            !cookies.is_empty()
        });
        self.len = self.sites.values().map(Vec::len).sum();
        before - self.len
    }

    /// Whether this very cookie is inside, be it created or used at another time.
    pub(crate) fn holds(&self, cookie: &Cookie) -> bool {
        self.place_of(cookie).is_some_and(|held| held.same_content(cookie))
    }

    fn place_of(&self, cookie: &Cookie) -> Option<&Cookie> {
        self.sites.get(site(&cookie.domain))?.iter().find(|held| held.same_place(cookie))
    }

    fn drop_expired_of(&mut self, site: &str, now: SystemTime) {
        let now = time::seconds(now);
        let Some(cookies) = self.sites.get_mut(site) else { return };
        let before = cookies.len();
        cookies.retain(|cookie| !cookie.expired_at(now));
        self.len -= before - cookies.len();
        if cookies.is_empty() {
            self.sites.remove(site);
        }
    }

    /// Steps 23 and 24 of the storage model, then makes room.
    fn admit(&mut self, mut cookie: Cookie, now: SystemTime) -> Result<Accepted, Refusal> {
        let site = site(&cookie.domain);
        let held = self.sites.get_mut(site).and_then(|cookies| {
            let at = cookies.iter().position(|held| held.same_place(&cookie))?;
            Some((cookies, at))
        });
        let expired = cookie.expired_at(time::seconds(now));
        if let Some((cookies, at)) = held {
            if expired {
                cookies.swap_remove(at);
                self.len -= 1;
                if cookies.is_empty() {
                    self.sites.remove(site);
                }
                return Ok(Accepted::Deleted);
            }
            // "Update the creation-time of the newly-created cookie to match the creation-time
            // of the old-cookie."
            cookie.created = cookies[at].created;
            cookie.order = cookies[at].order;
            cookies[at] = cookie;
            return Ok(Accepted::Replaced);
        }
        if expired {
            return Ok(Accepted::Expired);
        }
        cookie.order = self.next_order;
        self.next_order += 1;
        let (site, order): (Box<str>, u64) = (site.into(), cookie.order);
        self.sites.entry(site.clone()).or_default().push(cookie);
        self.len += 1;
        if self.make_room(&site, order, now) { Ok(Accepted::New) } else { Err(Refusal::Full) }
    }
}

#[cfg(test)]
mod tests;
