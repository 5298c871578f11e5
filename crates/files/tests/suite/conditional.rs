//! Preconditions, by RFC 9110 §13.

use crate::site::Site;

const DATE: &str = "Thu, 02 Jan 2020 03:04:05 GMT";
const EARLIER: &str = "Thu, 02 Jan 2020 03:04:04 GMT";

fn site() -> Site {
    let site = Site::new(&[]);
    site.write_old("file.txt", "abcdefghijklmnopqrstuvwxyz");
    site
}

#[test]
fn a_known_state_is_not_sent_again() {
    let site = site();
    let first = site.get("/file.txt");
    let tag = first.field("ETag").unwrap();
    let weak = format!("W/{tag}");
    let list = format!("\"a,b\", {tag}");
    for known in [tag, &weak, &list, "*"] {
        for method in ["GET", "HEAD"] {
            let answer = site.send(method, "/file.txt", &[("If-None-Match", known)]);
            assert_eq!((answer.status, answer.body.len()), (304, 0), "{method} {known}");
            assert_eq!(answer.field("ETag"), Some(tag));
            assert_eq!(answer.field("Content-Length"), None);
            assert_eq!(answer.field("Content-Type"), None);
        }
    }
    let answer = site.get_with("/file.txt", &[("If-Modified-Since", DATE)]);
    assert_eq!(answer.status, 304);
    assert_eq!(site.get_with("/file.txt", &[("If-Modified-Since", EARLIER)]).status, 200);
}

#[test]
fn a_lost_state_fails() {
    let site = site();
    let tag = site.get("/file.txt").field("ETag").unwrap().to_owned();
    let weak = format!("W/{tag}");
    let status = |fields: &[(&str, &str)]| site.get_with("/file.txt", fields).status;
    assert_eq!(status(&[("If-Match", &tag)]), 200);
    assert_eq!(status(&[("If-Match", "*")]), 200);
    assert_eq!(status(&[("If-Match", &weak)]), 412);
    assert_eq!(status(&[("If-Match", "\"other\"")]), 412);
    assert_eq!(status(&[("If-Unmodified-Since", DATE)]), 200);
    assert_eq!(status(&[("If-Unmodified-Since", EARLIER)]), 412);
}

#[test]
fn parity_f7_preconditions_in_their_order() {
    let site = site();
    let tag = site.get("/file.txt").field("ETag").unwrap().to_owned();
    let status = |fields: &[(&str, &str)]| site.get_with("/file.txt", fields).status;
    // A tag wins over a date, and losing over knowing.
    assert_eq!(status(&[("If-None-Match", "\"x\""), ("If-Modified-Since", DATE)]), 200);
    assert_eq!(status(&[("If-Match", &tag), ("If-Unmodified-Since", EARLIER)]), 200);
    assert_eq!(status(&[("If-Match", "\"x\""), ("If-None-Match", &tag)]), 412);
    assert_eq!(status(&[("If-Match", &tag), ("If-None-Match", &tag)]), 304);
    assert_eq!(status(&[("If-None-Match", &tag), ("Range", "bytes=0-4")]), 304);
    assert_eq!(status(&[("If-None-Match", "\"x\""), ("Range", "bytes=0-4")]), 206);
    assert_eq!(status(&[("If-Modified-Since", "yesterday")]), 200);
}

#[test]
fn conditions_count_only_where_there_would_be_a_file() {
    let site = site();
    let fields = [("If-None-Match", "*"), ("If-Match", "\"x\"")];
    assert_eq!(site.get_with("/none", &fields).status, 404);
    assert_eq!(site.send("POST", "/file.txt", &fields).status, 405);
}

#[test]
fn security_validators_are_weak_while_the_file_is_young() {
    let site = Site::new(&[("young", "first")]);
    let first = site.get("/young");
    let tag = first.field("ETag").unwrap().to_owned();
    assert!(tag.starts_with("W/"), "{tag}");
    // The date of a file that is still being changed must not join the parts of two files.
    let date = first.field("Last-Modified").unwrap();
    for validator in [tag.as_str(), date] {
        let fields = [("Range", "bytes=0-1"), ("If-Range", validator)];
        assert_eq!(site.get_with("/young", &fields).status, 200, "{validator}");
    }
    site.age("young");
    let tag = site.get("/young").field("ETag").unwrap().to_owned();
    assert!(tag.starts_with('"'), "{tag}");
    let fields = [("Range", "bytes=0-1"), ("If-Range", tag.as_str())];
    assert_eq!(site.get_with("/young", &fields).status, 206);
}

#[test]
fn security_validators_see_a_change_within_the_same_second() {
    let site = Site::new(&[("file", "one")]);
    for content in ["two", "six", "ten"] {
        let tag = site.get("/file").field("ETag").unwrap().to_owned();
        let before = std::fs::metadata(site.root().join("file")).unwrap().modified().unwrap();
        while std::fs::metadata(site.root().join("file")).unwrap().modified().unwrap() == before {
            site.write("file", content);
        }
        let answer = site.get_with("/file", &[("If-None-Match", &tag)]);
        assert_eq!((answer.status, answer.text()), (200, content));
    }
}

#[test]
fn security_a_file_that_was_exchanged_has_another_tag() {
    let site = site();
    let tag = site.get("/file.txt").field("ETag").unwrap().to_owned();
    site.write_old("other", "zyxwvutsrqponmlkjihgfedcba");
    std::fs::rename(site.root().join("other"), site.root().join("file.txt")).unwrap();
    let fields = [("Range", "bytes=0-1"), ("If-Range", tag.as_str())];
    let answer = site.get_with("/file.txt", &fields);
    assert_eq!((answer.status, answer.text()), (200, "zyxwvutsrqponmlkjihgfedcba"));
}
