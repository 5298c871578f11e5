//! What is kept in memory never outlives what lies on the disk.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::thread;
use std::time::{Duration, Instant};

use crate::site::{Answer, Site, request};

/// Many requests over one connection.
struct Client(BufReader<TcpStream>);

impl Client {
    fn new(site: &Site) -> Self {
        Self(BufReader::new(site.connect()))
    }

    fn get(&mut self, target: &str) -> Answer {
        let request = request("GET", target, &[]).replace("Connection: close\r\n", "");
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(self.0.read_line(&mut head).unwrap() > 0, "the connection ended: {head}");
        }
        let mut answer = Answer::parse(head.as_bytes());
        let length = answer.field("Content-Length").unwrap().parse().unwrap();
        answer.body = vec![0; length];
        self.0.read_exact(&mut answer.body).unwrap();
        answer
    }
}

#[test]
fn every_change_is_seen_at_once_by_who_asks_now_and_then() {
    let site = Site::new(&[("file", "first"), ("dir/index.htm", "htm")]);
    let mut client = Client::new(&site);
    let mut body = |target: &str| client.get(target).text().to_owned();
    assert_eq!(body("/file"), "first");
    site.write_old("file", "written over");
    assert_eq!(body("/file"), "written over");
    fs::remove_file(site.root().join("file")).unwrap();
    assert!(body("/file").contains("404"));
    symlink("dir/index.htm", site.root().join("file")).unwrap();
    assert_eq!(body("/file"), "htm");
    assert_eq!(body("/dir/"), "htm");
    site.write("dir/index.html", "html");
    assert_eq!(body("/dir/"), "html");
    fs::remove_file(site.root().join("dir/index.html")).unwrap();
    assert_eq!(body("/dir/"), "htm");
}

#[test]
fn a_hot_file_is_checked_again_after_the_set_time() {
    let span = Duration::from_millis(300);
    let site = Site::with(&[], |folder| folder.recheck(span));
    site.write_old("small", "old");
    site.write_old("large", vec![b'o'; 100_000]);
    for target in ["/small", "/large"] {
        let mut client = Client::new(&site);
        for _ in 0..500 {
            assert_eq!(client.get(target).body[0], b'o');
        }
        site.write(&target[1..], vec![b'n'; 100_000]);
        let changed = Instant::now();
        while client.get(target).body[0] == b'o' {
            assert!(changed.elapsed() < Duration::from_secs(10), "{target} stays as it was");
        }
    }
}

/// A large file is sent from its open descriptor, so that what is said of it must be asked of that, but
/// not twice within a millisecond.
#[test]
fn security_a_hot_file_loses_its_tag_with_its_state() {
    let site = Site::with(&[], |folder| folder.recheck(Duration::from_secs(3_600)));
    site.write_old("large", vec![b'o'; 100_000]);
    let mut client = Client::new(&site);
    for _ in 0..200 {
        client.get("/large");
    }
    let before = client.get("/large");
    site.write("large", vec![b'n'; 100_000]);
    thread::sleep(Duration::from_millis(2));
    let after = client.get("/large");
    assert_eq!((before.body[0], after.body[0]), (b'o', b'n'));
    assert_ne!(before.field("ETag"), after.field("ETag"));
}

#[test]
fn nothing_is_kept_where_that_is_asked_for() {
    let site = Site::with(&[("file", "text")], |folder| folder.memory(0));
    let mut client = Client::new(&site);
    for _ in 0..100 {
        assert_eq!(client.get("/file").text(), "text");
    }
}

#[test]
fn more_files_than_are_kept_are_all_served() {
    let site = Site::with(&[], |folder| folder.memory(1_000_000));
    for number in 0..300 {
        site.write_old(
            &format!("{number}"),
            number.to_string().repeat(if number % 3 == 0 { 10_000 } else { 5 }),
        );
    }
    let mut client = Client::new(&site);
    for _ in 0..3 {
        for number in 0..300 {
            let answer = client.get(&format!("/{number}"));
            assert!(answer.text().starts_with(&number.to_string()));
        }
    }
}
