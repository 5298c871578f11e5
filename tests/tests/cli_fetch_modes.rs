//! `avocet fetch`: dry runs, cookies shown, many at once, conditions, parts and times of files.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, SystemTime};

use avocet_tests::run::{fetch, run_in};
use avocet_tests::scripted::{Scripted, field, response};

#[test]
fn a_dry_run_prints_the_request_and_reaches_nobody() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("jar"), "h.invalid\tFALSE\t/\tFALSE\t0\tk\tv\n").unwrap();
    let server = Scripted::start(|_| response("200 OK", "", "answer"));
    let url = format!("http://h.invalid:{}/p?q#f", server.address.port());
    let rule = format!("h.invalid:{}:127.0.0.1", server.address.port());
    let call = ["fetch", "--dry-run", "--resolve", &rule, "-b", "jar", "-c", "new", "-D", "heads"];
    let more =
        ["-u", "me:secret", "-d", "a=1", "-o", "out", "-H", "X-Own: \u{9b}1", "--har", "har", &url];
    let ran = run_in(folder.path(), &[&call[..], &more].concat(), "");
    assert_eq!((ran.status, &*ran.err), (0, ""));
    let expected = format!(
        "POST /p?q HTTP/1.1\nHost: h.invalid:{}\nAuthorization: (kept back)\n\
         User-Agent: avocet/{}\nAccept: */*\n",
        server.address.port(),
        env!("CARGO_PKG_VERSION")
    );
    assert!(ran.out.starts_with(&expected), "{}", ran.out);
    for line in ["Cookie: k=v", "X-Own: \\u{9b}1", "(3 bytes of content)"] {
        assert!(ran.out.lines().any(|shown| shown == line), "{line}: {}", ran.out);
    }
    assert!(!ran.out.contains("secret") && !ran.out.contains("answer"), "{}", ran.out);
    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(files.len(), 1, "nothing was written: {files:?}");
    let ran = fetch(&["--dry-run", "-x", "proxy.invalid:1", "http://far.invalid/p"]);
    assert!(ran.out.starts_with("GET http://far.invalid/p HTTP/1.1\n"), "{}", ran.out);
    assert_eq!(ran.err, "* by the proxy proxy.invalid:1\n");
    assert_eq!(fetch(&["--dry-run", "https://far.invalid/"]).status, 0);
    assert!(server.requests().is_empty());
}

#[test]
fn cookies_are_shown_as_they_come_and_go() {
    let server = Scripted::start(|_| response("200 OK", "Set-Cookie: a=\u{9b}1; Path=/\r\n", ""));
    let folder = tempfile::tempdir().unwrap();
    let url = server.url("/");
    for expected in
        ["* cookie set: a=\\u{9b}1; Path=/\n", "* cookies sent: a=\\u{9b}1\n* cookie set: "]
    {
        let call = ["fetch", "--show-cookies", "-b", "jar", "-c", "jar", &url];
        let ran = run_in(folder.path(), &call, "");
        assert!(ran.status == 0 && ran.err.starts_with(expected), "{}", ran.err);
        let listed = run_in(folder.path(), &["cookies", "list", "jar"], "").out;
        assert!(listed.contains("127.0.0.1") && listed.contains('a'), "{listed}");
    }
}

/// All are asked for before any is answered; with a bound never more than that.
#[test]
fn many_come_at_once_and_no_more_than_are_allowed() {
    let met = Arc::new((Mutex::new(0), Condvar::new()));
    let server = Scripted::start(move |_| {
        let (count, all) = &*met;
        let mut count = count.lock().unwrap();
        *count += 1;
        all.notify_all();
        let patience = Duration::from_secs(20);
        let (count, _) = all.wait_timeout_while(count, patience, |count| *count < 6).unwrap();
        let seen = *count;
        response("200 OK", "", &format!("{}", seen >= 6))
    });
    let folder = tempfile::tempdir().unwrap();
    let urls: Vec<String> = (0..6).map(|number| server.url(&format!("/f{number}"))).collect();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let ran =
        run_in(folder.path(), &[&["fetch", "-Z", "--remote-name-all"], &urls[..]].concat(), "");
    assert_eq!((ran.status, &*ran.out), (0, ""), "{}", ran.err);
    for number in 0..6 {
        let text = fs::read_to_string(folder.path().join(format!("f{number}"))).unwrap();
        assert_eq!(text, "true");
    }
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = most.clone();
    let server = Scripted::start(move |_| {
        seen.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(30));
        now.fetch_sub(1, Ordering::SeqCst);
        response("200 OK", "", ".")
    });
    let urls: Vec<String> = (0..6).map(|number| server.url(&format!("/{number}"))).collect();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let ran = fetch(&[&["-Z", "--parallel-max", "2"], &urls[..]].concat());
    assert_eq!((ran.status, &*ran.out), (0, "......"), "{}", ran.err);
    assert!(most.load(Ordering::SeqCst) <= 2);
}

#[test]
fn entity_tags_are_kept_and_compared() {
    let server = Scripted::start(|request| match field(request, "if-none-match") {
        Some("\"one\"") => b"HTTP/1.1 304 Not Modified\r\nETag: \"one\"\r\n\r\n".to_vec(),
        _ => response("200 OK", "ETag: \"one\"\r\n", "page"),
    });
    let folder = tempfile::tempdir().unwrap();
    let call =
        ["fetch", "--etag-compare", "tag", "--etag-save", "tag", "-o", "f", &server.url("/")];
    assert_eq!(run_in(folder.path(), &call, "").status, 0);
    assert_eq!(fs::read_to_string(folder.path().join("tag")).unwrap(), "\"one\"\n");
    fs::write(folder.path().join("f"), "kept").unwrap();
    let ran = run_in(folder.path(), &[&call[..], &["-w", "%{http_code}"]].concat(), "");
    assert_eq!((ran.status, &*ran.out), (0, "304"));
    assert_eq!(fs::read_to_string(folder.path().join("tag")).unwrap(), "\"one\"\n");
    assert_eq!(fs::read_to_string(folder.path().join("f")).unwrap(), "kept");
}

#[test]
fn files_are_gone_on_with_and_get_their_times() {
    let server = Scripted::start(|request| {
        let date = "Last-Modified: Tue, 01 Jan 2019 00:00:00 GMT\r\n";
        match (field(request, "range"), field(request, "if-modified-since")) {
            (Some("bytes=4-"), _) => {
                let range = format!("{date}Content-Range: bytes 4-7/8\r\n");
                response("206 Partial Content", &range, "4567")
            }
            (Some(_), _) => response("200 OK", date, "01234567"),
            (_, Some("Tue, 01 Jan 2019 00:00:00 GMT")) => {
                b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec()
            }
            _ => response("200 OK", date, "01234567"),
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let (file, url) = (folder.path().join("f"), server.url("/f"));
    fs::write(&file, "0123").unwrap();
    let ran = run_in(folder.path(), &["fetch", "-C", "-", "-R", "-o", "f", &url], "");
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!(fs::read_to_string(&file).unwrap(), "01234567");
    let modified = fs::metadata(&file).unwrap().modified().unwrap();
    let seconds = modified.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    assert_eq!(seconds, 1_546_300_800);
    let ran = run_in(folder.path(), &["fetch", "-z", "f", "-w", "%{http_code}", &url], "");
    assert_eq!((ran.status, &*ran.out), (0, "304"), "{}", ran.err);
    // A server that does not go on is no reason to spoil what is there.
    fs::write(&file, "01").unwrap();
    let ran = run_in(folder.path(), &["fetch", "-C", "-", "-o", "f", &url], "");
    assert_eq!(ran.status, 33, "{}", ran.err);
    assert_eq!(fs::read_to_string(&file).unwrap(), "01");
}

#[test]
fn content_beyond_a_bound_is_refused() {
    let server = Scripted::start(|_| response("200 OK", "", &"x".repeat(3000)));
    let url = server.url("/");
    let ran = fetch(&["--max-filesize", "2k", "-o", "/dev/null", &url]);
    assert_eq!((ran.status, ran.err.lines().count()), (63, 1), "{}", ran.err);
    assert_eq!(fetch(&["--max-filesize", "3k", &url]).status, 0);
    assert_eq!(fetch(&["--max-filesize", "much", &url]).status, 2);
}
