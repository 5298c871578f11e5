//! Folders as zip and tar, read by the formats' own rules.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};

use flate2::{Crc, Decompress, FlushDecompress};

use crate::site::Site;

/// Names and contents; that of a folder is nothing.
type Entries = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

fn site(files: &[(&str, &str)]) -> Site {
    Site::with(files, |folder| folder.archives(true))
}

fn number(bytes: &[u8], at: usize, width: usize) -> usize {
    let digits = bytes[at..at + width].iter().rev();
    digits.fold(0, |value, &byte| value << 8 | usize::from(byte))
}

/// Reads a zip by its directory, and checks that all that is said twice is the same.
fn unzip(bytes: &[u8]) -> Entries {
    let end = bytes.len() - 22;
    assert_eq!(number(bytes, end, 4), 0x0605_4b50);
    let (count, mut at) = (number(bytes, end + 10, 2), number(bytes, end + 16, 4));
    assert_eq!(at + number(bytes, end + 12, 4), end, "the directory ends where its end begins");
    let mut entries = Entries::new();
    for _ in 0..count {
        assert_eq!(number(bytes, at, 4), 0x0201_4b50);
        let (crc, packed, len) =
            (number(bytes, at + 16, 4), number(bytes, at + 20, 4), number(bytes, at + 24, 4));
        let name_len = number(bytes, at + 28, 2);
        let name = &bytes[at + 46..at + 46 + name_len];
        let local = number(bytes, at + 42, 4);
        assert_eq!(bytes[local..local + 4], *b"PK\x03\x04");
        assert_eq!(bytes[local + 4..local + 14], bytes[at + 6..at + 16], "version to date");
        assert_eq!(bytes[local + 30..local + 30 + name_len], *name);
        let start = local + 30 + name_len + number(bytes, local + 28, 2);
        let is_folder = name.ends_with(b"/");
        if !is_folder {
            let behind = start + packed;
            assert_eq!(bytes[behind..behind + 4], *b"PK\x07\x08");
            let sums = [4, 8, 12].map(|place| number(bytes, behind + place, 4));
            assert_eq!(sums, [crc, packed, len]);
        }
        let content = (!is_folder).then(|| {
            let mut content = Vec::with_capacity(len + 1);
            let mut decompress = Decompress::new(false);
            let packed = &bytes[start..start + packed];
            decompress.decompress_vec(packed, &mut content, FlushDecompress::Finish).unwrap();
            let mut sum = Crc::new();
            sum.update(&content);
            assert_eq!((content.len(), sum.sum() as usize), (len, crc));
            content
        });
        assert!(entries.insert(name.to_vec(), content).is_none(), "each once");
        at += 46 + name_len + number(bytes, at + 30, 2);
    }
    assert_eq!(at, end);
    entries
}

fn untar(mut bytes: &[u8]) -> Entries {
    let mut entries = Entries::new();
    let mut path = None;
    while bytes[0] != 0 {
        let (block, rest) = bytes.split_at(512);
        let octal = |from: usize, to: usize| {
            let text = std::str::from_utf8(&block[from..to]).unwrap();
            usize::from_str_radix(text.trim_matches(['\0', ' ']), 8).unwrap()
        };
        let blanked = block.iter().enumerate();
        let sum = blanked.map(
            |(at, &byte)| {
                if (148..156).contains(&at) { 32 } else { usize::from(byte) }
            },
        );
        assert_eq!(octal(148, 156), sum.sum::<usize>());
        let size = octal(124, 136);
        let content = rest[..size].to_vec();
        bytes = &rest[size.div_ceil(512) * 512..];
        if block[156] == b'x' {
            let start = content.windows(5).position(|five| five == b"path=").unwrap() + 5;
            path = Some(content[start..content.len() - 1].to_vec());
            continue;
        }
        let name_end = block[..100].iter().position(|&byte| byte == 0).unwrap_or(100);
        let name = path.take().unwrap_or_else(|| block[..name_end].to_vec());
        let content = (block[156] == b'0').then_some(content);
        assert!(entries.insert(name, content).is_none(), "each once");
    }
    assert!(bytes.len() == 1024 && bytes.iter().all(|&byte| byte == 0), "two empty blocks");
    entries
}

fn both(site: &Site, folder: &str) -> [Entries; 2] {
    let zip = site.get(&format!("{folder}?archive=zip"));
    let tar = site.get(&format!("{folder}?archive=tar"));
    assert_eq!((zip.status, tar.status), (200, 200));
    [unzip(&zip.body), untar(&tar.body)]
}

#[test]
fn an_archive_has_all_that_is_served() {
    let noise: Vec<u8> =
        (0..100_000_u32).flat_map(|i| (i.wrapping_mul(2_654_435_761)).to_le_bytes()).collect();
    let site =
        site(&[("d/a.txt", "text"), ("d/none", ""), ("d/deep/er/b.txt", "b"), ("out.txt", "")]);
    site.write("d/text.txt", "many words ".repeat(50_000));
    site.write("d/noise.png", &noise);
    fs::create_dir(site.root().join("d/empty")).unwrap();
    let long = format!("d/{}/{}.txt", "x".repeat(120), "y\u{e9}".repeat(60));
    site.write(&long, "long");
    let mut expected: Entries = ["d/", "d/deep/", "d/deep/er/", "d/empty/", &long[..123]]
        .iter()
        .map(|folder| (folder.as_bytes().to_vec(), None))
        .collect();
    for (name, content) in [
        ("d/a.txt", b"text".to_vec()),
        ("d/none", Vec::new()),
        ("d/deep/er/b.txt", b"b".to_vec()),
        ("d/text.txt", "many words ".repeat(50_000).into_bytes()),
        ("d/noise.png", noise),
        (&long, b"long".to_vec()),
    ] {
        expected.insert(name.as_bytes().to_vec(), Some(content));
    }
    for entries in both(&site, "/d/") {
        assert!(entries == expected, "{:?}", entries.keys());
    }
    let zip = site.get("/d/?archive=zip");
    assert_eq!(zip.field("Content-Type"), Some("application/zip"));
    assert_eq!(zip.field("Content-Disposition"), Some("attachment; filename=\"d.zip\""));
    assert!(zip.body.len() < 450_000, "text is compressed");
    let tar = site.send("HEAD", "/?archive=tar", &[]);
    assert_eq!((tar.status, tar.body.len()), (200, 0));
    assert_eq!(tar.field("Content-Disposition"), Some("attachment; filename=\"files.tar\""));
}

#[test]
fn security_archives_hold_no_more_than_the_listing_shows() {
    let site = site(&[("a", "a"), (".env", "secret"), ("d/.git/config", "secret"), ("d/b", "b")]);
    fs::write(site.around().join("outside"), "secret").unwrap();
    fs::create_dir(site.around().join("out")).unwrap();
    fs::write(site.around().join("out/x"), "secret").unwrap();
    for (target, link) in [
        ("../outside", "leaving"),
        ("/etc/passwd", "absolute"),
        ("../out", "folder"),
        ("d", "inside"),
        (".", "circle"),
        ("a", "link"),
        (".env", "to-hidden"),
        ("nothing", "dangling"),
    ] {
        symlink(target, site.root().join(link)).unwrap();
    }
    let fifo = site.root().join("fifo");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    site.write(".avocet-upload-00", "half");
    for entries in both(&site, "/") {
        let names: Vec<String> =
            entries.keys().map(|name| name.escape_ascii().to_string()).collect();
        let expected =
            ["files/", "files/a", "files/d/", "files/d/b", "files/link", "files/to-hidden"];
        assert_eq!(names, expected);
    }
    for target in ["/d/.git/?archive=zip", "/folder/?archive=tar", "/../?archive=zip"] {
        assert!(matches!(site.get(target).status, 400 | 404), "{target}");
    }
}

#[test]
fn security_names_in_a_zip_cannot_climb() {
    let site = site(&[]);
    for name in [&b"x\\..\\..\\evil"[..], b"odd\xff\n"] {
        fs::write(site.root().join(std::ffi::OsStr::from_bytes(name)), "x").unwrap();
    }
    let zip = unzip(&site.get("/?archive=zip").body);
    let names: Vec<&[u8]> = zip.keys().map(Vec::as_slice).collect();
    assert_eq!(names, [&b"files/"[..], b"files/odd\xff\n", b"files/x_.._.._evil"]);
}

#[test]
fn rights_are_told_in_outline() {
    let site = site(&[("run", "x"), ("read", "x")]);
    let set = |name: &str, mode| {
        fs::set_permissions(site.root().join(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    set("run", 0o4777);
    set("read", 0o600);
    let tar = site.get("/?archive=tar").body;
    let mode = |name: &[u8]| {
        let block = tar.chunks(512).find(|block| block.starts_with(name)).unwrap();
        std::str::from_utf8(&block[100..107]).unwrap().to_owned()
    };
    assert_eq!([mode(b"files/run"), mode(b"files/read")], ["0000755", "0000644"]);
}

#[test]
fn archives_are_off_unless_asked_for() {
    let site = Site::new(&[("a", "")]);
    let page = site.get("/?archive=zip");
    assert_eq!(page.field("Content-Type"), Some("text/html; charset=utf-8"));
    assert!(!page.text().contains("archive="));
    let unlisted = Site::with(&[("a", "")], |folder| folder.archives(true).listing(false));
    assert_eq!(unlisted.get("/?archive=zip").status, 404, "it would tell what a listing tells");
    let site = self::site(&[("d/a", "")]);
    assert!(site.get("/").text().contains("href=\"?archive=zip\""));
    assert_eq!(site.get("/?archive=rar").status, 400);
    assert_eq!(site.get("/d?archive=zip").field("Location"), Some("/d/?archive=zip"));
}

#[test]
fn a_tar_of_a_file_that_shrinks_is_cut_off() {
    let site = site(&[]);
    let path = site.root().join("large");
    fs::File::create(&path).unwrap().set_len(64 << 20).unwrap();
    let mut stream = site.connect();
    let asked = crate::site::request("GET", "/?archive=tar", &[]);
    std::io::Write::write_all(&mut stream, asked.as_bytes()).unwrap();
    let mut start = [0; 4096];
    std::io::Read::read_exact(&mut stream, &mut start).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_len(1000).unwrap();
    let mut rest = Vec::new();
    // A reset is as good an end as any but the right one.
    let ended = std::io::Read::read_to_end(&mut stream, &mut rest);
    assert!(ended.is_err() || !rest.ends_with(b"0\r\n\r\n"), "the client can see that it is cut");
}
