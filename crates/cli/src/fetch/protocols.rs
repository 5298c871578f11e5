//! Which schemes are used, and what redirects may lead to: --proto, --proto-redir and what goes with
//! them.

use std::sync::Arc;

use avocet::client::{Config, Error, ErrorKind, Hook, Hop, Phase};
use http::StatusCode;
use url::Url;

use super::args::Fetch;
use crate::failure::Failure;
use crate::refusal::Refusal;

/// Sets how redirects are followed.
///
/// *Errors*: schemes that cannot be understood.
pub(super) fn follow(options: &Fetch, config: &mut Config) -> Result<(), Failure> {
    let follow = &options.follow;
    let redirects = &mut config.redirects;
    // None is not followed by the client's count; that one too many is an error is said below.
    redirects.most = match follow.location || follow.location_trusted {
        true => u32::try_from(follow.max_redirs).unwrap_or(u32::MAX).max(1),
        false => 0,
    };
    redirects.trusted = follow.location_trusted;
    // curl's users expect http from https to be followed where they asked for redirects.
    redirects.downgrade = true;
    for (status, wanted) in [
        (StatusCode::MOVED_PERMANENTLY, follow.post301),
        (StatusCode::FOUND, follow.post302),
        (StatusCode::SEE_OTHER, follow.post303),
    ] {
        if wanted {
            redirects.keep_post.push(status);
        }
    }
    let mut schemes = Schemes::of(options.follow.proto.as_deref(), "--proto")?;
    if let Some(text) = &follow.proto_redir {
        let to = Schemes::of(Some(text), "--proto-redir")?;
        schemes = Schemes { http: schemes.http && to.http, https: schemes.https && to.https };
    }
    let users = !follow.disallow_username_in_url;
    config.hooks.push(Arc::new(Allowed { schemes, users, any: follow.max_redirs != 0 }));
    Ok(())
}

/// *Errors*: a URL that must not be asked for, by curl's statuses.
pub(super) fn check(options: &Fetch, url: &str) -> Result<(), Failure> {
    let schemes = Schemes::of(options.follow.proto.as_deref(), "--proto")?;
    let users = !options.follow.disallow_username_in_url;
    let allowed = Allowed { schemes, users, any: true };
    // What cannot be read is told about elsewhere.
    let Ok(url) = Url::parse(url) else { return Ok(()) };
    match allowed.refusal(&url) {
        Some(refusal) => {
            let shown = place(&url);
            Err(Failure::with_status(refusal.status(), format_args!("{shown}: {refusal}")))
        }
        None => Ok(()),
    }
}

/// The URL without what may be secret.
fn place(url: &Url) -> String {
    format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Schemes {
    http: bool,
    https: bool,
}

impl Schemes {
    /// Both, changed by a list: `name` and `+name` add one, `-name` takes one away, `=name` leaves it
    /// alone; `all` is every one. Names of others are no mistake: they are not spoken anyhow.
    fn of(list: Option<&str>, option: &str) -> Result<Self, Failure> {
        let mut schemes = Self { http: true, https: true };
        for item in list.into_iter().flat_map(|list| list.split(',')) {
            let name = item.trim_start_matches(['+', '-', '=']);
            let wanted = !item.starts_with('-');
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                let message = format!("{option}: `{item}` is no scheme like =https or -http");
                return Err(Failure::usage(message));
            }
            if item.starts_with('=') {
                schemes = Self { http: false, https: false };
            }
            let all = name.eq_ignore_ascii_case("all");
            if all || name.eq_ignore_ascii_case("http") {
                schemes.http = wanted;
            }
            if all || name.eq_ignore_ascii_case("https") {
                schemes.https = wanted;
            }
        }
        Ok(schemes)
    }
}

/// What redirects may lead to.
struct Allowed {
    schemes: Schemes,
    users: bool,
    /// Whether there may be any.
    any: bool,
}

impl Allowed {
    fn refusal(&self, url: &Url) -> Option<Refusal> {
        let scheme = match url.scheme() {
            "https" => self.schemes.https,
            _ => self.schemes.http,
        };
        if !self.any {
            return Some(Refusal::Redirect);
        }
        if !scheme {
            return Some(Refusal::Scheme);
        }
        (!self.users && !url.username().is_empty()).then_some(Refusal::User)
    }
}

impl Hook for Allowed {
    fn on_redirect(&self, _: &Hop<'_>, target: &Url) -> Result<(), Error> {
        match self.refusal(target) {
            Some(refusal) => {
                let message = format!("a redirect to {}: {refusal}", place(target));
                Err(Error::new(ErrorKind::Redirect, Phase::Head, message).caused_by(refusal))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_schemes_as_curl_reads_them() {
        for (list, expected) in [
            ("=https", (false, true)),
            ("-http", (false, true)),
            ("=http,https", (true, true)),
            ("-all,https", (false, true)),
            ("-all,+HTTP", (true, false)),
            ("=ftp", (false, false)),
            ("=all", (true, true)),
            ("-https,=https,-ftp", (false, true)),
        ] {
            let got = Schemes::of(Some(list), "--proto").unwrap();
            assert_eq!((got.http, got.https), expected, "{list}");
        }
        for wrong in ["", "=", "https,", "ht tp"] {
            assert!(Schemes::of(Some(wrong), "--proto").is_err(), "{wrong}");
        }
    }
}
