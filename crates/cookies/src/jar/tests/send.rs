//! What is sent, what is withheld, and who else has a say.

use super::*;

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
