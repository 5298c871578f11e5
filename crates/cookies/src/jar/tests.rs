use std::time::{Duration, UNIX_EPOCH};

use super::*;
use crate::{Note, SameSite, Withheld};

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)
}

fn set(jar: &mut Jar, from: &str, line: &str) -> Result<Accepted, Refusal> {
    jar.set(&url(from), line.as_bytes(), &Context::new(), at(0))
}

fn verdict(from: &str, line: &str) -> Result<Accepted, Refusal> {
    set(&mut Jar::new(), from, line)
}

fn sent(jar: &mut Jar, to: &str) -> String {
    let header = jar.header_for(&url(to), &Context::new(), at(0));
    String::from_utf8(header.unwrap_or_default()).unwrap()
}

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
fn same_site_when_sending() {
    let mut jar = Jar::new();
    for line in [
        "s=1; SameSite=Strict; Secure",
        "l=1; SameSite=Lax; Secure",
        "d=1; Secure",
        "n=1; SameSite=None; Secure",
    ] {
        set(&mut jar, "https://e.com/", line).unwrap();
    }
    let mut sent = |context: Context| {
        let header = jar.header_for(&url("https://e.com/"), &context, at(0)).unwrap_or_default();
        String::from_utf8(header).unwrap()
    };
    assert_eq!(sent(Context::new()), "s=1; l=1; d=1; n=1");
    assert_eq!(sent(Context::cross_site_navigation(true)), "l=1; d=1; n=1");
    assert_eq!(sent(Context::cross_site_navigation(false)), "n=1");
    assert_eq!(sent(Context::cross_site()), "n=1");
    assert_eq!(sent(Context::cross_site_navigation(true).through_script()), "n=1");
}

#[test]
fn same_site_when_setting() {
    let from = url("https://e.com/");
    let verdict = |line: &str, context: Context| {
        Jar::new().set(&from, line.as_bytes(), &context, at(0)).map(|_| ())
    };
    for line in ["a=1", "a=1; SameSite=Lax", "a=1; SameSite=Strict"] {
        assert_eq!(verdict(line, Context::cross_site()), Err(Refusal::CrossSite));
        assert_eq!(verdict(line, Context::cross_site_navigation(false)), Ok(()));
        let script = Context::cross_site_navigation(true).through_script();
        assert_eq!(verdict(line, script), Err(Refusal::CrossSite));
    }
    assert_eq!(verdict("a=1; SameSite=None; Secure", Context::cross_site()), Ok(()));
    assert_eq!(verdict("a=1; SameSite=None", Context::new()), Err(Refusal::NoneWithoutSecure));
}

#[test]
fn http_only_and_scripts() {
    let mut jar = Jar::new();
    let from = url("http://e.com/");
    let script = Context::new().through_script();
    let refused = jar.set(&from, b"a=1; HttpOnly", &script, at(0));
    assert_eq!(refused, Err(Refusal::HttpOnlyFromScript));
    jar.set(&from, b"a=1; HttpOnly", &Context::new(), at(0)).unwrap();
    assert_eq!(jar.set(&from, b"a=2", &script, at(0)), Err(Refusal::HttpOnlyOverwrite));
    assert_eq!(jar.header_for(&from, &script, at(0)), None);
    assert_eq!(sent(&mut jar, "http://e.com/"), "a=1");
}

#[test]
fn partitioned_cookies_stay_under_their_top_level() {
    let mut jar = Jar::new();
    let line = b"a=1; Secure; SameSite=None; Partitioned";
    let frame = url("https://widget.example/");
    let under = |top: &str| Context::cross_site().under(&url(top));
    assert_eq!(
        verdict("https://e.com/", "a=1; Partitioned"),
        Err(Refusal::PartitionedWithoutSecure)
    );
    jar.set(&frame, line, &under("https://www.one.example/"), at(0)).unwrap();
    let other = b"a=2; Secure; SameSite=None; Partitioned";
    assert_eq!(jar.set(&frame, other, &under("https://two.example/"), at(0)), Ok(Accepted::New));
    let mut sent = |context: &Context| jar.header_for(&frame, context, at(0));
    assert_eq!(sent(&under("https://one.example/")), Some(b"a=1".to_vec()));
    assert_eq!(sent(&under("https://two.example/")), Some(b"a=2".to_vec()));
    assert_eq!(sent(&under("https://three.example/")), None);
    assert_eq!(sent(&Context::new()), None);
}

#[test]
fn flood_of_one_site_pushes_out_its_own() {
    // CVE-2022-32205 of curl: a flood of cookies made all requests too large to be answered.
    let mut jar = Jar::new();
    set(&mut jar, "http://other.org/", "mine=1").unwrap();
    for index in 0..5_000_u64 {
        let from = format!("http://h{}.e.com/", index % 700);
        let _ = jar.set(&url(&from), format!("a{index}=1").as_bytes(), &Context::new(), at(index));
    }
    assert_eq!(jar.len(), 181);
    assert_eq!(sent(&mut jar, "http://other.org/"), "mine=1");
}

#[test]
fn full_site_gives_in_the_order_of_the_specification() {
    let from = url("https://e.com/");
    let limits = Limits { per_site: 4, crowded: 2, ..Limits::default() };
    let mut jar = Jar::new().with_limits(limits);
    let mut add = |line: &str, now| jar.set(&from, line.as_bytes(), &Context::new(), at(now));
    add("s1=1; Secure", 0).unwrap();
    add("p1=1", 1).unwrap();
    add("p2=1", 2).unwrap();
    add("e=1; Max-Age=3", 3).unwrap();
    // The expired one goes first, though it was used last.
    add("s2=1; Secure", 10).unwrap();
    // Then the one without Secure that was used longest ago.
    add("s3=1; Secure", 11).unwrap();
    add("s4=1; Secure", 12).unwrap();
    assert_eq!(add("p3=1", 13), Err(Refusal::Full));
    // With Secure only the oldest goes.
    add("s5=1; Secure", 14).unwrap();
    assert_eq!(sent(&mut jar, "https://e.com/"), "s2=1; s3=1; s4=1; s5=1");
}

#[test]
fn sending_counts_as_use() {
    let limits = Limits { per_site: 2, crowded: 1, ..Limits::default() };
    let mut jar = Jar::new().with_limits(limits);
    let (old, new) = (url("http://e.com/old"), url("http://e.com/new"));
    jar.set(&old, b"a=1; Path=/old", &Context::new(), at(0)).unwrap();
    jar.set(&old, b"b=1; Path=/new", &Context::new(), at(1)).unwrap();
    jar.header_for(&old, &Context::new(), at(2)).unwrap();
    jar.set(&old, b"c=1", &Context::new(), at(3)).unwrap();
    assert_eq!(jar.header_for(&new, &Context::new(), at(4)), Some(b"c=1".to_vec()));
    assert_eq!(jar.header_for(&old, &Context::new(), at(5)), Some(b"a=1; c=1".to_vec()));
}

#[test]
fn full_jar_gives_crowded_sites_first() {
    let limits = Limits { total: 6, crowded: 2, ..Limits::default() };
    let mut jar = Jar::new().with_limits(limits);
    let mut add = |from: &str, line: &str, now| {
        jar.set(&url(from), line.as_bytes(), &Context::new(), at(now)).unwrap();
    };
    add("https://lone.org/", "oldest=1", 0);
    add("https://crowd.com/", "s=1; Secure", 1);
    add("https://crowd.com/", "p1=1", 2);
    add("https://crowd.com/", "p2=1", 3);
    add("https://a.net/", "a=1", 4);
    add("https://b.net/", "b=1", 5);
    add("https://c.net/", "c=1", 6);
    let crowd = url("https://crowd.com/");
    let left = jar.header_for(&crowd, &Context::new(), at(7));
    assert_eq!(left, Some(b"s=1; p2=1".to_vec()));
    // The crowd is none any more: now the oldest of all goes.
    jar.set(&url("https://d.net/"), b"d=1", &Context::new(), at(9)).unwrap();
    assert_eq!(sent(&mut jar, "https://lone.org/"), "");
    assert_eq!(jar.len(), 6);
}

#[test]
fn limits_of_nothing_store_nothing() {
    for limits in
        [Limits { total: 0, ..Limits::default() }, Limits { per_site: 0, ..Limits::default() }]
    {
        let mut jar = Jar::new().with_limits(limits);
        assert_eq!(set(&mut jar, "http://e.com/", "a=1"), Err(Refusal::Full));
        assert_eq!((jar.len(), jar.iter().count()), (0, 0));
    }
}

#[test]
fn clearing_by_domain_path_name() {
    let fill = || {
        let mut jar = Jar::new();
        set(&mut jar, "http://e.com/", "a=1").unwrap();
        set(&mut jar, "http://e.com/", "b=1; Path=/x; Max-Age=60").unwrap();
        set(&mut jar, "http://www.e.com/", "a=1; Domain=e.com").unwrap();
        set(&mut jar, "http://o.org/", "a=1").unwrap();
        jar
    };
    assert_eq!(fill().clear(None, None, None), 4);
    assert_eq!(fill().clear(Some(".E.com"), None, None), 3);
    assert_eq!(fill().clear(Some("e.com"), Some(b"/x"), None), 1);
    assert_eq!(fill().clear(None, None, Some(b"a")), 3);
    assert_eq!(fill().clear(Some("www.e.com"), None, None), 0);
    assert_eq!(fill().clear_session(), 3);
    assert_eq!(fill().remove_if(|cookie| cookie.is_persistent()), 1);
}

#[test]
fn policy_is_asked_both_ways() {
    #[derive(Debug)]
    struct NoTracking;
    impl Policy for NoTracking {
        fn accept(&self, cookie: &Cookie, _: &Url, _: &Context) -> bool {
            cookie.name() != b"_ga"
        }
        fn send(&self, cookie: &Cookie, _: &Url, context: &Context) -> bool {
            context.same_site || cookie.same_site() == SameSite::Default
        }
    }
    let mut jar = Jar::new().with_policy(NoTracking);
    assert_eq!(set(&mut jar, "https://e.com/", "_ga=1"), Err(Refusal::Policy));
    set(&mut jar, "https://e.com/", "n=1; SameSite=None; Secure").unwrap();
    let judged = jar.explain_send(&url("https://e.com/"), &Context::cross_site(), at(0));
    assert_eq!(judged[0].1, Err(Withheld::Policy));
}

#[test]
fn python_policy_switches() {
    use crate::{DomainLists, PythonPolicy};
    let verdict = |policy: PythonPolicy, from: &str, line: &str| {
        set(&mut Jar::new().with_policy(policy), from, line).map(|_| ())
    };
    let no = Err(Refusal::Policy);
    let new = PythonPolicy::new;
    assert_eq!(verdict(new(), "http://a.b.e.com/x", "$a=1; Domain=e.com; Path=/y"), Ok(()));
    assert_eq!(verdict(new().netscape(false), "http://e.com/", "a=1"), no);
    assert_eq!(verdict(new().strict_initial_dollar(true), "http://e.com/", "$a=1"), no);
    let dots = || new().strict_no_dots(true);
    assert_eq!(verdict(dots(), "http://a.b.e.com/", "a=1; Domain=e.com"), no);
    assert_eq!(verdict(dots(), "http://b.e.com/", "a=1; Domain=e.com"), Ok(()));
    assert_eq!(verdict(dots(), "http://a.b.e.com/", "a=1"), Ok(()));
    assert_eq!(verdict(new().strict_set_path(true), "http://e.com/x", "a=1; Path=/y"), no);
    let lists = DomainLists::new().block("e.com");
    assert_eq!(verdict(new().domains(lists), "http://e.com/", "a=1"), no);
    let policy = new().strict_unverifiable(true);
    let context = Context::cross_site_navigation(true);
    let mut jar = Jar::new().with_policy(policy);
    assert_eq!(jar.set(&url("http://e.com/"), b"a=1", &context, at(0)), Err(Refusal::Policy));
}

#[test]
fn explaining_leaves_the_jar_alone() {
    let mut jar = Jar::new();
    set(&mut jar, "http://e.com/", "a=1").unwrap();
    let line = b"a=2; Max-Age=999999999; Expires=x; Path=y; z";
    let told = jar.explain_set(&url("http://e.com/"), line, &Context::new(), at(0));
    assert_eq!(told.verdict, Ok(Accepted::Replaced));
    let notes = [Note::BadExpires, Note::DefaultPath, Note::UnknownAttribute, Note::LifetimeCut];
    assert_eq!(told.notes, notes);
    assert_eq!(sent(&mut jar, "http://e.com/"), "a=1");
    let told = jar.explain_set(&url("http://e.com/"), b"a=\x01", &Context::new(), at(0));
    assert_eq!(told.verdict, Err(Refusal::ControlOctet));
}

#[test]
fn every_withheld_cookie_has_its_reason() {
    let mut jar = Jar::new();
    for (from, line) in [
        ("https://e.com/", "sent=1"),
        ("https://e.com/", "deeper=1; Path=/x"),
        ("https://www.e.com/", "host=1"),
        ("https://o.org/", "domain=1; Domain=o.org"),
        ("https://e.com/", "secure=1; Secure"),
        ("https://e.com/", "expired=1; Max-Age=1"),
        ("https://e.com/", "part=1; Secure; Partitioned"),
    ] {
        set(&mut jar, from, line).unwrap();
    }
    let judged = jar.explain_send(&url("http://e.com/"), &Context::new(), at(5));
    let told: Vec<_> = judged
        .iter()
        .map(|(cookie, verdict)| (std::str::from_utf8(cookie.name()).unwrap(), *verdict))
        .collect();
    assert_eq!(
        told,
        [
            ("sent", Ok(())),
            ("deeper", Err(Withheld::OtherPath)),
            ("host", Err(Withheld::OtherHost)),
            ("domain", Err(Withheld::OtherDomain)),
            ("secure", Err(Withheld::InsecureConnection)),
            ("expired", Err(Withheld::Expired)),
            ("part", Err(Withheld::InsecureConnection)),
        ]
    );
    let sent: Vec<_> = jar
        .cookies_for(&url("http://e.com/"), &Context::new(), at(5))
        .iter()
        .map(|cookie| cookie.name())
        .collect();
    assert_eq!(sent, [b"sent"]);
}

#[test]
fn octets_beyond_utf8_come_back_as_they_went() {
    let mut jar = Jar::new();
    let from = url("http://e.com/");
    jar.set(&from, b"\xffn=\x80v\xfe", &Context::new(), at(0)).unwrap();
    assert_eq!(jar.header_for(&from, &Context::new(), at(0)), Some(b"\xffn=\x80v\xfe".to_vec()));
}

#[test]
fn long_default_path_is_refused() {
    let from = format!("http://e.com/{}/", "x".repeat(9_000));
    assert_eq!(verdict(&from, "a=1"), Err(Refusal::InvalidPath));
    assert_eq!(verdict(&from, "a=1; Path=/"), Ok(Accepted::New));
}
