//! Compressed siblings that are made and kept fresh.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use std::io::Read;

use crate::site::{Answer, Site};

fn site(files: &[(&str, &str)]) -> Site {
    Site::with(files, |folder| folder.sidecars(true))
}

fn text(words: &str) -> String {
    format!("{words} ").repeat(500)
}

fn gzip(site: &Site, target: &str) -> Answer {
    site.get_with(target, &[("Accept-Encoding", "gzip")])
}

fn unzipped(bytes: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}

/// Asks until a condition holds, for what is made on another thread.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_secs(20), "{what} does not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether files here can bear the mark by which a sibling is known again.
fn has_attributes(site: &Site) -> bool {
    let file = fs::File::create(site.root().join("probe")).unwrap();
    rustix::fs::fsetxattr(&file, "user.probe", b"1", rustix::fs::XattrFlags::empty()).is_ok()
}

#[test]
fn a_sibling_is_made_and_follows_its_file() {
    let site = site(&[]);
    site.write_old("page.html", text("first"));
    let page = site.root().join("page.html");
    fs::set_permissions(&page, fs::Permissions::from_mode(0o640)).unwrap();
    let beside = site.root().join("page.html.gz");
    assert_eq!(unzipped(&gzip(&site, "/page.html").body), text("first"));
    until("the sibling", || beside.exists());
    let metadata = fs::metadata(&beside).unwrap();
    assert_eq!(unzipped(&fs::read(&beside).unwrap()), text("first"));
    assert_eq!(metadata.modified().unwrap(), fs::metadata(&page).unwrap().modified().unwrap());
    assert_eq!(metadata.mode() & 0o777, 0o640, "nobody may read it who may not read the file");
    let answer = gzip(&site, "/page.html");
    assert_eq!(answer.body, fs::read(&beside).unwrap());
    assert!(!answer.field("ETag").unwrap().starts_with("W/"), "its bytes are lasting ones");
    assert!(!site.root().join("page.html.br").exists(), "what nobody asks for is not made");
    site.write("page.html", text("second"));
    assert_eq!(unzipped(&gzip(&site, "/page.html").body), text("second"), "at once");
    if has_attributes(&site) {
        let inside = || fs::read(&beside).map(|bytes| unzipped(&bytes)).unwrap_or_default();
        until("the new sibling", || inside() == text("second"));
    } else {
        assert_eq!(unzipped(&fs::read(&beside).unwrap()), text("first"));
    }
    assert_eq!(unzipped(&gzip(&site, "/page.html").body), text("second"));
}

#[test]
fn a_long_file_gets_one_too() {
    let site = site(&[]);
    let long = "many words ".repeat(200_000);
    site.write_old("long.txt", &long);
    assert_eq!(unzipped(&gzip(&site, "/long.txt").body), long);
    let beside = site.root().join("long.txt.gz");
    until("the sibling", || beside.exists());
    assert_eq!(unzipped(&fs::read(&beside).unwrap()), long);
    let answer = gzip(&site, "/long.txt");
    assert_eq!(answer.field("Content-Length"), Some(answer.body.len().to_string().as_str()));
}

#[test]
fn security_siblings_of_others_are_never_touched() {
    let site = site(&[]);
    site.write_old("page.html.gz", "a backup of something else");
    site.write("page.html", text("new"));
    fs::create_dir(site.root().join("other.html.gz")).unwrap();
    site.write_old("other.html", text("other"));
    site.write("third.html", text("third"));
    std::os::unix::fs::symlink("page.html", site.root().join("third.html.gz")).unwrap();
    site.write_old("last.html", text("last"));
    for name in ["page", "other", "third", "last"] {
        assert_eq!(gzip(&site, &format!("/{name}.html")).field("Content-Encoding"), Some("gzip"));
    }
    // They are made one after the other, so this one comes last.
    until("the last one", || site.root().join("last.html.gz").exists());
    assert_eq!(fs::read(site.root().join("page.html.gz")).unwrap(), b"a backup of something else");
    assert!(site.root().join("other.html.gz").is_dir());
    assert!(site.root().join("third.html.gz").is_symlink());
    assert_eq!(site.get("/page.html").text(), text("new"));
    let drafts = fs::read_dir(site.root()).unwrap().filter(|entry| {
        entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(".avocet")
    });
    assert_eq!(drafts.count(), 0);
}

#[test]
fn what_has_lost_its_file_goes_at_the_next_start() {
    let site = site(&[]);
    for name in ["a.html", "b.html"] {
        site.write_old(name, text(name));
        gzip(&site, &format!("/{name}"));
        until("the sibling", || site.root().join(format!("{name}.gz")).exists());
    }
    site.write("mine.html.gz", "no file of this name");
    fs::remove_file(site.root().join("a.html")).unwrap();
    let _again = avocet_files::Folder::new(site.root()).sidecars(true).open().unwrap();
    if has_attributes(&site) {
        until("the end of it", || !site.root().join("a.html.gz").exists());
    }
    assert!(site.root().join("b.html.gz").exists() && site.root().join("mine.html.gz").exists());
}
