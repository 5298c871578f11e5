//! A Set-Cookie line becomes a cookie: the steps of the storage model (RFC 6265bis §5.7) that
//! need the request but not the jar.

use std::time::SystemTime;

use url::Url;

use crate::{
    context::Context,
    cookie::{Cookie, SameSite, check_prefixes},
    host::{domain_match, is_loopback, is_public_suffix, request_host, schemeful_site},
    limits::{Limits, MAX_PATH},
    path::default_path,
    set_cookie::SetCookieLine,
    time,
    verdict::{Note, Refusal},
};

/// A request as the rules see it: the canonical host, the path and whether it is secure.
pub(crate) struct Request<'r> {
    pub(crate) url: &'r Url,
    pub(crate) host: &'r str,
    pub(crate) path: &'r [u8],
    pub(crate) secure: bool,
    pub(crate) context: &'r Context,
}

impl<'r> Request<'r> {
    /// The host comes from the URL alone, never from a Host field that a caller may have changed
    /// (CVE-2026-6276 of curl).
    pub(crate) fn new(
        url: &'r Url,
        context: &'r Context,
        trust_loopback: bool,
    ) -> Result<Self, Refusal> {
        let encrypted = match url.scheme() {
            "https" | "wss" => true,
            "http" | "ws" => false,
            _ => return Err(Refusal::Scheme),
        };
        let host = request_host(url).ok_or(Refusal::NoHost)?;
        let secure = encrypted || (trust_loopback && is_loopback(host));
        Ok(Self { url, host, path: url.path().as_bytes(), secure, context })
    }

    /// The key under which this request sets and sees partitioned cookies.
    pub(crate) fn partition(&self) -> Option<Box<str>> {
        self.context.top_level_site.clone().or_else(|| schemeful_site(self.url).map(Into::into))
    }
}

/// The cookie that `line` makes for `request`. Its `order` is the jar's to set.
pub(crate) fn receive(
    line: &SetCookieLine<'_>,
    request: &Request<'_>,
    limits: &Limits,
    note: &mut dyn FnMut(Note),
    now: SystemTime,
) -> Result<Cookie, Refusal> {
    let context = request.context;
    let (domain, host_only) = domain_of(line, request, note)?;
    let path = line.path.unwrap_or_else(|| default_path(request.path));
    if path.len() > MAX_PATH {
        return Err(Refusal::InvalidPath);
    }
    // Step 13.
    if line.secure && !request.secure {
        return Err(Refusal::InsecureOrigin);
    }
    // Step 15.
    if line.http_only && context.script {
        return Err(Refusal::HttpOnlyFromScript);
    }
    let created = time::micros(now);
    let partition = if line.partitioned { request.partition() } else { None };
    let extensions = line.extensions.iter();
    let cookie = Cookie {
        name: line.name.into(),
        value: line.value.into(),
        domain,
        path: path.into(),
        host_only,
        secure: line.secure,
        http_only: line.http_only,
        same_site: line.same_site,
        partition,
        extensions: extensions.map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        expires: expiry(line, limits, note, now),
        created,
        accessed: created,
        order: 0,
    };
    // Steps 18 and 19. A navigation of the top level may set what it would not have sent.
    let first_party = context.same_site || (context.top_level && !context.script);
    if cookie.same_site != SameSite::None && !first_party {
        return Err(Refusal::CrossSite);
    }
    if cookie.same_site == SameSite::None && !cookie.secure {
        return Err(Refusal::NoneWithoutSecure);
    }
    if line.partitioned && !cookie.secure {
        return Err(Refusal::PartitionedWithoutSecure);
    }
    check_prefixes(&cookie, line.names_path)?;
    Ok(cookie)
}

/// Steps 7 to 10: the domain, and whether the cookie is for that host only.
fn domain_of(
    line: &SetCookieLine<'_>,
    request: &Request<'_>,
    note: &mut dyn FnMut(Note),
) -> Result<(Box<str>, bool), Refusal> {
    let Some(domain) = &line.domain else { return Ok((request.host.into(), true)) };
    let domain = std::str::from_utf8(domain).map_err(|_| Refusal::DomainNotAscii)?;
    if !domain.is_ascii() {
        return Err(Refusal::DomainNotAscii);
    }
    if is_public_suffix(domain) {
        if domain != request.host {
            return Err(Refusal::PublicSuffix);
        }
        note(Note::DomainIsSuffix);
        return Ok((request.host.into(), true));
    }
    if !domain_match(request.host, domain) {
        return Err(Refusal::ForeignDomain);
    }
    // An address matches itself only, so its cookie is for the host whatever Domain says.
    Ok((domain.into(), crate::host::is_ip(domain)))
}

/// Step 6 with the limit of §5.5: Max-Age before Expires, neither beyond the longest lifetime.
fn expiry(
    line: &SetCookieLine<'_>,
    limits: &Limits,
    note: &mut dyn FnMut(Note),
    now: SystemTime,
) -> Option<i64> {
    let now = time::seconds(now);
    let latest = now.saturating_add(i64::try_from(limits.lifetime.as_secs()).unwrap_or(i64::MAX));
    if line.max_age.is_some() && line.expires.is_some() {
        note(Note::MaxAgeWins);
    }
    let wanted = match (line.max_age, line.expires) {
        (Some(seconds), _) if seconds <= 0 => i64::MIN,
        (Some(seconds), _) => now.saturating_add(seconds),
        (None, Some(date)) => date,
        (None, None) => return None,
    };
    if wanted > latest {
        note(Note::LifetimeCut);
    }
    Some(wanted.min(latest))
}
