//! What can be set.

use avocet_files::{Folder, Links, Types};
use http::HeaderName;
use std::os::unix::fs::symlink;

use crate::site::{Answer, Site};

#[test]
fn paths_can_be_tried_in_place_of_what_is_missing() {
    let files = [("about.html", "about"), ("index.html", "home"), ("docs/a.html", "a")];
    let site =
        Site::with(&files, |folder| folder.listing(false).try_files(["{path}.html", "index.html"]));
    for (target, text) in
        [("/about", "about"), ("/docs/a", "a"), ("/other", "home"), ("/docs/", "home")]
    {
        let answer = site.get(target);
        assert_eq!((answer.status, answer.text()), (200, text), "{target}");
        assert!(answer.field("ETag").is_some());
    }
    assert_eq!(site.get("/.env").status, 404);
}

#[test]
fn a_single_page_answers_for_all_but_missing_files() {
    let files = [("index.html", "app"), ("main.js", "js")];
    let site = Site::with(&files, |folder| folder.listing(false).single_page("/index.html"));
    assert_eq!(site.get("/users/7").text(), "app");
    assert_eq!(site.get("/users/7/").text(), "app");
    assert_eq!(site.get("/main.js").text(), "js");
    assert_eq!(site.get("/missing.js").status, 404);
    let tag = site.get("/users/7").field("ETag").unwrap().to_owned();
    assert_eq!(site.get_with("/users/8", &[("If-None-Match", &tag)]).status, 304);
}

#[test]
fn a_page_goes_with_404() {
    let files = [("404.html", "not here")];
    let site = Site::with(&files, |folder| folder.not_found("404.html"));
    let answer = site.get_with("/none", &[("If-None-Match", "*"), ("Range", "bytes=0-1")]);
    assert_eq!((answer.status, answer.text()), (404, "not here"));
    assert_eq!(answer.field("Content-Type"), Some("text/html; charset=utf-8"));
    assert_eq!(answer.field("ETag"), None);
    assert_eq!(site.send("HEAD", "/none", &[]).fields(), answer.fields());
    assert_eq!(site.get("/404.html").status, 200);
    std::fs::remove_file(site.root().join("404.html")).unwrap();
    assert_eq!(site.get("/none").status, 404);
}

#[test]
fn every_response_has_the_fields_that_were_set() {
    let name = HeaderName::from_static("x-set");
    let page = "text ".repeat(100);
    let files = [("a.txt", page.as_str()), ("dir/b.css", "b"), ("dir/c.js", "c")];
    let site = Site::with(&files, |folder| {
        let folder = folder.field(name, "yes").cors(true);
        folder.cache_control("*.css", "max-age=60").cache_control("/dir/*", "no-store")
    });
    let gzip = [("Accept-Encoding", "gzip")];
    for (method, target, status) in [
        ("GET", "/a.txt", 200),
        ("GET", "/none", 404),
        ("GET", "/dir", 301),
        ("GET", "/dir/", 200),
        ("GET", "/%", 400),
        ("PUT", "/a.txt", 405),
        ("OPTIONS", "/a.txt", 204),
    ] {
        let answer = site.send(method, target, &gzip);
        assert_eq!(answer.status, status, "{target}");
        assert_eq!(answer.field("X-Set"), Some("yes"), "{method} {target}");
        assert_eq!(answer.field("Access-Control-Allow-Origin"), Some("*"));
    }
    let star = [("If-None-Match", "*")];
    let answer = site.get_with("/dir/b.css", &star);
    assert_eq!((answer.status, answer.field("Cache-Control")), (304, Some("max-age=60")));
    assert_eq!(site.get("/dir/b.css").field("Cache-Control"), Some("max-age=60"));
    assert_eq!(site.get("/dir/c.js").field("Cache-Control"), Some("no-store"));
    assert_eq!(site.get("/a.txt").field("Cache-Control"), None);
    let range = [("Range", "bytes=99-")];
    assert_eq!(site.get_with("/dir/b.css", &range).field("X-Set"), Some("yes"));
    let lost = [("If-Match", "\"x\"")];
    assert_eq!(site.get_with("/dir/b.css", &lost).field("X-Set"), Some("yes"));
    let preflight = site.send("OPTIONS", "/a.txt", &[("Origin", "http://elsewhere")]);
    assert_eq!(preflight.field("Access-Control-Allow-Methods"), Some("GET, HEAD, OPTIONS"));
}

#[test]
fn parity_f6_types_can_be_added() {
    let types = Types::default().with(".bird", "text/x-bird").with_charset(Some("koi8-r"));
    let site = Site::with(&[("a.BIRD", ""), ("b.html", "")], |folder| folder.types(types));
    assert_eq!(site.get("/a.BIRD").field("Content-Type"), Some("text/x-bird; charset=koi8-r"));
    assert_eq!(site.get("/b.html").field("Content-Type"), Some("text/html; charset=koi8-r"));
}

#[test]
fn parity_f2_links_lead_anywhere_where_that_is_asked_for() {
    let site = Site::with(&[], |folder| folder.links(Links::Anywhere));
    std::fs::write(site.around().join("outside"), "outside").unwrap();
    symlink("../outside", site.root().join("link")).unwrap();
    assert_eq!(site.get("/link").text(), "outside");
    assert!(site.get("/").text().contains("./link"));
    assert_eq!(site.get("/../outside").status, 400);
}

#[test]
fn mistakes_are_told_before_anything_is_served() {
    let root = tempfile::tempdir().unwrap();
    let kind = |folder: Folder| folder.open().map(|_| ()).unwrap_err().kind();
    let folder = || Folder::new(root.path());
    let name = || HeaderName::from_static("x-set");
    assert_eq!(kind(folder().field(name(), "a\r\nb")), std::io::ErrorKind::InvalidInput);
    assert_eq!(kind(folder().cache_control("*", "a\nb")), std::io::ErrorKind::InvalidInput);
    assert_eq!(kind(folder().single_page("../x")), std::io::ErrorKind::InvalidInput);
    let types = Types::default().with("x", "a\nb");
    assert_eq!(kind(folder().types(types)), std::io::ErrorKind::InvalidInput);
    assert_eq!(kind(Folder::new(root.path().join("none"))), std::io::ErrorKind::NotFound);
    std::fs::write(root.path().join("file"), "").unwrap();
    assert_eq!(kind(Folder::new(root.path().join("file"))), std::io::ErrorKind::NotADirectory);
}

#[test]
fn a_folder_can_be_served_below_a_path() {
    let files = [("a.txt", "a"), ("dir/b.txt", "b")];
    let site = Site::with(&files, |folder| folder.at("/static/"));
    assert_eq!(site.get("/static/a.txt").text(), "a");
    assert_eq!(site.get("/static/dir").field("Location"), Some("/static/dir/"));
    assert!(site.get("/static/dir/").text().contains("href=\"./b.txt\""));
    assert!(site.get("/static/").text().contains("./dir/"));
    assert_eq!(site.get("/static?q").field("Location"), Some("/static/?q"));
    for target in ["/a.txt", "/staticx/a.txt", "/other/static/a.txt", "/"] {
        assert_eq!(site.get(target).status, 404, "{target}");
    }
    assert_eq!(site.get("/static/../a.txt").status, 400);
}

/// How often a response has a field.
fn lines(answer: &Answer, name: &str) -> usize {
    let start = format!("{name}:").to_ascii_lowercase();
    let head = answer.fields();
    head.iter().filter(|line| line.to_ascii_lowercase().starts_with(&start)).count()
}

#[test]
fn fields_are_set_by_path() {
    let page = "text ".repeat(100);
    let files = [("a/index.html", page.as_str()), ("a/b.js", &page), ("c.js", &page)];
    let (name, other) = (HeaderName::from_static("x-of"), HeaderName::from_static("x-also"));
    let site = Site::with(&files, |folder| {
        let folder = folder.field(name.clone(), "all").field_at("/a/*", name.clone(), "a");
        folder.field_at("*.js", other.clone(), "js").field_at("*.js", other, "too")
    });
    let gzip = [("Accept-Encoding", "gzip")];
    for (target, of, also) in [
        ("/a/", "a", 0),
        ("/a", "all", 0),
        ("/a/b.js", "a", 2),
        ("/a/none", "a", 0),
        ("/a/?format=json", "a", 0),
        ("/none.js", "all", 2),
        ("/c.js", "all", 2),
        ("/", "all", 0),
    ] {
        for fields in [&gzip[..], &[]] {
            let answer = site.get_with(target, fields);
            assert_eq!((answer.field("x-of"), lines(&answer, "x-of")), (Some(of), 1), "{target}");
            assert_eq!(lines(&answer, "x-also"), also, "{target}");
        }
    }
    let tag = site.get_with("/a/b.js", &gzip).field("ETag").unwrap().to_owned();
    let known = site.get_with("/a/b.js", &[("If-None-Match", &tag), gzip[0]]);
    assert_eq!((known.status, known.field("x-of")), (304, Some("a")));
    let bad = Folder::new(site.root()).field_at("*", name, "a\nb").open();
    assert_eq!(bad.err().map(|error| error.kind()), Some(std::io::ErrorKind::InvalidInput));
}

#[test]
fn security_browsers_are_told_to_be_careful() {
    let names = [
        "X-Content-Type-Options",
        "X-Frame-Options",
        "Referrer-Policy",
        "Cross-Origin-Opener-Policy",
        "Cross-Origin-Resource-Policy",
    ];
    let files = [("a.html", "a"), ("d/b.html", "b")];
    let site = Site::with(&files, |folder| {
        let frames = HeaderName::from_static("x-frame-options");
        folder.security_fields(true).field_at("/d/*", frames, "DENY")
    });
    for target in ["/a.html", "/d/b.html", "/d/", "/none"] {
        let answer = site.get(target);
        for name in names {
            assert_eq!(lines(&answer, name), 1, "{target}: {name}");
        }
        assert_eq!(answer.field("X-Content-Type-Options"), Some("nosniff"), "{target}");
        let frames = if target.starts_with("/d/") { "DENY" } else { "SAMEORIGIN" };
        assert_eq!(answer.field("X-Frame-Options"), Some(frames), "{target}");
    }
    let shared = Site::with(&files, |folder| folder.security_fields(true).cors(true));
    assert_eq!(shared.get("/a.html").field("Cross-Origin-Resource-Policy"), None);
    let plain = Site::new(&files);
    assert!(names.iter().all(|name| plain.get("/a.html").field(name).is_none()));
}
