//! Downloads against a server that gives ranges, forgets them, changes its file and hangs up.
#![cfg(feature = "download")]
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail like tests")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use avocet_client::{
    Checksum, ChecksumKind, Config, Download, DownloadError, Downloaded, Progress, Split,
};

/// What the server does, changed by the tests while it runs.
#[derive(Clone)]
struct Behaviour {
    content: Vec<u8>,
    tag: Option<String>,
    ranges: bool,
    /// Hangs up after so many bytes of content, so many times.
    cut: Option<usize>,
    cuts: usize,
    status: Option<&'static str>,
    fields: String,
    /// The Range fields that were asked.
    asked: Vec<String>,
    connections: usize,
}

struct Origin {
    address: String,
    behaviour: Arc<Mutex<Behaviour>>,
}

impl Origin {
    fn new(content: &[u8]) -> Self {
        let behaviour = Behaviour {
            content: content.to_vec(),
            tag: Some("\"one\"".into()),
            ranges: true,
            cut: None,
            cuts: 0,
            status: None,
            fields: String::new(),
            asked: Vec::new(),
            connections: 0,
        };
        let behaviour = Arc::new(Mutex::new(behaviour));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shared = behaviour.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = shared.clone();
                thread::spawn(move || serve(stream.unwrap(), &shared));
            }
        });
        Self { address, behaviour }
    }

    fn change(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.behaviour.lock().unwrap());
    }

    fn url(&self) -> url::Url {
        format!("http://{}/file.bin", self.address).parse().unwrap()
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.behaviour.lock().unwrap().asked)
    }
}

fn serve(stream: TcpStream, shared: &Mutex<Behaviour>) {
    shared.lock().unwrap().connections += 1;
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut stream = stream;
    loop {
        let (mut method, mut range, mut if_range) = (String::new(), None, None);
        loop {
            let Some(Ok(line)) = lines.next() else { return };
            if method.is_empty() {
                method = line.split(' ').next().unwrap_or_default().to_owned();
            } else if line.is_empty() {
                break;
            } else if let Some((name, value)) = line.split_once(": ") {
                match name.to_ascii_lowercase().as_str() {
                    "range" => range = Some(value.to_owned()),
                    "if-range" => if_range = Some(value.to_owned()),
                    _ => {}
                }
            }
        }
        let (head, body, cut) = {
            let mut behaviour = shared.lock().unwrap();
            answer(&mut behaviour, &method, range, if_range)
        };
        let body = if method == "HEAD" { &[] } else { &body[..cut.unwrap_or(body.len())] };
        if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).is_err()
            || cut.is_some()
        {
            return;
        }
    }
}

fn answer(
    behaviour: &mut Behaviour,
    method: &str,
    range: Option<String>,
    if_range: Option<String>,
) -> (String, Vec<u8>, Option<usize>) {
    let size = behaviour.content.len();
    let tag = behaviour.tag.clone().map(|tag| format!("ETag: {tag}\r\n")).unwrap_or_default();
    let fields = format!("{tag}{}", behaviour.fields);
    if let Some(status) = behaviour.status {
        return (format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"), Vec::new(), None);
    }
    if method == "GET" {
        behaviour.asked.push(range.clone().unwrap_or_else(|| "whole".into()));
    }
    let applies = behaviour.ranges && (if_range.is_none() || if_range == behaviour.tag);
    let (head, body) = match range.filter(|_| applies) {
        None => {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n{fields}\r\n");
            (head, behaviour.content.clone())
        }
        Some(range) => {
            let (first, last) = range.trim_start_matches("bytes=").split_once('-').unwrap();
            let first: usize = first.parse().unwrap();
            let last = last.parse().unwrap_or(size - 1).min(size - 1);
            if first >= size {
                let head = format!(
                    "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */{size}\r\n\
                     Content-Length: 0\r\n\r\n"
                );
                return (head, Vec::new(), None);
            }
            let len = last + 1 - first;
            let head = format!(
                "HTTP/1.1 206 Partial Content\r\nContent-Length: {len}\r\n\
                 Content-Range: bytes {first}-{last}/{size}\r\n{fields}\r\n"
            );
            (head, behaviour.content[first..=last].to_vec())
        }
    };
    let cut =
        behaviour.cut.filter(|cut| method == "GET" && behaviour.cuts > 0 && *cut < body.len());
    if cut.is_some() {
        behaviour.cuts -= 1;
    }
    (head, body, cut)
}

fn bytes(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        })
        .collect()
}

struct Place {
    _folder: tempfile::TempDir,
    file: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file.bin");
        Self { _folder: folder, file }
    }

    fn leftovers(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.file.parent().unwrap()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn download(origin: &Origin, file: &Path) -> Download {
    Download::new(origin.url()).file(file).first_pause(Duration::from_millis(1))
}

fn run(download: &Download) -> Result<Downloaded, DownloadError> {
    download.run(Config::default(), &mut |_| {})
}

#[test]
fn a_file_comes_whole_and_is_not_fetched_twice() {
    let origin = Origin::new(&bytes(300_000, 1));
    let place = Place::new();
    let done = run(&download(&origin, &place.file)).unwrap();
    assert_eq!((done.size, done.was_there, done.fetched), (300_000, false, 300_000));
    assert_eq!(std::fs::read(&place.file).unwrap(), bytes(300_000, 1));
    assert_eq!(place.leftovers(), ["file.bin"]);
    let again = run(&download(&origin, &place.file)).unwrap();
    assert!(again.was_there);
    assert_eq!(origin.asked(), ["whole"]);
}

#[test]
fn a_cut_download_goes_on_where_it_stood() {
    let origin = Origin::new(&bytes(300_000, 2));
    origin.change(|b| (b.cut, b.cuts) = (Some(100_000), 2));
    let place = Place::new();
    let done = run(&download(&origin, &place.file)).unwrap();
    assert_eq!(done.fetched, 300_000);
    assert_eq!(std::fs::read(&place.file).unwrap(), bytes(300_000, 2));
    assert_eq!(origin.asked(), ["whole", "bytes=100000-299999", "bytes=200000-299999"]);
}

#[test]
fn security_resume_never_joins_two_versions() {
    let origin = Origin::new(&bytes(300_000, 3));
    origin.change(|b| (b.cut, b.cuts) = (Some(100_000), 1));
    let place = Place::new();
    let once = download(&origin, &place.file).tries(1);
    assert!(matches!(run(&once), Err(DownloadError::Transfer(_))));
    assert_eq!(place.leftovers(), ["file.bin.part", "file.bin.part.journal"]);
    origin.change(|b| {
        b.content = bytes(250_000, 4);
        b.tag = Some("\"two\"".into());
    });
    let mut restarted = false;
    let done = download(&origin, &place.file)
        .run(Config::default(), &mut |p| restarted |= matches!(p, Progress::Restarted))
        .unwrap();
    assert!(restarted);
    assert_eq!(done.size, 250_000);
    assert_eq!(std::fs::read(&place.file).unwrap(), bytes(250_000, 4));
}

#[test]
fn without_a_strong_validator_it_starts_over() {
    let origin = Origin::new(&bytes(200_000, 5));
    origin.change(|b| {
        (b.cut, b.cuts) = (Some(100_000), 1);
        b.tag = Some("W/\"weak\"".into());
    });
    let place = Place::new();
    run(&download(&origin, &place.file)).unwrap();
    assert_eq!(std::fs::read(&place.file).unwrap(), bytes(200_000, 5));
    assert_eq!(origin.asked(), ["whole", "whole"]);
}

#[test]
fn a_server_without_ranges_gives_it_whole_and_never_doubled() {
    let origin = Origin::new(&bytes(200_000, 6));
    origin.change(|b| {
        (b.cut, b.cuts) = (Some(150_000), 1);
        b.ranges = false;
    });
    let place = Place::new();
    let done = run(&download(&origin, &place.file)).unwrap();
    assert_eq!(done.size, 200_000);
    assert_eq!(std::fs::read(&place.file).unwrap(), bytes(200_000, 6));
}

#[test]
fn a_server_without_ranges_that_looks_as_if_it_had_them_is_asked_for_the_whole() {
    let content = bytes(9 << 20, 16);
    let origin = Origin::new(&content);
    origin.change(|b| b.ranges = false);
    let place = Place::new();
    run(&download(&origin, &place.file).split(Split::Into(4))).unwrap();
    assert!(std::fs::read(&place.file).unwrap() == content);
    assert!(origin.asked().len() <= 5, "four pieces, and the whole");
    assert_eq!(place.leftovers(), ["file.bin"]);
}

#[test]
fn a_server_that_always_cuts_the_whole_at_the_same_place_is_given_up() {
    let origin = Origin::new(&bytes(200_000, 17));
    origin.change(|b| {
        (b.cut, b.cuts) = (Some(150_000), usize::MAX);
        b.ranges = false;
    });
    let place = Place::new();
    run(&download(&origin, &place.file).tries(3)).unwrap_err();
    assert_eq!(origin.asked().len(), 3);
}

#[test]
fn a_split_download_is_the_same_file_over_several_connections() {
    let content = bytes(9 << 20, 7);
    let origin = Origin::new(&content);
    let place = Place::new();
    let split = download(&origin, &place.file).split(Split::Into(4));
    run(&split).unwrap();
    assert!(std::fs::read(&place.file).unwrap() == content);
    let asked = origin.asked();
    assert_eq!(asked.len(), 4, "{asked:?}");
    assert_eq!(place.leftovers(), ["file.bin"]);
}

#[test]
fn a_split_download_that_is_cut_everywhere_ends_in_the_same_file() {
    let content = bytes(9 << 20, 8);
    let origin = Origin::new(&content);
    origin.change(|b| (b.cut, b.cuts) = (Some(700_000), 9));
    let place = Place::new();
    let split = download(&origin, &place.file).split(Split::Into(3)).tries(20);
    run(&split).unwrap();
    assert!(std::fs::read(&place.file).unwrap() == content);
}

#[test]
fn a_part_that_is_complete_needs_only_its_name() {
    let content = bytes(50_000, 9);
    let origin = Origin::new(&content);
    let place = Place::new();
    let part = place.file.with_extension("bin.part");
    std::fs::write(&part, &content).unwrap();
    let journal = "avocet download journal 1\nvalidator \"one\"\nsize 50000\n\
                   piece 0 50000 50000\nend\n";
    std::fs::write(place.file.with_extension("bin.part.journal"), journal).unwrap();
    let done = run(&download(&origin, &place.file)).unwrap();
    assert_eq!((done.size, done.fetched), (50_000, 0));
    assert_eq!(std::fs::read(&place.file).unwrap(), content);
}

#[test]
fn a_foreign_part_is_not_trusted() {
    let content = bytes(50_000, 10);
    let origin = Origin::new(&content);
    let place = Place::new();
    std::fs::write(place.file.with_extension("bin.part"), b"something else").unwrap();
    run(&download(&origin, &place.file)).unwrap();
    assert_eq!(std::fs::read(&place.file).unwrap(), content);
}

#[test]
fn the_next_mirror_comes_when_one_refuses_or_is_dead() {
    let content = bytes(50_000, 11);
    let (bad, good) = (Origin::new(b""), Origin::new(&content));
    bad.change(|b| b.status = Some("404 Not Found"));
    let place = Place::new();
    let dead = "http://127.0.0.1:1/file.bin".parse().unwrap();
    let mirrored = Download::new(dead)
        .mirror(bad.url())
        .mirror(good.url())
        .file(&place.file)
        .first_pause(Duration::from_millis(1));
    run(&mirrored).unwrap();
    assert_eq!(std::fs::read(&place.file).unwrap(), content);
}

#[test]
fn a_mirror_with_another_version_does_not_get_to_finish_the_part() {
    let (first, second) = (Origin::new(&bytes(300_000, 12)), Origin::new(&bytes(300_000, 13)));
    first.change(|b| (b.cut, b.cuts) = (Some(100_000), 100));
    second.change(|b| b.tag = Some("\"other\"".into()));
    let place = Place::new();
    let mirrored = download(&first, &place.file).mirror(second.url()).tries(1);
    run(&mirrored).unwrap();
    assert_eq!(std::fs::read(&place.file).unwrap(), bytes(300_000, 13));
}

#[test]
fn a_refusal_leaves_the_old_file_alone() {
    let origin = Origin::new(b"");
    origin.change(|b| b.status = Some("404 Not Found"));
    let place = Place::new();
    std::fs::write(&place.file, "old").unwrap();
    let error = run(&download(&origin, &place.file)).unwrap_err();
    assert!(matches!(error, DownloadError::Status { status: 404, .. }), "{error}");
    assert_eq!(std::fs::read(&place.file).unwrap(), b"old");
    assert_eq!(place.leftovers(), ["file.bin"]);
}

#[test]
fn what_the_checksum_does_not_say_is_thrown_away() {
    let content = bytes(50_000, 14);
    let origin = Origin::new(&content);
    let place = Place::new();
    let wrong = Checksum::from_hex(ChecksumKind::Sha256, &"00".repeat(32)).unwrap();
    let error = run(&download(&origin, &place.file).checksum(wrong)).unwrap_err();
    assert!(matches!(error, DownloadError::Checksum { .. }), "{error}");
    assert!(place.leftovers().is_empty());
    origin.change(|b| b.fields = format!("Repr-Digest: sha-256=:{}=:\r\n", "A".repeat(43)));
    let error = run(&download(&origin, &place.file)).unwrap_err();
    assert!(matches!(error, DownloadError::Checksum { .. }), "{error}");
}

#[test]
fn the_name_may_be_the_servers_but_never_leaves_the_folder() {
    let origin = Origin::new(b"content");
    origin.change(|b| {
        b.fields = "Content-Disposition: attachment; filename=\"../../.evil\"\r\n".into();
    });
    let place = Place::new();
    let folder = place.file.parent().unwrap();
    let done = run(&Download::new(origin.url()).folder(folder)).unwrap();
    assert_eq!(done.path, folder.join("evil"));
    assert_eq!(place.leftovers(), ["evil"]);
}

const NAMED: &str = "Content-Disposition: attachment; filename=\"theirs.bin\"\r\n";

#[test]
fn what_the_server_names_is_found_by_the_next_run() {
    for path in ["get?id=1", "", "?id=1"] {
        let content = bytes(300_000, 15);
        let origin = Origin::new(&content);
        origin.change(|b| {
            (b.cut, b.cuts, b.fields) = (Some(100_000), 1, NAMED.into());
        });
        let place = Place::new();
        let folder = place.file.parent().unwrap();
        let url = origin.url().join(&format!("/{path}")).unwrap();
        let once = Download::new(url).folder(folder).tries(1);
        assert!(matches!(run(&once), Err(DownloadError::Transfer(_))));
        assert!(!folder.join("theirs.bin").exists());
        let mut begun = None;
        let done = once.run(Config::default(), &mut |progress| {
            if let Progress::Begun { path, resumed, .. } = progress {
                begun = Some((path, resumed));
            }
        });
        assert_eq!((done.unwrap().fetched, begun.unwrap().1), (200_000, 100_000), "{path}");
        assert_eq!(std::fs::read(folder.join("theirs.bin")).unwrap(), content);
        assert_eq!(place.leftovers(), ["theirs.bin"]);
        assert_eq!(origin.asked(), ["whole", "bytes=100000-299999"]);
        let again = run(&once).unwrap();
        assert!(again.was_there && again.path == folder.join("theirs.bin"), "{path}");
        assert_eq!(std::fs::read(folder.join("theirs.bin")).unwrap(), content);
    }
}

#[test]
fn a_name_of_the_servers_replaces_no_other_file() {
    let origin = Origin::new(b"content");
    origin.change(|b| b.fields = NAMED.into());
    let place = Place::new();
    let folder = place.file.parent().unwrap();
    std::fs::write(folder.join("theirs.bin"), "mine").unwrap();
    let named = Download::new(origin.url()).folder(folder);
    let error = run(&named).unwrap_err();
    assert!(matches!(error, DownloadError::File { .. }), "{error}");
    assert_eq!(std::fs::read(folder.join("theirs.bin")).unwrap(), b"mine");
    assert_eq!(place.leftovers(), ["theirs.bin"]);
    assert_eq!(run(&named.sync(true)).unwrap().size, 7);
    assert_eq!(std::fs::read(folder.join("theirs.bin")).unwrap(), b"content");
}

/// As root a download to `/dev/null` would leave the system without it.
#[test]
fn what_is_no_regular_file_is_not_replaced() {
    let origin = Origin::new(b"content");
    let place = Place::new();
    let socket = place.file.with_file_name("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let link = place.file.with_file_name("link");
    std::os::unix::fs::symlink("socket", &link).unwrap();
    for file in [&socket, &link, &place.file.parent().unwrap().to_owned()] {
        let error = run(&download(&origin, file)).unwrap_err();
        assert!(error.to_string().contains("no regular file"), "{error}");
    }
    assert_eq!(place.leftovers(), ["link", "socket"]);
    assert!(origin.asked().is_empty());
}

/// Two URLs may have their last part, their size and their tags in common.
#[test]
fn security_resume_is_for_the_url_that_the_part_is_of() {
    let (first, second) = (bytes(300_000, 16), bytes(300_000, 17));
    let origin = Origin::new(&first);
    origin.change(|b| (b.cut, b.cuts) = (Some(100_000), 2));
    let place = Place::new();
    let folder = place.file.parent().unwrap();
    let of = |query: &str| {
        let url = origin.url().join(query).unwrap();
        Download::new(url).folder(folder).tries(1)
    };
    assert!(run(&of("?id=1")).is_err());
    origin.change(|b| b.content = second.clone());
    assert!(run(&of("?id=2")).is_err());
    origin.change(|b| b.content = first.clone());
    assert_eq!(run(&of("?id=1")).unwrap().fetched, 200_000);
    assert_eq!(std::fs::read(&place.file).unwrap(), first);
    std::fs::remove_file(&place.file).unwrap();
    origin.change(|b| b.content = second.clone());
    assert_eq!(run(&of("?id=2")).unwrap().fetched, 200_000);
    assert_eq!(std::fs::read(&place.file).unwrap(), second);
    assert_eq!(place.leftovers(), ["file.bin"]);
}

/// A question about the file that would save the download must not hold it up.
#[test]
fn a_server_that_leads_about_is_asked_for_the_file_itself() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let questions = Arc::new(Mutex::new(0));
    let asked = questions.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, asked) = (stream.unwrap(), asked.clone());
            thread::spawn(move || {
                let mut line = String::new();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                reader.read_line(&mut line).unwrap();
                let answer = if line.starts_with("HEAD") {
                    *asked.lock().unwrap() += 1;
                    thread::sleep(Duration::from_millis(300));
                    "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n"
                } else {
                    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
                };
                let whole = format!("{answer}Connection: close\r\n\r\n");
                // A client that has given up is what is wanted.
                let _ = stream.write_all(whole.as_bytes());
            });
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("f");
    std::fs::write(&file, "old").unwrap();
    let mut config = Config::default();
    let quarter = Duration::from_millis(250);
    (config.timeouts.connect, config.timeouts.tls) = (quarter, quarter);
    config.timeouts.head = 2 * quarter;
    let url = format!("http://{address}/").parse().unwrap();
    let done = Download::new(url).file(&file).run(config, &mut |_| {}).unwrap();
    assert_eq!((done.size, done.was_there), (0, false));
    let questions = *questions.lock().unwrap();
    assert!((1..=5).contains(&questions), "{questions} of at most ten");
}
