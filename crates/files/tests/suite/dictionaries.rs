//! Differences between versions of a file (RFC 9842).

use std::time::{Duration, Instant};

use avocet_encoding::{Dictionary, DictionaryCoding, decode_with};
use avocet_files::{Access, Password};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::site::{Answer, Site};

fn site() -> Site {
    Site::with(&[], |folder| folder.dictionaries(true))
}

/// A script, and the same after a day's work.
fn versions() -> (String, String) {
    let line = |n: u64| format!("export const k{n} = \"{:x}\";\n", n.wrapping_mul(0x9e37_79b9));
    let first: String = (0..2_000).map(line).collect();
    let second = first.replace("const k77 =", "let k77 =") + "export default k1;\n";
    (first, second)
}

/// The value of Available-Dictionary.
fn named(content: &str) -> String {
    format!(":{}:", STANDARD.encode(Sha256::digest(content)))
}

fn ask(site: &Site, target: &str, codings: &str, dictionary: &str) -> Answer {
    site.get_with(target, &[("Accept-Encoding", codings), ("Available-Dictionary", dictionary)])
}

/// Asks until the answer comes in a coding: what was sent is taken into the table a moment later.
fn until_coded(site: &Site, target: &str, coding: &str, dictionary: &str) -> Answer {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = ask(site, target, &format!("gzip, {coding}"), dictionary);
        if answer.field("Content-Encoding") == Some(coding) {
            return answer;
        }
        assert!(Instant::now() < end, "{target} does not come in {coding}: {:?}", answer.fields());
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn decoded(answer: &Answer, dictionary: &str) -> Vec<u8> {
    let coding = answer.field("Content-Encoding").expect("a coding");
    let coding = DictionaryCoding::ALL.into_iter().find(|found| found.name() == coding).unwrap();
    let known = Dictionary::new(dictionary.as_bytes(), Sha256::digest(dictionary).into());
    decode_with(coding, &known, &answer.body, 1 << 20).unwrap()
}

#[test]
fn a_new_version_is_sent_as_its_difference() {
    let site = site();
    let (first, second) = versions();
    site.write_old("js/app.11aa22bb.js", &first);
    site.write_old("js/app.33cc44dd.js", &second);
    let answer = site.get_with("/js/app.11aa22bb.js", &[("Accept-Encoding", ALL)]);
    assert_eq!(answer.field("Content-Encoding"), Some("zstd"));
    assert_eq!(answer.field("Use-As-Dictionary"), Some("match=\"/js/app.*.js\""));
    assert_eq!(answer.field("Vary"), Some("Accept-Encoding, Available-Dictionary"));
    let mut tags = vec![answer.field("ETag").unwrap().to_owned()];
    for coding in ["dcz", "dcb"] {
        let answer = until_coded(&site, "/js/app.33cc44dd.js", coding, &named(&first));
        assert!(decoded(&answer, &first) == second.as_bytes(), "{coding}");
        assert!(answer.body.len() < 300, "{coding}: {}", answer.body.len());
        assert_eq!(answer.field("Content-Length"), Some(answer.body.len().to_string().as_str()));
        assert_eq!(answer.field("Use-As-Dictionary"), Some("match=\"/js/app.*.js\""));
        assert_eq!(answer.field("Vary"), Some("Accept-Encoding, Available-Dictionary"));
        assert_eq!(answer.field("Accept-Ranges"), None);
        let fields = [("Accept-Encoding", coding), ("Available-Dictionary", &named(&first))];
        let head = site.send("HEAD", "/js/app.33cc44dd.js", &fields);
        assert_eq!(head.fields(), answer.fields(), "{coding}");
        let tag = answer.field("ETag").unwrap();
        let again = [&fields[..], &[("If-None-Match", tag)]].concat();
        let unchanged = site.get_with("/js/app.33cc44dd.js", &again);
        assert_eq!((unchanged.status, unchanged.field("ETag")), (304, Some(tag)));
        assert_eq!(unchanged.field("Vary"), Some("Accept-Encoding, Available-Dictionary"));
        tags.push(tag.to_owned());
    }
    for codings in ["gzip", "identity"] {
        let answer = ask(&site, "/js/app.33cc44dd.js", codings, &named(&first));
        tags.push(answer.field("ETag").unwrap().to_owned());
    }
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 5, "{tags:?}");
    // The browsers' own order of codings.
    let answer = ask(&site, "/js/app.33cc44dd.js", ALL, &named(&first));
    assert_eq!(answer.field("Content-Encoding"), Some("dcz"));
}

#[test]
fn what_had_the_same_path_before_is_a_version_too() {
    let site = site();
    let (first, second) = versions();
    site.write("app.js", &first);
    assert_eq!(site.get("/app.js").field("Use-As-Dictionary"), Some("match=\"/app.js\""));
    // The content is read in a moment, and must still be there then.
    until_coded(&site, "/app.js", "dcz", &named(&first));
    site.write_old("app.js", &second);
    let answer = until_coded(&site, "/app.js", "dcb", &named(&first));
    assert!(decoded(&answer, &first) == second.as_bytes());
    assert!(site.get("/app.js").body == second.as_bytes());
}

/// A site that has made the difference of `/app-2.js` from `/app-1.js`, and the name of the latter as a
/// dictionary.
fn with_difference() -> (Site, String) {
    let site = site();
    let (first, second) = versions();
    site.write_old("app-1.js", &first);
    site.write_old("app-2.js", &second);
    site.get("/app-1.js");
    let name = named(&first);
    until_coded(&site, "/app-2.js", "dcz", &name);
    (site, name)
}

#[test]
fn who_asks_for_something_else_gets_that() {
    let (site, name) = with_difference();
    let coding = |fields: &[(&str, &str)]| {
        let answer = site.get_with("/app-2.js", fields);
        let coding = answer.field("Content-Encoding").map(str::to_owned);
        (answer.status, coding.unwrap_or_default())
    };
    let with = |more: (&'static str, &'static str)| {
        coding(&[("Accept-Encoding", ALL), ("Available-Dictionary", &name), more])
    };
    let expected = |status: u16, coding: &str| (status, coding.to_owned());
    assert_eq!(with(("X-Nothing", "")), expected(200, "dcz"));
    assert_eq!(with(("Sec-Fetch-Site", "same-origin")), expected(200, "dcz"));
    assert_eq!(with(("Sec-Fetch-Site", "none")), expected(200, "dcz"));
    assert_eq!(with(("Range", "bytes=0-9")), expected(206, ""));
    for (codings, chosen) in [
        ("gzip", "gzip"),
        ("*", "zstd"),
        ("br, dcz;q=0", "br"),
        ("br, dcz;q=0.9", "br"),
        ("br;q=0.5, dcb;q=0.5", "dcb"),
        ("DCZ", "dcz"),
        ("", ""),
    ] {
        let fields = [("Accept-Encoding", codings), ("Available-Dictionary", name.as_str())];
        assert_eq!(coding(&fields), expected(200, chosen), "{codings}");
    }
    assert_eq!(coding(&[("Accept-Encoding", ALL)]), expected(200, "zstd"));
}

/// RFC 9842 §9: what is asked for by the page of another site must not tell by its length how much
/// it has in common with something.
#[test]
fn security_pages_of_other_sites_get_no_differences() {
    let (site, name) = with_difference();
    for from in ["cross-site", "same-site", "", "same-origin, cross-site"] {
        let fields =
            [("Accept-Encoding", ALL), ("Available-Dictionary", &name), ("Sec-Fetch-Site", from)];
        let answer = site.get_with("/app-2.js", &fields);
        assert_eq!(answer.field("Content-Encoding"), Some("zstd"), "{from}");
    }
}

/// A request can name nothing that was not sent before, to people who may see as much, as a version
/// of the same file; and nothing that is no digest.
#[test]
fn security_dictionaries_that_were_never_sent_are_ignored() {
    let (first, second) = versions();
    let login = |access: Access| access.login("/private", "ada", Password::plain("secret"));
    let access = login(Access::new()).unwrap();
    let site = Site::with(&[], |folder| folder.dictionaries(true).access(access));
    let names = ["app-1.js", "app-3.js", "other-1.js", "private/app-1.js"];
    let texts = names.map(|name| first.clone() + name);
    for (name, text) in names.iter().zip(&texts) {
        site.write_old(name, text);
    }
    site.write_old("app-2.js", &second);
    let [sent, unsent, other, private] = texts.each_ref().map(|text| named(text));
    site.get("/app-1.js");
    site.get("/other-1.js");
    let login = format!("Basic {}", STANDARD.encode("ada:secret"));
    let seen = site.get_with("/private/app-1.js", &[("Authorization", &login)]);
    assert_eq!(seen.status, 200);
    until_coded(&site, "/app-2.js", "dcz", &sent);
    until_coded(&site, "/other-1.js", "dcz", &other);
    let malformed = [
        String::new(),
        "::".to_owned(),
        sent.replace(':', ""),
        sent.replacen(':', "", 1),
        sent[..44].to_owned() + ":",
        format!("{sent}, {sent}"),
        sent.to_uppercase(),
        format!(":{}:", "A".repeat(100_000 / 16)),
        format!("\"{}\"", &sent[1..45]),
    ];
    for name in [&unsent, &other, &private].into_iter().chain(&malformed) {
        let answer = ask(&site, "/app-2.js", ALL, name);
        assert_eq!(
            (answer.status, answer.field("Content-Encoding")),
            (200, Some("zstd")),
            "{name}"
        );
    }
    let twice = [
        ("Accept-Encoding", ALL),
        ("Available-Dictionary", sent.as_str()),
        ("Available-Dictionary", sent.as_str()),
    ];
    assert_eq!(site.get_with("/app-2.js", &twice).field("Content-Encoding"), Some("zstd"));
    assert_eq!(ask(&site, "/app-2.js", ALL, &sent).field("Content-Encoding"), Some("dcz"));
}

#[test]
fn what_gains_nothing_is_sent_in_another_coding() {
    let site = site();
    let (first, _) = versions();
    let other: String = (0..2_000).map(|n| format!("<p>Paragraph {n} of a story</p>\n")).collect();
    site.write_old("page-1.html", &first);
    site.write_old("page-2.html", &other);
    site.get("/page-1.html");
    until_coded(&site, "/page-1.html", "dcz", &named(&first));
    let zstd = ask(&site, "/page-2.html", "zstd", "").body.len();
    for _ in 0..3 {
        let answer = ask(&site, "/page-2.html", ALL, &named(&first));
        let coding = answer.field("Content-Encoding");
        assert!(coding == Some("dcz") && answer.body.len() < zstd || coding != Some("dcz"));
    }
}

#[test]
fn it_is_off_unless_asked_for_and_for_what_compresses_only() {
    let (first, second) = versions();
    let plain = Site::new(&[]);
    plain.write_old("app-1.js", &first);
    let answer = ask(&plain, "/app-1.js", ALL, &named(&first));
    assert_eq!(answer.field("Use-As-Dictionary"), None);
    assert_eq!(answer.field("Vary"), Some("Accept-Encoding"));
    let site = site();
    site.write_old("short.js", "let a;");
    site.write_old("long.js", first.repeat(40));
    site.write_old("picture.png", &second);
    for (target, vary) in [
        ("/short.js", Some("Accept-Encoding")),
        ("/long.js", Some("Accept-Encoding")),
        ("/picture.png", None),
    ] {
        let answer = site.get(target);
        assert_eq!(answer.field("Use-As-Dictionary"), None, "{target}");
        assert_eq!(answer.field("Vary"), vary, "{target}");
    }
}

/// What Chromium says.
const ALL: &str = "gzip, deflate, br, zstd, dcb, dcz";
