//! `avocet download`, recipe 9: resume and fail over.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use avocet_tests::program::{Target, program};
use avocet_tests::run::{Ran, run_in};
use avocet_tests::scripted::{Scripted, response};

fn download(folder: &Path, arguments: &[&str]) -> Ran {
    run_in(folder, &[&["download"], arguments].concat(), "")
}

fn content() -> String {
    (0..20_000).map(|number| format!("{number:07}\n")).collect()
}

/// Where a request wants to begin, with If-Range of the tag.
fn start(request: &str, tag: &str) -> Option<usize> {
    let value = |wanted: &str| {
        let mut fields = request.lines().filter_map(|line| line.split_once(": "));
        fields.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
    };
    let range = value("range")?.strip_prefix("bytes=")?;
    (value("if-range") == Some(tag)).then(|| range.split('-').next()?.parse().ok())?
}

/// A server of one file with a tag, which cuts its first answers off in the middle.
fn cutting(text: String, cuts: u32) -> Scripted {
    let served = AtomicU32::new(0);
    Scripted::start(move |request| {
        let fields = "ETag: \"v1\"\r\n";
        if request.starts_with("HEAD") {
            let length = text.len();
            return format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n{fields}\r\n").into();
        }
        let mut answer = match start(request, "\"v1\"") {
            Some(at) => {
                let range =
                    format!("Content-Range: bytes {at}-{}/{}\r\n", text.len() - 1, text.len());
                response("206 Partial Content", &format!("{fields}{range}"), &text[at..])
            }
            None => response("200 OK", fields, &text),
        };
        if served.fetch_add(1, Ordering::Relaxed) < cuts {
            answer.truncate(answer.len() - answer.len() / 3);
        }
        answer
    })
}

#[test]
fn recipe_9_a_file_is_downloaded_once() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(from.path().join("f.txt"), content()).unwrap();
    let folder = from.path().to_str().unwrap();
    let target = Target::start(&["serve", folder, "--listen", "127.0.0.1:0"]);
    let url = format!("http://{}/f.txt", target.address);
    let ran = download(to.path(), &[&url]);
    assert_eq!((ran.status, &*ran.err), (0, ""));
    let file = to.path().join("f.txt");
    assert_eq!(fs::read_to_string(&file).unwrap(), content());
    let modified = fs::metadata(&file).unwrap().modified().unwrap();
    let ran = download(to.path(), &[&url]);
    assert_eq!((ran.status, &*ran.out), (0, "File already downloaded!\n"));
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), modified);
    assert_eq!(fs::read_dir(to.path()).unwrap().count(), 1, "no part and no journal is left");

    // A longer one takes its place.
    fs::write(from.path().join("f.txt"), content() + "more").unwrap();
    let ran = download(to.path(), &["--split", "3", &url]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!(fs::read_to_string(&file).unwrap(), content() + "more");
}

#[test]
fn recipe_9_cut_twice_and_whole() {
    let folder = tempfile::tempdir().unwrap();
    let server = cutting(content(), 2);
    let ran = download(folder.path(), &["-o", "f", &server.url("/x")]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!(fs::read_to_string(folder.path().join("f")).unwrap(), content());
    assert_eq!(ran.err.matches("; trying again in ").count(), 2, "{}", ran.err);
    let requests = server.requests();
    assert!(requests.len() >= 3 && start(&requests[requests.len() - 1], "\"v1\"").is_some());
}

#[test]
fn recipe_9_a_run_goes_on_where_the_one_before_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let server = cutting(content(), 1);
    let call = ["--tries", "1", "-o", "f", &server.url("/x")];
    let ran = download(folder.path(), &call);
    assert!([18, 52, 56].contains(&ran.status), "{}: {}", ran.status, ran.err);
    assert!(!folder.path().join("f").exists(), "a part is not taken for the whole");
    let part = fs::read(folder.path().join("f.part")).unwrap();
    assert!(!part.is_empty());
    let ran = download(folder.path(), &call);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!(fs::read_to_string(folder.path().join("f")).unwrap(), content());
    let requests = server.requests();
    let resumed = requests.last().and_then(|request| start(request, "\"v1\""));
    assert_eq!(resumed, Some(part.len()));
}

#[test]
fn recipe_9_without_ranges_the_whole_comes_and_is_never_doubled() {
    let folder = tempfile::tempdir().unwrap();
    let served = AtomicU32::new(0);
    let server = Scripted::start(move |_| {
        let mut answer = response("200 OK", "", &content());
        if served.fetch_add(1, Ordering::Relaxed) == 0 {
            answer.truncate(answer.len() / 2);
        }
        answer
    });
    let ran = download(folder.path(), &["-o", "f", &server.url("/x")]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!(fs::read_to_string(folder.path().join("f")).unwrap(), content());
}

#[test]
fn recipe_9_not_found_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("f"), "old").unwrap();
    let server = Scripted::start(|_| response("404 Not Found", "", "no such page"));
    let url = server.url("/f");
    let ran = download(folder.path(), &[&url]);
    assert_eq!((ran.status, &*ran.out), (22, ""));
    assert_eq!(ran.err, format!("avocet: {url}: status 404\n"));
    assert_eq!(fs::read_to_string(folder.path().join("f")).unwrap(), "old");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn recipe_9_the_next_mirror_after_refusal_and_not_found() {
    let folder = tempfile::tempdir().unwrap();
    let refusing = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/f", listener.local_addr().unwrap())
    };
    let missing = Scripted::start(|_| response("404 Not Found", "", ""));
    let good = cutting(content(), 0);
    let urls = [refusing, missing.url("/f"), good.url("/f")];
    let ran = download(folder.path(), &["--mirrors", &urls[0], &urls[1], &urls[2]]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!(fs::read_to_string(folder.path().join("f")).unwrap(), content());
    fs::remove_file(folder.path().join("f")).unwrap();
    let call = [&*urls[0], "--mirror", &urls[1], "--mirror", &urls[2]];
    assert_eq!(download(folder.path(), &call).status, 0);
    assert_eq!(fs::read_to_string(folder.path().join("f")).unwrap(), content());
    assert_eq!(download(folder.path(), &[&urls[0], "-o", "g"]).status, 7);
}

#[test]
fn checksums_are_checked_one_by_one_and_from_a_list() {
    let folder = tempfile::tempdir().unwrap();
    let server = Scripted::start(|_| response("200 OK", "", "{\"hello\": \"world\"}\n"));
    // The digest of that content in appendix B of RFC 9530.
    let good = "sha-256=RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=";
    let bad = format!("sha-256={}", "0".repeat(64));
    let (a, b) = (server.url("/a"), server.url("/b"));
    let ran = download(folder.path(), &["--checksum", &bad, &a]);
    assert_eq!(ran.status, 1, "{}", ran.err);
    assert!(ran.err.contains("checksum") && !folder.path().join("a").exists(), "{}", ran.err);
    assert_eq!(download(folder.path(), &["--checksum", good, &a]).status, 0);
    let hex = "44aff4ab2d7c3250525675a08f0cfa9591168cffe51791c5f5bbc417c15a6c38";
    fs::write(folder.path().join("SUMS"), format!("{hex}  a\n{hex} *dir/b\n")).unwrap();
    let ran = download(folder.path(), &["--checksum", "SUMS", &a, &b]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(folder.path().join("b").exists());
    let ran = download(folder.path(), &["--checksum", "SUMS", &server.url("/c")]);
    assert_eq!((ran.status, &*ran.err), (2, "avocet: SUMS does not name c\n"));
}

#[test]
fn several_files_from_a_list_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let server = Scripted::start(|request| {
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        match path.as_str() {
            "/f7" => response("410 Gone", "", ""),
            _ => response("200 OK", "", &path),
        }
    });
    let list: String = (0..12).map(|number| server.url(&format!("/f{number}\n"))).collect();
    let arguments = ["download", "--dir", "in/here", "--parallel", "3", "--input", "-"];
    let ran = run_in(folder.path(), &arguments, &list);
    assert_eq!(ran.status, 22, "{}", ran.err);
    assert_eq!(ran.err, format!("avocet: {}: status 410\n", server.url("/f7")));
    assert_eq!(ran.out.lines().count(), 11, "{}", ran.out);
    for number in (0..12).filter(|number| *number != 7) {
        let file = folder.path().join(format!("in/here/f{number}"));
        assert_eq!(fs::read_to_string(file).unwrap(), format!("/f{number}"));
    }
}

#[test]
fn names_of_servers_are_made_safe_and_what_cannot_be_meant_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("in");
    let field = "Content-Disposition: attachment; filename=\"../../etc/evil.txt\"\r\n";
    let server = Scripted::start(move |_| response("200 OK", field, "x"));
    let ran = download(folder.path(), &["--dir", "in", &server.url("/f")]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    let names: Vec<_> = fs::read_dir(&inner).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["evil.txt"]);
    let (f, g) = (server.url("/f"), server.url("/d/f"));
    for (call, status) in [
        (vec!["-o", "x", &f, &g], 2),
        (vec![&*f, &g], 2),
        (vec!["http://[/"], 3),
        (vec!["ftp://h/f"], 3),
        (vec!["--split", "17", &f], 2),
        (vec!["--limit-rate", "fast", &f], 2),
        (vec!["--checksum", "sha-256=12", &f], 2),
        (vec![], 2),
    ] {
        let ran = download(folder.path(), &call);
        assert_eq!(ran.status, status, "{call:?}: {}", ran.err);
    }
    fs::create_dir(folder.path().join("taken.part")).unwrap();
    let ran = download(folder.path(), &["-o", "taken", &f]);
    assert_eq!(ran.status, 23, "{}", ran.err);
    assert!(ran.err.starts_with("avocet: ") && ran.err.contains("taken.part"), "{}", ran.err);
}

#[test]
fn recipe_9_killed_at_any_moment_and_whole_in_the_end() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let text: String = content().repeat(200);
    fs::write(from.path().join("f"), &text).unwrap();
    let folder = from.path().to_str().unwrap();
    let target = Target::start(&["serve", folder, "--listen", "127.0.0.1:0"]);
    let url = format!("http://{}/f", target.address);
    for split in ["1", "3"] {
        for round in 0..12_u64 {
            let mut child = Command::new(program())
                .args(["download", "--limit-rate", "200M", "--split", split, &url])
                .current_dir(to.path())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            // The moment is what is tried out; nothing depends on how far the program has come.
            thread::sleep(Duration::from_millis(5 + 9 * round));
            child.kill().unwrap();
            child.wait().unwrap();
            let file = to.path().join("f");
            assert!(!file.exists() || fs::read_to_string(&file).unwrap() == text, "{round}");
        }
        let ran = download(to.path(), &["--split", split, &url]);
        assert_eq!(ran.status, 0, "{}", ran.err);
        assert!(fs::read_to_string(to.path().join("f")).unwrap() == text);
        assert_eq!(fs::read_dir(to.path()).unwrap().count(), 1, "nothing is left over");
        fs::remove_file(to.path().join("f")).unwrap();
    }
}

#[test]
fn only_what_has_changed_comes_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("f");
    let server = Scripted::start(|request| {
        let fields = match request.split(' ').nth(1) {
            Some("/f") => "Last-Modified: Tue, 01 Jan 2019 00:00:00 GMT\r\n",
            _ => "",
        };
        let length = "Content-Length: 3\r\n";
        match request.starts_with("HEAD") {
            true => format!("HTTP/1.1 200 OK\r\n{length}{fields}\r\n").into_bytes(),
            false => response("200 OK", fields, "new"),
        }
    });
    let gets = || server.requests().iter().filter(|request| request.starts_with("GET")).count();
    let (dated, undated) = (server.url("/f"), server.url("/g"));
    assert_eq!(download(folder.path(), &["--sync", &dated]).status, 0);
    let ran = download(folder.path(), &["--sync", &dated]);
    assert_eq!((&*ran.out, gets()), ("File already downloaded!\n", 1));
    // Somebody else has written it since: of the right size, and newer.
    fs::write(&file, "own").unwrap();
    assert_eq!(download(folder.path(), &[&dated]).out, "File already downloaded!\n");
    assert_eq!(download(folder.path(), &["--sync", &dated]).status, 0);
    assert_eq!((&*fs::read_to_string(&file).unwrap(), gets()), ("new", 2));
    for expected in [3, 4] {
        assert_eq!(download(folder.path(), &["--sync", &undated]).status, 0);
        assert_eq!(gets(), expected, "without a date nobody knows");
    }
}

#[test]
fn two_processes_never_write_one_part() {
    let folder = tempfile::tempdir().unwrap();
    let text = "0123456789".repeat(200_000);
    let server = Scripted::start(move |request| match request.starts_with("HEAD") {
        true => response("405 Method Not Allowed", "", ""),
        false => response("200 OK", "ETag: \"e\"\r\n", &text),
    });
    let url = server.url("/f");
    let mut first = Command::new(program())
        .args(["download", "--limit-rate", "100k", &url])
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let part = folder.path().join("f.part");
    while fs::metadata(&part).map_or(0, |metadata| metadata.len()) == 0 {
        assert_eq!(first.try_wait().unwrap(), None);
        thread::sleep(Duration::from_millis(10));
    }
    let ran = download(folder.path(), &["--tries", "1", &url]);
    assert_eq!((ran.status, ran.err.lines().count()), (23, 1), "{}", ran.err);
    let named = format!("f.part: process {} is downloading to it", first.id());
    let unnamed = "f.part: another process is downloading to it";
    assert!(ran.err.contains(&named) || ran.err.contains(unnamed), "{}", ran.err);
    // Killed, it leaves no lock behind.
    first.kill().unwrap();
    first.wait().unwrap();
    let ran = download(folder.path(), &[&url]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!(fs::metadata(folder.path().join("f")).unwrap().len(), 2_000_000);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_full_disk_is_told_and_nothing_is_taken_for_whole() {
    let folder = tempfile::tempdir().unwrap();
    let text = "0123456789".repeat(200_000);
    let server = Scripted::start(move |_| response("200 OK", "ETag: \"e\"\r\n", &text));
    let (url, file) = (server.url("/f"), folder.path().join("f"));
    fs::write(&file, "old").unwrap();
    // A limit on the size of files fails like a disk that is full; the signal would end the program.
    for (call, kept) in [(&["download", &url][..], "old"), (&["fetch", "-o", "g", &url], "old")] {
        let output = Command::new("sh")
            .args(["-c", "trap '' XFSZ; ulimit -f 1000; exec \"$@\"", "sh"])
            .arg(program())
            .args(call)
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(23), "{said}");
        assert!(said.starts_with("avocet: ") && said.lines().count() == 1, "{said}");
        assert!(said.contains("File too large"), "{said}");
        assert_eq!(fs::read_to_string(&file).unwrap(), kept);
    }
    // With room it goes on where it stopped.
    let ran = download(folder.path(), &[&url]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!(fs::metadata(&file).unwrap().len(), 2_000_000);
    assert!(!folder.path().join("f.part").exists());
}
