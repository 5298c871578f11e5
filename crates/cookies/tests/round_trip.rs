//! Every cookie that a jar can hold survives every file format, and no octets make a reader panic
//! or a second reading differ from the first.

#![expect(clippy::unwrap_used, reason = "a failing round trip should fail where it shows")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use avocet_cookies::{Context, Cookie, Format, Jar, Reading, SameSite};
use proptest::{collection::vec, option, prelude::*};
use url::Url;

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_000_000)
}

/// Octets with a taste for those that mean something in a file.
fn octets(max: usize) -> impl Strategy<Value = Vec<u8>> {
    let octet = prop_oneof![
        4 => b'a'..=b'z',
        2 => prop::sample::select(b" \t\"\\=,#$:/.0123456789x@%".to_vec()),
        1 => 0x80_u8..=0xff,
    ];
    vec(octet, 0..max)
}

prop_compose! {
    fn cookie()(
        name in octets(12).prop_filter("no equals sign", |name| !name.contains(&b'=')),
        value in octets(24),
        domain in "[a-z]{1,6}(\\.[a-z]{1,6})?\\.(com|co\\.uk|example)",
        path in octets(12),
        flags in any::<[bool; 3]>(),
        same_site in 0..4_usize,
        expires in option::of(1_i64..2_000_000_000),
        partition in option::of("https://[a-z]{1,8}\\.com"),
        extensions in vec(("[A-Za-z-]{1,8}|Version|Partition|path_spec|DISCARD|\\.x", octets(8)), 0..3),
        times in (0..1_000_000_u64, 0..1_000_000_u64),
    ) -> Option<Cookie> {
        let [subdomains, secure, http_only] = flags;
        let same_sites = [SameSite::Default, SameSite::Lax, SameSite::Strict, SameSite::None];
        let mut builder = Cookie::builder(name, value, domain)
            .for_subdomains(subdomains)
            .path([b"/", path.as_slice()].concat())
            .secure(secure)
            .http_only(http_only)
            .same_site(same_sites[same_site])
            .partition(partition.as_deref().filter(|_| secure))
            .expires_seconds(expires.map(|seconds| 1_795_000_000 + seconds))
            .created(UNIX_EPOCH + Duration::from_micros(times.0))
            .last_accessed(UNIX_EPOCH + Duration::from_micros(times.1));
        for (name, value) in extensions {
            builder = builder.extension(name, value);
        }
        builder.build(now()).ok()
    }
}

/// Cookies in places of their own.
fn cookies() -> impl Strategy<Value = Vec<Cookie>> {
    vec(cookie(), 0..12).prop_map(|cookies| {
        let mut jar = Jar::new();
        for cookie in cookies.into_iter().flatten() {
            jar.insert(cookie, now()).unwrap();
        }
        jar.in_order().into_iter().cloned().collect()
    })
}

/// What a format keeps of a cookie, as text.
fn view(cookie: &Cookie, format: Format) -> String {
    let extensions: Vec<_> = match format {
        Format::Netscape => Vec::new(),
        _ => cookie
            .extensions()
            .map(|(name, value)| (name.escape_ascii().to_string(), value))
            .collect(),
    };
    let times = match format {
        Format::Json => Some((cookie.created(), cookie.last_accessed())),
        _ => None,
    };
    format!("{cookie:?} {} {extensions:?} {times:?}", cookie.value().escape_ascii())
}

fn views(cookies: &[Cookie], format: Format) -> Vec<String> {
    cookies.iter().map(|cookie| view(cookie, format)).collect()
}

fn written(format: Format, reading: &Reading) -> Vec<u8> {
    let mut out = Vec::new();
    format.write(&reading.cookies, &reading.kept, &mut out).unwrap();
    out
}

fn survives(format: Format, cookies: &[Cookie]) {
    let mut out = Vec::new();
    format.write(cookies, &[], &mut out).unwrap();
    assert_eq!(Format::detect(&out), format);
    let reading = format.read(&out, now()).unwrap();
    assert_eq!(views(&reading.cookies, format), views(cookies, format), "{}", out.escape_ascii());
    assert!(reading.refused.is_empty() && reading.kept.is_empty() && reading.expired == 0);
}

/// What was read once and written is the same when read again.
fn settles(format: Format, text: &[u8]) {
    let Ok(first) = format.read(text, now()) else { return };
    let text = written(format, &first);
    let second = format.read(&text, now()).unwrap();
    assert_eq!(views(&second.cookies, format), views(&first.cookies, format));
    assert_eq!(second.kept, first.kept);
    assert_eq!(written(format, &second), text);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn netscape(cookies in cookies()) {
        survives(Format::Netscape, &cookies);
    }

    #[test]
    fn lwp(cookies in cookies()) {
        survives(Format::Lwp, &cookies);
    }

    #[cfg(feature = "json")]
    #[test]
    fn json(cookies in cookies()) {
        survives(Format::Json, &cookies);
    }

    #[test]
    fn any_lines_settle(
        lines in vec(prop_oneof![
            "[ -~\t]{0,60}",
            "(#HttpOnly_)?\\.?[a-z]{1,3}\\.com\t(TRUE|FALSE)\t/[a-z]?\t(TRUE|FALSE)\t(0|2000000000|)\t[a-z]{0,2}\t[a-z]{0,2}",
            "#?Set-Cookie3: [a-z]{1,2}(=\"?[ -~]{0,6}\"?)?; path=\"/\"; domain=\"?\\.?e\\.com\"?; [ -~]{0,20}",
            "# SameSite=(Lax|Strict|None|x)",
            "[a-z\t ]{0,8}\r{1,3}",
        ], 0..8),
        lwp in any::<bool>(),
    ) {
        let (format, magic) = match lwp {
            true => (Format::Lwp, "#LWP-Cookies-2.0\n"),
            false => (Format::Netscape, "# Netscape HTTP Cookie File\n"),
        };
        settles(format, [magic, &lines.join("\n")].concat().as_bytes());
    }

    #[test]
    fn any_octets_are_read_or_refused(text in vec(any::<u8>(), 0..200)) {
        for format in [Format::Netscape, Format::Lwp, Format::Json] {
            settles(format, &text);
        }
    }

    #[test]
    fn any_set_cookie_lines_keep_the_jar_in_order(
        lines in vec(prop_oneof![vec(any::<u8>(), 0..80), "[ab]=[ -~]{0,30}".prop_map(String::into_bytes),
            "[ab]=1; (Domain|Path|Expires|Max-Age|SameSite)=[ -~]{0,20}; (Secure|HttpOnly|Partitioned)"
                .prop_map(String::into_bytes)], 0..40),
    ) {
        let url = Url::parse("https://www.example.com/a/b").unwrap();
        let mut jar = Jar::new();
        for line in &lines {
            let told = jar.explain_set(&url, line, &Context::new(), now());
            prop_assert_eq!(jar.set(&url, line, &Context::new(), now()), told.verdict);
            prop_assert_eq!(jar.iter().count(), jar.len());
        }
        let header = jar.header_for(&url, &Context::new(), now()).unwrap_or_default();
        prop_assert!(!header.iter().any(|octet| octet.is_ascii_control() && *octet != b'\t'));
    }
}
