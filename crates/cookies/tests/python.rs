//! The same input as given to Python's `http.cookiejar`, with its results. Where RFC 6265bis asks
//! for something else, the case or the table here says what.

#![expect(clippy::unwrap_used, reason = "broken test data should fail where it shows")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use avocet_cookies::{
    Context, Jar, SameSite, dates,
    server::{SetCookie, ValueEncoding, parse_cookie_header},
};
use serde_json::Value;
use url::Url;

fn cases(name: &str) -> Vec<Value> {
    let path = format!("{}/tests/data/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let data: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let cases = data["cases"].as_array().unwrap().clone();
    assert!(!cases.is_empty());
    cases
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_760_000_000)
}

#[test]
fn jar_steps() {
    for case in cases("cookie_jar") {
        let want = case.get("want").unwrap_or_else(|| &case["py"]).as_array().unwrap();
        let mut jar = Jar::new();
        let mut have = Vec::new();
        for step in case["steps"].as_array().unwrap() {
            let url = Url::parse(step["url"].as_str().unwrap()).unwrap();
            let Some(lines) = step.get("set") else {
                let sent = jar.header_for(&url, &Context::new(), now());
                have.push(sent.map_or(Value::Null, |sent| String::from_utf8(sent).unwrap().into()));
                continue;
            };
            for line in lines.as_array().unwrap() {
                let line = line.as_str().unwrap();
                let _ = jar.set(&url, line.as_bytes(), &Context::new(), now());
            }
        }
        assert_eq!(&have, want, "{}", case["name"]);
    }
}

#[test]
fn cookie_dates() {
    // RFC 6265bis §5.1.1 reads no time zones, takes the parts in any order and needs all four.
    let different = [
        ("Wed, 09 Feb 1994 22:23:32 -0500", Some(760_832_612)),
        ("Sun Nov  6 08:49:37 1994", Some(784_111_777)),
        ("Feb  3 17:03:55 1994", Some(760_295_035)),
        ("Sun, 31 Feb 2021 00:00:00 GMT", None),
        ("Mon, 29 Feb 2021 00:00:00 GMT", None),
        ("Fri, 01 Jan 2021 24:00:00 GMT", None),
        ("Sun, 6 Nov 1994 8:9:7 GMT", Some(784_109_347)),
        ("Thu, 01 Jan 1601 00:00:00 GMT", Some(-11_644_473_600)),
    ];
    for case in cases("dates") {
        let text = case["in"].as_str().unwrap();
        let python = case["http2time"].as_i64();
        let named = different.iter().find(|(named, _)| *named == text);
        let want = named.map_or(python, |(_, want)| *want);
        assert_eq!(dates::cookie(text.as_bytes()), want, "{text}");
        assert!(named.is_none() || want != python, "{text} is no difference");
    }
}

#[test]
fn date_formats() {
    for case in cases("date_format") {
        let at = case["in"].as_i64().unwrap();
        assert_eq!(dates::http(at), case["imf"].as_str().unwrap());
        assert_eq!(dates::iso(at), case["isoz"].as_str().unwrap());
        assert_eq!(dates::netscape(at), case["netscape"].as_str().unwrap());
    }
}

#[test]
fn set_cookie_output() {
    for case in cases("set_cookie_output") {
        let text = |key: &str| case["attrs"][key].as_str();
        let truth = |key: &str| case["attrs"][key].as_bool().unwrap_or(false);
        let value = case["value"].as_str().unwrap();
        let mut builder = SetCookie::builder(case["name"].as_str().unwrap(), value)
            .encoding(ValueEncoding::Quoted)
            .secure(truth("secure"))
            .http_only(truth("httponly"));
        for key in case["attrs"].as_object().unwrap().keys() {
            builder = match key.as_str() {
                "domain" => builder.domain(text(key).unwrap()),
                "path" => builder.path(text(key).unwrap()),
                "max_age" => {
                    builder.max_age(Duration::from_secs(case["attrs"][key].as_u64().unwrap()))
                }
                "samesite" => {
                    assert_eq!(text(key), Some("Lax"));
                    builder.same_site(SameSite::Lax)
                }
                "expires" => {
                    let at = dates::cookie(text(key).unwrap().as_bytes()).unwrap();
                    builder.expires(UNIX_EPOCH + Duration::from_secs(u64::try_from(at).unwrap()))
                }
                "secure" | "httponly" => builder,
                other => panic!("unknown attribute {other}"),
            };
        }
        let have = builder
            .build()
            .map_or_else(|_| "error".to_owned(), |cookie| format!("Set-Cookie: {cookie}"));
        // Python passes the date on as it was given and names the attribute in lower case; ours
        // is in the format that RFC 9110 §5.6.7 prefers.
        let want = case["py"].as_str().unwrap();
        let want = want.replace("expires=Sun, 19-May-2013", "Expires=Sun, 19 May 2013");
        assert_eq!(have, want);
    }
}

#[test]
fn cookie_header() {
    // Python stops at the first odd cookie, drops what RFC 2109 gave a meaning, lets quoted values
    // span semicolons and keeps the last of equal names. Here every part between semicolons is a
    // cookie of its own.
    let different: [(&str, &[(&str, &str)]); 14] = [
        (
            r#"keebler="E=everybody; L=\"Loves\"; fudge=\012;""#,
            &[("keebler", "\"E=everybody"), ("L", r#"\"Loves\""#), ("fudge", "\\012"), ("", "\"")],
        ),
        ("a=1; a=2", &[("a", "1"), ("a", "2")]),
        ("a", &[("", "a")]),
        ("=b", &[("", "b")]),
        ("x=\u{e9}", &[("x", "\u{e9}")]),
        ("a=1, b=2", &[("a", "1, b=2")]),
        ("$Version=1; a=1; $Path=/", &[("$Version", "1"), ("a", "1"), ("$Path", "/")]),
        ("a=1; Path=/x", &[("a", "1"), ("Path", "/x")]),
        ("a=1;;;; b=2", &[("a", "1"), ("b", "2")]),
        ("a[b]=1", &[("a[b]", "1")]),
        ("a b=1; c=2", &[("a b", "1"), ("c", "2")]),
        ("k={\"x\":1}; z=9", &[("k", "{\"x\":1}"), ("z", "9")]),
        ("a=\"unterminated; b=2", &[("a", "\"unterminated"), ("b", "2")]),
        ("a=\"q uoted\"; b=2", &[("a", "q uoted"), ("b", "2")]),
    ];
    for case in cases("cookie_header") {
        let text = case["in"].as_str().unwrap();
        let python: Vec<(&str, &str)> = case["py"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
            .collect();
        let own = different.iter().find(|(named, _)| *named == text);
        let want = own.map_or(python.as_slice(), |(_, want)| want);
        let parsed: Vec<(String, String)> = parse_cookie_header(text.as_bytes())
            .map(|pair| {
                let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
                (text(pair.name), text(&pair.unquoted()))
            })
            .collect();
        let have: Vec<(&str, &str)> =
            parsed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(have, want, "{text}");
    }
}
