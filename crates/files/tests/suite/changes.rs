//! New folders and deletions.

use std::fs;
use std::os::unix::fs::symlink;

use crate::site::{Answer, Site};
use crate::upload::{changing, names};

fn site(files: &[(&str, &str)]) -> Site {
    changing(files, |changes| changes.folders(true).delete(true))
}

fn act(site: &Site, target: &str, form: &str) -> Answer {
    let fields = [("Content-Type", "application/x-www-form-urlencoded")];
    site.send_content("POST", target, &fields, form.as_bytes())
}

#[test]
fn folders_are_made() {
    let site = site(&[("file", "")]);
    let made = site.send("MKCOL", "/a%20b", &[]);
    assert_eq!((made.status, made.field("Location")), (201, Some("/a%20b/")));
    assert_eq!(site.send("MKCOL", "/a%20b/c/", &[]).status, 201);
    assert!(site.root().join("a b/c").is_dir());
    for (target, status) in [
        ("/a%20b/", 405),
        ("/file", 405),
        ("/none/a", 409),
        ("/file/a", 409),
        ("/", 409),
        ("/.a", 404),
    ] {
        assert_eq!(site.send("MKCOL", target, &[]).status, status, "{target}");
    }
    assert_eq!(site.send_content("MKCOL", "/d", &[], b"<x/>").status, 415);
    let formed = act(&site, "/a%20b/", "name=new+one%21&action=mkdir");
    assert_eq!((formed.status, formed.field("Location")), (303, Some("/a%20b/")));
    assert!(site.root().join("a b/new one!").is_dir());
}

#[test]
fn files_and_empty_folders_are_deleted() {
    let site = site(&[("dir/a", "a"), ("dir/deep/b", ""), ("c", "")]);
    symlink("dir/a", site.root().join("link")).unwrap();
    let delete = |target: &str| site.send("DELETE", target, &[]).status;
    assert_eq!(delete("/dir/"), 409, "it is not empty");
    assert_eq!(delete("/link"), 204);
    assert_eq!(site.get("/dir/a").text(), "a", "what a link leads to stays");
    for target in ["/none", "/none/x", "/c/", "/c/x", "/dir/a/"] {
        assert_eq!(delete(target), 404, "{target}");
    }
    assert_eq!(delete("/"), 409);
    assert_eq!(site.send("DELETE", "/dir/a", &[("If-Match", "\"x\"")]).status, 412);
    for target in ["/dir/a", "/dir/deep/b", "/dir/deep", "/dir/"] {
        assert_eq!(delete(target), 204, "{target}");
    }
    assert_eq!(site.get("/dir/a").status, 404, "nothing of it is in memory");
    assert_eq!(names(&site, ""), ["c"]);
}

#[test]
fn entries_are_deleted_by_form() {
    let site = site(&[("d/a b", ""), ("d/caf\u{e9}&", ""), ("d/c", "")]);
    let page = site.get("/d/").text().to_owned();
    assert!(page.contains("value=\"caf%C3%A9%26\""));
    let done = act(&site, "/d/", "name=a%2520b&name=caf%25C3%25A9%2526&action=delete");
    assert_eq!((done.status, done.field("Location")), (303, Some("/d/")));
    assert_eq!(names(&site, "d"), ["c"]);
    for (form, status) in [
        ("name=..&action=delete", 400),
        ("name=..%252fd%252fc&action=delete", 400),
        ("name=x%2Fc&action=delete", 400),
        ("name=&action=delete", 400),
        ("name=none&action=delete", 404),
        ("name=a&name=b&action=mkdir", 400),
        ("name=..&action=mkdir", 400),
        ("action=format", 400),
        ("", 400),
    ] {
        assert_eq!(act(&site, "/d/", form).status, status, "{form}");
    }
    assert_eq!(act(&site, "/d/", &"x".repeat(300_000)).status, 413);
    assert_eq!((names(&site, "d"), names(&site, "")), (vec!["c".into()], vec!["d".into()]));
}

#[test]
fn security_deletions_stay_in_the_root_and_leave_what_is_hidden() {
    let site = site(&[(".env", "secret"), ("d/.keep", "")]);
    fs::write(site.around().join("outside"), "x").unwrap();
    fs::create_dir(site.around().join("out")).unwrap();
    fs::write(site.around().join("out/x"), "x").unwrap();
    symlink("../out", site.root().join("leaving")).unwrap();
    for target in
        ["/../outside", "/%2e%2e/outside", "/leaving/x", "/.env", "/d/.keep", "/d/%2ekeep"]
    {
        let status = site.send("DELETE", target, &[]).status;
        assert!(matches!(status, 400 | 404), "{target} gives {status}");
    }
    assert_eq!(site.send("DELETE", "/d", &[]).status, 409, "a hidden file keeps its folder");
    assert_eq!(act(&site, "/", "name=.env&action=delete").status, 404);
    assert_eq!(names(&site, ""), [".env", "d", "leaving"]);
    assert!(site.around().join("out/x").exists() && site.around().join("outside").exists());
}
