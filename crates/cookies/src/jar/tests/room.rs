//! What goes when there is no room, and on request.

use super::*;

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
fn flood_of_large_cookies_does_not_make_requests_too_large() {
    let mut jar = Jar::new();
    let page = url("http://e.com/");
    set(&mut jar, "http://e.com/", "first=1").unwrap();
    for index in 0..20 {
        let line = format!("big{index:02}={}; Domain=e.com", "v".repeat(4_000));
        set(&mut jar, "http://x.e.com/", &line).unwrap();
    }
    set(&mut jar, "http://e.com/", "last=1").unwrap();
    let header = sent(&mut jar, "http://e.com/");
    assert_eq!(header.len(), "first=1".len() + 8 * "; big00=".len() + 8 * 4_000 + "; last=1".len());
    assert!(header.starts_with("first=1; big00=") && header.ends_with("; last=1"));
    let told = jar.explain_send(&page, &Context::new(), at(0));
    let withheld = told.iter().filter(|(_, verdict)| *verdict == Err(Withheld::NoRoom)).count();
    assert_eq!((withheld, jar.cookies_for(&page, &Context::new(), at(0)).len()), (12, 10));
    assert!(told[..10].iter().all(|(_, verdict)| verdict.is_ok()));
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
