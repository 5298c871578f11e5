//! `avocet fetch`: curl's letters as curl means them, where that takes more than a field.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::thread;

use avocet_tests::program::program;
use avocet_tests::run::{fetch, run_in};
use avocet_tests::scripted::{Scripted, field, response};
use serde_json::Value;

/// Asks for a login by this challenge and lets any in.
fn closed(challenge: &'static str) -> Scripted {
    Scripted::start(move |request| match field(request, "authorization") {
        Some(_) => response("200 OK", "", "in"),
        None => {
            response("401 Unauthorized", &format!("WWW-Authenticate: {challenge}\r\n"), "closed")
        }
    })
}

const DIGEST: &str = "Digest realm=\"r\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256";

#[test]
fn digest_never_shows_the_password() {
    let server = closed(DIGEST);
    let url = server.url("/page?q=1");
    let in_url = url.replace("http://", "http://me:secret@");
    for call in [
        &["--digest", "-u", "me:secret", &url][..],
        &["--digest", &in_url],
        &["--anyauth", "-u", "me:secret", &url],
    ] {
        let ran = fetch(call);
        assert_eq!((ran.status, &*ran.out), (0, "in"), "{call:?}: {}", ran.err);
    }
    let requests = server.requests();
    assert_eq!(requests.len(), 6);
    for pair in requests.chunks(2) {
        assert_eq!(field(&pair[0], "authorization"), None);
        let value = field(&pair[1], "authorization").unwrap();
        assert!(value.starts_with("Digest ") && value.contains("algorithm=SHA-256"), "{value}");
        assert!(value.contains("uri=\"/page?q=1\"") && !value.contains("secret"), "{value}");
    }
    // A server that asks for Basic does not get the password by it.
    let basic = closed("Basic realm=\"r\"");
    let ran = fetch(&["--digest", "-u", "me:secret", &basic.url("/")]);
    assert_eq!((ran.status, &*ran.out), (0, "closed"));
    assert_eq!(fetch(&["--anyauth", "-u", "me:secret", &basic.url("/")]).out, "in");
    let requests = basic.requests();
    assert_eq!(requests.iter().filter(|r| field(r, "authorization").is_some()).count(), 1);
}

#[test]
fn netrc_gives_passwords_to_their_hosts_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".netrc");
    fs::write(&path, "machine 127.0.0.1 login me password secret\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let there = Scripted::start(|_| response("200 OK", "", "there"));
    let to = there.url("/").replace("127.0.0.1", "localhost");
    let server = Scripted::start(move |request| match request.split(' ').nth(1) {
        Some("/away") => response("302 Found", &format!("Location: {to}\r\n"), ""),
        _ => response("200 OK", "", "in"),
    });
    for call in [&["fetch", "-n"][..], &["fetch", "--netrc-file", ".netrc"]] {
        let ran = run_in(folder.path(), &[call, &[&server.url("/")]].concat(), "");
        assert_eq!((ran.status, &*ran.out, &*ran.err), (0, "in", ""));
    }
    let ran = run_in(folder.path(), &["fetch", "-n", "-L", &server.url("/away")], "");
    assert_eq!((ran.status, &*ran.out), (0, "there"), "{}", ran.err);
    for request in server.requests() {
        assert_eq!(field(&request, "authorization"), Some("Basic bWU6c2VjcmV0"));
    }
    assert_eq!(field(&there.requests()[0], "authorization"), None);
    let digest = closed(DIGEST);
    let ran = run_in(folder.path(), &["fetch", "-n", "--digest", &digest.url("/")], "");
    assert_eq!(ran.out, "in", "{}", ran.err);
    assert!(!digest.requests().concat().contains("Basic"));
    let ran = run_in(folder.path(), &["fetch", "--netrc-file", "none", &server.url("/")], "");
    assert_eq!(ran.status, 26, "{}", ran.err);
    fs::write(&path, "machine\n").unwrap();
    let ran = run_in(folder.path(), &["fetch", "-n", &server.url("/")], "");
    assert_eq!(ran.status, 26, "{}", ran.err);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
}

#[test]
fn a_password_for_the_proxy_of_the_environment() {
    let proxy = Scripted::start(|_| response("200 OK", "", "by proxy"));
    let mut command = Command::new(program());
    command.env_clear().env("http_proxy", proxy.url("/"));
    command.args(["fetch", "-U", "me:secret", "http://far.invalid/"]);
    assert_eq!(command.output().unwrap().stdout, b"by proxy");
    let request = &proxy.requests()[0];
    assert_eq!(field(request, "proxy-authorization"), Some("Basic bWU6c2VjcmV0"));
}

#[test]
fn an_answer_as_one_object() {
    let server = Scripted::start(|request| match request.split(' ').nth(1) {
        Some("/from") => response("302 Found", "Location: /to\r\n", ""),
        Some("/bytes") => b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\xff\x00\x1b".to_vec(),
        _ => response("200 Fine", "X-A: 1\r\nx-a: \u{9b}2\r\n", "page \u{1b}[31m"),
    });
    let (from, bytes) = (server.url("/from"), server.url("/bytes"));
    let ran = fetch(&["-L", "-i", "--format", "json", &from, &bytes, "http://127.0.0.1:1/"]);
    assert_eq!(ran.status, 7);
    assert!(!ran.out.contains(['\u{1b}', '\u{9b}']), "{:?}", ran.out);
    let lines: Vec<Value> =
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["content"], "page \u{1b}[31m");
    assert_eq!(lines[0]["response_code"], 200);
    assert_eq!(lines[0]["reason"], "Fine");
    assert_eq!(lines[0]["url_effective"], server.url("/to"));
    assert_eq!(lines[0]["redirects"][0]["status"], 302);
    assert_eq!(lines[0]["fields"][1], serde_json::json!(["X-A", "1"]));
    assert_eq!(lines[1]["content_base64"], "/wAb");
    assert_eq!(lines[2]["exitcode"], 7);
    assert!(lines[2]["errormsg"].as_str().unwrap().contains("127.0.0.1:1"), "{}", lines[2]);
    let folder = tempfile::tempdir().unwrap();
    let ran = run_in(folder.path(), &["fetch", "--format", "json", "-o", "f", &bytes], "");
    let object: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (&object["content_base64"], &object["filename_effective"]),
        (&Value::Null, &"f".into())
    );
    assert_eq!(fs::read(folder.path().join("f")).unwrap(), b"\xff\x00\x1b");
}

/// A kept connection that the server closes as the next request comes.
#[test]
fn a_silent_replay_is_one_exchange() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let head = |stream: &mut TcpStream| {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
        };
        let mut first = listener.accept().unwrap().0;
        head(&mut first);
        first.write_all(&response("200 OK", "Set-Cookie: a=1\r\n", "1")).unwrap();
        head(&mut first);
        drop(first);
        let mut second = listener.accept().unwrap().0;
        head(&mut second);
        second.write_all(&response("200 OK", "", "2")).unwrap();
    });
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (format!("http://{address}/1"), format!("http://{address}/2"));
    let call = ["-v", "fetch", "--explain", "--har", "har", "-b", "", &one, &two];
    let ran = run_in(folder.path(), &call, "");
    assert_eq!((ran.status, &*ran.out), (0, "12"), "{}", ran.err);
    assert_eq!(ran.err.matches("> GET /2 HTTP/1.1").count(), 1, "{}", ran.err);
    assert_eq!(ran.err.matches("cookie a of 127.0.0.1: sent").count(), 1, "{}", ran.err);
    assert_eq!(ran.err.matches("sent again on a new one").count(), 1, "{}", ran.err);
    let har: Value = serde_json::from_slice(&fs::read(folder.path().join("har")).unwrap()).unwrap();
    assert_eq!(har["log"]["entries"].as_array().unwrap().len(), 2);
}

#[test]
fn data_and_parts_keep_the_order_of_the_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("fields"), "X-A: 1\n\nX-B: 2\n").unwrap();
    let server = Scripted::start(|_| response("200 OK", "", ""));
    let url = server.url("/");
    let call = ["fetch", "--data-urlencode", "z=1 2", "-d", "a=3", "--data-raw", "@b", &url];
    run_in(folder.path(), &call, "");
    let call = ["fetch", "-F", "b=\"x;y\"", "--form-string", "a=\"q\"", "-F", "c=3", &url];
    run_in(folder.path(), &call, "");
    run_in(folder.path(), &["fetch", "-H", "@fields", "-T", "fields", &server.url("/up/")], "");
    let requests = server.requests();
    assert!(requests[0].ends_with("\r\n\r\nz=1%202&a=3&@b"), "{}", requests[0]);
    let parts = ["name=\"b\"\r\n\r\nx;y\r\n", "name=\"a\"\r\n\r\n\"q\"\r\n", "name=\"c\""];
    let places =
        parts.map(|part| requests[1].find(part).unwrap_or_else(|| panic!("{}", requests[1])));
    assert!(places.is_sorted());
    assert!(requests[2].starts_with("PUT /up/fields HTTP/1.1\r\n"), "{}", requests[2]);
    assert_eq!((field(&requests[2], "x-a"), field(&requests[2], "x-b")), (Some("1"), Some("2")));
    for call in
        [&["-I", "-d", "a"][..], &["-T", "/dev/null", "-d", "a"], &["-I", "-T", "/dev/null"]]
    {
        assert_eq!(fetch(&[call, &[&url]].concat()).status, 2, "{call:?}");
    }
}

#[test]
fn where_a_redirect_came_from_is_said() {
    let server = Scripted::start(|request| match request.split(' ').nth(1) {
        Some("/1") => response("302 Found", "Location: /2?q\r\n", ""),
        Some("/2?q") => response("302 Found", "Location: /3#f\r\n", ""),
        _ => response("200 OK", "", ""),
    });
    assert_eq!(fetch(&["-L", "-e", "http://r/;auto", &server.url("/1")]).status, 0);
    let requests = server.requests();
    let said: Vec<_> = requests.iter().map(|request| field(request, "referer").unwrap()).collect();
    assert_eq!(said, ["http://r/", &server.url("/1"), &server.url("/2?q")]);
}

#[test]
fn a_name_of_the_server_replaces_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let named = "Content-Disposition: attachment; filename=\"theirs\"\r\n";
    let server = Scripted::start(move |_| response("200 OK", named, "new"));
    let call = ["fetch", "-OJ", &server.url("/ours")];
    assert_eq!(run_in(folder.path(), &call, "").status, 0);
    assert_eq!(fs::read_to_string(folder.path().join("theirs")).unwrap(), "new");
    fs::write(folder.path().join("theirs"), "old").unwrap();
    let ran = run_in(folder.path(), &call, "");
    assert_eq!(ran.status, 23, "{}", ran.err);
    assert_eq!(fs::read_to_string(folder.path().join("theirs")).unwrap(), "old");
    assert_eq!(run_in(folder.path(), &["fetch", "-O", &server.url("/dir/")], "").status, 23);
}

#[test]
fn standard_output_is_a_file_too() {
    let folder = tempfile::tempdir().unwrap();
    let server = Scripted::start(|_| response("200 OK", "Set-Cookie: a=1; Path=/\r\n", "page"));
    let ran = run_in(folder.path(), &["fetch", "-D", "-", "-c", "-", &server.url("/")], "");
    let start =
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nSet-Cookie: a=1; Path=/\r\n\r\npage# Netscape";
    assert!(ran.out.starts_with(start) && ran.out.contains("\ta\t1\n"), "{}", ran.out);
    let ran = run_in(folder.path(), &["fetch", "-b", "jar", "-c", "jar", &server.url("/")], "");
    assert_eq!((ran.status, &*ran.err), (0, ""), "a jar that is not there yet is made");
    let ran = run_in(folder.path(), &["fetch", "-b", "none", &server.url("/")], "");
    assert_eq!(ran.status, 0);
    assert!(ran.err.contains("none: no such file"), "{}", ran.err);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn files_of_options_have_groups_too() {
    let server = Scripted::start(|_| response("200 OK", "", "."));
    let folder = tempfile::tempdir().unwrap();
    let lines = format!("-d a=1\nurl = {}\nnext\nurl = {}\n", server.url("/1"), server.url("/2"));
    fs::write(folder.path().join("k"), lines).unwrap();
    let call = ["fetch", "-K", "k", "--url", &server.url("/3")];
    let ran = run_in(folder.path(), &call, "");
    assert_eq!((ran.status, &*ran.out), (0, "..."), "{}", ran.err);
    let requests = server.requests();
    let starts = ["POST /1 ", "GET /2 ", "GET /3 "];
    assert!(
        starts.iter().all(|start| requests.iter().any(|r| r.starts_with(start))),
        "{requests:?}"
    );
}

#[test]
fn a_server_that_says_nothing_is_too_slow() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let ran = fetch(&["-Y", "1000", "-y", "1", &url]);
    assert_eq!(ran.status, 28, "{}", ran.err);
    let ran = fetch(&["--interface", "no-such-one", &url]);
    assert_eq!(ran.status, 45, "{}", ran.err);
}

#[test]
fn hosts_by_any_name_and_parts_from_the_end() {
    let server = Scripted::start(|_| response("206 Partial Content", "", "end"));
    let port = server.address.port();
    let rule = format!("*:{port}:127.0.0.1");
    let ran = fetch(&["--resolve", &rule, "-r", "-3", &format!("http://any.invalid:{port}/")]);
    assert_eq!((ran.status, &*ran.out), (0, "end"), "{}", ran.err);
    let rule = format!("+one.invalid:{port}:127.0.0.1");
    let ran = fetch(&["--resolve", &rule, &format!("http://one.invalid:{port}/")]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!(field(&server.requests()[0], "range"), Some("bytes=-3"));
}

#[test]
fn nobody_is_asked_for_a_password_without_a_terminal() {
    // A session of its own has no terminal.
    let mut command = Command::new("setsid");
    command.arg("--wait").arg(program()).args(["fetch", "-u", "me", "http://127.0.0.1:1/"]);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("no password for me") && said.lines().count() == 1, "{said}");
}
