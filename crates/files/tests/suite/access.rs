//! Passwords for parts of a folder, and links that expire.

use std::time::{SystemTime, UNIX_EPOCH};

use avocet_files::{Access, Changes, Folder, LinkKey, Password};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::site::{Answer, Site};

/// The hash of `secret` with 1,000 rounds, made by Python's `hashlib.pbkdf2_hmac`.
const HASHED: &str =
    "$pbkdf2-sha256$i=1000$c2FsdHNhbHRzYWx0c2FsdA$dClvKSmj66n6MdMWNv3Go4mvH1Ym2WIGiJvquqa+mfE";

const FILES: [(&str, &str); 5] = [
    ("open.txt", "open"),
    ("private/file", "private"),
    ("private/deep/file", "deep"),
    ("private/other/file", "other"),
    ("docs/index.html", "docs"),
];

fn site(set: impl FnOnce(Folder) -> Folder) -> Site {
    let hashed = Password::parse(HASHED).unwrap();
    let access = Access::new()
        .login("/private", "ada", Password::plain("p\u{e4}ss:word"))
        .and_then(|access| access.login("/private", "grace", hashed))
        .and_then(|access| access.login("/private/other/", "eve", Password::plain("other")))
        .unwrap();
    Site::with(&FILES, |folder| set(folder.access(access)))
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

fn get_as(site: &Site, target: &str, name: &str, password: &str) -> Answer {
    site.get_with(target, &[("Authorization", &basic(name, password))])
}

#[test]
fn a_part_is_shown_to_those_who_know_its_password() {
    let site = site(|folder| folder);
    assert_eq!(site.get("/open.txt").status, 200);
    for target in ["/private", "/private/", "/private/file", "/private/none", "/private/deep/file"]
    {
        let asked = site.get(target);
        let challenge = asked.field("WWW-Authenticate");
        assert_eq!(asked.status, 401, "{target}");
        assert_eq!(challenge, Some("Basic realm=\"/private\", charset=\"UTF-8\""));
    }
    for (name, password) in [("ada", "p\u{e4}ss:word"), ("grace", "secret")] {
        for _ in 0..2 {
            assert_eq!(get_as(&site, "/private/file", name, password).text(), "private");
            assert_eq!(get_as(&site, "/private/deep/file", name, password).text(), "deep");
        }
        assert_eq!(get_as(&site, "/private/none", name, password).status, 404);
        assert_eq!(get_as(&site, "/private", name, password).field("Location"), Some("/private/"));
        assert_eq!(get_as(&site, "/private/other/file", name, password).status, 401);
    }
    assert_eq!(get_as(&site, "/private/other/file", "eve", "other").text(), "other");
    assert_eq!(get_as(&site, "/private/file", "eve", "other").status, 401);
}

#[test]
fn security_wrong_logins_are_refused_however_they_are_written() {
    let site = site(|folder| folder);
    let right = basic("ada", "p\u{e4}ss:word");
    for (name, password) in [
        ("ada", ""),
        ("ada", "p\u{e4}ss"),
        ("ada", "p\u{e4}ss:word "),
        ("", "p\u{e4}ss:word"),
        ("Ada", "p\u{e4}ss:word"),
        ("grace", "p\u{e4}ss:word"),
        ("grace", HASHED),
        ("ada", "secret"),
    ] {
        assert_eq!(get_as(&site, "/private/file", name, password).status, 401, "{name}:{password}");
    }
    for field in
        ["", "Basic", "Basic ", "Basic ====", "Bearer x", &right.replace("Basic", "Digest")]
    {
        let answer = site.get_with("/private/file", &[("Authorization", field)]);
        assert_eq!(answer.status, 401, "{field:?}");
    }
    // With several fields the first one counts, and no other.
    let wrong = basic("ada", "wrong");
    let fields = [("Authorization", wrong.as_str()), ("Authorization", right.as_str())];
    assert_eq!(site.get_with("/private/file", &fields).status, 401);
}

#[test]
fn security_no_spelling_of_a_path_leads_around_its_password() {
    let site = site(|folder| folder.try_files(["private/{path}"]).archives(true));
    for target in [
        "/private/file",
        "/./private/file",
        "//private//file",
        "/%70rivate/file",
        "/docs/../private/file",
        "/docs/%2e%2e/private/file",
        "/private/deep/../file",
        "/private%2ffile",
        "/private/file?expires=9999999999",
        "/private/?archive=tar",
        "/private/?format=json",
    ] {
        let answer = site.get(target);
        let shown = String::from_utf8_lossy(&answer.body);
        assert!(matches!(answer.status, 401 | 404), "{target} gives {}", answer.status);
        assert!(!shown.contains("private/file") && shown != "private", "{target}");
    }
    assert_eq!(site.get("/deep/file").status, 404, "what is tried instead must be open too");
    for method in ["HEAD", "PUT", "DELETE", "OPTIONS", "SPAM"] {
        assert_eq!(site.send(method, "/private/file", &[]).status, 401, "{method}");
    }
    let tar = site.get("/?archive=tar").body;
    let has =
        |bytes: &[u8], name: &str| bytes.windows(name.len()).any(|some| some == name.as_bytes());
    assert!(has(&tar, "files/open.txt") && has(&tar, "files/docs/index.html"));
    assert!(!has(&tar, "private"), "an archive holds nothing that has a password of its own");
    let tar = get_as(&site, "/private/?archive=tar", "ada", "p\u{e4}ss:word").body;
    assert!(has(&tar, "private/deep/file") && !has(&tar, "private/other"));
}

#[test]
fn security_forms_do_not_reach_into_parts_with_a_password() {
    let changes = Changes::new().upload(true).folders(true).delete(true).overwrite(true);
    let site = site(|folder| folder.changes(changes));
    let form = |content: &str| {
        let fields = [("Content-Type", "application/x-www-form-urlencoded")];
        site.send_content("POST", "/", &fields, content.as_bytes()).status
    };
    assert_eq!(form("name=private&action=delete"), 403);
    assert_eq!(form("name=private&action=mkdir"), 403);
    let part = "--b\r\nContent-Disposition: form-data; name=f; filename=private\r\n\r\nx\r\n--b--";
    let fields = [("Content-Type", "multipart/form-data; boundary=b")];
    assert_eq!(site.send_content("POST", "/", &fields, part.as_bytes()).status, 403);
    assert_eq!(site.send_content("PUT", "/private/new", &[], b"x").status, 401);
    let login = basic("ada", "p\u{e4}ss:word");
    let fields = [("Authorization", login.as_str())];
    assert_eq!(site.send_content("PUT", "/private/new", &fields, b"new").status, 201);
    assert_eq!(get_as(&site, "/private/new", "ada", "p\u{e4}ss:word").text(), "new");
}

#[test]
fn a_signed_link_opens_one_thing_for_a_while() {
    let key = LinkKey::new(b"0123456789abcdef").unwrap();
    let site = site({
        let key = key.clone();
        |folder| {
            let access = Access::new().login("/private", "ada", Password::plain("x")).unwrap();
            folder.access(access.links(key)).archives(true)
        }
    });
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed();
    let link = key.sign("/private/file", now + 100).unwrap();
    let opened = site.get(&link);
    assert_eq!((opened.text(), opened.field("Referrer-Policy")), ("private", Some("no-referrer")));
    assert_eq!(site.send("HEAD", &link, &[]).status, 200);
    assert_eq!(site.send("DELETE", &link, &[]).status, 401);
    assert_eq!(site.get(&link.replace("/file", "/deep/file")).status, 401);
    assert_eq!(site.get(&key.sign("/private/file", now - 1).unwrap()).status, 401, "expired");
    let folder = key.sign("/private/", now + 100).unwrap();
    assert_eq!(site.get(&folder).status, 200);
    assert_eq!(site.get(&folder.replace('?', "?archive=zip&")).status, 401);
    assert_eq!(site.get(&(folder + "&archive=zip")).status, 401);
    let archive = key.sign("/private/?archive=zip", now + 100).unwrap();
    assert_eq!(site.get(&archive).field("Content-Type"), Some("application/zip"));
    assert_eq!(get_as(&site, "/private/file", "ada", "x").status, 200, "the password still holds");
}

#[test]
fn with_a_key_alone_only_links_open_anything() {
    let key = LinkKey::new(b"0123456789abcdef").unwrap();
    let site = Site::with(&FILES, |folder| folder.access(Access::new().links(key.clone())));
    assert_eq!((site.get("/open.txt").status, site.get("/").status), (403, 403));
    assert_eq!(site.get(&key.sign("/open.txt", i64::MAX).unwrap()).text(), "open");
    let expired = site.get(&key.sign("/open.txt", 1).unwrap());
    assert_eq!(expired.status, 403);
    assert!(expired.text().contains("expired"));
}

#[test]
fn a_login_for_a_file_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let access = Access::new().login("/file", "ada", Password::plain("x")).unwrap();
    let refused = Folder::new(folder.path()).access(access).open().err().unwrap();
    assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
}
