//! The cookie corpus: http-state, web-platform-tests, tough-cookie and cases of RFC 6265bis.
//!
//! The cases are read from `tests/corpus` of the workspace or from the folder that
//! `AVOCET_CORPUS` names.

#![expect(clippy::unwrap_used, reason = "broken test data should fail where it shows")]

use std::{
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use avocet_cookies::{
    Context, Jar, Refusal, SameSite, canonical_host, dates, default_path, domain_match,
    parse_set_cookie, path_match,
};
use serde_json::Value;
use url::Url;

fn cases(kind: &str) -> Vec<Value> {
    let folder = std::env::var_os("AVOCET_CORPUS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus"),
        PathBuf::from,
    );
    let path = folder.join("cookies.json");
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let corpus: Value = serde_json::from_slice(&text).unwrap();
    let all = corpus["cases"].as_array().unwrap();
    assert_eq!(Some(all.len() as u64), corpus["count"].as_u64());
    let known = ["jar", "date", "domain_match", "parse", "path_match", "default_path"];
    assert!(all.iter().all(|case| known.contains(&text_of(case, "kind"))));
    all.iter().filter(|case| case["kind"] == kind).cloned().collect()
}

fn text_of<'c>(case: &'c Value, key: &str) -> &'c str {
    case[key].as_str().unwrap_or_else(|| panic!("{key} of {case}"))
}

/// Runs `check` on every case and reports all that fail, not only the first.
fn all_pass(kind: &str, check: impl Fn(&Value) -> Result<(), String>) {
    let cases = cases(kind);
    assert!(!cases.is_empty());
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| check(case).err().map(|why| format!("{}: {why}", text_of(case, "id"))))
        .collect();
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

fn expect<T: PartialEq + std::fmt::Debug>(have: T, want: T) -> Result<(), String> {
    if have == want { Ok(()) } else { Err(format!("have {have:?}, want {want:?}")) }
}

#[test]
fn corpus_jar() {
    all_pass("jar", |case| {
        let now = UNIX_EPOCH + Duration::from_secs(case["now"].as_u64().unwrap());
        let set_url = Url::parse(text_of(case, "set_url")).unwrap();
        let get_url = Url::parse(text_of(case, "get_url")).unwrap();
        let mut jar = Jar::new();
        let mut verdicts = Vec::new();
        for line in case["set_cookie"].as_array().unwrap() {
            let line = line.as_str().unwrap().as_bytes();
            verdicts.push(jar.set(&set_url, line, &Context::new(), now));
        }
        if case["disabled"] == true && case["ref_ok"] == false {
            // http-state itself turned this one off: it wants a line with a bare CR cut there,
            // RFC 6265bis §5.6 step 1 wants it ignored.
            return expect(verdicts, vec![Err(Refusal::ControlOctet)]);
        }
        let want = case.get("expect_bis").unwrap_or_else(|| &case["expect"]).as_str().unwrap();
        let have = header(&mut jar, &get_url, now);
        expect(have.as_str(), want)
    });
}

fn header(jar: &mut Jar, url: &Url, now: SystemTime) -> String {
    String::from_utf8(jar.header_for(url, &Context::new(), now).unwrap_or_default()).unwrap()
}

#[test]
fn corpus_date() {
    all_pass("date", |case| {
        expect(dates::cookie(text_of(case, "input").as_bytes()), case["expect"].as_i64())
    });
}

#[test]
fn corpus_domain_match() {
    // Some of the strings are no host names, or short spellings of addresses which a URL parser
    // would complete; ASCII needs lower case only.
    let canonical = |host: &str| match host.is_ascii() {
        true => host.to_ascii_lowercase(),
        false => canonical_host(host).unwrap(),
    };
    all_pass("domain_match", |case| {
        let (host, domain) = (text_of(case, "string"), text_of(case, "domain"));
        let have = domain_match(&canonical(host), &canonical(domain));
        expect(Some(have), case["expect"].as_bool())
    });
}

#[test]
fn corpus_path_match() {
    all_pass("path_match", |case| {
        let (request, cookie) = (text_of(case, "request_path"), text_of(case, "cookie_path"));
        let have = path_match(request.as_bytes(), cookie.as_bytes());
        expect(Some(have), case["expect"].as_bool())
    });
}

#[test]
fn corpus_default_path() {
    all_pass("default_path", |case| {
        let have = default_path(text_of(case, "uri_path").as_bytes());
        expect(have, text_of(case, "expect").as_bytes())
    });
}

#[test]
fn corpus_parse() {
    all_pass("parse", |case| {
        // A missing line is an empty one.
        let line = case["input"].as_str().unwrap_or_default();
        let parsed = parse_set_cookie(line.as_bytes());
        let want = &case["expect"];
        if want.is_null() && !line.contains('=') && parsed.is_ok() {
            // RFC 6265 ignores a line without "="; 6265bis takes all of it as the value of a
            // cookie without a name (as the jar cases with expect_bis say).
            let parsed = parsed.map_err(|refusal| refusal.to_string())?;
            return expect((parsed.name, parsed.value), (&b""[..], line.as_bytes()));
        }
        let Ok(parsed) = parsed else { return expect(want.is_null(), true) };
        let fields = want.as_object().ok_or("want null, have a cookie")?;
        let text = |octets: &[u8]| Value::from(std::str::from_utf8(octets).unwrap());
        for (key, want) in fields {
            let have = match key.as_str() {
                "key" => text(parsed.name),
                "value" => text(parsed.value),
                "path" => parsed.path.map_or(Value::Null, text),
                "domain" => parsed.domain.as_deref().map_or(Value::Null, text),
                "secure" => parsed.secure.into(),
                "httpOnly" => parsed.http_only.into(),
                "maxAge" => parsed.max_age.into(),
                "expires" => parsed.expires.map_or_else(
                    || "Infinity".into(),
                    |at| dates::iso(at).replace(' ', "T").replace('Z', ".000Z").into(),
                ),
                "sameSite" => match parsed.same_site {
                    SameSite::Default => Value::Null,
                    named => named.as_str().to_ascii_lowercase().into(),
                },
                "extensions" => extensions(&parsed.extensions),
                other => return Err(format!("unknown field {other}")),
            };
            expect((key, &have), (key, want))?;
        }
        Ok(())
    });
}

fn extensions(pairs: &[(&[u8], &[u8])]) -> Value {
    if pairs.is_empty() {
        return Value::Null;
    }
    let text = |octets| std::str::from_utf8(octets).unwrap();
    let joined = pairs.iter().map(|(name, value)| match value {
        [] => text(name).to_owned(),
        value => format!("{}={}", text(name), text(value)),
    });
    Value::Array(joined.map(Value::from).collect())
}
