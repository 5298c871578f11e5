//! `avocet serve` with passwords, signed links and a bound on speed.
#![expect(clippy::unwrap_used, reason = "a test fails where something fails")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use avocet_tests::program::Target;
use avocet_tests::raw::{Answer, ask};
use avocet_tests::run::{run, run_in};

fn get(target: &Target, path: &str, fields: &str) -> Answer {
    ask(target, format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{fields}\r\n"))
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("private")).unwrap();
    fs::write(folder.path().join("private/file"), "private").unwrap();
    fs::write(folder.path().join("open"), "open").unwrap();
    folder
}

/// The hash of `secret` with 1,000 rounds.
const HASHED: &str =
    "$pbkdf2-sha256$i=1000$c2FsdHNhbHRzYWx0c2FsdA$dClvKSmj66n6MdMWNv3Go4mvH1Ym2WIGiJvquqa+mfE";

/// `ada:secret` and `ada:wrong`.
const RIGHT: &str = "Authorization: Basic YWRhOnNlY3JldA==\r\n";
const WRONG: &str = "Authorization: Basic YWRhOndyb25n\r\n";

#[test]
fn a_part_of_the_folder_asks_for_a_password() {
    let hashed = run_in(&std::env::temp_dir(), &["serve", "--hash-password"], "secret\n");
    assert_eq!(hashed.status, 0, "{}", hashed.err);
    let hash = hashed.out.trim();
    assert!(hash.starts_with("$pbkdf2-sha256$i=600000$"), "{hash}");
    let root = folder();
    // One with fewer rounds, since this build may be a slow one.
    let login = format!("ada:{HASHED}@/private");
    let path = root.path().to_str().unwrap();
    let target = Target::start(&["serve", path, "--listen", "127.0.0.1:0", "--auth", &login]);
    assert_eq!(get(&target, "/open", "").content, b"open");
    let asked = get(&target, "/private/file", "");
    assert_eq!(asked.status, 401);
    assert!(asked.field("WWW-Authenticate").unwrap().starts_with("Basic realm=\"/private\""));
    assert_eq!(get(&target, "/private/file", WRONG).status, 401);
    assert_eq!(get(&target, "/private/file", RIGHT).content, b"private");
    assert_eq!(get(&target, "/%70rivate/./file", "").status, 401);
}

#[test]
fn a_link_is_signed_and_opens_what_it_names() {
    let root = folder();
    let key = root.path().join("private/key");
    fs::write(&key, "0123456789abcdef0123456789abcdef").unwrap();
    let (path, key_path) = (root.path().to_str().unwrap(), key.to_str().unwrap());
    let sign = |expires: &str| {
        let arguments = ["--sign-key", key_path, "--sign", "/private/file", "--expires", expires];
        run(&[&["serve"][..], &arguments[..]].concat())
    };
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let refused = sign("1h");
    assert!(refused.status == 2 && refused.err.contains("chmod 600"), "{}", refused.err);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let link = sign("1h");
    assert_eq!(link.status, 0, "{}", link.err);
    let arguments = ["--listen", "127.0.0.1:0", "--auth", "ada:secret", "--sign-key", key_path];
    let target = Target::start(&[&["serve", path][..], &arguments[..]].concat());
    assert_eq!(get(&target, "/open", "").status, 401);
    assert_eq!(get(&target, link.out.trim(), "").content, b"private");
    assert_eq!(get(&target, &link.out.trim().replace("file", "key"), "").status, 401);
    assert_eq!(sign("soon").status, 2);
}

#[test]
fn responses_leave_no_faster_than_the_limit() {
    let root = folder();
    fs::write(root.path().join("large"), [b'x'; 200_000]).unwrap();
    let path = root.path().to_str().unwrap();
    let target = Target::start(&["serve", path, "--listen", "127.0.0.1:0", "--limit-rate", "200k"]);
    let begin = Instant::now();
    assert_eq!(get(&target, "/large", "").content.len(), 200_000);
    assert!(begin.elapsed() > Duration::from_millis(700), "it took {:?}", begin.elapsed());
}

#[test]
fn what_cannot_be_is_told_before_anything_is_served() {
    let root = folder();
    let path = root.path().to_str().unwrap();
    for arguments in [
        vec!["--auth", "ada"],
        vec!["--auth", "ada:x@/open"],
        vec!["--sign-key", "/nonexistent"],
        vec!["--sign", "/x"],
        vec!["--text", "x", "--auth", "ada:x"],
    ] {
        let folder = if arguments[0] == "--text" { vec![] } else { vec![path] };
        let ran = run(&[vec!["serve"], folder, arguments.clone()].concat());
        assert_eq!(ran.status, 2, "{arguments:?}: {}", ran.err);
        assert!(!ran.err.contains("ada:x"), "no password is repeated");
    }
}
