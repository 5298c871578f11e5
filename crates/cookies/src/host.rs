//! Host names: the canonical form, domain matching, public suffixes and sites.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// The canonical form of a host name (RFC 6265bis §5.1.2): lower case, every label in ASCII
/// (A-labels for others), IPv6 addresses without brackets. `None` where it is no host name.
pub fn canonical_host(host: &str) -> Option<String> {
    if let Ok(address) = host.parse::<Ipv6Addr>() {
        return Some(address.to_string());
    }
    Some(match Host::parse(host).ok()? {
        Host::Domain(name) if is_name(&name) => name,
        Host::Domain(_) => return None,
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    })
}

/// The canonical host of a URL; `None` where the URL has none or an empty one.
pub(crate) fn request_host(url: &Url) -> Option<&str> {
    let host = url.host_str()?;
    // The url crate has canonicalized it already and keeps brackets around IPv6 addresses.
    let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    (is_name(host) || is_ip(host)).then_some(host)
}

/// Whether every label consists of letters, digits, hyphens and underscores, which some hosts
/// have, and none is empty but the root, which may end a name with its dot. A URL parser lets
/// more pass, such as `a;b` and `a..b`.
fn is_name(name: &str) -> bool {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet);
    !name.is_empty() && !name.starts_with('.') && !name.contains("..") && name.bytes().all(plain)
}

/// Whether `host` domain-matches `domain` (RFC 6265bis §5.1.3). Both are in canonical form.
///
/// An IP address matches itself only: `1.2.3.4` is no sub-domain of `3.4`.
pub fn domain_match(host: &str, domain: &str) -> bool {
    if host == domain {
        return true;
    }
    let Some(above) = host.strip_suffix(domain) else { return false };
    above.ends_with('.') && !is_ip(host)
}

/// Whether `host` is an IP address in its usual spelling.
pub(crate) fn is_ip(host: &str) -> bool {
    // Only an address begins with a digit or holds a colon; the parse is for the few that do.
    let possible = host.as_bytes().first().is_some_and(u8::is_ascii_digit) || host.contains(':');
    possible && host.parse::<IpAddr>().is_ok()
}

/// Whether `host`, in canonical form, is this machine by name or address.
pub(crate) fn is_loopback(host: &str) -> bool {
    let named = host.strip_suffix('.').unwrap_or(host);
    if named == "localhost" || named.ends_with(".localhost") {
        return true;
    }
    host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || host.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
}

/// Whether `domain` is a public suffix: a name under which strangers register their own, so that
/// a cookie for all of it would reach them all.
///
/// Case and one trailing dot make no difference, and a name of one label that the list does not
/// know is a suffix too (the list's rule `*`). An address is none.
pub fn is_public_suffix(domain: &str) -> bool {
    let name = domain.strip_suffix('.').unwrap_or(domain);
    if is_ip(name) {
        return false;
    }
    // The list is in lower case and compares octets.
    let lower;
    let name = if name.bytes().any(|octet| octet.is_ascii_uppercase()) {
        lower = name.to_ascii_lowercase();
        &lower
    } else {
        name
    };
    psl::suffix(name.as_bytes()).is_none_or(|suffix| suffix.as_bytes().len() == name.len())
}

/// The registrable domain of a canonical host, or the host itself where it has none (addresses,
/// single labels, public suffixes). Cookies that can meet in one request share it, except for
/// those of a public suffix and of the sites under it.
pub fn site(host: &str) -> &str {
    if is_ip(host) {
        return host;
    }
    psl::domain(host.as_bytes())
        .and_then(|domain| std::str::from_utf8(domain.as_bytes()).ok())
        .unwrap_or(host)
}

/// The schemeful site of a URL, such as `https://example.com`: the key of partitioned cookies
/// and the measure of what is same-site. WebSocket schemes count as their HTTP ones.
pub fn schemeful_site(url: &Url) -> Option<String> {
    let scheme = match url.scheme() {
        "https" | "wss" => "https",
        "http" | "ws" => "http",
        _ => return None,
    };
    Some(format!("{scheme}://{}", site(request_host(url)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_suffix_in_mixed_case_and_with_a_trailing_dot() {
        // CVE-2023-46218 and CVE-2022-27779 of curl.
        for suffix in
            ["com", "COM", "co.uk", "co.UK", "Co.Uk.", "com.", "github.io", "xn--55qx5d.cn"]
        {
            assert!(is_public_suffix(suffix), "{suffix}");
        }
        for name in
            ["example.com", "example.co.uk", "example.co.uk.", "a.github.io", "127.0.0.1", "::1"]
        {
            assert!(!is_public_suffix(name), "{name}");
        }
    }

    #[test]
    fn public_suffix_of_one_unlisted_label() {
        assert!(is_public_suffix("localhost"));
        assert!(is_public_suffix("intranet"));
        assert!(is_public_suffix(""));
        assert!(!is_public_suffix("host.intranet"));
    }

    #[test]
    fn wildcard_and_exception_rules() {
        assert!(is_public_suffix("anything.ck"));
        assert!(!is_public_suffix("www.ck"));
    }

    #[test]
    fn domain_match_needs_a_dot_at_the_seam() {
        // CVE-2013-1944 of curl matched the bare tail.
        assert!(!domain_match("example.com", "ample.com"));
        assert!(domain_match("www.example.com", "example.com"));
        assert!(!domain_match("example.com", "www.example.com"));
        assert!(!domain_match("example.com", ""));
    }

    #[test]
    fn addresses_match_themselves_only() {
        // CVE-2014-3613 of curl.
        assert!(!domain_match("127.0.0.1", "0.0.1"));
        assert!(domain_match("127.0.0.1", "127.0.0.1"));
        assert!(!domain_match("::ffff:127.0.0.1", "0.0.1"));
        assert!(domain_match("7.127.0.0.1.example.org", "example.org"));
    }

    #[test]
    fn sites() {
        assert_eq!(site("a.b.example.co.uk"), "example.co.uk");
        assert_eq!(site("example.com."), "example.com.");
        assert_eq!(site("localhost"), "localhost");
        assert_eq!(site("co.uk"), "co.uk");
        assert_eq!(site("10.1.2.3"), "10.1.2.3");
        let url = Url::parse("wss://A.Example.com:9/x").unwrap();
        assert_eq!(schemeful_site(&url).as_deref(), Some("https://example.com"));
        assert_eq!(schemeful_site(&Url::parse("data:,x").unwrap()), None);
    }

    #[test]
    fn canonical_hosts() {
        assert_eq!(canonical_host("WWW.Example.COM").as_deref(), Some("www.example.com"));
        assert_eq!(canonical_host("\u{732b}.cat").as_deref(), Some("xn--z7x.cat"));
        assert_eq!(canonical_host("[::1]").as_deref(), Some("::1"));
        assert_eq!(canonical_host("0:0:0:0:0:0:0:1").as_deref(), Some("::1"));
        assert_eq!(canonical_host("example.com.").as_deref(), Some("example.com."));
        for bad in
            ["", ".", ".e.com", "e..com", "e.com..", "a b", "a;b", "a!b", "a\tb", "[::1", "::g"]
        {
            assert_eq!(canonical_host(bad), None, "{bad:?}");
        }
        assert_eq!(request_host(&Url::parse("http://a..b/").unwrap()), None);
        assert_eq!(request_host(&Url::parse("http://[::1]:80/").unwrap()), Some("::1"));
    }

    #[test]
    fn loopback_by_name_and_address() {
        for host in ["localhost", "a.localhost", "localhost.", "127.0.0.1", "127.9.9.9", "::1"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.example.com", "notlocalhost", "128.0.0.1", "::2"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
