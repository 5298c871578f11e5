//! `avocet download` of files that only the server names.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use avocet_tests::program::program;
use avocet_tests::run::run_in;
use avocet_tests::scripted::{Scripted, response};

const FIELDS: &str = "ETag: \"v1\"\r\nContent-Disposition: attachment; filename=\"theirs.txt\"\r\n";

fn content() -> String {
    (0..1_500_000).map(|number| format!("{number:07}\n")).collect()
}

/// Where a request wants to begin.
fn start(request: &str) -> Option<usize> {
    let range = request.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(": bytes=")?;
        name.eq_ignore_ascii_case("range").then_some(value)
    })?;
    range.split('-').next()?.parse().ok()
}

fn serving(text: String) -> Scripted {
    Scripted::start(move |request| match start(request) {
        Some(at) => {
            let range = format!("Content-Range: bytes {at}-{}/{}\r\n", text.len() - 1, text.len());
            response("206 Partial Content", &format!("{FIELDS}{range}"), &text[at..])
        }
        None => response("200 OK", FIELDS, &text),
    })
}

/// What the journal in a folder says to be there.
fn noted(folder: &Path) -> Option<u64> {
    let journal = fs::read_dir(folder).ok()?.find_map(|entry| {
        let path = entry.ok()?.path();
        (path.extension()? == "journal").then_some(path)
    })?;
    let text = fs::read_to_string(journal).ok()?;
    let piece = text.lines().find_map(|line| line.strip_prefix("piece 0 "))?;
    piece.split(' ').next()?.parse().ok().filter(|noted| *noted > 0)
}

#[test]
fn killed_and_started_again_it_goes_on() {
    for path in ["/get?id=7", "/"] {
        let folder = tempfile::tempdir().unwrap();
        let server = serving(content());
        let url = server.url(path);
        let mut child = Command::new(program())
            .args(["download", "--limit-rate", "8M", &url])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while noted(folder.path()).is_none() && begun.elapsed() < Duration::from_secs(60) {
            thread::sleep(Duration::from_millis(5));
        }
        // SIGKILL: nothing can be put in order.
        child.kill().unwrap();
        child.wait().unwrap();
        let noted = noted(folder.path()).expect("a journal that tells of something");
        assert!(!folder.path().join("theirs.txt").exists());
        let ran = run_in(folder.path(), &["download", &url], "");
        assert_eq!(ran.status, 0, "{}", ran.err);
        let requests = server.requests();
        let resumed = requests.last().and_then(|request| start(request)).unwrap();
        assert_eq!(resumed as u64, noted, "{path}");
        assert!(fs::read_to_string(folder.path().join("theirs.txt")).unwrap() == content());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left over");
        let ran = run_in(folder.path(), &["download", &url], "");
        assert_eq!((ran.status, &*ran.out), (0, "File already downloaded!\n"), "{}", ran.err);
    }
}

#[test]
fn another_file_of_that_name_stays() {
    let folder = tempfile::tempdir().unwrap();
    let server = serving("theirs".to_owned());
    let file = folder.path().join("theirs.txt");
    fs::write(&file, "mine, and longer").unwrap();
    let ran = run_in(folder.path(), &["download", &server.url("/get")], "");
    assert_eq!((ran.status, ran.err.lines().count()), (23, 1), "{}", ran.err);
    assert!(ran.err.contains("theirs.txt"), "{}", ran.err);
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine, and longer");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let ran = run_in(folder.path(), &["download", "-o", "theirs.txt", &server.url("/get")], "");
    assert_eq!((ran.status, fs::read_to_string(&file).unwrap()), (0, "theirs".to_owned()));
}
