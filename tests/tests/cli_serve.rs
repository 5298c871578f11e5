//! `avocet serve`: recipe 2, and what its flags do.
#![expect(clippy::unwrap_used, reason = "a test fails where something fails")]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use avocet_tests::program::{Target, program};
use avocet_tests::raw::ask;
use avocet_tests::run::run;
use rustix::process::{Pid, Signal, kill_process};

/// A served folder whose end and whose log are looked at.
struct Served {
    child: Child,
    address: SocketAddr,
}

impl Served {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(program())
            .arg("serve")
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (_, rest) = line.split_once("http://").unwrap_or_else(|| panic!("no URL in {line:?}"));
        let address = rest.trim_end().trim_end_matches('/').parse().unwrap();
        Self { child, address }
    }

    /// Presses Ctrl-C; the status of the program, and what it has said on standard error.
    fn interrupt(mut self) -> (Option<i32>, String) {
        let pid = Pid::from_child(&self.child);
        let begin = Instant::now();
        kill_process(pid, Signal::INT).unwrap();
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        let status = self.child.wait().unwrap();
        assert!(begin.elapsed() < Duration::from_secs(5), "it took {:?}", begin.elapsed());
        (status.code(), said)
    }

    fn get(&self, path: &str) -> String {
        let mut stream = std::net::TcpStream::connect(self.address).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn recipe_2_a_folder_is_served_until_ctrl_c() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.txt"), "eighteen bytes ...").unwrap();
    let served = Served::start(&[text(folder.path()), "--listen", "127.0.0.1:0"]);
    let listing = served.get("/");
    assert!(listing.starts_with("HTTP/1.1 200") && listing.contains("./a.txt"), "{listing}");
    assert!(served.get("/a.txt").ends_with("\r\n\r\neighteen bytes ..."));
    fs::write(folder.path().join("index.html"), "<h1>index</h1>").unwrap();
    assert!(served.get("/").ends_with("\r\n\r\n<h1>index</h1>"));
    assert!(served.get("/favicon.ico").starts_with("HTTP/1.1 404"));
    let address = served.address;
    let (status, log) = served.interrupt();
    assert_eq!(status, Some(0), "{log}");
    let line = log.lines().find(|line| line.contains("/a.txt")).unwrap();
    assert!(line.starts_with("127.0.0.1 - - ["), "{line}");
    assert!(line.ends_with(" +0000] \"GET /a.txt HTTP/1.1\" 200 18"), "{line}");
    assert!(log.contains("\"GET /favicon.ico HTTP/1.1\" 404 "), "{log}");
    assert_eq!(log.lines().count(), 4, "nothing but the log: {log}");
    // The port is free again at once.
    let again = Served::start(&[text(folder.path()), "--listen", &address.to_string()]);
    assert_eq!(again.address, address);
    assert_eq!(again.interrupt().0, Some(0));
}

#[test]
fn recipe_2_a_text_is_served() {
    let served = Served::start(&["--text", "Hello from server!", "--listen", "127.0.0.1:0"]);
    let answer = served.get("/any/path");
    assert!(answer.ends_with("\r\n\r\nHello from server!"), "{answer}");
    let (_, log) = served.interrupt();
    assert!(log.trim_end().ends_with("\"GET /any/path HTTP/1.1\" 200 18"), "{log}");
}

#[test]
fn recipe_2_what_cannot_be_served_is_told_before_anything_listens() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let missing = folder.path().join("missing");
    let ran = run(&["serve", text(&missing)]);
    let told = format!("avocet: {}: no such folder\n", missing.display());
    assert_eq!((ran.status, ran.out.as_str(), ran.err), (2, "", told));
    let ran = run(&["serve", text(&file)]);
    assert_eq!((ran.status, ran.err), (2, format!("avocet: {}: not a folder\n", file.display())));
    let ran = run(&["serve", text(folder.path()), "--404", "../x"]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("\"../x\" is not the path of a file in the folder"), "{}", ran.err);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = run(&["serve", text(folder.path()), "--listen", &address]);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains(&address) && ran.err.lines().count() == 1, "{}", ran.err);
}

#[test]
fn flags_reach_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [
        ("home", "home"),
        (".env", "env"),
        ("app.html", "app"),
        ("a.bird", "bird"),
        ("oops.txt", "oops"),
    ] {
        fs::write(folder.path().join(name), content).unwrap();
    }
    fs::write(folder.path().join("a.bird.gz"), "zip").unwrap();
    let target = Target::start(&[
        "serve",
        text(folder.path()),
        "--listen",
        "127.0.0.1:0",
        "--index",
        "home",
        "--hidden",
        "--try-files",
        "{path}.html",
        "--404",
        "/oops.txt",
        "--mime",
        ".bird=text/x-bird",
        "--charset",
        "off",
        "--header",
        "X-Set: yes",
        "--header",
        "*.bird X-Bird: blue",
        "--security-headers",
        "--cache-control",
        "*.bird=max-age=9",
        "--cors",
    ]);
    let get = |path: &str, more: &str| {
        ask(&target, format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{more}\r\n"))
    };
    let content = |path| String::from_utf8(get(path, "").content).unwrap();
    assert_eq!(content("/"), "home");
    assert_eq!(content("/.env"), "env");
    assert_eq!(content("/app"), "app");
    assert_eq!((get("/none", "").status, content("/none").as_str()), (404, "oops"));
    let bird = get("/a.bird", "Accept-Encoding: gzip\r\n");
    assert_eq!(bird.content, b"zip");
    for (name, value) in [
        ("Content-Type", "text/x-bird"),
        ("X-Set", "yes"),
        ("X-Bird", "blue"),
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "max-age=9"),
        ("Access-Control-Allow-Origin", "*"),
    ] {
        assert_eq!(bird.field(name), Some(value), "{name}");
    }
    assert_eq!(get("/app", "").field("X-Bird"), None);
    let target = Target::start(&[
        "serve",
        text(folder.path()),
        "--listen",
        "127.0.0.1:0",
        "--spa=app.html",
        "--no-precompressed",
        "--no-compress",
    ]);
    let get = |path: &str| {
        let fields = "Host: h\r\nConnection: close\r\nAccept-Encoding: gzip\r\n";
        ask(&target, format!("GET {path} HTTP/1.1\r\n{fields}\r\n"))
    };
    assert_eq!(get("/users/7").content, b"app");
    assert_eq!(get("/missing.js").status, 404);
    assert_eq!(get("/a.bird").content, b"bird");
}
