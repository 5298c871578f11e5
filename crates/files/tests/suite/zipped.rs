//! What is in a zip, served.

use std::fs;
use std::io::{Read, Write};

use avocet_files::Folder;
use flate2::read::GzDecoder;
use flate2::{Compression, Crc, write::DeflateEncoder};
use tempfile::TempDir;

use crate::ranges::parts;
use crate::site::{Answer, Site};

/// A file to be put into a zip, by hand.
struct Packed<'a> {
    name: &'a [u8],
    content: &'a [u8],
    is_deflated: bool,
    flags: u16,
    mode: u32,
}

fn packed<'a>(name: &'a str, content: &'a str) -> Packed<'a> {
    let (name, content) = (name.as_bytes(), content.as_bytes());
    Packed { name, content, is_deflated: false, flags: 0, mode: 0o100_644 }
}

fn deflated<'a>(name: &'a str, content: &'a str) -> Packed<'a> {
    Packed { is_deflated: true, ..packed(name, content) }
}

/// A zip as any program would write it, last changed at 2020-01-02T03:04:04.
fn zip(files: &[Packed<'_>]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for file in files {
        let content = if file.is_deflated {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(file.content).unwrap();
            encoder.finish().unwrap()
        } else {
            file.content.to_vec()
        };
        let mut crc = Crc::new();
        crc.update(file.content);
        let at = u32::try_from(out.len()).unwrap();
        let mut common = Vec::new();
        for value in [20, file.flags, if file.is_deflated { 8 } else { 0 }, 0x1882, 0x5022] {
            common.extend(value.to_le_bytes());
        }
        for value in [crc.sum() as usize, content.len(), file.content.len()] {
            common.extend(u32::try_from(value).unwrap().to_le_bytes());
        }
        common.extend(u16::try_from(file.name.len()).unwrap().to_le_bytes());
        common.extend([0, 0]);
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(file.name);
        out.extend(&content);
        directory.extend(b"PK\x01\x02");
        directory.extend([63, 3]);
        directory.extend(&common);
        directory.extend([0; 6]);
        directory.extend((file.mode << 16).to_le_bytes());
        directory.extend(at.to_le_bytes());
        directory.extend(file.name);
    }
    let (at, len) = (out.len(), directory.len());
    out.extend(directory);
    let count = u16::try_from(files.len()).unwrap().to_le_bytes();
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([count, count].concat());
    for value in [len, at] {
        out.extend(u32::try_from(value).unwrap().to_le_bytes());
    }
    out.extend([0, 0]);
    out
}

fn site_of(bytes: &[u8]) -> Site {
    site_with(bytes, |folder| folder)
}

fn site_with(bytes: &[u8], set: impl FnOnce(Folder) -> Folder) -> Site {
    let around = TempDir::new().unwrap();
    let path = around.path().join("site.zip");
    fs::write(&path, bytes).unwrap();
    let service = set(Folder::new(&path)).open_archive().unwrap();
    Site::start(around, service)
}

#[test]
fn files_of_both_methods_are_served() {
    let long = "many words ".repeat(50_000);
    let site = site_of(&zip(&[
        packed("index.html", "home"),
        packed("d/stored.txt", "0123456789"),
        deflated("d/long.txt", &long),
        deflated("d/none", ""),
    ]));
    assert_eq!(site.get("/").text(), "home");
    let stored = site.get("/d/stored.txt");
    assert_eq!((stored.text(), stored.field("Accept-Ranges")), ("0123456789", Some("bytes")));
    assert_eq!(stored.field("Last-Modified"), Some("Thu, 02 Jan 2020 03:04:04 GMT"));
    let part = site.get_with("/d/stored.txt", &[("Range", "bytes=2-4")]);
    assert_eq!((part.status, part.text()), (206, "234"));
    assert_eq!(part.field("Content-Range"), Some("bytes 2-4/10"));
    assert_eq!(site.get_with("/d/stored.txt", &[("Range", "bytes=10-")]).status, 416);
    let plain = site.get("/d/long.txt");
    assert!(plain.text() == long && plain.field("Accept-Ranges").is_none());
    assert_eq!(plain.field("Content-Length"), Some("550000"));
    let gzip = site.get_with("/d/long.txt", &[("Accept-Encoding", "br, gzip")]);
    assert_eq!((gzip.field("Content-Encoding"), gzip.body.len() < 5_000), (Some("gzip"), true));
    let mut unpacked = String::new();
    GzDecoder::new(gzip.body.as_slice()).read_to_string(&mut unpacked).unwrap();
    assert!(unpacked == long);
    assert_ne!(plain.field("ETag"), gzip.field("ETag"));
    let known = [("If-None-Match", plain.field("ETag").unwrap())];
    assert_eq!(site.get_with("/d/long.txt", &known).status, 304);
    assert_eq!(site.get_with("/d/long.txt", &[("If-Match", "\"x\"")]).status, 412);
    assert_eq!(site.get("/d/none").text(), "");
    for target in ["/d/long.txt", "/d/", "/d/stored.txt"] {
        let (get, head) = (site.get(target), site.send("HEAD", target, &[]));
        assert_eq!((head.fields(), head.body.len()), (get.fields(), 0), "{target}");
    }
    assert_eq!(site.send("PUT", "/d/stored.txt", &[]).status, 405);
}

/// Ranges of what is stored are those of a file on the disk.
#[test]
fn ranges_of_stored_files_are_those_of_files() {
    let text: String = (0..100_000).map(|number| format!("{number:06}\n")).collect();
    let zipped = site_of(&zip(&[packed("before", "before"), packed("a.txt", &text)]));
    let plain = Site::new(&[("a.txt", &text)]);
    plain.age("a.txt");
    let ask = |site: &Site, range: &str, if_range: Option<&str>| {
        let mut fields = vec![("Range", range)];
        fields.extend(if_range.map(|tag| ("If-Range", tag)));
        site.get_with("/a.txt", &fields)
    };
    for range in [
        "bytes=0-0,5-9",
        "bytes=-7,0-6",
        "bytes=0-350000,400000-699998",
        "bytes=699999-,0-1",
        "bytes=5-9,700000-",
        "bytes=0-9,5-14",
        "bytes=-0",
        "bytes=9-5",
        "bytes=0-1,3-4,6-7,9-10",
        "lines=1-2",
    ] {
        let (ours, files) = (ask(&zipped, range, None), ask(&plain, range, None));
        assert_eq!(ours.status, files.status, "{range}");
        assert_eq!(ours.field("Content-Range"), files.field("Content-Range"), "{range}");
        let is_multiple = |answer: &Answer| {
            let media_type = answer.field("Content-Type").unwrap_or_default();
            media_type.starts_with("multipart/byteranges")
        };
        assert_eq!(is_multiple(&ours), is_multiple(&files), "{range}");
        if is_multiple(&ours) {
            assert!(parts(&ours) == parts(&files), "{range}");
        } else if ours.status < 400 {
            assert!(ours.body == files.body, "{range}");
        }
    }
    let tag = zipped.get("/a.txt").field("ETag").unwrap().to_owned();
    assert_eq!(ask(&zipped, "bytes=0-1,9-9", Some(&tag)).status, 206);
    assert_eq!(ask(&zipped, "bytes=0-1,9-9", Some("\"other\"")).status, 200);
    let head = zipped.send("HEAD", "/a.txt", &[("Range", "bytes=0-1,9-9")]);
    assert_eq!((head.status, head.body.len()), (200, 0), "only GET has ranges");
}

#[test]
fn folders_are_listed_whether_they_are_in_the_zip_or_not() {
    let site =
        site_of(&zip(&[packed("a/b/c.txt", "c"), packed("a/empty/", ""), packed(".env", "x")]));
    assert_eq!(site.get("/a").field("Location"), Some("/a/"));
    let listing = site.get("/a/");
    assert!(listing.text().contains("./b/") && listing.text().contains("./empty/"));
    assert!(site.get("/a/empty/").text().contains("The folder is empty."));
    let json = site.get("/?format=json");
    assert!(json.text().contains("\"name\":\"a\"") && !json.text().contains(".env"));
    assert!(site.get("/a/?q=EMP").text().contains("1 entry found"));
    for target in ["/.env", "/a/b", "/none", "/a/b/c.txt/"] {
        assert_ne!(site.get(target).status, 200, "{target}");
    }
    let site =
        site_with(&zip(&[packed("app.html", "app"), packed("404.html", "oops")]), |folder| {
            let folder = folder.try_files(["{path}.html"]).not_found("404.html").listing(false);
            let name = http::HeaderName::from_static("x-of");
            folder.field_at("/x*", name.clone(), "x").field_at("app.html", name, "app")
        });
    assert_eq!(
        (site.get("/app").field("x-of"), site.get("/x").field("x-of")),
        (Some("app"), Some("x"))
    );
    assert_eq!((site.get("/app").text(), site.get("/x").text()), ("app", "oops"));
    assert_eq!(site.get("/x").status, 404);
}

#[test]
fn what_we_make_we_can_serve() {
    let long = "words and words ".repeat(10_000);
    let made = Site::with(&[("a.txt", "a"), ("d/\u{e9}.txt", "e")], |folder| folder.archives(true));
    made.write("d/long.txt", &long);
    let bytes = made.get("/?archive=zip").body;
    let site = site_of(&bytes);
    assert_eq!(site.get("/files/a.txt").text(), "a");
    assert_eq!(site.get("/files/d/%C3%A9.txt").text(), "e");
    assert!(site.get("/files/d/long.txt").text() == long);
}

#[test]
fn security_names_in_a_zip_lead_nowhere_else() {
    let site = site_of(&zip(&[
        packed("../up", "evil"),
        packed("/etc/passwd", "evil"),
        packed("a/../../b", "evil"),
        packed("a//b", "evil"),
        packed("./c", "evil"),
        Packed { name: b"nul\0", ..packed("", "evil") },
        Packed { flags: 1, ..packed("encrypted", "evil") },
        Packed { mode: 0o120_777, ..packed("link", "/etc/passwd") },
        packed("twice", "first"),
        packed("twice", "evil"),
        packed("file", "file"),
        packed("file/below", "evil"),
        packed("<script>&\".txt", "odd"),
    ]));
    for target in
        ["/up", "/../up", "/etc/passwd", "/b", "/a/b", "/c", "/encrypted", "/link", "/file/below"]
    {
        let answer = site.get(target);
        let shown = String::from_utf8_lossy(&answer.body);
        assert!(answer.status >= 400 && !shown.contains("evil"), "{target}: {}", answer.status);
    }
    assert_eq!((site.get("/twice").text(), site.get("/file").text()), ("first", "file"));
    assert_eq!(site.get("/%3Cscript%3E%26%22.txt").text(), "odd");
    assert!(!site.get("/").text().contains("<script>"));
}

/// Whatever byte is wrong: content that looks whole is the right one.
#[test]
fn security_a_damaged_zip_never_gives_wrong_content() {
    let content = "a heron at the water, a heron at the water";
    let good = zip(&[deflated("a.txt", content)]);
    let mut seen = [0; 3];
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x11;
        let around = TempDir::new().unwrap();
        let path = around.path().join("site.zip");
        fs::write(&path, &bad).unwrap();
        let Ok(service) = Folder::new(&path).open_archive() else {
            seen[0] += 1;
            continue;
        };
        let site = Site::start(around, service);
        let mut stream = site.connect();
        let asked = crate::site::request("GET", "/a.txt", &[]);
        stream.write_all(asked.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        let _reset = stream.read_to_end(&mut bytes);
        let answer = Answer::parse(&bytes);
        let length = answer.field("Content-Length").and_then(|text| text.parse::<usize>().ok());
        if answer.status == 200 && length == Some(answer.body.len()) {
            assert_eq!(answer.text(), content, "byte {at}");
            seen[1] += 1;
        } else {
            seen[2] += 1;
        }
    }
    assert!(seen.iter().all(|&count| count > 5), "refused, right, cut off: {seen:?}");
}

#[test]
fn what_is_no_zip_is_refused() {
    let good = zip(&[packed("a", "a")]);
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file");
    for bytes in [&b""[..], b"no zip", &good[..good.len() - 1], &good[10..]] {
        fs::write(&path, bytes).unwrap();
        let refused = Folder::new(&path).open_archive().err().unwrap();
        assert_eq!(refused.kind(), std::io::ErrorKind::InvalidData, "{refused}");
    }
    fs::write(&path, [&good[..good.len() - 2], &[9, 0], b"a comment"].concat()).unwrap();
    assert!(Folder::new(&path).open_archive().is_ok(), "a comment is allowed");
    assert!(Folder::new(folder.path()).open_archive().is_err());
    let changing = avocet_files::Changes::new().upload(true);
    let refused = Folder::new(&path).changes(changing).open_archive().err().unwrap();
    assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
}

#[test]
fn another_zip_in_its_place_is_served_soon() {
    let site = site_of(&zip(&[packed("a", "old")]));
    assert_eq!(site.get("/a").text(), "old");
    let next = site.around().join("next.zip");
    fs::write(&next, zip(&[packed("a", "newer")])).unwrap();
    fs::rename(&next, site.around().join("site.zip")).unwrap();
    let begin = std::time::Instant::now();
    while site.get("/a").text() != "newer" {
        assert!(begin.elapsed().as_secs() < 20, "the old one is served for ever");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

#[test]
fn sizes_and_places_of_eight_bytes_are_read() {
    let site = site_of(include_bytes!("../../../../fuzz/corpus/files_zip/large"));
    assert_eq!(site.get("/a").text(), "a");
}
