#![no_main]

use std::time::{Duration, UNIX_EPOCH};

use avocet_cookies::{Context, Format, Jar, Limits, domain_match, is_public_suffix, path_match};
use libfuzzer_sys::fuzz_target;
use url::Url;

// The first octet picks the circumstances; each further line is a Set-Cookie line. Whatever comes
// in, the rules hold for every cookie that stays, and every format takes it.
fuzz_target!(|data: &[u8]| {
    let Some((flags, lines)) = data.split_first() else { return };
    let scheme = if flags & 1 == 0 { "https" } else { "http" };
    let host =
        ["www.example.co.uk", "127.0.0.1", "github.io", "localhost"][usize::from(flags >> 1 & 3)];
    let url = Url::parse(&format!("{scheme}://{host}/a/b")).expect("a URL");
    let context = match flags >> 3 & 3 {
        0 => Context::new(),
        1 => Context::cross_site(),
        2 => Context::cross_site_navigation(true),
        _ => Context::new().through_script(),
    };
    let now = UNIX_EPOCH + Duration::from_secs(1_795_000_000);
    let mut limits = Limits::default();
    (limits.per_site, limits.total, limits.crowded) = (5, 7, 2);
    let mut jar = Jar::new().with_limits(limits);
    for line in lines.split(|octet| *octet == b'\n') {
        let told = jar.explain_set(&url, line, &context, now);
        assert_eq!(jar.set(&url, line, &context, now), told.verdict);
        assert_eq!(jar.len(), jar.iter().count());
        assert!(jar.len() <= 5);
    }
    for cookie in jar.iter() {
        assert!(domain_match(host, cookie.domain()));
        assert!(cookie.is_host_only() || !is_public_suffix(cookie.domain()));
        assert!(cookie.path().starts_with(b"/"));
        assert!(cookie.name().len() + cookie.value().len() <= 4_096);
        assert!(!cookie.is_secure() || scheme == "https");
        let name = cookie.name().to_ascii_lowercase();
        assert!(!name.starts_with(b"__secure-") || cookie.is_secure());
        let locked = cookie.is_secure() && cookie.is_host_only() && cookie.path() == b"/";
        assert!(!name.starts_with(b"__host-") || locked);
    }
    let cookies: Vec<_> = jar.in_order().into_iter().cloned().collect();
    for format in [Format::Netscape, Format::Lwp, Format::Json] {
        let mut text = Vec::new();
        format.write(&cookies, &[], &mut text).expect("every format is built in");
        let reading = format.read(&text, now).expect("a file of ours");
        assert!(reading.refused.is_empty());
        for (read, held) in reading.cookies.iter().zip(&cookies) {
            assert_eq!(
                (read.name(), read.value(), read.path()),
                (held.name(), held.value(), held.path())
            );
        }
        assert_eq!(reading.cookies.len(), cookies.len());
    }
    let sent = jar.cookies_for(&url, &context, now);
    assert!(sent.iter().all(|cookie| path_match(b"/a/b", cookie.path())));
    assert!(sent.is_sorted_by(|first, second| first.path().len() >= second.path().len()));
    let count = sent.len();
    let header = jar.header_for(&url, &context, now).unwrap_or_default();
    assert!(!header.iter().any(|octet| octet.is_ascii_control() && *octet != b'\t'));
    assert!(header.is_empty() == (count == 0));
});
