//! HEAD: what GET would be answered with, without content (RFC 9110 §9.3.2).

use avocet_files::{Access, Changes, Password};

use crate::site::Site;

#[test]
fn head_is_get_without_content_whatever_is_asked_for() {
    let page = "<p>words and words</p>\n".repeat(100);
    let files = [
        ("page.html", page.as_str()),
        ("empty.txt", ""),
        ("beside.html", &page),
        ("beside.html.gz", "zip"),
        ("404.html", "not here"),
        ("sub/index.html", "index"),
        ("in/a b%20.txt", "odd"),
        ("part/x.txt", "secret"),
    ];
    let site = Site::with(&files, |folder| {
        let access = Access::new().login("/part", "u", Password::plain("p")).unwrap();
        folder
            .archives(true)
            .dictionaries(true)
            .not_found("404.html")
            .security_fields(true)
            .cors(true)
            .cache_control("*.html", "max-age=60")
            .changes(Changes::new().upload(true).delete(true))
            .access(access)
    });
    for (name, _) in files {
        site.age(name);
    }
    let targets = [
        "/",
        "/?format=json",
        "/?q=page&sort=size",
        "/?archive=zip",
        "/?archive=tar",
        "/?archive=other",
        "/page.html",
        "/beside.html",
        "/empty.txt",
        "/sub",
        "/sub/",
        "/in/",
        "/in/a%20b%2520.txt",
        "/none",
        "/%00",
        "/a%2fb",
        "/../x",
        "/part/x.txt",
        "/part",
        "*",
    ];
    let cases: [&[(&str, &str)]; 9] = [
        &[],
        &[("Accept-Encoding", "gzip")],
        &[("Accept-Encoding", "zstd;q=0.5, br")],
        &[("Accept-Encoding", "identity;q=0")],
        &[("If-None-Match", "*")],
        &[("If-Match", "\"x\"")],
        &[("If-Modified-Since", "Fri, 03 Jan 2020 03:04:05 GMT")],
        &[("Accept", "application/json")],
        &[("Authorization", "Basic dTpw")],
    ];
    for target in targets {
        for fields in cases {
            let (get, head) = (site.get_with(target, fields), site.send("HEAD", target, fields));
            assert_eq!(head.status, get.status, "{target} {fields:?}");
            assert_eq!(head.fields(), get.fields(), "{target} {fields:?}");
            assert!(head.body.is_empty(), "{target} {fields:?}");
        }
    }
}
