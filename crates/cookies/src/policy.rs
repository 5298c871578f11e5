//! What a person or program decides on top of the rules.

use std::fmt;

use url::Url;

use crate::{context::Context, cookie::Cookie, host::domain_match};

mod python;

pub use self::python::PythonPolicy;

/// A say in which cookies are stored and sent. It can only refuse: what the rules of RFC 6265bis
/// refuse never reaches it.
pub trait Policy: fmt::Debug + Send + Sync {
    /// Whether `cookie`, which a response from `url` sets, may be stored.
    fn accept(&self, cookie: &Cookie, url: &Url, context: &Context) -> bool {
        let _ = (cookie, url, context);
        true
    }

    /// Whether `cookie` may go out with a request for `url`.
    fn send(&self, cookie: &Cookie, url: &Url, context: &Context) -> bool {
        let _ = (cookie, url, context);
        true
    }
}

/// Lists of domains whose cookies are taken or refused, both when set and when sent.
///
/// An entry `example.com` means that host; `.example.com` means it and all its sub-domains. A
/// cookie is judged by its own domain. Blocking wins; once anything is allowed, the rest is not.
///
/// ```
/// use avocet_cookies::{DomainLists, Jar};
/// let lists = DomainLists::new().block(".ads.example").allow(".example").allow("other.test");
/// let jar = Jar::new().with_policy(lists);
/// # assert!(jar.is_empty());
/// ```
#[derive(Clone, Debug, Default)]
pub struct DomainLists {
    blocked: Vec<String>,
    allowed: Option<Vec<String>>,
}

impl DomainLists {
    /// Nothing blocked, everything allowed.
    pub fn new() -> Self {
        Self::default()
    }

    /// Blocks a host or, with a leading dot, a domain and all below it.
    #[must_use]
    pub fn block(mut self, entry: &str) -> Self {
        self.blocked.push(entry.to_ascii_lowercase());
        self
    }

    /// Allows a host or, with a leading dot, a domain and all below it; what no entry names is
    /// refused from now on.
    #[must_use]
    pub fn allow(mut self, entry: &str) -> Self {
        self.allowed.get_or_insert_default().push(entry.to_ascii_lowercase());
        self
    }

    /// Allows nothing but what [`allow`](Self::allow) adds.
    #[must_use]
    pub fn allow_none(mut self) -> Self {
        self.allowed.get_or_insert_default();
        self
    }

    /// Whether the lists let cookies of this domain pass.
    pub fn permits(&self, domain: &str) -> bool {
        let listed = |list: &[String]| list.iter().any(|entry| covers(entry, domain));
        !listed(&self.blocked) && self.allowed.as_ref().is_none_or(|list| listed(list))
    }
}

impl Policy for DomainLists {
    fn accept(&self, cookie: &Cookie, _: &Url, _: &Context) -> bool {
        self.permits(cookie.domain())
    }

    fn send(&self, cookie: &Cookie, _: &Url, _: &Context) -> bool {
        self.permits(cookie.domain())
    }
}

fn covers(entry: &str, domain: &str) -> bool {
    match entry.strip_prefix('.') {
        Some(tree) => domain_match(domain, tree),
        None => domain == entry,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocking_wins_and_allowing_excludes_the_rest() {
        let lists = DomainLists::new().block(".Ads.example.com").allow(".example.com");
        assert!(lists.permits("www.example.com") && lists.permits("example.com"));
        assert!(!lists.permits("ads.example.com") && !lists.permits("x.ads.example.com"));
        assert!(!lists.permits("other.test"));
    }

    #[test]
    fn an_entry_without_dot_is_one_host() {
        let lists = DomainLists::new().block("example.com");
        assert!(!lists.permits("example.com"));
        assert!(lists.permits("www.example.com"));
        assert!(!DomainLists::new().allow_none().permits("example.com"));
    }
}
