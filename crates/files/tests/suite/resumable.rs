//! Uploads that are interrupted and go on (draft-ietf-httpbis-resumable-upload-12).

mod left;

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use crate::site::{Answer, Site, request};
use crate::upload::{changing, names};

const VERSION: (&str, &str) = ("Upload-Draft-Interop-Version", "8");
const LAST: (&str, &str) = ("Upload-Complete", "?1");
const PART: (&str, &str) = ("Upload-Complete", "?0");
const PARTIAL: (&str, &str) = ("Content-Type", "application/partial-upload");

fn site() -> Site {
    changing(&[], |changes| changes.upload(true).largest(1000))
}

/// Reads an interim response.
fn interim(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        bytes.extend(byte);
    }
    Answer::parse(&bytes)
}

fn patch(site: &Site, place: &str, offset: &str, last: (&str, &str), content: &str) -> Answer {
    let fields = [PARTIAL, last, ("Upload-Offset", offset)];
    site.send_content("PATCH", place, &fields, content.as_bytes())
}

/// Offset and completeness as `HEAD` tells them.
fn told(site: &Site, place: &str) -> (u16, Option<String>, Option<String>) {
    let answer = site.send("HEAD", place, &[]);
    let field = |name| answer.field(name).map(str::to_owned);
    (answer.status, field("Upload-Offset"), field("Upload-Complete"))
}

fn state(offset: &str, complete: &str) -> (u16, Option<String>, Option<String>) {
    (204, Some(offset.to_owned()), Some(complete.to_owned()))
}

/// Waits until so many bytes of the only upload have been written.
fn await_draft(site: &Site, least: u64) {
    let is_draft = |name: &str| name.starts_with(".avocet-upload-") && !name.contains(".state");
    let len = || {
        let mut names = names(site, "").into_iter().filter(|name| is_draft(name));
        let draft = names.find_map(|name| fs::metadata(site.root().join(name)).ok());
        draft.map_or(0, |draft| draft.len())
    };
    while len() < least {
        std::thread::yield_now();
    }
}

/// What is known of the only upload.
fn record(site: &Site) -> PathBuf {
    let name = names(site, "").into_iter().find(|name| name.ends_with(".state"));
    site.root().join(name.unwrap())
}

#[test]
fn an_upload_in_several_requests() {
    let site = site();
    let fields = [PART, ("Upload-Length", "9")];
    let begun = site.send_content("PUT", "/file", &fields, b"one");
    assert_eq!((begun.status, begun.field("Upload-Offset")), (201, Some("3")));
    assert_eq!(begun.field("Upload-Complete"), Some("?0"));
    assert!(begun.field("Upload-Limit").unwrap().starts_with("max-size=1000, max-age="));
    let place = begun.field("Location").unwrap();
    assert!(place.starts_with("/file?upload-token=") && place.len() == 19 + 32, "{place}");
    assert_eq!(site.get("/file").status, 404, "it is not there before it is whole");
    assert_eq!(told(&site, place), state("3", "?0"));
    let next = patch(&site, place, "3", PART, "two");
    assert_eq!((next.status, next.field("Upload-Complete")), (204, Some("?0")));
    let head = site.send("HEAD", place, &[]);
    assert_eq!((head.field("Upload-Offset"), head.field("Upload-Length")), (Some("6"), Some("9")));
    assert_eq!(head.field("Cache-Control"), Some("no-store"));
    let get = site.get(place);
    assert_eq!((get.status, get.fields(), get.body.len()), (204, head.fields(), 0));
    let last = patch(&site, place, "6", LAST, "six");
    assert_eq!((last.status, last.field("Upload-Complete")), (201, Some("?1")));
    assert_eq!(last.field("Location"), Some("/file"));
    assert_eq!(site.get("/file").text(), "onetwosix");
    assert_eq!(told(&site, place), state("9", "?1"));
    assert!(patch(&site, place, "9", LAST, "").text().contains("#completed-upload"));
    assert!(patch(&site, place, "9", LAST, "x").text().contains("#inconsistent-upload-length"));
    assert_eq!(names(&site, ""), ["file"]);
}

#[test]
fn an_upload_that_is_cut_off_goes_on_where_it_was() {
    let site = changing(&[], |changes| changes.upload(true));
    let content: String = (0..40_000).map(|number| format!("{number:05}")).collect();
    let mut stream = site.connect();
    let fields = [LAST, VERSION, ("Content-Length", "200000")];
    stream.write_all(request("PUT", "/file", &fields).as_bytes()).unwrap();
    let told_by = interim(&mut stream);
    assert_eq!((told_by.status, told_by.field("Upload-Draft-Interop-Version")), (104, Some("8")));
    let place = told_by.field("Location").unwrap();
    stream.write_all(&content.as_bytes()[..150_000]).unwrap();
    await_draft(&site, 1);
    drop(stream);
    let offset = told(&site, place).1.unwrap();
    let sent: usize = offset.parse().unwrap();
    assert!((1..=150_000).contains(&sent), "{sent} bytes have come");
    let last = patch(&site, place, &offset, LAST, &content[sent..]);
    assert_eq!((last.status, last.field("Upload-Complete")), (201, Some("?1")));
    assert!(site.get("/file").text() == content);
}

#[test]
fn a_new_request_ends_the_one_that_hangs() {
    let site = site();
    let mut hanging = site.connect();
    let fields = [LAST, VERSION, ("Content-Length", "8")];
    hanging.write_all(request("PUT", "/file", &fields).as_bytes()).unwrap();
    let place = interim(&mut hanging).field("Location").unwrap().to_owned();
    hanging.write_all(b"fo").unwrap();
    let (status, offset, _) = told(&site, &place);
    let offset = offset.unwrap();
    assert_eq!(status, 204);
    let mut rest = Vec::new();
    hanging.read_to_end(&mut rest).unwrap();
    assert_eq!(Answer::parse(&rest).status, 409, "the earlier request is over");
    let missing = &"fourmore"[offset.parse().unwrap()..];
    assert_eq!(patch(&site, &place, &offset, LAST, missing).status, 201);
    assert_eq!(site.get("/file").text(), "fourmore");
}

#[test]
fn offsets_and_lengths_must_agree() {
    let site = site();
    let begin_as = |path: &str| {
        let begun = site.send_content("PUT", path, &[PART, ("Upload-Length", "6")], b"one");
        begun.field("Location").unwrap().to_owned()
    };
    let place = begin_as("/file");
    for offset in ["0", "4", "99999"] {
        let refused = patch(&site, &place, offset, PART, "x");
        assert_eq!((refused.status, refused.field("Upload-Offset")), (409, Some("3")));
        assert_eq!(refused.field("Upload-Complete"), Some("?0"), "it is about the upload");
        assert!(refused.text().contains("\"expected-offset\":3"), "{}", refused.text());
    }
    let media = site.send_content("PATCH", &place, &[PART, ("Upload-Offset", "3")], b"x");
    assert_eq!(
        (media.status, media.field("Accept-Patch")),
        (415, Some("application/partial-upload"))
    );
    for missing in [vec![PARTIAL, PART], vec![PARTIAL, ("Upload-Offset", "3")]] {
        assert_eq!(site.send_content("PATCH", &place, &missing, b"x").status, 400);
    }
    assert_eq!(patch(&site, &place, "3", LAST, "tw").status, 400, "less than was promised");
    assert_eq!(told(&site, &place), state("3", "?0"), "which is seen before anything is taken");
    let other = [PARTIAL, PART, ("Upload-Offset", "3"), ("Upload-Length", "7")];
    assert_eq!(site.send_content("PATCH", &place, &other, b"x").status, 400);
    assert_eq!(patch(&site, &place, "3", LAST, "two").status, 201);
    let taken = site.send_content("PUT", "/file", &[PART], b"x");
    assert_eq!((taken.status, taken.field("Upload-Complete")), (409, Some("?1")), "by the file");
    let place = begin_as("/longer");
    assert_eq!(patch(&site, &place, "3", PART, "four").status, 400, "more than was promised");
    assert_eq!(told(&site, &place).0, 404, "the upload is of no more use");
    assert_eq!(names(&site, ""), ["file"]);
}

#[test]
fn an_upload_is_given_up() {
    let site = site();
    let begun = site.send_content("PUT", "/file", &[PART], b"one");
    let place = begun.field("Location").unwrap();
    assert_eq!(names(&site, "").len(), 2, "the draft and what is known of it");
    assert_eq!(site.send("DELETE", place, &[]).status, 204);
    for method in ["HEAD", "DELETE"] {
        assert_eq!(site.send(method, place, &[]).status, 404);
    }
    assert_eq!(patch(&site, place, "3", LAST, "").status, 404);
    assert_eq!(names(&site, "").len(), 0);
}

#[test]
fn security_uploads_belong_to_their_path_and_cannot_be_guessed() {
    let site = site();
    let place = |path: &str| {
        let begun = site.send_content("PUT", path, &[PART], b"x");
        begun.field("Location").unwrap().rsplit('=').next().unwrap().to_owned()
    };
    let (one, two) = (place("/one"), place("/two"));
    assert_ne!(one, two);
    assert!(one.len() == 32 && one.bytes().all(|byte| byte.is_ascii_hexdigit()));
    for target in [
        format!("/two?upload-token={one}"),
        format!("/?upload-token={one}"),
        "/one?upload-token=".into(),
    ] {
        assert_eq!(told(&site, &target).0, 404, "{target}");
    }
    let foreign = [PARTIAL, LAST, ("Upload-Offset", "1"), ("Origin", "http://evil.example")];
    let target = format!("/one?upload-token={one}");
    assert_eq!(site.send_content("PATCH", &target, &foreign, b"x").status, 403);
    assert_eq!(patch(&site, &target, "1", LAST, &"x".repeat(1000)).status, 413);
}

#[test]
fn limits_are_told_and_old_clients_get_no_interim_response() {
    let site = site();
    let options = site.send("OPTIONS", "/", &[]);
    assert_eq!(options.field("Accept-Patch"), Some("application/partial-upload"));
    assert_eq!(options.field("Upload-Limit"), Some("max-size=1000"));
    assert_eq!(options.field("Allow"), Some("GET, HEAD, OPTIONS, PUT, PATCH, POST, DELETE"));
    for version in ["7", "9", "x"] {
        let fields = [LAST, ("Upload-Draft-Interop-Version", version)];
        let target = format!("/file-{version}");
        let made = site.send_content("PUT", &target, &fields, b"x");
        assert_eq!((made.status, made.field("Upload-Complete")), (201, Some("?1")));
    }
    let fields = [LAST, ("Upload-Length", "1001"), VERSION];
    let refused = site.send_content("PUT", "/large", &fields, b"");
    assert_eq!(refused.status, 400, "the length is not that of the content");
    let refused = site.send_content("PUT", "/large", &[PART, ("Upload-Length", "1001")], b"");
    assert_eq!((refused.status, refused.field("Upload-Limit")), (413, Some("max-size=1000")));
}

#[test]
fn uploads_that_are_over_make_room_for_others() {
    let site = changing(&[], |changes| changes.upload(true).overwrite(true));
    for number in 0..140 {
        let begun = site.send_content("PUT", "/file", &[PART], b"one");
        assert_eq!(begun.status, 201, "number {number}");
        let done = patch(&site, begun.field("Location").unwrap(), "3", LAST, "");
        assert!(matches!(done.status, 201 | 204), "number {number}: {}", done.status);
    }
    let waiting = (0..140).map(|_| site.send_content("PUT", "/file", &[PART], b"one").status);
    let statuses: Vec<u16> = waiting.collect();
    assert_eq!((statuses[0], statuses[139]), (201, 503), "those that wait are bounded");
}

#[test]
fn a_long_upload_is_told_how_much_is_safe() {
    let site = changing(&[], |changes| changes.upload(true));
    let mut stream = site.connect();
    let length = 1_000_000_000.to_string();
    let fields = [LAST, VERSION, ("Content-Length", length.as_str())];
    stream.write_all(request("PUT", "/file", &fields).as_bytes()).unwrap();
    let first = interim(&mut stream);
    let place = first.field("Location").unwrap();
    assert!(first.field("Upload-Limit").is_some() && first.field("Upload-Offset").is_none());
    let (mut sent, mut told_of) = (0, Vec::new());
    while told_of.len() < 2 {
        stream.write_all(&[b'x'; 70_000]).unwrap();
        sent += 70_000;
        stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        match stream.peek(&mut [0]) {
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                continue;
            }
            Err(error) => panic!("{error}"),
        }
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let progress = interim(&mut stream);
        assert_eq!((progress.status, progress.field("Location")), (104, None));
        assert_eq!(progress.field("Upload-Draft-Interop-Version"), Some("8"));
        let offset: u64 = progress.field("Upload-Offset").unwrap().parse().unwrap();
        let text = fs::read_to_string(record(&site)).unwrap();
        let known = text.lines().find_map(|line| line.strip_prefix("offset ")).unwrap();
        assert!(offset <= known.parse().unwrap(), "{offset}: {text}");
        assert!(offset <= sent && told_of.last().is_none_or(|last| *last < offset));
        told_of.push(offset);
    }
    drop(stream);
    let offset: u64 = told(&site, place).1.unwrap().parse().unwrap();
    assert!((told_of[1]..=sent).contains(&offset));
}
