//! `avocet check` against servers of every kind: recipe 6, does the page exist?

use std::fmt::Write;
use std::net::TcpListener;
use std::time::Duration;

use avocet_tests::program::Target;
use avocet_tests::run::{run, run_in};
use avocet_tests::scripted::{Scripted, response};

/// An address at which nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    format!("http://{}/", listener.local_addr().expect("an address"))
}

#[test]
fn recipe_6_a_page_exists_or_not() {
    let target = Target::start(&["echo", "--listen", "127.0.0.1:0"]);
    let url = format!("http://{}/", target.address);
    let ran = run(&["check", &url]);
    assert_eq!((ran.status, ran.out), (0, format!("Server: {url} status is OK\n")));
    assert_eq!(ran.err, "");
}

#[test]
fn recipe_6_six_statuses_are_good_and_the_reason_of_others_is_told() {
    let server = Scripted::start(|request| {
        let status = request.split(['/', ' ']).nth(2).unwrap_or_default();
        response(&format!("{status} Whatever"), "Location: /404\r\n", "")
    });
    for status in [200, 301, 302, 303, 307, 308] {
        let ran = run(&["check", &server.url(&format!("/{status}"))]);
        assert_eq!(ran.status, 0, "{status}: {}", ran.err);
    }
    for status in [204, 206, 304, 400, 401, 403, 404, 410, 500, 503] {
        let url = server.url(&format!("/{status}"));
        let ran = run(&["check", &url]);
        assert_eq!((ran.status, ran.out), (1, format!("Server: {url} status is NOT OK!\n")));
        assert!(ran.err.starts_with(&format!("avocet: {url}: status {status}")), "{}", ran.err);
    }
    let requests = server.requests();
    assert_eq!(requests.len(), 16, "one request each");
    assert!(requests.iter().all(|request| request.starts_with("HEAD /")), "{requests:?}");
}

#[test]
fn recipe_6_where_head_is_not_allowed_one_byte_is_asked_for() {
    for refusal in ["405 Method Not Allowed", "501 Not Implemented"] {
        for (answer, good) in [("206 Partial Content", true), ("200 OK", true), ("404 No", false)] {
            let server = Scripted::start(move |request| match request.starts_with("HEAD") {
                true => response(refusal, "", ""),
                // Content without end: a program that read it would not come back.
                false => format!("HTTP/1.1 {answer}\r\nContent-Length: 9999999\r\n\r\nx").into(),
            });
            let ran = run(&["check", &server.url("/p")]);
            assert_eq!(ran.status, i32::from(!good), "{answer}: {}", ran.err);
            let requests = server.requests();
            assert_eq!(requests.len(), 2);
            assert!(requests[1].starts_with("GET /p HTTP/1.1\r\n"), "{}", requests[1]);
            let range = requests[1].to_ascii_lowercase().contains("\r\nrange: bytes=0-0\r\n");
            assert!(range, "{}", requests[1]);
        }
    }
}

#[test]
fn recipe_6_refused_unknown_late_broken_and_malformed_are_not_ok() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let late = format!("http://{}/", silent.local_addr().expect("an address"));
    let broken = Scripted::start(|_| b"SMTP ready\r\n\r\n".to_vec());
    let urls = [
        nobody(),
        "http://no.such.host.invalid/".into(),
        late,
        broken.url("/"),
        "http://[/".into(),
    ];
    for url in urls {
        let begun = std::time::Instant::now();
        let ran = run(&["check", "--max-time", "2", &url]);
        assert_eq!((ran.status, ran.out), (1, format!("Server: {url} status is NOT OK!\n")));
        assert!(ran.err.starts_with(&format!("avocet: {url}: ")), "{}", ran.err);
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
        assert!(begun.elapsed() < Duration::from_secs(20), "{url}");
    }
}

#[test]
fn many_at_once_from_arguments_and_input_in_their_order() {
    let target = Target::start(&["echo", "--listen", "127.0.0.1:0"]);
    let (mut lines, mut expected) = (String::from("# pages\n\n"), String::new());
    let url = |number: u32| format!("http://{}/?{number}", target.address);
    for number in 0..300 {
        writeln!(lines, "{}", url(number)).expect("a string takes everything");
        writeln!(expected, "Server: {} status is OK", url(number)).expect("as above");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let ran = run_in(folder.path(), &["check", "--input", "-"], &lines);
    assert_eq!((ran.status, &ran.out, &*ran.err), (0, &expected, ""));
    std::fs::write(folder.path().join("list"), &lines).expect("a file");
    let ran = run_in(folder.path(), &["check", "--input", "list", &nobody()], "");
    assert_eq!(ran.status, 1);
    let (first, rest) = ran.out.split_once('\n').expect("lines");
    assert!(first.ends_with("NOT OK!"), "{first}");
    assert_eq!(rest, expected);
}

#[test]
fn json_has_one_object_per_line() {
    let server = Scripted::start(|_| response("404 Not Found", "", ""));
    let url = server.url("/x");
    let ran = run(&["check", "--format", "json", &url]);
    let answer: serde_json::Value = serde_json::from_str(ran.out.trim()).expect("JSON");
    assert_eq!(ran.status, 1);
    assert_eq!(answer["url"], *url);
    assert_eq!(answer["ok"], false);
    assert_eq!(answer["status"], 404);
    assert_eq!(answer["reason"], "status 404 Not Found");
}

#[test]
fn no_pages_and_no_file_are_usage() {
    assert_eq!(run(&["check"]).status, 2);
    let ran = run(&["check", "--input", "/no/such/list"]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.starts_with("avocet: cannot read /no/such/list: "), "{}", ran.err);
}
