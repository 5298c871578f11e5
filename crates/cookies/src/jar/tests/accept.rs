//! What is stored, and what is refused.

use super::*;

#[test]
fn prefixes_in_any_case() {
    for prefix in ["__Host-", "__HOST-", "__host-", "__hOSt-"] {
        let refused = Err(Refusal::HostPrefix);
        assert_eq!(verdict("https://e.com/", &format!("{prefix}a=1; Path=/")), refused);
        assert_eq!(verdict("https://e.com/", &format!("{prefix}a=1; Secure")), refused);
        let domain = format!("{prefix}a=1; Secure; Path=/; Domain=e.com");
        assert_eq!(verdict("https://e.com/", &domain), refused);
        let deep = format!("{prefix}a=1; Secure; Path=/x");
        assert_eq!(verdict("https://e.com/x/y", &deep), refused);
        let good = format!("{prefix}a=1; Secure; Path=/");
        assert_eq!(verdict("https://e.com/", &good), Ok(Accepted::New));
    }
    for prefix in ["__Secure-", "__SECURE-", "__secure-"] {
        let line = format!("{prefix}a=1");
        assert_eq!(verdict("https://e.com/", &line), Err(Refusal::SecurePrefix));
        let domain = format!("{prefix}a=1; Secure; Domain=e.com");
        assert_eq!(verdict("https://www.e.com/", &domain), Ok(Accepted::New));
    }
}

#[test]
fn prefixes_of_nameless_cookies() {
    for value in ["__Host-a=1", "__host-", "__SECURE-a"] {
        let line = format!("={value}; Secure; Path=/");
        assert_eq!(verdict("https://e.com/", &line), Err(Refusal::NamelessPrefix), "{line}");
    }
    assert_eq!(verdict("https://e.com/", "__Host-a; Secure; Path=/"), Err(Refusal::NamelessPrefix));
    assert_eq!(verdict("https://e.com/", "__Hos-a"), Ok(Accepted::New));
}

#[test]
fn secure_from_http() {
    assert_eq!(verdict("http://e.com/", "a=1; Secure"), Err(Refusal::InsecureOrigin));
    assert_eq!(verdict("ws://e.com/", "a=1; Secure"), Err(Refusal::InsecureOrigin));
    assert_eq!(verdict("wss://e.com/", "a=1; Secure"), Ok(Accepted::New));
    assert_eq!(verdict("http://localhost/", "a=1; Secure"), Err(Refusal::InsecureOrigin));
    for host in ["localhost", "a.localhost", "127.0.0.1", "[::1]"] {
        let mut jar = Jar::new().trust_loopback(true);
        assert_eq!(set(&mut jar, &format!("http://{host}:8/"), "a=1; Secure"), Ok(Accepted::New));
        assert_eq!(sent(&mut jar, &format!("http://{host}:9/")), "a=1");
    }
    let mut jar = Jar::new().trust_loopback(true);
    assert_eq!(set(&mut jar, "http://e.com/", "a=1; Secure"), Err(Refusal::InsecureOrigin));
}

#[test]
fn secure_overlay() {
    let secure = |from: &str, line: &str| {
        let mut jar = Jar::new();
        set(&mut jar, from, line).unwrap();
        jar
    };
    let refused = Err(Refusal::SecureOverlay);
    let mut jar = secure("https://e.com/login/x", "a=1; Secure; Path=/login");
    assert_eq!(set(&mut jar, "http://e.com/", "a=2; Path=/login"), refused);
    assert_eq!(set(&mut jar, "http://e.com/", "a=2; Path=/login/en"), refused);
    assert_eq!(set(&mut jar, "http://e.com/", "a=2; Path=/"), Ok(Accepted::New));
    assert_eq!(set(&mut jar, "http://e.com/", "a=2; Path=/foo"), Ok(Accepted::New));
    assert_eq!(set(&mut jar, "http://e.com/", "A=2; Path=/login"), Ok(Accepted::New));
    assert_eq!(set(&mut jar, "http://www.e.com/login/", "a=2"), refused);
    assert_eq!(set(&mut jar, "https://e.com/login/", "a=2"), Ok(Accepted::Replaced));

    let mut jar = secure("https://www.e.com/", "a=1; Secure");
    assert_eq!(set(&mut jar, "http://www.e.com/", "a=2; Domain=e.com"), refused);
    assert_eq!(set(&mut jar, "http://m.e.com/", "a=2"), Ok(Accepted::New));

    // A public suffix with a host of its own, and a site under it.
    let mut jar = secure("https://github.io/", "a=1; Secure");
    assert_eq!(set(&mut jar, "http://x.github.io/", "a=2"), refused);
    let mut jar = secure("https://x.github.io/", "a=1; Secure");
    assert_eq!(set(&mut jar, "http://github.io/", "a=2"), refused);
    assert_eq!(set(&mut jar, "http://y.github.io/", "a=2"), Ok(Accepted::New));
}

#[test]
fn public_suffixes() {
    let refused = Err(Refusal::PublicSuffix);
    for (host, domain) in [
        ("www.example.co.uk", "co.uk"),
        ("www.example.co.uk", "CO.uk"),
        ("www.example.co.uk", ".co.UK."),
        ("www.example.com.", "com."),
        ("www.example.com.", "com"),
        ("a.github.io", "github.io"),
        ("a.b", "b"),
    ] {
        let line = format!("a=1; Domain={domain}");
        assert_eq!(verdict(&format!("http://{host}/"), &line), refused, "{host} {domain}");
    }
    let mut jar = Jar::new();
    set(&mut jar, "http://github.io/", "a=1; Domain=github.io").unwrap();
    assert_eq!(sent(&mut jar, "http://github.io/"), "a=1");
    assert_eq!(sent(&mut jar, "http://x.github.io/"), "");
}

#[test]
fn suffix_without_dot() {
    assert_eq!(
        verdict("http://example.com/", "a=1; Domain=ample.com"),
        Err(Refusal::ForeignDomain)
    );
    let mut jar = Jar::new();
    set(&mut jar, "http://ample.com/", "a=1; Domain=ample.com").unwrap();
    assert_eq!(sent(&mut jar, "http://example.com/"), "");
}

#[test]
fn address_hosts() {
    let mut jar = Jar::new();
    assert_eq!(set(&mut jar, "http://127.0.0.1/", "a=1; Domain=127.0.0.1"), Ok(Accepted::New));
    let foreign = set(&mut jar, "http://127.0.0.1/", "b=1; Domain=0.0.1");
    assert_eq!(foreign, Err(Refusal::ForeignDomain));
    assert!(jar.iter().all(Cookie::is_host_only));
    set(&mut jar, "http://[::1]:80/", "c=1").unwrap();
    assert_eq!(sent(&mut jar, "http://[0:0::1]:90/"), "c=1");
    assert_eq!(sent(&mut jar, "http://127.1/"), "a=1");
}

#[test]
fn trailing_dot_is_another_host() {
    let mut jar = Jar::new();
    set(&mut jar, "http://www.example.com./", "a=1; Domain=example.com.").unwrap();
    assert_eq!(sent(&mut jar, "http://example.com/"), "");
    assert_eq!(sent(&mut jar, "http://x.example.com./"), "a=1");
    let line = "a=1; Domain=example.com.";
    assert_eq!(verdict("http://www.example.com/", line), Err(Refusal::ForeignDomain));
}

#[test]
fn domain_beyond_ascii() {
    let line = "a=1; Domain=b\u{fc}cher.example";
    assert_eq!(verdict("http://b\u{fc}cher.example/", line), Err(Refusal::DomainNotAscii));
    let line = "a=1; Domain=xn--bcher-kva.example";
    assert_eq!(verdict("http://b\u{fc}cher.example/", line), Ok(Accepted::New));
    let from = url("http://e.com/");
    let bytes = Jar::new().set(&from, b"a=1; Domain=\xff", &Context::new(), at(0));
    assert_eq!(bytes, Err(Refusal::DomainNotAscii));
}

#[test]
fn host_comes_from_the_url_alone() {
    // CVE-2026-6276 of curl: a Host field of the caller's own picked the cookies.
    let mut jar = Jar::new();
    set(&mut jar, "http://e.com:secret@o.org:8080/", "a=1").unwrap();
    assert_eq!(sent(&mut jar, "http://e.com/"), "");
    assert_eq!(sent(&mut jar, "http://O.ORG/"), "a=1");
    assert_eq!(verdict("http://o.org/", "a=1; Domain=e.com"), Err(Refusal::ForeignDomain));
}

#[test]
fn tossing_cannot_reach_a_host_cookie() {
    // A sub-domain can set cookies of its parent's domain, but none with the prefix __Host-, and
    // its cookie stands behind an older one of the same path.
    let mut jar = Jar::new();
    set(&mut jar, "https://e.com/", "__Host-sid=good; Secure; Path=/").unwrap();
    set(&mut jar, "https://e.com/", "sid=good").unwrap();
    let tossed = set(&mut jar, "https://x.e.com/", "__Host-sid=bad; Secure; Path=/; Domain=e.com");
    assert_eq!(tossed, Err(Refusal::HostPrefix));
    set(&mut jar, "https://x.e.com/", "sid=bad; Domain=e.com").unwrap();
    assert_eq!(sent(&mut jar, "https://e.com/"), "__Host-sid=good; sid=good; sid=bad");
}

#[test]
fn names_differ_by_case() {
    let mut jar = Jar::new();
    set(&mut jar, "http://e.com/", "a=1").unwrap();
    assert_eq!(set(&mut jar, "http://e.com/", "A=2"), Ok(Accepted::New));
    assert_eq!(sent(&mut jar, "http://e.com/"), "a=1; A=2");
}

#[test]
fn junk_max_age_deletes_nothing() {
    let mut jar = Jar::new();
    set(&mut jar, "http://e.com/", "a=1").unwrap();
    assert_eq!(set(&mut jar, "http://e.com/", "a=2; Max-Age=junk"), Ok(Accepted::Replaced));
    assert_eq!(sent(&mut jar, "http://e.com/"), "a=2");
}

#[test]
fn other_schemes_have_no_cookies() {
    for from in ["ftp://e.com/", "file:///x", "data:,x"] {
        assert_eq!(verdict(from, "a=1"), Err(Refusal::Scheme));
        assert_eq!(sent(&mut Jar::new(), from), "");
    }
}

#[test]
fn lifetime_is_cut_to_400_days() {
    let days = 24 * 60 * 60;
    let mut jar = Jar::new();
    set(&mut jar, "http://e.com/", "a=1; Max-Age=99999999999999999999").unwrap();
    set(&mut jar, "http://e.com/", "b=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT").unwrap();
    set(&mut jar, "http://e.com/", "c=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT")
        .unwrap();
    for cookie in jar.iter() {
        let want = if cookie.name() == b"c" { 60 } else { 400 * days };
        assert_eq!(cookie.expires(), Some(at(want)));
    }
    assert_eq!(jar.clear_expired(at(400 * days - 1)), 1);
    assert_eq!(jar.clear_expired(at(400 * days)), 2);
    assert!(jar.is_empty());
}

#[test]
fn max_age_zero_deletes() {
    let mut jar = Jar::new();
    set(&mut jar, "http://e.com/", "a=1").unwrap();
    assert_eq!(set(&mut jar, "http://e.com/", "a=; Max-Age=-5"), Ok(Accepted::Deleted));
    assert_eq!(set(&mut jar, "http://e.com/", "a=; Max-Age=0"), Ok(Accepted::Expired));
    assert_eq!((jar.len(), jar.iter().count()), (0, 0));
}

#[test]
fn host_only_and_domain_cookies_are_two() {
    let mut jar = Jar::new();
    assert_eq!(set(&mut jar, "http://e.com/", "a=1"), Ok(Accepted::New));
    assert_eq!(set(&mut jar, "http://e.com/", "a=2; Domain=e.com"), Ok(Accepted::New));
    assert_eq!(set(&mut jar, "http://e.com/", "a=3"), Ok(Accepted::Replaced));
    assert_eq!(sent(&mut jar, "http://e.com/"), "a=3; a=2");
    assert_eq!(sent(&mut jar, "http://www.e.com/"), "a=2");
    assert_eq!(jar.remove("e.com", b"/", b"a"), 2);
}

#[test]
fn replacing_keeps_the_place_in_the_order() {
    let mut jar = Jar::new();
    let from = url("http://e.com/");
    for (index, line) in [&b"a=1"[..], b"b=1", b"a=2"].into_iter().enumerate() {
        jar.set(&from, line, &Context::new(), at(index as u64)).unwrap();
    }
    assert_eq!(sent(&mut jar, "http://e.com/"), "a=2; b=1");
    assert_eq!(jar.in_order()[0].created(), at(0));
}

#[test]
fn long_default_path_is_refused() {
    let from = format!("http://e.com/{}/", "x".repeat(9_000));
    assert_eq!(verdict(&from, "a=1"), Err(Refusal::InvalidPath));
    assert_eq!(verdict(&from, "a=1; Path=/"), Ok(Accepted::New));
}
