//! Databases of browsers, made by Python's sqlite3 with `fixtures/browsers/make.py`.

#![expect(clippy::unwrap_used, reason = "broken test data should fail where it shows")]

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use avocet_cookies::{Browser, Cookie, ErrorKind, Imported, Obstacle, Refusal, SameSite, import};

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_000_000)
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/browsers").join(name)
}

fn find<'i>(imported: &'i Imported, name: &str) -> &'i Cookie {
    imported.cookies.iter().find(|cookie| cookie.name() == name.as_bytes()).unwrap()
}

fn left_out(imported: &Imported) -> Vec<(&str, Obstacle)> {
    let told = imported.left_out.iter();
    told.map(|left| (std::str::from_utf8(&left.name).unwrap(), left.why)).collect()
}

fn values(imported: &Imported) -> Vec<(&str, &str)> {
    let text = |octets| std::str::from_utf8(octets).unwrap();
    let cookies = imported.cookies.iter();
    cookies.map(|cookie| (text(cookie.name()), text(cookie.value()))).collect()
}

/// Copies of fixtures in a folder of their own, under other names.
fn copies(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (from, to) in files {
        fs::copy(fixture(from), folder.path().join(to)).unwrap();
    }
    folder
}

#[test]
fn firefox() {
    let imported = import(&fixture("firefox.sqlite"), now()).unwrap();
    assert_eq!(imported.browser, Browser::Firefox);
    let sid = find(&imported, "sid");
    assert_eq!((sid.domain(), sid.path(), sid.value()), ("example.com", &b"/a"[..], &b"one"[..]));
    assert!(!sid.is_host_only() && sid.is_secure() && sid.is_http_only());
    assert_eq!(sid.same_site(), SameSite::Strict);
    assert_eq!(sid.expires_seconds(), Some(2_000_000_000));
    assert_eq!(sid.created(), UNIX_EPOCH + Duration::from_secs(1_700_000_000));
    assert_eq!(sid.last_accessed(), UNIX_EPOCH + Duration::from_secs(1_700_000_001));
    assert!(find(&imported, "lax").is_host_only());
    assert_eq!(find(&imported, "lax").same_site(), SameSite::Lax);
    assert_eq!(find(&imported, "none").same_site(), SameSite::None);
    assert_eq!(find(&imported, "unsaid").same_site(), SameSite::Default);
    assert_eq!(find(&imported, "part").partition(), Some("https://example.com"));
    assert_eq!(imported.expired, 1);
    let told = left_out(&imported);
    let suffix = Obstacle::Refused(Refusal::PublicSuffix);
    assert_eq!(told, [("container", Obstacle::Container), ("super", suffix)]);
}

#[test]
fn rows_over_several_pages() {
    let imported = import(&fixture("firefox.sqlite"), now()).unwrap();
    // Around the sizes at which a row of a 512-octet page begins to overflow, and far beyond.
    for size in [440, 476, 477, 478, 600, 951, 952, 953, 4_000] {
        let cookie = find(&imported, &format!("long{size}"));
        assert_eq!(cookie.value(), "v".repeat(size).as_bytes());
    }
    for index in 0..120 {
        assert_eq!(find(&imported, &format!("many{index}")).value(), index.to_string().as_bytes());
    }
}

#[test]
fn write_ahead_log_counts() {
    let imported = import(&fixture("firefox_wal.sqlite"), now()).unwrap();
    assert_eq!(values(&imported), [("kept", "1"), ("changed", "new"), ("logged", "1")]);
    // Schema 16 counts milliseconds.
    assert_eq!(find(&imported, "logged").expires_seconds(), Some(2_000_000_000));
    let without = copies(&[("firefox_wal.sqlite", "cookies.sqlite")]);
    let imported = import(without.path(), now()).unwrap();
    assert_eq!(values(&imported), [("kept", "1"), ("changed", "old"), ("removed", "1")]);
}

#[test]
fn unfinished_end_of_the_log_does_not_count() {
    let log = fs::read(fixture("firefox_wal.sqlite-wal")).unwrap();
    // Frames of 24 + 4,096 octets after a header of 32: each change is a commit of its own.
    let frame = 24 + 4_096;
    let mut seen = Vec::new();
    for len in [0, 31, 32, 32 + frame - 1, 32 + frame, log.len() - 1, log.len()] {
        let folder = copies(&[("firefox_wal.sqlite", "jar")]);
        fs::write(folder.path().join("jar-wal"), &log[..len]).unwrap();
        let imported = import(&folder.path().join("jar"), now()).unwrap();
        let text = |(name, value): &(&str, &str)| format!("{name}={value}");
        seen.push(values(&imported).iter().map(text).collect::<Vec<_>>().join(" "));
    }
    let old = "kept=1 changed=old removed=1";
    assert_eq!(seen[..4], [old; 4]);
    assert_eq!(seen[4], "kept=1 changed=new removed=1");
    assert_eq!(seen[6], "kept=1 changed=new logged=1");
    assert_ne!(seen[5], seen[6]);
}

#[test]
fn changed_octets_in_the_log_are_noticed() {
    let log = fs::read(fixture("firefox_wal.sqlite-wal")).unwrap();
    for at in [24, 31, 32 + 3, 32 + 8, 32 + 20, 32 + 24 + 100] {
        let folder = copies(&[("firefox_wal.sqlite", "jar")]);
        let mut log = log.clone();
        log[at] ^= 1;
        fs::write(folder.path().join("jar-wal"), &log).unwrap();
        let imported = import(&folder.path().join("jar"), now()).unwrap();
        assert_eq!(values(&imported)[1], ("changed", "old"), "{at}");
    }
    for (at, octet) in [(0, 0), (3, 0x84), (9, 0xff)] {
        let folder = copies(&[("firefox_wal.sqlite", "jar")]);
        let mut log = log.clone();
        log[at] = octet;
        fs::write(folder.path().join("jar-wal"), &log).unwrap();
        let error = import(&folder.path().join("jar"), now()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Damaged, "{at}");
    }
}

#[test]
fn chromium() {
    let imported = import(&fixture("chromium.sqlite"), now()).unwrap();
    assert_eq!(imported.browser, Browser::Chromium);
    let plain = find(&imported, "plain");
    assert_eq!((plain.domain(), plain.value()), ("example.com", &b"one"[..]));
    assert!(!plain.is_host_only() && plain.is_secure() && plain.is_http_only());
    assert_eq!(plain.same_site(), SameSite::Lax);
    assert_eq!(plain.expires_seconds(), Some(2_000_000_000));
    assert_eq!(plain.created(), UNIX_EPOCH + Duration::from_secs(1_700_000_000));
    assert!(!find(&imported, "session").is_persistent());
    assert_eq!(find(&imported, "none").same_site(), SameSite::None);
    assert_eq!(find(&imported, "insecure").same_site(), SameSite::Default);
    assert_eq!(find(&imported, "part").partition(), Some("https://example.com"));
    assert_eq!(imported.expired, 1);
    assert_eq!(left_out(&imported), [("secret", Obstacle::Encrypted)]);
    assert_eq!(imported.left_out[0].domain, "www.example.com");
}

#[test]
fn folders_of_profiles() {
    let folder = copies(&[("chromium.sqlite", "Cookies")]);
    let imported = import(folder.path(), now()).unwrap();
    assert_eq!(imported.path, folder.path().join("Cookies"));
    let folder = copies(&[("firefox.sqlite", "cookies.sqlite")]);
    assert_eq!(import(folder.path(), now()).unwrap().browser, Browser::Firefox);
}

#[test]
fn what_is_no_store() {
    let kind = |path: &Path| import(path, now()).unwrap_err().kind();
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(kind(folder.path()), ErrorKind::NotFound);
    assert_eq!(kind(&folder.path().join("none")), ErrorKind::NotFound);
    assert_eq!(kind(&fixture("make.py")), ErrorKind::Foreign);
    assert_eq!(kind(&fixture("other.sqlite")), ErrorKind::Foreign);
    assert_eq!(kind(&fixture("utf16.sqlite")), ErrorKind::Unsupported);
    let cut = folder.path().join("cut");
    let whole = fs::read(fixture("firefox.sqlite")).unwrap();
    fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(kind(&cut), ErrorKind::Damaged);
}

#[test]
fn a_change_under_way_is_an_error() {
    let folder = copies(&[("chromium.sqlite", "Cookies")]);
    let journal = folder.path().join("Cookies-journal");
    fs::write(&journal, [0; 512]).unwrap();
    assert!(import(folder.path(), now()).is_ok(), "a journal that was zeroed is over");
    fs::write(&journal, b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7rest").unwrap();
    assert_eq!(import(folder.path(), now()).unwrap_err().kind(), ErrorKind::Busy);
}
