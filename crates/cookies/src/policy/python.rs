//! The switches of Python's `DefaultCookiePolicy` that make sense on top of RFC 6265bis.

use url::Url;

use super::{DomainLists, Policy};
use crate::{context::Context, cookie::Cookie, host::request_host, path::path_match};

/// A policy for people who come from Python's `http.cookiejar`.
///
/// Every switch only narrows what the rules allow, and all are off unless turned on:
///
/// | Python | here |
/// |---|---|
/// | `blocked_domains`, `allowed_domains` | [`domains`](Self::domains); an entry `.example.com` covers `example.com` too, which Python's does not |
/// | `netscape=False` | [`netscape`](Self::netscape) |
/// | `strict_ns_unverifiable` | [`strict_unverifiable`](Self::strict_unverifiable); unverifiable means cross-site |
/// | `strict_ns_domain & DomainStrictNoDots` | [`strict_no_dots`](Self::strict_no_dots) |
/// | `strict_ns_set_initial_dollar` | [`strict_initial_dollar`](Self::strict_initial_dollar) |
/// | `strict_ns_set_path` | [`strict_set_path`](Self::strict_set_path) |
///
/// Not there: `rfc2965`, `rfc2109_as_netscape`, `hide_cookie2`, `strict_rfc2965_unverifiable` and
/// `DomainRFC2965Match`, since Set-Cookie2 is obsolete and never read or sent; `strict_domain`,
/// which guesses what the public suffix list knows; `DomainStrictNonDomain` and `DomainLiberal`,
/// since host-only cookies never go to sub-domains here; `secure_protocols`, since the URL's
/// scheme decides.
#[derive(Clone, Debug)]
pub struct PythonPolicy {
    domains: DomainLists,
    netscape: bool,
    strict_unverifiable: bool,
    strict_no_dots: bool,
    strict_initial_dollar: bool,
    strict_set_path: bool,
}

impl PythonPolicy {
    /// All switches as Python has them by default.
    pub fn new() -> Self {
        Self {
            domains: DomainLists::new(),
            netscape: true,
            strict_unverifiable: false,
            strict_no_dots: false,
            strict_initial_dollar: false,
            strict_set_path: false,
        }
    }

    /// Which domains may set and get cookies.
    #[must_use]
    pub fn domains(mut self, domains: DomainLists) -> Self {
        self.domains = domains;
        self
    }

    /// Whether Set-Cookie is read and Cookie is sent at all.
    #[must_use]
    pub fn netscape(mut self, yes: bool) -> Self {
        self.netscape = yes;
        self
    }

    /// Keeps cookies out of cross-site requests altogether.
    #[must_use]
    pub fn strict_unverifiable(mut self, yes: bool) -> Self {
        self.strict_unverifiable = yes;
        self
    }

    /// Refuses a Domain attribute where more than one label stands before it: `a.b.example.com`
    /// may not set cookies for `example.com`.
    #[must_use]
    pub fn strict_no_dots(mut self, yes: bool) -> Self {
        self.strict_no_dots = yes;
        self
    }

    /// Refuses names that begin with `$`.
    #[must_use]
    pub fn strict_initial_dollar(mut self, yes: bool) -> Self {
        self.strict_initial_dollar = yes;
        self
    }

    /// Refuses a Path attribute that the path of the request does not fall under.
    #[must_use]
    pub fn strict_set_path(mut self, yes: bool) -> Self {
        self.strict_set_path = yes;
        self
    }

    fn permits(&self, cookie: &Cookie, context: &Context) -> bool {
        self.netscape
            && self.domains.permits(cookie.domain())
            && (context.same_site || !self.strict_unverifiable)
    }
}

impl Default for PythonPolicy {
    fn default() -> Self {
        Self::new()
    }
}

impl Policy for PythonPolicy {
    fn accept(&self, cookie: &Cookie, url: &Url, context: &Context) -> bool {
        let host = request_host(url).unwrap_or_default();
        let above = host.strip_suffix(cookie.domain()).unwrap_or_default().trim_end_matches('.');
        self.permits(cookie, context)
            && !(self.strict_no_dots && above.contains('.'))
            && !(self.strict_initial_dollar && cookie.name().starts_with(b"$"))
            && (!self.strict_set_path || path_match(url.path().as_bytes(), cookie.path()))
    }

    fn send(&self, cookie: &Cookie, _: &Url, context: &Context) -> bool {
        self.permits(cookie, context)
    }
}
