//! Whether a change is wanted by a page of this server, or by no page at all.

use std::net::IpAddr;

use avocet_net::Address;
use avocet_server::Request;
use avocet_wire::Fields;
use http::HeaderName;
use http::header::ORIGIN;

/// Whether the page of another site sent this request, in which case the person who looks at that
/// page knows nothing of it (cross-site request forgery).
///
/// Browsers say where a request comes from, in `Sec-Fetch-Site` (W3C Fetch Metadata) and, older ones,
/// in `Origin` (RFC 6454 §7.3). Programs that are no browsers send neither, and ask of themselves.
///
/// A site can have its own name resolve to this machine, and its pages are of the same origin then
/// (DNS rebinding). So what a browser asks of a loopback address has to name one, or one of `names`,
/// by which a proxy in front may be known.
pub(crate) fn is_foreign(request: &Request<'_>, names: &[String]) -> bool {
    let (host, fields) = (request.head().host(), request.fields());
    is_foreign_to(host, fields)
        || is_loopback(&request.peer().local)
            && is_of_browser(fields)
            && !host.is_some_and(|host| is_known(host, names))
}

fn is_loopback(local: &Address) -> bool {
    matches!(local, Address::Ip(address) if address.ip().to_canonical().is_loopback())
}

fn is_of_browser(fields: Fields<'_>) -> bool {
    [&SEC_FETCH_SITE, &ORIGIN].into_iter().any(|name| fields.contains(name))
}

/// Whether only this machine can be meant, or what was said to be meant as well.
fn is_known(host: &str, names: &[String]) -> bool {
    let (name, port) = host.rsplit_once(':').unwrap_or((host, ""));
    let name = if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host };
    if let Ok(address) = name.trim_matches(['[', ']']).parse::<IpAddr>() {
        return address.to_canonical().is_loopback();
    }
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || names.iter().any(|known| stands_for(known, &name))
}

/// Whether a name, which is in lower case, is this one, or below it where a star comes first.
fn stands_for(known: &str, name: &str) -> bool {
    let known = known.to_ascii_lowercase();
    match known.strip_prefix('*').filter(|ending| ending.starts_with('.')) {
        Some(ending) => name.len() > ending.len() && name.ends_with(ending),
        None => known == name,
    }
}

fn is_foreign_to(host: Option<&str>, fields: Fields<'_>) -> bool {
    match fields.single(&SEC_FETCH_SITE) {
        Ok(Some(site)) => return !matches!(site, b"same-origin" | b"none"),
        Ok(None) => {}
        Err(_) => return true,
    }
    let origin = match fields.single(&ORIGIN) {
        Ok(None) => return false,
        Ok(Some(origin)) => std::str::from_utf8(origin).ok(),
        Err(_) => return true,
    };
    // A page without an origin, from a file or in a sandbox, says `null`.
    let Some((scheme, origin)) = origin.and_then(|origin| origin.split_once("://")) else {
        return true;
    };
    let Some(host) = host else { return true };
    let port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return true,
    };
    let bare = |authority: &str| authority.strip_suffix(port).unwrap_or(authority).to_owned();
    !bare(origin).eq_ignore_ascii_case(&bare(host))
}

static SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_machine_are_known() {
        let names = ["files.example".to_owned(), "*.Below.example".to_owned()];
        for host in [
            "localhost",
            "LocalHost:8080",
            "a.localhost:1",
            "127.0.0.1",
            "127.9.9.9:80",
            "[::1]:80",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "localhost.",
            "files.example",
            "FILES.example:443",
            "a.below.example",
            "a.b.BELOW.example.:80",
        ] {
            assert!(is_known(host, &names), "{host}");
        }
        for host in [
            "",
            ":80",
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "10.0.0.1",
            "notlocalhost",
            "[::2]:80",
            "127.0.0.1.evil.example",
            "b.files.example",
            "below.example",
            "evilbelow.example",
            ".below.example",
        ] {
            assert!(!is_known(host, &names), "{host}");
        }
    }
}
