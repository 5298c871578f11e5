//! Which redirects are followed, and what may come along.

use avocet_wire::ResponseHead;
use http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION, CONTENT_TYPE, COOKIE,
    LOCATION, ORIGIN, PROXY_AUTHORIZATION,
};
use http::{Method, StatusCode};
use url::Url;

use crate::config::{Config, Redirects};
use crate::error::{Error, ErrorKind, Phase};
use crate::report::Past;
use crate::request::Content;
use crate::transfer::Transfer;
use crate::urls;

/// Where a redirect leads.
pub(crate) struct Target {
    url: Url,
    status: StatusCode,
    method: Method,
}

/// The target of a redirect that is to be followed; `None` for every other response.
///
/// *Errors*: too many, a target that is no URL of http or https, https that leads to http, or
/// content that would have to be sent again and cannot be.
///
/// *Spec*: RFC 9110 §15.4.
pub(crate) fn target(
    transfer: &Transfer,
    head: &ResponseHead<'_>,
    most: u32,
    config: &Config,
) -> Result<Option<Target>, Error> {
    let policy = &config.redirects;
    if !matches!(head.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let bad = |message: String| {
        Error::new(ErrorKind::Redirect, Phase::Head, message).about(&transfer.report.url)
    };
    let location = match head.fields.single(&LOCATION) {
        Ok(Some(location)) => location,
        Ok(None) => return Ok(None),
        Err(_) => return Err(bad("a redirect with several targets".to_owned())),
    };
    if transfer.report.redirects() >= most {
        return Err(bad(format!("more than {most} redirects")));
    }
    let location = std::str::from_utf8(location)
        .map_err(|_| bad("a redirect whose target is not text".to_owned()))?;
    let mut url = urls::join(&transfer.report.url, location)
        .map_err(|reason| bad(format!("a redirect to `{}`: {reason}", location.escape_debug())))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(bad(format!("a redirect to the scheme {}", url.scheme())));
    }
    config.hooks.iter().for_each(|hook| hook.on_url(&mut url));
    for hook in &config.hooks {
        hook.on_redirect(&transfer.hop(), &url)?;
    }
    if transfer.report.url.scheme() == "https" && url.scheme() == "http" && !policy.downgrade {
        return Err(bad("a redirect from https to http, which is not followed".to_owned()));
    }
    // RFC 9110 §10.2.2: the fragment of the target, else that of the reference, applies.
    if url.fragment().is_none() {
        url.set_fragment(transfer.report.url.fragment());
    }
    let method = method_after(&transfer.method, head.status, policy);
    if method == transfer.method && transfer.content.is_none() {
        return Err(bad("a redirect of content that can be sent only once".to_owned()));
    }
    Ok(Some(Target { url, status: head.status, method }))
}

/// RFC 9110 §15.4: 303 turns every method but HEAD into GET, and by custom 301 and 302 turn POST into
/// GET; 307 and 308 keep the method.
fn method_after(method: &Method, status: StatusCode, policy: &Redirects) -> Method {
    let keeps = *method == Method::POST && policy.keep_post.contains(&status);
    let to_get = match status {
        StatusCode::SEE_OTHER => *method != Method::HEAD && !keeps,
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => *method == Method::POST && !keeps,
        _ => false,
    };
    if to_get { Method::GET } else { method.clone() }
}

/// Turns the transfer to the target.
///
/// Credentials belong to the origin that they were given for: once it is left they are gone, and
/// stay gone when a later redirect comes back.
pub(crate) fn follow(transfer: &mut Transfer, target: Target, policy: &Redirects) {
    let Target { url, status, method } = target;
    if url.origin() != transfer.report.url.origin() {
        let sensitive = std::mem::take(&mut transfer.options.sensitive);
        let secret = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];
        for name in secret.iter().chain(&sensitive).filter(|_| !policy.trusted) {
            transfer.fields.remove(name);
        }
        // A Host that was given by hand names the host that was left.
        transfer.fields.remove(&http::header::HOST);
    }
    if method != transfer.method {
        transfer.content = Some(Content::Empty);
        for name in [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION, ORIGIN] {
            transfer.fields.remove(&name);
        }
        transfer.method = method;
    }
    let left = std::mem::replace(&mut transfer.report.url, url);
    transfer.first.get_or_insert_with(|| left.clone());
    transfer.report.history.push(Past { url: left, status });
    transfer.options.target = None;
}
