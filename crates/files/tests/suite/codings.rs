//! Content codings: beside the file, and made of it.

use std::io::Read;

use avocet_encoding::{Coding, ContentCodings, decode_all};

use crate::site::{Answer, Site};

/// A page that compresses.
fn page(len: usize) -> String {
    let mut page = String::from("<!DOCTYPE html>");
    let mut number = 0;
    while page.len() < len {
        page += &format!("<p>Paragraph number {number} of a long story.</p>\n");
        number += 1;
    }
    page
}

fn accept(site: &Site, target: &str, codings: &str) -> Answer {
    site.get_with(target, &[("Accept-Encoding", codings)])
}

pub(crate) fn decoded(answer: &Answer) -> Vec<u8> {
    let coding = answer.field("Content-Encoding").expect("a coding");
    let coding = Coding::parse(coding.as_bytes()).unwrap();
    decode_all(&ContentCodings::from(coding), &answer.body, 100_000_000).unwrap()
}

#[test]
fn parity_f11_a_page_is_compressed_when_asked_for() {
    let site = Site::new(&[]);
    let page = page(20_000);
    site.write_old("page.html", &page);
    for coding in ["gzip", "br", "zstd"] {
        let answer = accept(&site, "/page.html", coding);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.field("Content-Encoding"), Some(coding));
        assert!(decoded(&answer) == page.as_bytes(), "{coding}");
        assert!(answer.body.len() < page.len() / 4, "{coding}: {}", answer.body.len());
        assert_eq!(answer.field("Content-Length"), Some(answer.body.len().to_string().as_str()));
        assert_eq!(answer.field("Vary"), Some("Accept-Encoding"));
        let head = site.send("HEAD", "/page.html", &[("Accept-Encoding", coding)]);
        assert_eq!(head.fields(), answer.fields(), "{coding}");
    }
    for refused in ["gzip;q=0", "identity", "", "deflate"] {
        let answer = accept(&site, "/page.html", refused);
        assert_eq!(answer.field("Content-Encoding"), None, "{refused}");
        assert!(answer.body == page.as_bytes());
        assert_eq!(answer.field("Vary"), Some("Accept-Encoding"));
    }
    assert_eq!(site.get("/page.html").field("Content-Encoding"), None);
}

#[test]
fn recipe_8_every_coding_has_a_tag_of_its_own() {
    let site = Site::new(&[]);
    site.write_old("page.html", page(5_000));
    let plain = site.get("/page.html").field("ETag").unwrap().to_owned();
    let coded = accept(&site, "/page.html", "gzip").field("ETag").unwrap().to_owned();
    assert_ne!(plain, coded);
    let status = |codings: &str, tag: &str| {
        let fields = [("Accept-Encoding", codings), ("If-None-Match", tag)];
        let answer = site.get_with("/page.html", &fields);
        assert_eq!(answer.field("Vary"), Some("Accept-Encoding"));
        answer.status
    };
    assert_eq!(status("gzip", &coded), 304);
    assert_eq!(status("br", &coded), 200);
    assert_eq!(status("identity", &coded), 200);
    assert_eq!(status("identity", &plain), 304);
    assert_eq!(status("gzip", &plain), 200);
    // The answer is the same before the coding was ever made.
    let coded = accept(&site, "/page.html", "zstd").field("ETag").unwrap().to_owned();
    let other = Site::new(&[]);
    std::fs::hard_link(site.root().join("page.html"), other.root().join("page.html")).unwrap();
    let fields = [("Accept-Encoding", "zstd"), ("If-None-Match", coded.as_str())];
    assert_eq!(other.get_with("/page.html", &fields).status, 304);
}

#[test]
fn what_lies_beside_is_chosen_by_weight() {
    let site = Site::new(&[("dir/index.html.br", "BR"), ("dir/index.html.gz", "GZIP")]);
    site.write_old("dir/index.html", page(5_000));
    site.age("dir/index.html.br");
    let body = |codings| {
        let answer = accept(&site, "/dir/", codings);
        assert_eq!(answer.field("Content-Type"), Some("text/html; charset=utf-8"));
        (answer.field("Content-Encoding").map(str::to_owned), answer.body)
    };
    let expected = |coding: &str, body: &str| (Some(coding.to_owned()), body.as_bytes().to_vec());
    assert_eq!(body("gzip, br"), expected("br", "BR"));
    assert_eq!(body("gzip, br;q=0.5"), expected("gzip", "GZIP"));
    // What lies there comes before what would have to be made, unless the client says otherwise.
    assert_eq!(body("gzip, br, zstd"), expected("br", "BR"));
    assert_eq!(body("br;q=0.9, zstd").0.unwrap(), "zstd");
    let answer = accept(&site, "/dir/", "br");
    assert!(answer.field("ETag").unwrap().starts_with('"'));
    assert_eq!(answer.field("Accept-Ranges"), Some("bytes"));
    let fields = [("Accept-Encoding", "br"), ("Range", "bytes=1-1")];
    let part = site.get_with("/dir/", &fields);
    assert_eq!((part.status, part.text()), (206, "R"));
    assert_eq!(part.field("Content-Range"), Some("bytes 1-1/2"));
    // A coding asked for by its own name is a file like any other.
    let answer = accept(&site, "/dir/index.html.gz", "gzip");
    assert_eq!(answer.field("Content-Encoding"), None);
    assert_eq!(answer.field("Content-Type"), Some("application/gzip"));
}

#[test]
fn siblings_that_are_outdated_or_no_files_are_not_used() {
    let site = Site::with(&[("a.html", "new"), ("b.html", "new")], |folder| folder.compress(false));
    site.write_old("a.html.gz", "OLD");
    std::fs::create_dir(site.root().join("b.html.gz")).unwrap();
    for target in ["/a.html", "/b.html"] {
        let answer = accept(&site, target, "gzip");
        assert_eq!((answer.field("Content-Encoding"), answer.text()), (None, "new"));
    }
    site.write("a.html.gz", "FRESH");
    assert_eq!(accept(&site, "/a.html", "gzip").text(), "FRESH");
    std::fs::remove_file(site.root().join("a.html.gz")).unwrap();
    assert_eq!(accept(&site, "/a.html", "gzip").text(), "new");
}

#[test]
fn what_does_not_gain_is_sent_as_it_is() {
    let site = Site::new(&[("short.html", "<p>hi</p>")]);
    let noise: Vec<u8> = {
        let mut seed = 1_u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 56) as u8
        };
        (0..5_000).map(|_| next()).collect()
    };
    site.write_old("noise.txt", &noise);
    site.write_old("picture.png", page(5_000));
    for target in ["/short.html", "/noise.txt", "/picture.png", "/noise.txt"] {
        let answer = accept(&site, target, "gzip, br, zstd");
        assert_eq!((answer.status, answer.field("Content-Encoding")), (200, None), "{target}");
    }
    assert!(accept(&site, "/noise.txt", "gzip").body == noise);
    assert_eq!(site.get("/picture.png").field("Vary"), None);
}

#[test]
fn ranges_are_never_of_a_coding_made_here() {
    let site = Site::new(&[]);
    let page = page(5_000);
    site.write_old("page.html", &page);
    let fields = [("Accept-Encoding", "gzip"), ("Range", "bytes=0-99")];
    let answer = site.get_with("/page.html", &fields);
    assert_eq!((answer.status, answer.field("Content-Encoding")), (206, None));
    assert_eq!(accept(&site, "/page.html", "gzip").field("Accept-Ranges"), None);
    assert_eq!(answer.body, page.as_bytes()[..100]);
    let tag = site.get("/page.html").field("ETag").unwrap().to_owned();
    let fields = [("Accept-Encoding", "gzip"), ("If-Match", tag.as_str())];
    assert_eq!(site.get_with("/page.html", &fields).status, 200);
}

#[test]
fn long_files_are_compressed_while_they_are_sent() {
    let site = Site::new(&[]);
    let page = page(3_000_000);
    site.write_old("long.html", &page);
    for coding in ["gzip", "br", "zstd"] {
        let answer = accept(&site, "/long.html", coding);
        assert_eq!(answer.field("Transfer-Encoding"), Some("chunked"));
        assert!(decoded(&answer) == page.as_bytes(), "{coding}");
        let head = site.send("HEAD", "/long.html", &[("Accept-Encoding", coding)]);
        assert_eq!(head.fields(), answer.fields());
    }
}

#[test]
fn many_at_once_get_one_and_the_same() {
    let site = Site::new(&[]);
    let page = page(800_000);
    site.write_old("page.html", &page);
    let bodies: Vec<Vec<u8>> = std::thread::scope(|scope| {
        let ask = || accept(&site, "/page.html", "br").body;
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(bodies.iter().all(|body| body == &bodies[0]));
}

#[test]
fn a_changed_file_is_compressed_anew() {
    let site = Site::new(&[("page.txt", &"one ".repeat(200))]);
    for word in ["one ", "two ", "six "] {
        let text = word.repeat(200);
        site.write("page.txt", &text);
        assert!(decoded(&accept(&site, "/page.txt", "gzip")) == text.as_bytes());
    }
}

#[test]
fn compression_can_be_left_out() {
    let site = Site::with(&[], |folder| folder.compress(false).precompressed(false));
    site.write_old("page.html", page(5_000));
    site.write_old("page.html.gz", "GZIP");
    let answer = accept(&site, "/page.html", "gzip");
    assert_eq!((answer.field("Content-Encoding"), answer.field("Vary")), (None, None));
}

#[test]
fn a_client_that_stops_reading_ends_the_compression() {
    let site = Site::new(&[]);
    site.write_old("long.html", page(5_000_000));
    let mut stream = site.connect();
    use std::io::Write;
    stream
        .write_all(b"GET /long.html HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n")
        .unwrap();
    stream.read_exact(&mut [0; 100]).unwrap();
    drop(stream);
    assert_eq!(accept(&site, "/long.html", "gzip").status, 200);
}
