//! Ranges, by RFC 9110 §14.

use std::io::{Read, Write};

use crate::site::{Answer, Site, request};

const TEXT: &str = "abcdefghijklmnopqrstuvwxyz";

fn site() -> Site {
    let site = Site::new(&[]);
    site.write_old("file.txt", TEXT);
    site.write_old("empty", "");
    site
}

/// Bytes that differ from place to place.
fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|place| (place * 7 + place / 251) as u8).collect()
}

#[test]
fn one_range() {
    let site = site();
    for (range, content) in
        [("0-0", "a"), ("20-", "uvwxyz"), ("-3", "xyz"), ("24-99", "yz"), ("0-", TEXT)]
    {
        let answer = site.get_with("/file.txt", &[("Range", &format!("bytes={range}"))]);
        assert_eq!((answer.status, answer.text()), (206, content), "{range}");
        let first = TEXT.find(content).unwrap();
        let expected = format!("bytes {first}-{}/26", first + content.len() - 1);
        assert_eq!(answer.field("Content-Range"), Some(expected.as_str()));
        assert_eq!(answer.field("Content-Length"), Some(content.len().to_string().as_str()));
        assert!(answer.field("ETag").is_some() && answer.field("Last-Modified").is_some());
    }
    assert_eq!(site.get("/file.txt").field("Accept-Ranges"), Some("bytes"));
}

#[test]
fn what_cannot_be_had_is_416_with_the_length() {
    let site = site();
    for (target, range, length) in [
        ("/file.txt", "26-", 26),
        ("/file.txt", "-0", 26),
        ("/empty", "0-0", 0),
        ("/empty", "-1", 0),
    ] {
        let answer = site.get_with(target, &[("Range", &format!("bytes={range}"))]);
        assert_eq!(answer.status, 416, "{range}");
        assert_eq!(answer.field("Content-Range"), Some(format!("bytes */{length}").as_str()));
    }
    assert_eq!(site.get_with("/none", &[("Range", "bytes=0-1")]).status, 404);
}

#[test]
fn security_ranges_that_are_broken_are_ignored() {
    let site = site();
    for range in
        ["bytes=5-2", "bytes=abc", "items=0-4", "bytes=--5", "bytes=", "bytes=0-1,x", "bytes 0-1"]
    {
        let answer = site.get_with("/file.txt", &[("Range", range)]);
        assert_eq!((answer.status, answer.text()), (200, TEXT), "{range}");
    }
    let twice = [("Range", "bytes=0-1"), ("Range", "bytes=2-3")];
    assert_eq!(site.get_with("/file.txt", &twice).status, 200);
    assert_eq!(site.send("HEAD", "/file.txt", &[("Range", "bytes=0-1")]).status, 200);
}

#[test]
fn security_ranges_beyond_64_bits() {
    let site = site();
    let status = |range: &str| site.get_with("/file.txt", &[("Range", range)]).status;
    assert_eq!(status("bytes=0-99999999999999999999"), 206);
    assert_eq!(status("bytes=99999999999999999999-"), 416);
    assert_eq!(status("bytes=18446744073709551615-18446744073709551616"), 416);
    assert_eq!(status("bytes=-99999999999999999999"), 206);
}

#[test]
fn if_range_needs_the_very_state() {
    let site = site();
    let tag = site.get("/file.txt").field("ETag").unwrap().to_owned();
    let date = "Thu, 02 Jan 2020 03:04:05 GMT";
    let weak = format!("W/{tag}");
    for (validator, status) in [
        (tag.as_str(), 206),
        (date, 206),
        ("\"other\"", 200),
        (weak.as_str(), 200),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 200),
        ("Fri, 03 Jan 2020 03:04:05 GMT", 200),
        ("junk", 200),
    ] {
        let fields = [("Range", "bytes=0-4"), ("If-Range", validator)];
        assert_eq!(site.get_with("/file.txt", &fields).status, status, "{validator}");
    }
}

/// The parts of a response in several ranges: Content-Range and content of each.
pub(crate) fn parts(answer: &Answer) -> Vec<(String, Vec<u8>)> {
    let media_type = answer.field("Content-Type").unwrap();
    let boundary = media_type.strip_prefix("multipart/byteranges; boundary=").unwrap();
    let length: usize = answer.field("Content-Length").unwrap().parse().unwrap();
    assert_eq!(length, answer.body.len());
    let delimiter = format!("\r\n--{boundary}");
    let mut parts = Vec::new();
    let mut rest = answer.body.strip_prefix(delimiter.as_bytes()).unwrap();
    while rest != b"--\r\n" {
        let end = rest.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = std::str::from_utf8(&rest[..end]).unwrap();
        let range = head.lines().find_map(|line| line.strip_prefix("Content-Range: ")).unwrap();
        rest = &rest[end + 4..];
        let (first, last) = range.strip_prefix("bytes ").unwrap().split_once('-').unwrap();
        let last = last.split('/').next().unwrap();
        let count = last.parse::<usize>().unwrap() - first.parse::<usize>().unwrap() + 1;
        parts.push((range.to_owned(), rest[..count].to_vec()));
        rest = rest[count..].strip_prefix(delimiter.as_bytes()).unwrap();
    }
    parts
}

#[test]
fn several_ranges_come_in_parts() {
    let site = site();
    let answer = site.get_with("/file.txt", &[("Range", "bytes=0-1,24-25")]);
    assert_eq!(answer.status, 206);
    let expected = [
        ("bytes 0-1/26".to_owned(), b"ab".to_vec()),
        ("bytes 24-25/26".to_owned(), b"yz".to_vec()),
    ];
    assert_eq!(parts(&answer), expected);
    assert!(answer.field("Content-Range").is_none() && answer.field("ETag").is_some());
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(text.matches("Content-Type: text/plain; charset=utf-8\r\n").count(), 2);
}

#[test]
fn large_ranges_come_from_the_file() {
    let site = Site::new(&[]);
    let large = pattern(2_000_000);
    site.write_old("large", &large);
    for (first, last) in [(5, 9), (10, 99_999), (7, 1_999_990)] {
        let range = format!("bytes={first}-{last}");
        let answer = site.get_with("/large", &[("Range", &range)]);
        assert_eq!(answer.status, 206);
        assert!(answer.body == large[first..=last], "{range}");
    }
    let answer = site.get_with("/large", &[("Range", "bytes=1500000-,0-600000")]);
    let found = parts(&answer);
    assert!(found[0].1 == large[1_500_000..] && found[1].1 == large[..=600_000]);
    assert_eq!(found[1].0, "bytes 0-600000/2000000");
}

#[test]
fn security_many_ranges_get_the_whole() {
    let site = Site::new(&[]);
    let large = pattern(100_000);
    site.write_old("large", &large);
    let all = "0-,".repeat(1_000);
    let small: Vec<String> = (0..200).map(|n| format!("{0}-{0}", 2 * n)).collect();
    let nested: Vec<String> = (0..20).map(|n| format!("{n}-{}", 99_999 - n)).collect();
    for ranges in [all, small.join(","), nested.join(",")] {
        let answer = site.get_with("/large", &[("Range", &format!("bytes={ranges}"))]);
        assert_eq!(answer.status, 200);
        assert!(answer.body == large);
    }
}

#[test]
fn ranges_for_clients_of_http_1_0() {
    let site = site();
    let mut stream = site.connect();
    stream.write_all(b"GET /file.txt HTTP/1.0\r\nRange: bytes=2-3\r\n\r\n").unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let answer = Answer::parse(&bytes);
    assert_eq!((answer.status, answer.text()), (206, "cd"));
}

/// Reads the head and a little of a large file, lets `change` happen, and reads on to the end.
fn received_while(site: &Site, change: impl FnOnce()) -> usize {
    let mut stream = site.connect();
    stream.write_all(request("GET", "/large", &[]).as_bytes()).unwrap();
    let mut bytes = vec![0; 1_000];
    stream.read_exact(&mut bytes).unwrap();
    change();
    // A reset is an end like any other here.
    let _ = stream.read_to_end(&mut bytes);
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    bytes.len() - head - 4
}

const LARGE: usize = 64 * 1024 * 1024;

#[test]
fn security_a_file_that_shrinks_ends_the_connection() {
    let site = Site::new(&[]);
    site.write("large", vec![b'x'; LARGE]);
    let file = std::fs::File::options().write(true).open(site.root().join("large")).unwrap();
    let received = received_while(&site, || file.set_len(1_000).unwrap());
    assert!(received < LARGE, "nothing was made up");
}

#[test]
fn security_a_file_that_is_written_over_ends_the_connection() {
    let site = Site::new(&[]);
    site.write_old("large", vec![b'x'; LARGE]);
    let received = received_while(&site, || site.write("large", vec![b'y'; LARGE]));
    assert!(received < LARGE, "the end of another file was sent");
}

#[test]
fn a_file_that_grows_is_sent_as_it_was() {
    let site = Site::new(&[]);
    site.write_old("large", vec![b'x'; LARGE]);
    let mut file = std::fs::File::options().append(true).open(site.root().join("large")).unwrap();
    let received = received_while(&site, || file.write_all(b"one more line").unwrap());
    assert_eq!(received, LARGE);
}
