//! Cookies that come from a file, a browser's store or a person, held to the rules that a
//! Set-Cookie line is held to.

use std::time::SystemTime;

use super::{Cookie, SameSite};
use crate::{
    host::{canonical_host, is_ip, is_public_suffix},
    limits::{MAX_EXTENSION_OCTETS, MAX_EXTENSIONS, MAX_PAIR, MAX_PATH},
    octets::{has_control, starts_with_ignore_case},
    time,
    verdict::Refusal,
};

/// A cookie in the making; [`build`](Self::build) checks it.
#[derive(Clone, Debug)]
pub struct CookieBuilder {
    cookie: Cookie,
    created: Option<i64>,
    accessed: Option<i64>,
}

impl CookieBuilder {
    pub(super) fn new(name: Vec<u8>, value: Vec<u8>, domain: String) -> Self {
        let cookie = Cookie {
            name: name.into(),
            value: value.into(),
            domain: domain.into(),
            path: Box::from(&b"/"[..]),
            host_only: true,
            secure: false,
            http_only: false,
            same_site: SameSite::Default,
            partition: None,
            extensions: Vec::new(),
            expires: None,
            created: 0,
            accessed: 0,
            order: 0,
        };
        Self { cookie, created: None, accessed: None }
    }

    /// For the sub-domains too, not for the host only.
    #[must_use]
    pub fn for_subdomains(mut self, yes: bool) -> Self {
        self.cookie.host_only = !yes;
        self
    }

    /// The path under which it is sent; `/` unless given.
    #[must_use]
    pub fn path(mut self, path: impl Into<Vec<u8>>) -> Self {
        self.cookie.path = path.into().into();
        self
    }

    /// For secure connections only.
    #[must_use]
    pub fn secure(mut self, yes: bool) -> Self {
        self.cookie.secure = yes;
        self
    }

    /// Hidden from scripts.
    #[must_use]
    pub fn http_only(mut self, yes: bool) -> Self {
        self.cookie.http_only = yes;
        self
    }

    /// Which cross-site requests carry it.
    #[must_use]
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.cookie.same_site = same_site;
        self
    }

    /// Partitioned under a site such as `https://example.com`.
    #[must_use]
    pub fn partition(mut self, site: Option<&str>) -> Self {
        self.cookie.partition = site.map(Box::from);
        self
    }

    /// When it expires; a session cookie unless given.
    #[must_use]
    pub fn expires(self, at: SystemTime) -> Self {
        self.expires_seconds(Some(time::seconds(at)))
    }

    /// When it expires in seconds since 1970, held within the years that dates can name;
    /// `None` for a session cookie.
    #[must_use]
    pub fn expires_seconds(mut self, at: Option<i64>) -> Self {
        self.cookie.expires = at.map(|at| at.clamp(EARLIEST, LATEST));
        self
    }

    /// When it was created; the `now` of [`build`](Self::build) unless given.
    #[must_use]
    pub fn created(mut self, at: SystemTime) -> Self {
        self.created = Some(time::micros(at));
        self
    }

    /// When it was last sent; when it was created unless given.
    #[must_use]
    pub fn last_accessed(mut self, at: SystemTime) -> Self {
        self.accessed = Some(time::micros(at));
        self
    }

    /// Adds an attribute that the specification does not know. *Bounds*: 16 of 1,024 octets
    /// together; what is more is dropped.
    #[must_use]
    pub fn extension(mut self, name: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        let (name, value): (Vec<u8>, Vec<u8>) = (name.into(), value.into());
        let held: usize =
            self.cookie.extensions().map(|(name, value)| name.len() + value.len()).sum();
        if self.cookie.extensions.len() < MAX_EXTENSIONS
            && held + name.len() + value.len() <= MAX_EXTENSION_OCTETS
        {
            self.cookie.extensions.push((name.into(), value.into()));
        }
        self
    }

    /// The cookie, if it is one that a jar may hold.
    ///
    /// *Errors*: the [`Refusal`] that a Set-Cookie line with these contents would meet, whichever
    /// host had sent it.
    pub fn build(self, now: SystemTime) -> Result<Cookie, Refusal> {
        let Self { mut cookie, created, accessed } = self;
        check(&cookie)?;
        cookie.created = created.unwrap_or_else(|| time::micros(now));
        cookie.accessed = accessed.unwrap_or(cookie.created);
        if is_ip(&cookie.domain) {
            // An address has no sub-domains; files that say otherwise mean the same.
            cookie.host_only = true;
        }
        Ok(cookie)
    }
}

/// The rules that hold for every stored cookie, whatever request brought it.
fn check(cookie: &Cookie) -> Result<(), Refusal> {
    if cookie.name.is_empty() && cookie.value.is_empty() {
        return Err(Refusal::Empty);
    }
    let extensions = || cookie.extensions().flat_map(|(name, value)| [name, value]);
    let mut parts = [&*cookie.name, &cookie.value].into_iter().chain(extensions());
    if parts.any(has_control) {
        return Err(Refusal::ControlOctet);
    }
    // No Set-Cookie line can say these: in a Cookie field they would end the cookie early or
    // give it another name.
    let mut names = [&*cookie.name].into_iter().chain(cookie.extensions().map(|(name, _)| name));
    let mut parts = [&*cookie.name, &cookie.value].into_iter().chain(extensions());
    if names.any(|name| name.contains(&b'=')) || parts.any(|part| part.contains(&b';')) {
        return Err(Refusal::Delimiter);
    }
    if cookie.name.len() + cookie.value.len() > MAX_PAIR {
        return Err(Refusal::TooLong);
    }
    if canonical_host(&cookie.domain).as_deref() != Some(&*cookie.domain) {
        return Err(Refusal::InvalidDomain);
    }
    if !cookie.host_only && is_public_suffix(&cookie.domain) {
        return Err(Refusal::PublicSuffix);
    }
    let path = &*cookie.path;
    if path.first() != Some(&b'/')
        || path.len() > MAX_PATH
        || has_control(path)
        || path.contains(&b';')
    {
        return Err(Refusal::InvalidPath);
    }
    let partition = cookie.partition.as_deref();
    if partition.is_some_and(|site| site.len() > MAX_SITE || has_control(site.as_bytes())) {
        return Err(Refusal::InvalidDomain);
    }
    if cookie.partition.is_some() && !cookie.secure {
        return Err(Refusal::PartitionedWithoutSecure);
    }
    if cookie.same_site == SameSite::None && !cookie.secure {
        return Err(Refusal::NoneWithoutSecure);
    }
    check_prefixes(cookie, true)
}

/// `__Secure-` and `__Host-` in any case (RFC 6265bis §5.7, steps 20 to 22). Other people's
/// servers compare without case, so a miscapitalized prefix would pass for the real one there.
pub(crate) fn check_prefixes(cookie: &Cookie, names_path: bool) -> Result<(), Refusal> {
    let begins = |octets: &[u8], prefix: &[u8]| starts_with_ignore_case(octets, prefix);
    if begins(&cookie.name, b"__Secure-") && !cookie.secure {
        return Err(Refusal::SecurePrefix);
    }
    let fit = cookie.secure && cookie.host_only && names_path && *cookie.path == *b"/";
    if begins(&cookie.name, b"__Host-") && !fit {
        return Err(Refusal::HostPrefix);
    }
    // "=__Host-a=1" would go out as "__Host-a=1".
    let imitates = begins(&cookie.value, b"__Secure-") || begins(&cookie.value, b"__Host-");
    if cookie.name.is_empty() && imitates {
        return Err(Refusal::NamelessPrefix);
    }
    Ok(())
}

/// 1601-01-01, the first year a cookie date can name.
const EARLIEST: i64 = -11_644_473_600;
/// 9999-12-31 23:59:59, the last.
const LATEST: i64 = 253_402_300_799;
/// Scheme, "://" and a host name of 253 octets, with room to spare.
const MAX_SITE: usize = 512;
