//! `avocet cookies`, and recipe 3: cookies through a login.

use std::fs;
use std::path::Path;

use avocet_tests::run::{Ran, run_in};
use avocet_tests::scripted::{Scripted, response};

fn cookies(folder: &Path, arguments: &[&str]) -> Ran {
    run_in(folder, &[&["cookies"], arguments].concat(), "")
}

/// What curl writes: a host's cookie and a domain's, one HttpOnly, times far away.
const OF_CURL: &str = "# Netscape HTTP Cookie File\n\
    # https://curl.se/docs/http-cookies.html\n\n\
    #HttpOnly_www.example.com\tFALSE\t/\tFALSE\t0\tid\ta1\n\
    .example.com\tTRUE\t/docs\tTRUE\t4102444800\tseen\tx y\n";

#[test]
fn a_file_of_curl_is_listed_as_a_table_and_as_json() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("jar"), OF_CURL).unwrap();
    let ran = cookies(folder.path(), &["list", "jar"]);
    assert_eq!(
        (ran.status, &*ran.out),
        (
            0,
            "DOMAIN           PATH   NAME  VALUE  EXPIRES               FLAGS\n\
             www.example.com  /      id    a1     session               HttpOnly\n\
             .example.com     /docs  seen  x y    2100-01-01 00:00:00Z  Secure\n"
        )
    );
    let ran =
        cookies(folder.path(), &["list", "jar", "--domain", "example.com", "--format", "json"]);
    let list: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(list[0]["value"], "x y");
    assert_eq!(list[0]["hostOnly"], false);
    assert_eq!(list[0]["expires"], 4_102_444_800_u64);
}

#[test]
fn every_cookie_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("jar"), OF_CURL).unwrap();
    let ran = cookies(folder.path(), &["explain", "jar", "http://www.example.com/docs"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    let lines: Vec<&str> = ran.out.lines().skip(1).collect();
    assert!(lines[0].starts_with("id ") && lines[0].ends_with(" sent"), "{}", ran.out);
    let why = "withheld: Secure, but the connection is not secure";
    assert!(lines[1].starts_with("seen") && lines[1].ends_with(why), "{}", ran.out);

    let before = fs::read(folder.path().join("jar")).unwrap();
    let lines = ["a=1", "b=2; Domain=com", "c=3; Domain=other.com", "d=4; Secure"];
    let mut arguments = vec!["explain", "jar", "http://www.example.com/"];
    arguments.extend(lines.iter().flat_map(|line| ["--set", line]));
    let ran = cookies(folder.path(), &arguments);
    assert_eq!(
        ran.out,
        "a=1: stored\n\
         b=2; Domain=com: refused: the Domain is a public suffix\n\
         c=3; Domain=other.com: refused: the host does not lie in the Domain\n\
         d=4; Secure: refused: Secure, but the connection is not secure\n"
    );
    assert_eq!(fs::read(folder.path().join("jar")).unwrap(), before);
}

#[test]
fn cookies_are_set_refused_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let url = "https://shop.example.com/";
    let ran = cookies(folder.path(), &["set", "jar", url, "a=1; Max-Age=3600; HttpOnly"]);
    assert_eq!((ran.status, &*ran.out), (0, "stored\n"), "{}", ran.err);
    let ran = cookies(folder.path(), &["set", "jar", url, "b=2; Domain=elsewhere.net"]);
    assert_eq!(ran.status, 1);
    assert_eq!(ran.err, "avocet: the cookie is refused: the host does not lie in the Domain\n");
    let text = fs::read_to_string(folder.path().join("jar")).unwrap();
    assert!(text.contains("#HttpOnly_shop.example.com\tFALSE\t/\tFALSE\t"), "{text}");
    assert!(!text.contains("elsewhere"), "{text}");
    assert_eq!(cookies(folder.path(), &["rm", "jar", "b"]).status, 1);
    let ran = cookies(folder.path(), &["rm", "jar", "a", "--domain", "shop.example.com"]);
    assert_eq!((ran.status, &*ran.out), (0, "1 removed\n"), "{}", ran.err);
    assert_eq!(cookies(folder.path(), &["list", "jar"]).out.lines().count(), 1);
}

#[test]
fn import_and_export_go_through_every_format() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("curl.txt"), OF_CURL).unwrap();
    let firefox = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../crates/cookies/tests/fixtures/browsers/firefox.sqlite"
    );
    let ran = cookies(folder.path(), &["import", "jar", firefox]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.out.ends_with(" from Firefox\n") && !ran.out.starts_with('0'), "{}", ran.out);
    let ran = cookies(folder.path(), &["import", "other", "curl.txt"]);
    assert_eq!((ran.status, &*ran.out), (0, "2 from curl.txt\n"), "{}", ran.err);
    let table = cookies(folder.path(), &["list", "other"]).out;
    for format in ["netscape", "lwp", "json"] {
        let to = format!("to.{format}");
        let ran = cookies(folder.path(), &["export", "other", "--to", format, "-o", &to]);
        assert_eq!(ran.status, 0, "{}", ran.err);
        assert_eq!(cookies(folder.path(), &["list", &to]).out, table, "{format}");
        let ran = cookies(folder.path(), &["export", "other", "--to", format]);
        fs::write(folder.path().join("printed"), &ran.out).unwrap();
        assert_eq!(cookies(folder.path(), &["list", "printed"]).out, table, "{format}");
    }
    assert_eq!(cookies(folder.path(), &["export", "other", "-o", "jar"]).status, 2);
}

#[test]
fn recipe_3_a_foreign_or_missing_file_is_an_error_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let foreign = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    fs::write(folder.path().join("jar"), &foreign).unwrap();
    let server = Scripted::start(|_| response("200 OK", "Set-Cookie: a=1\r\n", ""));
    let url = server.url("/");
    let calls: [&[&str]; 8] = [
        &["cookies", "list", "jar"],
        &["cookies", "explain", "jar", &url],
        &["cookies", "set", "jar", &url, "a=1"],
        &["cookies", "rm", "jar", "a"],
        &["cookies", "import", "jar", "jar"],
        &["cookies", "export", "jar"],
        &["fetch", "-b", "jar", &url],
        &["fetch", "-c", "jar", &url],
    ];
    for call in calls {
        let ran = run_in(folder.path(), call, "");
        assert_eq!((ran.status, &*ran.out), (2, ""), "{call:?}: {}", ran.err);
        assert!(ran.err.starts_with("avocet: ") && ran.err.lines().count() == 1, "{}", ran.err);
        assert_eq!(fs::read(folder.path().join("jar")).unwrap(), foreign, "{call:?}");
    }
    assert!(server.requests().is_empty());
    assert_eq!(cookies(folder.path(), &["list", "none"]).status, 2);
    assert!(!folder.path().join("none").exists());
}

#[test]
fn recipe_3_cookies_through_a_login() {
    let server = Scripted::start(|request| match request.split(' ').nth(1) {
        Some("/login") => response(
            "302 Found",
            "Location: /home\r\nSet-Cookie: session=s3; HttpOnly\r\n\
             Set-Cookie: x=1; Domain=elsewhere.net\r\nSet-Cookie: y=1; Domain=com\r\n\
             Set-Cookie: z=1; Secure\r\nSet-Cookie: old=1; Max-Age=0\r\n\
             Set-Cookie: far=1; Path=/elsewhere\r\n",
            "",
        ),
        _ => response("200 OK", "Set-Cookie: visits=2\r\n", "welcome"),
    });
    let folder = tempfile::tempdir().unwrap();
    let login = server.url("/login");
    let first = ["fetch", "-L", "-d", "id_username=you@email.com", "-d", "id_password=x"];
    let first = [&first[..], &["-c", "jar.txt", "--show-cookies", &login]].concat();
    let ran = run_in(folder.path(), &first, "");
    assert_eq!((ran.status, &*ran.out), (0, "welcome"), "{}", ran.err);
    assert!(ran.err.contains("cookie set: session=s3; HttpOnly"), "{}", ran.err);
    assert!(ran.err.contains("cookies sent: session=s3\n"), "{}", ran.err);

    let second = server.url("/again");
    let second = ["fetch", "-b", "jar.txt", "-c", "jar.txt", "--show-cookies", &second];
    let ran = run_in(folder.path(), &second, "");
    assert_eq!((ran.status, &*ran.out), (0, "welcome"), "{}", ran.err);
    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    assert!(requests[0].ends_with("\r\n\r\nid_username=you@email.com&id_password=x"));
    let sent = |request: &str| {
        let lines = request.lines();
        let mut fields = lines.filter_map(|line| line.split_once(": "));
        fields.find(|(name, _)| name.eq_ignore_ascii_case("cookie")).map(|(_, v)| v.to_owned())
    };
    assert_eq!(sent(&requests[0]), None);
    assert_eq!(sent(&requests[1]).as_deref(), Some("session=s3"));
    assert_eq!(sent(&requests[2]).as_deref(), Some("session=s3; visits=2"));

    let ran = cookies(folder.path(), &["list", "jar.txt", "--format", "json"]);
    let list: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let names: Vec<&str> =
        list.as_array().unwrap().iter().filter_map(|cookie| cookie["name"].as_str()).collect();
    assert_eq!(names, ["session", "far", "visits"]);
}

#[test]
fn control_characters_of_a_value_are_shown_escaped() {
    let folder = tempfile::tempdir().unwrap();
    let entry = r#"[{"name":"a","value":"\u001b[31m\u009bred","domain":"h.example","path":"/"}]"#;
    fs::write(folder.path().join("jar.json"), entry).unwrap();
    for format in ["text", "json"] {
        let ran = cookies(folder.path(), &["list", "jar.json", "--format", format]);
        let shown = ran.out + &ran.err;
        assert!(!shown.contains(['\x1b', '\u{9b}']), "{shown:?}");
    }
}
