//! Uploads that an earlier process has left behind.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use avocet_files::{Changes, Folder};
use tempfile::TempDir;

use super::{LAST, PART, PARTIAL, interim, patch, record, site, state, told};
use crate::site::{Answer, Site, request};
use crate::upload::{changing, names};

/// Another service of the same folder, as a program has it that was started anew.
fn again(site: &Site, changes: impl FnOnce(Changes) -> Changes) -> Site {
    let changes = changes(Changes::new().upload(true));
    let service = Folder::new(site.root()).changes(changes).open().unwrap();
    Site::start(TempDir::new().unwrap(), service)
}

/// What a process that is started anew finds: the files, and nothing else. They move to another folder,
/// so that nothing in memory can be about them.
fn restarted(site: Site, changes: impl FnOnce(Changes) -> Changes) -> Site {
    let around = TempDir::new().unwrap();
    let root = around.path().join("www");
    fs::create_dir(&root).unwrap();
    for name in names(&site, "") {
        fs::rename(site.root().join(&name), root.join(&name)).unwrap();
    }
    drop(site);
    let changes = changes(Changes::new().upload(true));
    Site::start(around, Folder::new(&root).changes(changes).open().unwrap())
}

/// The same as `told`, for as long as the last owner of the draft has not closed it.
fn told_at_last(site: &Site, place: &str) -> (u16, Option<String>, Option<String>) {
    loop {
        let told = told(site, place);
        if told.0 != 503 {
            return told;
        }
        std::thread::yield_now();
    }
}

#[test]
fn an_upload_goes_on_with_the_next_service_of_the_folder() {
    let site = changing(&[("old", "before")], |changes| changes.upload(true).overwrite(true));
    let fields = [PART, ("Upload-Length", "6"), ("If-None-Match", "*")];
    let begun = site.send_content("PUT", "/file", &fields, b"one");
    let place = begun.field("Location").unwrap().to_owned();
    let conditional = [PART, ("If-Match", "\"other\"")];
    assert_eq!(site.send_content("PUT", "/old", &conditional, b"x").status, 412);
    let mode = fs::metadata(record(&site)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let token = place.rsplit('=').next().unwrap();
    let all = names(&site, "").concat() + &fs::read_to_string(record(&site)).unwrap();
    assert!(!all.contains(token), "who sees the folder cannot go on with the upload");

    // Both at once, as while one takes the place of the other.
    let both = again(&site, |changes| changes);
    let mut hanging = site.connect();
    let waiting = ("Expect", "100-continue");
    let fields = [PARTIAL, LAST, ("Upload-Offset", "3"), ("Content-Length", "3"), waiting];
    hanging.write_all(request("PATCH", &place, &fields).as_bytes()).unwrap();
    assert_eq!(interim(&mut hanging).status, 100, "the content is wanted");
    hanging.write_all(b"t").unwrap();
    let offset = told(&both, &place).1.unwrap();
    assert!(["3", "4"].contains(&offset.as_str()), "{offset}");
    let mut rest = Vec::new();
    hanging.read_to_end(&mut rest).unwrap();
    assert_eq!(Answer::parse(&rest).status, 409, "the earlier request is over");
    drop(both);

    // One after the other.
    drop(hanging);
    let next = restarted(site, |changes| changes.overwrite(true));
    let offset = told_at_last(&next, &place).1.unwrap();
    let head = next.send("HEAD", &place, &[]);
    assert_eq!(head.field("Upload-Length"), Some("6"));
    let missing = &"onetwo"[offset.parse().unwrap()..];
    assert_eq!(patch(&next, &place, &offset, LAST, &missing[1..]).status, 400, "too little");
    fs::write(next.root().join("file"), "of somebody else").unwrap();
    let last = patch(&next, &place, &offset, LAST, missing);
    assert_eq!((last.status, last.field("Upload-Complete")), (412, Some("?1")));
    fs::remove_file(next.root().join("file")).unwrap();
    assert_eq!(names(&next, ""), ["old"], "nothing is left of it");
}

#[test]
fn the_digest_that_was_told_first_counts_at_the_end() {
    let digest = ("Repr-Digest", "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:");
    for (rest, status) in [("\"hello\": \"world\"}\n", 201), ("\"hullo\": \"world\"}\n", 400)] {
        let site = site();
        let begun = site.send_content("PUT", "/a.json", &[PART, digest], b"{");
        let place = begun.field("Location").unwrap().to_owned();
        let site = restarted(site, |changes| changes);
        assert_eq!(told_at_last(&site, &place), state("1", "?0"));
        let last = patch(&site, &place, "1", LAST, rest);
        assert_eq!((last.status, last.field("Upload-Complete")), (status, Some("?1")));
        let expected: &[&str] = if status == 201 { &["a.json"] } else { &[] };
        assert_eq!(names(&site, ""), expected, "nothing else is left");
    }
}

/// What is done to what was left, and its name.
type Case<'a> = (&'a str, &'a dyn Fn(&Site));

#[test]
fn security_what_is_known_of_an_upload_is_believed_only_if_it_can_be_true() {
    let spoil = |what: &dyn Fn(&Site)| {
        let site = site();
        let begun = site.send_content("PUT", "/file", &[PART], b"onetwo");
        let place = begun.field("Location").unwrap().to_owned();
        let site = restarted(site, |changes| changes);
        what(&site);
        (told_at_last(&site, &place).0, site, place)
    };
    let edit = |from: &'static str, to: &'static str| {
        move |site: &Site| {
            let path = record(site);
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.contains(from), "{text}");
            fs::write(&path, text.replace(from, to)).unwrap();
        }
    };
    let (status, site, place) = spoil(&|_| ());
    assert_eq!(status, 204, "it can be gone on with");
    assert_eq!(patch(&site, &place, "6", LAST, "!").status, 201);
    assert_eq!(site.get("/file").text(), "onetwo!");
    // Less than the file has is what is known for certain; the rest is written again.
    let (_, site, place) = spoil(&edit("offset 6", "offset 4"));
    assert_eq!(told(&site, &place), state("4", "?0"));
    assert_eq!(patch(&site, &place, "4", LAST, "!").status, 201);
    assert_eq!(site.get("/file").text(), "onet!");
    let draft = |site: &Site| PathBuf::from(record(site).to_str().unwrap().replace(".state", ""));
    let cases: [Case<'_>; 8] = [
        ("more than there is", &edit("offset 6", "offset 7")),
        ("another name", &edit("name file", "name elif")),
        ("another file", &edit("inode ", "inode 1")),
        ("half of it", &edit("end\n", "")),
        ("rights of others", &|site| {
            let mode = fs::Permissions::from_mode(0o644);
            fs::set_permissions(record(site), mode).unwrap();
        }),
        ("no draft", &|site| fs::remove_file(draft(site)).unwrap()),
        ("a link", &|site| {
            let (path, aside) = (draft(site), site.around().join("aside"));
            fs::rename(&path, &aside).unwrap();
            std::os::unix::fs::symlink(&aside, &path).unwrap();
        }),
        ("a second name", &|site| {
            fs::hard_link(draft(site), site.around().join("aside")).unwrap();
        }),
    ];
    for (name, what) in cases {
        let (status, site, place) = spoil(what);
        assert_eq!(status, 404, "{name}");
        assert_eq!(patch(&site, &place, "6", LAST, "!").status, 404, "{name}");
        let aside = site.around().join("aside");
        assert!(!aside.exists() || fs::read(&aside).unwrap() == b"onetwo", "{name}");
        assert_eq!(site.get("/file").status, 404, "{name}");
    }
}

#[test]
fn what_was_left_counts_against_quota_and_age() {
    let site = changing(&[], |changes| changes.upload(true));
    let begun = site.send_content("PUT", "/file", &[PART], &[b'x'; 600]);
    let place = begun.field("Location").unwrap().to_owned();
    let site = restarted(site, |changes| changes.quota(1000));
    assert_eq!(site.send_content("PUT", "/other", &[], &[b'x'; 401]).status, 507);
    assert_eq!(told_at_last(&site, &place), state("600", "?0"));
    assert_eq!(site.send_content("PUT", "/other", &[], &[b'x'; 401]).status, 507);
    let over = patch(&site, &place, "600", PART, &"x".repeat(401));
    assert_eq!((over.status, over.field("Upload-Complete")), (507, Some("?1")));
    assert_eq!(told(&site, &place).0, 404, "it can never be whole");

    let begun = site.send_content("PUT", "/file", &[PART], &[b'x'; 600]);
    let place = begun.field("Location").unwrap().to_owned();
    let day_ago = std::time::SystemTime::now() - Duration::from_secs(24 * 60 * 60 + 10);
    fs::File::open(record(&site)).unwrap().set_modified(day_ago).unwrap();
    let site = restarted(site, |changes| changes);
    assert_eq!(told_at_last(&site, &place).0, 404, "a day is too long");
    // Whoever finds it first removes it: the request, or the look at what is left over.
    let begin = Instant::now();
    while !names(&site, "").is_empty() {
        assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", names(&site, ""));
        std::thread::yield_now();
    }
}
