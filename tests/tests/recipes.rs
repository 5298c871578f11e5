//! The examples of the crate `avocet`: each is short, and does what its recipe says.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail like tests")]

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::thread;

use avocet_tests::program::example;
use avocet_tests::scripted::{Scripted, field, response};

/// Runs an example to its end, without settings of the environment.
fn output(name: &str, arguments: &[&str]) -> Output {
    let output = Command::new(example(name)).args(arguments).env_clear().output();
    output.unwrap_or_else(|error| panic!("cannot start {name}: {error}"))
}

/// What an example prints that ends well.
fn run(name: &str, arguments: &[&str]) -> String {
    let output = output(name, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} {arguments:?}: {error}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn every_example_has_at_most_twenty_lines() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/avocet/examples");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let is_code = |line: &&str| !line.is_empty() && !line.trim_start().starts_with("//");
        let lines = text.lines().filter(is_code).count();
        assert!(lines <= 20, "{}: {lines} lines", path.display());
        count += 1;
    }
    assert!(count >= 10, "{count} examples");
}

#[test]
fn recipe_1_a_page_in_two_ways() {
    let server = Scripted::start(|request| match request.split(' ').nth(1) {
        Some("/page") => response("200 OK", "", "a page\n"),
        _ => response("404 Not Here", "", "no page\n"),
    });
    assert_eq!(run("page", &[&server.url("/page")]), "200 OK\na page\n");
    assert_eq!(run("page", &[&server.url("/other")]), "404 Not Found\nno page\n");
    let host = server.address.to_string();
    assert_eq!(run("page_by_hand", &[&host, "/page"]), "200 OK\na page\n");
    assert_eq!(run("page_by_hand", &[&host, "/other"]), "404 Not Here\nno page\n");
    let requests = server.requests();
    assert_eq!(field(&requests[2], "user-agent"), Some("by hand"));
    assert_eq!(field(&requests[2], "host"), Some(&*host));
    assert!(!output("page", &["http://127.0.0.1:1/"]).status.success());
}

#[test]
fn recipe_3_cookies_through_a_login() {
    let server = Scripted::start(|request| match request.split(' ').nth(1) {
        Some("/login") => {
            let fields = "Set-Cookie: id=abc; Path=/\r\nSet-Cookie: no=1; Domain=com\r\n\
                          Location: /welcome\r\n";
            response("303 See Other", fields, "")
        }
        _ => response("200 OK", "", &format!("{}\n", field(request, "cookie").unwrap_or("none"))),
    });
    let (form, page) = (server.url("/login"), server.url("/page"));
    let printed = run("login", &[&form, &page, "you@email.com", "a&b"]);
    assert_eq!(printed, "id\nid=abc\n", "the foreign cookie is refused, the other goes out");
    let requests = server.requests();
    assert!(requests[0].ends_with("\r\n\r\nid_username=you%40email.com&id_password=a%26b"));
    assert_eq!(field(&requests[1], "cookie"), Some("id=abc"), "across the redirect");
}

#[test]
fn recipe_4_a_form_in_three_ways() {
    let server = Scripted::start(|request| {
        let (_, content) = request.split_once("\r\n\r\n").unwrap_or_default();
        let kind = field(request, "content-type").unwrap_or("none");
        let kind = kind.split(';').next().unwrap_or_default();
        let line = request.lines().next().unwrap_or_default();
        let files = content.matches("name=\"picture\"; filename=\"tit.png\"").count();
        let short = if files > 0 { "a picture" } else { content };
        response("200 OK", "", &format!("{line} {kind} {short}\n"))
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tit.png");
    fs::write(&file, "not really").unwrap();
    let printed = run("form", &[&server.url("/f"), file.to_str().unwrap()]);
    let expected = "GET /f?name=great+tit&seen=a%26b%3Dc HTTP/1.1 none \n\
        POST /f HTTP/1.1 application/x-www-form-urlencoded name=great+tit&seen=a%26b%3Dc\n\
        POST /f HTTP/1.1 multipart/form-data a picture\n";
    assert_eq!(printed, expected);
    // What cannot be read is noticed before the form goes out.
    let missing = folder.path().join("missing.png");
    assert!(!output("form", &[&server.url("/f"), missing.to_str().unwrap()]).status.success());
    assert!(server.requests()[3..].iter().all(|request| !request.contains("multipart")));
}

#[test]
fn recipe_5_through_a_proxy_and_a_tunnel() {
    let proxy = Scripted::start(|_| response("200 OK", "", "by proxy\n"));
    let far = "http://no.such.host.invalid/p";
    let named = format!("http://me:secret@{}", proxy.address);
    assert_eq!(run("by_proxy", &[&named, far]), "by proxy\n");
    let request = &proxy.requests()[0];
    assert!(request.starts_with("GET http://no.such.host.invalid/p HTTP/1.1\r\n"), "{request}");
    assert_eq!(field(request, "proxy-authorization"), Some("Basic bWU6c2VjcmV0"));

    let origin = Scripted::start(|_| response("200 OK", "", "through the tunnel\n"));
    let (relay, asked) = relay();
    let printed = run("tunnel", &[&relay, &origin.url("/p")]);
    assert_eq!(printed, "through the tunnel\n");
    let asked = asked.join().unwrap();
    assert!(asked.starts_with(&format!("CONNECT {} HTTP/1.1\r\n", origin.address)), "{asked}");
    let request = &origin.requests()[0];
    assert!(request.starts_with("GET /p HTTP/1.1\r\n"), "{request}");
    assert_eq!(field(request, "proxy-authorization"), None);
}

/// A proxy that makes one tunnel; what it was asked for comes at the tunnel's end.
fn relay() -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://me:secret@{}", listener.local_addr().unwrap());
    let tunnel = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            client.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let mut origin = TcpStream::connect(head.split(' ').nth(1).unwrap()).unwrap();
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
        let (mut from, mut to) = (client.try_clone().unwrap(), origin.try_clone().unwrap());
        let there = thread::spawn(move || std::io::copy(&mut from, &mut to));
        std::io::copy(&mut origin, &mut client).unwrap();
        client.shutdown(std::net::Shutdown::Both).unwrap();
        // The client may have hung up on what was still to come from it.
        let _ = there.join().unwrap();
        head
    });
    (address, tunnel)
}

#[test]
fn recipe_6_which_pages_exist() {
    let server = Scripted::start(|request| {
        let status = if request.contains("/here ") { "200 OK" } else { "404 Not Found" };
        format!("HTTP/1.1 {status}\r\nContent-Length: 5\r\n\r\n").into_bytes()
    });
    let (here, gone) = (server.url("/here"), server.url("/gone"));
    let printed = run("exists", &[&here, &gone]);
    let mut lines: Vec<&str> = printed.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, [format!("{gone}: 404 Not Found"), format!("{here}: 200 OK")]);
    assert!(server.requests().iter().all(|request| request.starts_with("HEAD ")));
}

#[test]
fn recipe_7_pose_as_a_browser() {
    let server = Scripted::start(|_| response("200 OK", "x-Second: 2\r\nA-third: 3\r\n", ""));
    let printed = run("pose", &[&server.url("/")]);
    assert_eq!(printed, "Content-Length: 0\nx-Second: 2\nA-third: 3\n");
    let request = &server.requests()[0];
    assert_eq!(request.to_ascii_lowercase().matches("\r\nuser-agent: ").count(), 1, "{request}");
    assert!(field(request, "User-Agent").unwrap().ends_with("Firefox/140.0"));
    assert_eq!(field(request, "Accept-Language"), Some("en-US,en;q=0.5"));
}

#[test]
fn recipe_9_resume_and_fail_over() {
    let folder = tempfile::tempdir().unwrap();
    let content: String = (0..20_000).map(|number| format!("{number:07}\n")).collect();
    let gone = Scripted::start(|_| response("404 Not Found", "", "no such file"));
    let text = content.clone();
    // It hangs up on whoever wants the whole, so that the rest has to be asked for.
    let cutting = Scripted::start(move |request| match field(request, "range") {
        Some(range) => {
            let first = range.trim_start_matches("bytes=").split('-').next();
            let first: usize = first.unwrap().parse().unwrap();
            let named = format!("Content-Range: bytes {first}-159999/160000\r\nETag: \"1\"\r\n");
            response("206 Partial Content", &named, &text[first..])
        }
        None => {
            let mut answer = response("200 OK", "ETag: \"1\"\r\n", &text);
            answer.truncate(answer.len() - 100_000);
            answer
        }
    });
    let file = folder.path().join("f");
    let urls = [gone.url("/f"), cutting.url("/f")];
    let printed = run("resume", &[file.to_str().unwrap(), &urls[0], &urls[1]]);
    let done = format!("160000 bytes in {}, 160000 fetched\n", file.display());
    assert_eq!(printed, format!("0 bytes are there\n{done}"));
    assert_eq!(fs::read_to_string(&file).unwrap(), content);
    let requests = cutting.requests();
    let resumed = requests.last().unwrap();
    assert_eq!(field(resumed, "range"), Some("bytes=60000-159999"));
    assert_eq!(field(resumed, "if-range"), Some("\"1\""));
}

#[test]
fn a_login_by_digest() {
    let server = Scripted::start(|request| match field(request, "authorization") {
        Some(value) if value.starts_with("Digest username=\"me\", realm=\"birds\"") => {
            response("200 OK", "", "inside\n")
        }
        Some(value) => response("400 Bad Request", "", value),
        None => {
            let field = "WWW-Authenticate: Digest realm=\"birds\", nonce=\"n1\", qop=\"auth\"\r\n";
            response("401 Unauthorized", field, "")
        }
    });
    assert_eq!(run("digest", &["me", "secret", &server.url("/")]), "200 OK\ninside\n");
    assert!(!server.requests().iter().any(|request| request.contains("Basic ")));
}

/// A server among the examples; it ends with the test.
struct Running(std::process::Child, String);

impl Running {
    fn start(name: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(example(name));
        let mut child =
            command.args(arguments).stdout(std::process::Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        let out = child.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut said).unwrap();
        let (_, address) = said.trim_end().trim_end_matches('/').split_once("http://").unwrap();
        Self(child, address.to_owned())
    }

    fn get(&self, path: &str, fields: &str) -> String {
        let mut stream = TcpStream::connect(&self.1).unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{fields}\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, which the requests have noticed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn recipe_2_a_function_and_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.txt"), "a file\n").unwrap();
    let server = Running::start("served", &[folder.path().to_str().unwrap(), "0"]);
    assert!(server.get("/hello", "").ends_with("\r\n\r\nHello from server!\n"));
    assert!(server.get("/files/a.txt", "").ends_with("\r\n\r\na file\n"));
    assert!(server.get("/files/none", "").starts_with("HTTP/1.1 404 "));
}

#[test]
fn recipe_8_a_page_that_is_compressed() {
    let server = Running::start("compressed", &["0"]);
    let page = server.get("/", "");
    assert!(field(&page, "Content-Encoding").is_none() && page.len() > 30_000);
    let coded = server.get("/", "Accept-Encoding: gzip\r\n");
    assert_eq!(field(&coded, "Content-Encoding"), Some("gzip"));
    assert!(coded.len() < 2_000, "{} bytes", coded.len());
}
