//! A folder of 100,000 files.
#![expect(clippy::unwrap_used, reason = "a test fails where something fails")]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use avocet_tests::program::Target;
use avocet_tests::raw::ask;

const FILES: usize = 100_000;

fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
}

fn connect(target: &Target) -> TcpStream {
    let stream = TcpStream::connect(target.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

/// Waits for the first bytes of an answer, then lets go of the connection without reading the rest.
fn touch(target: &Target, path: &str) -> Duration {
    let begin = Instant::now();
    let mut stream = connect(target);
    stream.write_all(request(path).as_bytes()).unwrap();
    let mut start = [0; 15];
    stream.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 200 OK");
    begin.elapsed()
}

/// Highest memory of the program so far, in KiB.
fn peak(target: &Target) -> u64 {
    let id = target.id().unwrap();
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap()
}

/// One loop serves all of this: while listings are read, sorted and sent, a small file is answered. A
/// listing is made on the pool and rendered as the client takes it, so its memory is that of its names
/// and 32 bytes for each.
#[test]
fn a_hundred_thousand_files_are_listed_in_bounded_memory_while_others_are_served() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("small"), "small").unwrap();
    let folder = root.path().join("many");
    fs::create_dir(&folder).unwrap();
    for number in 0..FILES {
        fs::File::create(folder.join(format!("file-{number:05}"))).unwrap();
    }
    let path = root.path().to_str().unwrap();
    let listen = ["--listen", "127.0.0.1:0", "--workers", "1", "--download-folders"];
    let target = Target::start(&[&["serve", path][..], &listen[..]].concat());
    touch(&target, "/small");
    let before = peak(&target);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let others = scope.spawn(|| {
            let mut times = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                times.push(touch(&target, "/small"));
            }
            times.sort();
            times
        });
        let mut unread = Vec::new();
        for _ in 0..3 {
            // Listings that nobody reads wait, rendered no further than the socket takes them.
            let mut stream = connect(&target);
            stream.write_all(request("/many/").as_bytes()).unwrap();
            unread.push(stream);
        }
        let listing = ask(&target, request("/many/?sort=time&order=desc"));
        let json = ask(&target, request("/many/?format=json"));
        let zip = ask(&target, request("/many/?archive=zip"));
        is_over.store(true, Ordering::Relaxed);
        let times = others.join().unwrap();
        let rows =
            |content: &[u8], row: &str| String::from_utf8_lossy(content).matches(row).count();
        assert_eq!(rows(&listing.content, "<tr><td><a href=\"./file-"), FILES);
        assert_eq!(rows(&json.content, "{\"name\":\"file-"), FILES);
        assert!(json.content.ends_with(b"],\"complete\":true}\n"));
        assert_eq!(count_of(&zip.content), FILES as u64 + 1, "zip64 tells how many there are");
        // Made on the loop, each listing would hold all of these up for as long as it takes.
        let median = times[times.len() / 2];
        assert!(times.len() > 20, "{} answers meanwhile", times.len());
        assert!(median < Duration::from_millis(100), "a small file took {median:?}");
    });
    // Six times names and entries, the directory of the zip, and what waits for sockets.
    let grown = peak(&target) - before;
    assert!(grown < 64 * 1024, "memory has grown by {grown} KiB");
}

/// The number of entries in a zip of more than 65,534 (APPNOTE 4.3.14).
fn count_of(zip: &[u8]) -> u64 {
    let end = zip.len() - 22;
    assert_eq!(zip[end + 8..end + 10], [0xff; 2], "the number stands elsewhere");
    let locator = end - 20;
    assert_eq!(zip[locator..locator + 4], *b"PK\x06\x07");
    let number = |at: usize| u64::from_le_bytes(zip[at..at + 8].try_into().unwrap());
    let end = usize::try_from(number(locator + 8)).unwrap();
    assert_eq!(zip[end..end + 4], *b"PK\x06\x06");
    let (count, size, start) = (number(end + 32), number(end + 40), number(end + 48));
    assert_eq!(start + size, end as u64);
    let first = usize::try_from(start).unwrap();
    assert_eq!(zip[first..first + 4], *b"PK\x01\x02");
    count
}
