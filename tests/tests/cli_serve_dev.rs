//! `avocet serve --dev`: pages that reload.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail like tests")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use avocet_tests::program::{Target, program};
use avocet_tests::raw::ask;
use avocet_tests::run::run;
use avocet_tests::terminal::Terminal;
use rustix::process::{Pid, Signal, kill_process};

struct Served {
    child: Child,
    address: SocketAddr,
}

impl Served {
    fn start(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(program());
        command.current_dir(folder).env("AVOCET_CONFIG", "").envs(variables.iter().copied());
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (_, rest) = line.split_once("http://").unwrap_or_else(|| panic!("no URL in {line:?}"));
        let address = rest.trim_end().trim_end_matches('/').parse().unwrap();
        Self { child, address }
    }

    fn send(&self, request: &str) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        write!(stream, "{request}\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
        BufReader::new(stream)
    }

    fn get(&self, path: &str) -> String {
        let mut answer = String::new();
        self.send(&format!("GET {path} HTTP/1.1")).read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself, which is for the test to notice.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The next line that tells of something, without framing and comments.
fn event(stream: &mut impl BufRead) -> String {
    loop {
        let mut line = String::new();
        assert_ne!(stream.read_line(&mut line).unwrap(), 0, "the stream has ended");
        if let Some(data) = line.strip_prefix("data: ") {
            return data.trim_end().to_owned();
        }
    }
}

#[test]
fn pages_have_the_script_and_nothing_else_has() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("small.html"), "<p>page").unwrap();
    fs::write(folder.path().join("large.html"), "<p>".repeat(100_000)).unwrap();
    fs::write(folder.path().join("a.txt"), "text").unwrap();
    let served = Served::start(folder.path(), &["--dev"], &[]);
    let script = "<script src=\"/.avocet/live.js\"></script>\n";
    let small = served.get("/small.html");
    assert!(small.ends_with(&format!("\r\n\r\n<p>page\n{script}")), "{small}");
    assert!(!small.contains("ETag") && small.contains("Cache-Control: no-store"), "{small}");
    let large = served.get("/large.html");
    assert!(large.ends_with(&format!("<p><p>\n{script}")) && large.len() > 300_000);
    assert!(served.get("/").ends_with(script), "the listing reloads too");
    assert!(served.get("/none").ends_with(script), "a page that is missing may come");
    let text = served.get("/a.txt");
    assert!(text.ends_with("\r\n\r\ntext") && text.contains("ETag"), "{text}");
    assert!(served.get("/.avocet/live.js").contains("new EventSource('/.avocet/live')"));
    let mut head = String::new();
    served.send("HEAD /small.html HTTP/1.1").read_to_string(&mut head).unwrap();
    let length = |answer: &str| {
        let field = answer.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        field.map(str::to_owned)
    };
    assert_eq!(length(&head), length(&small), "{head}");

    let plain =
        Target::start(&["serve", folder.path().to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    let page = ask(&plain, "GET /small.html HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert_eq!(page.content, b"<p>page", "only work on pages has it");
    let script =
        ask(&plain, "GET /.avocet/live.js HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert_eq!(script.status, 404);
}

#[test]
fn changes_are_told_to_the_pages_and_a_stop_ends_them() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("deep")).unwrap();
    let mut served = Served::start(folder.path(), &["--dev"], &[]);
    let mut page = served.send("GET /.avocet/live HTTP/1.1");
    let mut head = String::new();
    while !head.ends_with(": listening\n") {
        assert_ne!(page.read_line(&mut head).unwrap(), 0, "{head}");
    }
    assert!(head.contains("Content-Type: text/event-stream\r\n"), "{head}");
    // What an editor keeps for itself is no change: the next thing that is told is the style.
    fs::write(folder.path().join(".page.swp"), "x").unwrap();
    fs::write(folder.path().join("deep/a.css"), "p {}").unwrap();
    assert_eq!(event(&mut page), "style");
    fs::write(folder.path().join("deep/a.html"), "<p>").unwrap();
    assert_eq!(event(&mut page), "page");
    fs::rename(folder.path().join("deep/a.html"), folder.path().join("b.html")).unwrap();
    assert_eq!(event(&mut page), "page");
    let begin = Instant::now();
    kill_process(Pid::from_child(&served.child), Signal::TERM).unwrap();
    let mut rest = String::new();
    page.read_to_string(&mut rest).unwrap();
    assert!(served.child.wait().unwrap().success());
    // Without being told to end it would be cut off after 30 s.
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    assert!(rest.ends_with("0\r\n\r\n"), "{rest:?}");
}

#[test]
fn the_browser_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let (browser, opened) = (folder.path().join("browser"), folder.path().join("opened"));
    fs::write(&browser, format!("#!/bin/sh\necho \"$1\" > '{}'\n", opened.display())).unwrap();
    fs::set_permissions(&browser, fs::Permissions::from_mode(0o755)).unwrap();
    let variables = [("BROWSER", browser.to_str().unwrap())];
    let served = Served::start(folder.path(), &["--open"], &variables);
    let expected = format!("http://{}/\n", served.address);
    let begin = Instant::now();
    while !fs::read_to_string(&opened).is_ok_and(|url| url == expected) {
        assert!(begin.elapsed() < Duration::from_secs(20), "no page was opened");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_code_for_the_network_is_shown_on_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let start = |arguments: &[&str]| {
        let mut command = Command::new(program());
        command.current_dir(folder.path()).env("AVOCET_CONFIG", "").env("NO_COLOR", "1");
        command.args(["serve", "--dev"]).args(arguments);
        let mut terminal = Terminal::around(&mut command);
        let mut child = command.spawn().unwrap();
        drop(command);
        let shown = terminal.read_until("/\r\n");
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        let shown = shown + &terminal.read_until("");
        assert!(child.wait().unwrap().success());
        shown
    };
    let shown = start(&["--listen", "127.0.0.1:0"]);
    assert!(shown.contains("to this machine on http://127.0.0.1:"), "{shown}");
    assert!(!shown.contains('\u{2588}') && !shown.contains('\u{1b}'), "{shown:?}");
    let shown = start(&["--listen", "127.0.0.2:0", "--listen", "0.0.0.0:0"]);
    // A machine without a network has no address to show.
    assert_eq!(shown.contains("Others reach it by"), shown.contains('\u{2588}'), "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
    assert_eq!(run(&["serve", "--dev", "--text", "x"]).status, 2);
}
