//! `avocet fetch`: lines of -H that are about the message, and what servers that do not play along
//! are made of.

use std::fs;

use avocet_tests::run::{fetch, run, run_in};
use avocet_tests::scripted::{Scripted, response};

/// The lines of a request's head.
fn head(request: &str) -> Vec<&str> {
    request.split("\r\n\r\n").next().unwrap_or_default().split("\r\n").collect()
}

#[test]
fn fields_that_the_connection_writes_are_understood() {
    let server = Scripted::start(|_| response("200 OK", "", ""));
    let url = server.url("/");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("f"), "data").unwrap();
    let sent = |call: &[&str]| {
        let ran = run_in(folder.path(), &[&["fetch"], call, &[&url]].concat(), "");
        assert_eq!(ran.status, 0, "{call:?}: {}", ran.err);
        server.requests().pop().unwrap()
    };
    assert!(head(&sent(&["-H", "Connection: close"])).contains(&"Connection: close"));
    assert!(!sent(&["-H", "Connection: keep-alive"]).contains("close"));
    for call in [["-T", "f"], ["-d", "data"]] {
        let request = sent(&[&["-H", "Transfer-Encoding: chunked"], &call[..]].concat());
        assert!(head(&request).contains(&"Transfer-Encoding: chunked"), "{request}");
        assert!(!request.contains("Content-Length"), "{request}");
    }
    assert!(head(&sent(&["-H", "content-length: 4", "-d", "data"])).contains(&"Content-Length: 4"));
    let expects = sent(&["-H", "Expect: 100-continue", "--expect100-timeout", "0.01", "-d", "x"]);
    assert!(head(&expects).contains(&"Expect: 100-continue"), "{expects}");
    let large = "x".repeat(2 << 20);
    fs::write(folder.path().join("large"), large).unwrap();
    let expects = sent(&["-T", "large", "-H", "Expect:"]);
    assert!(!head(&expects).iter().any(|line| line.starts_with("Expect")));
    let request = sent(&["-u", "me:x", "-r", "0-3", "-H", "X: 1", "-H", "Host: other"]);
    let names: Vec<&str> =
        head(&request)[1..].iter().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(names, ["Host", "Authorization", "Range", "User-Agent", "Accept", "X"]);
    for wrong in
        ["Connection: upgrade", "Content-Length: 5", "Transfer-Encoding: gzip", "Expect: x"]
    {
        let ran = fetch(&["-H", wrong, "-d", "data", &url]);
        assert_eq!((ran.status, ran.err.lines().count()), (2, 1), "{wrong}: {}", ran.err);
    }
}

#[test]
fn a_form_tells_its_boundary_also_by_another_type() {
    let server = Scripted::start(|_| response("200 OK", "", ""));
    let url = server.url("/");
    assert_eq!(fetch(&["-F", "a=1", "-H", "Content-Type: multipart/mixed", &url]).status, 0);
    let request = &server.requests()[0];
    let kind = head(request).iter().find_map(|line| {
        line.strip_prefix("Content-Type: multipart/mixed; boundary=").map(str::to_owned)
    });
    assert!(request.contains(&format!("\r\n\r\n--{}\r\n", kind.unwrap())), "{request}");
    let ran = fetch(&["-F", "a=1", "-H", "Content-Type: multipart/mixed; boundary=x", &url]);
    assert_eq!(ran.status, 2, "{}", ran.err);
}

/// A server that looks at no condition: whole files, with a date, whatever is asked for.
#[test]
fn conditions_hold_where_the_server_does_not_look_at_them() {
    let dated = "Last-Modified: Sat, 01 Jan 2022 00:00:00 GMT\r\n";
    let server = Scripted::start(move |_| response("200 OK", dated, "content"));
    let url = server.url("/");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("f");
    for (condition, comes) in [
        ("Fri, 01 Jan 2021 00:00:00 GMT", true),
        ("Sun, 01 Jan 2023 00:00:00 GMT", false),
        ("-Fri, 01 Jan 2021 00:00:00 GMT", false),
        ("-Sun, 01 Jan 2023 00:00:00 GMT", true),
    ] {
        let ran = run_in(folder.path(), &["fetch", "-z", condition, "-o", "f", &url], "");
        assert_eq!(ran.status, 0, "{}", ran.err);
        assert_eq!(file.exists(), comes, "{condition}");
        let _ = fs::remove_file(&file);
    }
    fs::write(&file, "content").unwrap();
    let ran = run_in(folder.path(), &["fetch", "-C", "-", "-o", "f", &url], "");
    assert_eq!((ran.status, &*ran.err), (0, ""), "all of it is there");
    fs::write(&file, "cont").unwrap();
    let ran = run_in(folder.path(), &["fetch", "-C", "-", "-o", "f", &url], "");
    assert_eq!(ran.status, 33);
    assert_eq!(ran.err, format!("avocet: {url}: the server does not go on at byte 4\n"));
    assert_eq!(fs::read_to_string(&file).unwrap(), "cont");
    fs::write(folder.path().join("tag"), "\"old\"\n").unwrap();
    run_in(folder.path(), &["fetch", "--etag-save", "tag", "-o", "f", &url], "");
    assert_eq!(fs::read_to_string(folder.path().join("tag")).unwrap(), "");
}

#[test]
fn who_wants_silence_has_it() {
    let ran = fetch(&["-s", "-k", "-b", "none", "http://127.0.0.1:1/"]);
    assert_eq!((ran.status, &*ran.err), (7, ""));
    let ran = fetch(&["-sS", "-k", "-b", "none", "http://127.0.0.1:1/"]);
    assert_eq!((ran.status, ran.err.lines().count()), (7, 1), "{}", ran.err);
    assert_eq!(fetch(&["-K", "/no/such/file", "http://127.0.0.1:1/"]).status, 26);
}

/// Who runs this as root would lose `/dev/null` if it were replaced.
#[test]
fn devices_take_what_they_are_given_and_stay() {
    let server = Scripted::start(|request| match request.contains("/fails") {
        true => b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc".to_vec(),
        false => response("200 OK", "Set-Cookie: a=1\r\n", "page"),
    });
    let null = "/dev/null";
    let call =
        ["-b", null, "-c", null, "-D", null, "--har", null, "--etag-save", null, "--hsts", null];
    let ran = fetch(&[&call[..], &[&server.url("/")]].concat());
    assert_eq!((ran.status, &*ran.out, &*ran.err), (0, "page", ""));
    let ran = fetch(&["--remove-on-error", "-o", null, &server.url("/fails")]);
    assert_eq!(ran.status, 18, "{}", ran.err);
    let ran = run(&["download", "-o", null, &server.url("/")]);
    assert_eq!((ran.status, &*ran.err), (23, "avocet: /dev/null: it is no regular file\n"));
    assert!(!fs::metadata(null).unwrap().is_file());
}

#[test]
fn heads_go_where_the_content_goes() {
    let folder = tempfile::tempdir().unwrap();
    let server = Scripted::start(|request| match request.split(' ').nth(1) {
        Some("/from") => response("302 Found", "Location: /to\r\n", "gone"),
        Some("/cut") => b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc".to_vec(),
        Some("/to") if request.starts_with("HEAD") => {
            b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n".to_vec()
        }
        Some("/to") => response("200 OK", "", "here"),
        _ => response("404 Not Found", "", "none"),
    });
    let inside = |call: &[&str]| run_in(folder.path(), &[&["fetch"], call].concat(), "");
    let url = |path: &str| server.url(path);
    let from = "HTTP/1.1 302 Found\r\nContent-Length: 4\r\nLocation: /to\r\n\r\n";
    let to = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n";
    let none = "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\n";
    for (call, status, expected) in [
        (&["-i", &url("/to")][..], 0, format!("{to}here")),
        (&["-i", "-L", &url("/from")], 0, format!("{from}{to}here")),
        (&["-I", &url("/to")], 0, to.to_owned()),
        (&["-i", "-f", &url("/none")], 22, none.to_owned()),
        (&["-i", &url("/cut")], 18, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc".to_owned()),
        (&["-i", "-L", "--max-redirs", "0", &url("/from")], 47, from.to_owned()),
    ] {
        let ran = inside(call);
        assert_eq!((ran.status, &ran.out), (status, &expected), "{call:?}: {}", ran.err);
        let ran = inside(&[&["-o", "f", "-w", "%{size_download}"], call].concat());
        assert_eq!(ran.status, status, "{}", ran.err);
        assert!(["0", "3", "4"].contains(&&*ran.out), "heads are no content: {}", ran.out);
        assert_eq!(fs::read_to_string(folder.path().join("f")).unwrap(), expected, "{call:?}");
    }
    // Each has its own, however many there are at once.
    let call = ["-Z", "-i", "-L", "-o", "#1", &url("/{from,to,none}")];
    assert_eq!(inside(&call).status, 0);
    for (name, expected) in [
        ("from", format!("{from}{to}here")),
        ("to", format!("{to}here")),
        ("none", format!("{none}none")),
    ] {
        assert_eq!(fs::read_to_string(folder.path().join(name)).unwrap(), expected);
    }
    assert_eq!(inside(&["-OJ", "-i", &url("/to")]).status, 2, "the name comes with the head");
}

#[test]
fn nothing_is_no_bound() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("w"), "%{http_code}\n\\n").unwrap();
    let server = Scripted::start(|_| response("200 OK", "", "page"));
    let none = ["-m", "0", "--connect-timeout", "0", "--limit-rate", "0", "-Y", "0"];
    let more = ["--max-filesize", "0", "-w", "@w", &server.url("/")];
    let ran = run_in(folder.path(), &[&["fetch"], &none[..], &more].concat(), "");
    assert_eq!((ran.status, &*ran.out), (0, "page200\n"), "{}", ran.err);
}

#[test]
fn heads_that_were_written_down_give_their_cookies() {
    let folder = tempfile::tempdir().unwrap();
    let cookies = "Set-Cookie: a=1; Path=/\r\nset-cookie: s=2; Secure\r\nSet-Cookie: n=3; Domain=other.org\r\n";
    let server = Scripted::start(move |_| response("200 OK", cookies, ""));
    let inside = |call: &[&str]| run_in(folder.path(), &[&["fetch"], call].concat(), "");
    let cookie = || {
        let request = server.requests().pop().unwrap();
        head(&request).iter().find_map(|line| line.strip_prefix("Cookie: ").map(str::to_owned))
    };
    assert_eq!(inside(&["-D", "heads", &server.url("/")]).status, 0);
    let ran = inside(&["-b", "heads", &server.url("/")]);
    assert_eq!((ran.status, &*ran.err), (0, ""));
    // What is for https does not come by http, and other.org has not said anything.
    assert_eq!(cookie().as_deref(), Some("a=1"));
    // They are the first host's alone.
    let other = server.url("/").replace("127.0.0.1", "localhost");
    assert_eq!(inside(&["-b", "heads", &server.url("/"), &other]).status, 0);
    assert_eq!(cookie(), None);
    fs::write(folder.path().join("none"), "no cookies\n").unwrap();
    let ran = inside(&["-b", "none", &server.url("/")]);
    assert_eq!((ran.status, ran.err.lines().count()), (2, 1), "{}", ran.err);
}
