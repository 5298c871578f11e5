//! `avocet serve` by its file of settings: hosts, paths, reloading; figures, logs, supervisors.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail like tests")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use avocet_tests::program::program;
use avocet_tests::run::run_in;
use rustix::process::{Pid, Signal, kill_process};

/// A server that was started with a file of settings.
struct Served {
    child: Child,
    address: SocketAddr,
    /// What it said on standard output while it started.
    said: Vec<String>,
}

impl Served {
    fn start(command: &mut Command, lines: usize) -> Self {
        let mut child = command
            .env("AVOCET_CONFIG", "")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let said: Vec<String> = stdout.lines().take(lines).map(Result::unwrap).collect();
        let address = address(said.first().map_or("", String::as_str));
        Self { child, address, said }
    }

    /// With settings that stand in a file `f`; it listens on any port.
    fn with(folder: &Path, settings: &str) -> Self {
        fs::write(folder.join("f"), settings).unwrap();
        let mut command = Command::new(program());
        command.current_dir(folder).args(["serve", "--config", "f", "--listen", "127.0.0.1:0"]);
        Self::start(&mut command, 1)
    }

    fn hang_up(&self) {
        kill_process(Pid::from_child(&self.child), Signal::HUP).unwrap();
    }

    fn get(&self, host: &str, path: &str) -> String {
        get(self.address, host, path)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself, which is for the test to notice.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn address(line: &str) -> SocketAddr {
    let (_, rest) = line.split_once("http://").unwrap_or_else(|| panic!("no URL in {line:?}"));
    rest.trim_end().trim_end_matches('/').replace("localhost", "127.0.0.1").parse().unwrap()
}

fn get(address: SocketAddr, host: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Waits for what a signal brings about.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_secs(20), "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or(answer)
}

#[test]
fn each_host_has_its_site() {
    let folder = folder(&[("main/x", "main"), ("one/x", "one"), ("star/x", "star")]);
    let served = Served::with(
        folder.path(),
        "[serve]\nfolder = \"main\"\nheader = [\"X-Of: main\"]\n\
         [serve.host.\"one.example\"]\nfolder = \"one\"\nheader = \"X-Of: one\"\n\
         [serve.host.\"*.example\"]\nfolder = \"star\"\n\
         [serve.host.\"text.example\"]\ntext = \"only words\"\n",
    );
    for (host, expected) in [
        ("other", "main"),
        ("one.example", "one"),
        ("ONE.example:80", "one"),
        ("two.example", "star"),
        ("a.one.example", "star"),
        ("example", "main"),
    ] {
        let answer = served.get(host, "/x");
        assert!(answer.ends_with(&format!("\r\n\r\n{expected}")), "{host}: {answer}");
    }
    assert!(served.get("one.example", "/x").contains("X-Of: one\r\n"));
    assert!(served.get("two.example", "/x").contains("X-Of: main\r\n"), "what is not said is kept");
    assert!(served.get("text.example", "/").ends_with("only words"));
    // The authority of the target goes before Host (RFC 9112 §3.2.2).
    assert!(served.get("other", "http://one.example/x").ends_with("\r\n\r\none"));
    fs::write(folder.path().join("f"), "[serve.host.a]\nlisten = \"1\"\n").unwrap();
    let ran = run_in(folder.path(), &["config", "check", "f"], "");
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("line 2: unknown key `listen` in [serve.host.\"a\"]"), "{}", ran.err);
    fs::write(folder.path().join("f"), "[serve.host.a]\nfolder = \"none\"\n").unwrap();
    let ran = run_in(folder.path(), &["serve", "--config", "f"], "");
    let told = "avocet: [serve.host.\"a\"]: none: no such folder\n";
    assert_eq!((ran.status, &*ran.err), (2, told));
    // A folder on the command line would be that of every host.
    fs::write(folder.path().join("f"), "[serve.host.a]\nfolder = \"one\"\n").unwrap();
    for line in
        [&["serve", "main", "--config", "f"][..], &["serve", "--text", "x", "--config", "f"]]
    {
        let ran = run_in(folder.path(), line, "");
        assert_eq!(ran.status, 2, "{line:?}");
        assert!(ran.err.contains("f, line 2: `folder`: the "), "{}", ran.err);
        assert!(ran.err.contains("put that into the section of the verb"), "{}", ran.err);
    }
}

/// What a browser that came to this machine by a name of its own may change.
#[test]
fn pages_of_virtual_hosts_change_what_is_theirs() {
    let folder = folder(&[("main/x", ""), ("one/x", ""), ("star/x", "")]);
    let served = Served::with(
        folder.path(),
        "[serve]\nfolder = \"main\"\nupload = true\n\
         [serve.host.\"one.example\"]\nfolder = \"one\"\n\
         [serve.host.\"*.star.example\"]\nfolder = \"star\"\n",
    );
    for (host, status) in [
        ("one.example", "201"),
        ("a.star.example", "201"),
        ("evil.example", "403"),
        ("localhost", "201"),
    ] {
        let mut stream = TcpStream::connect(served.address).unwrap();
        let request = format!(
            "PUT /new HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n\
             Sec-Fetch-Site: same-origin\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(self::status(&answer), status, "{host}: {answer}");
    }
    for site in ["main", "one", "star"] {
        assert!(folder.path().join(site).join("new").exists(), "{site}");
    }
}

#[test]
fn paths_lead_elsewhere() {
    let folder = folder(&[("new/a b.txt", "new"), ("app.html", "app")]);
    let served = Served::with(
        folder.path(),
        "[serve]\nredirect = [\"/old/*=/new/{1}\", \"/away/*=https://h/{1} 308\", \"/go*=/{1}\"]\n\
         rewrite = [\"/app/*=/app.html\", \"/n/*=/new/{1}\"]\n",
    );
    let location = |path: &str| {
        let answer = served.get("h", path);
        let field = answer.lines().find_map(|line| line.strip_prefix("Location: "));
        (status(&answer).to_owned(), field.unwrap_or_default().to_owned())
    };
    assert_eq!(location("/old/x?q=1"), ("302".into(), "/new/x?q=1".into()));
    assert_eq!(location("/away/x"), ("308".into(), "https://h/x".into()));
    assert_eq!(location("/go//evil.example"), ("302".into(), "/evil.example".into()));
    assert!(served.get("h", "/app/any/where?x").ends_with("\r\n\r\napp"));
    assert!(served.get("h", "/n/a%20b.txt").ends_with("\r\n\r\nnew"));
    assert_eq!(status(&served.get("h", "/n/..%2f..%2fetc/passwd")), "404");
    let ran = run_in(folder.path(), &["serve", "--rewrite", "/a=b"], "");
    assert_eq!(ran.status, 2, "{}", ran.err);
    let ran = run_in(folder.path(), &["serve", "--redirect", "/a=/b 200"], "");
    assert_eq!((ran.status, ran.err.lines().count()), (2, 1), "{}", ran.err);
}

#[test]
fn a_hang_up_reads_the_settings_and_opens_the_log_anew() {
    let folder = folder(&[("one/x", "one"), ("two/x", "two")]);
    let path = folder.path();
    let served = Served::with(path, "[serve]\nfolder = \"one\"\nlog-file = \"log\"\n");
    assert!(served.get("h", "/x").ends_with("one"));
    until("the first line", || fs::read_to_string(path.join("log")).unwrap().contains("GET /x "));
    fs::rename(path.join("log"), path.join("log.1")).unwrap();
    fs::write(path.join("f"), "[serve]\nfolder = \"two\"\nlog-file = \"log\"\n").unwrap();
    served.hang_up();
    until("the other folder", || served.get("h", "/x").ends_with("two"));
    served.get("h", "/afterwards");
    until("a new log", || {
        fs::read_to_string(path.join("log")).is_ok_and(|log| log.contains("GET /afterwards "))
    });
    assert!(!fs::read_to_string(path.join("log.1")).unwrap().contains("afterwards"));
    // Settings that make no sense change nothing.
    fs::write(path.join("f"), "[serve]\nfoldr = \"one\"\n").unwrap();
    fs::remove_file(path.join("log")).unwrap();
    served.hang_up();
    until("the log", || path.join("log").exists());
    assert!(served.get("h", "/x").ends_with("two"));
}

#[test]
fn figures_and_health_stand_on_a_listener_of_their_own() {
    let folder = folder(&[("x", "content")]);
    let mut command = Command::new(program());
    command.current_dir(folder.path());
    command.args(["serve", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]);
    let mut served = Served::start(&mut command, 2);
    let figures = address(&served.said[1]);
    served.get("h", "/x");
    served.get("h", "/none");
    let mut text = String::new();
    until("the figures", || {
        text = get(figures, "h", "/metrics");
        text.contains("\navocet_responses_total{class=\"4xx\"} 1\n")
    });
    assert!(text.contains("Content-Type: text/plain; version=0.0.4"), "{text}");
    assert!(text.contains("\navocet_requests_total 2\n"), "{text}");
    assert!(get(figures, "h", "/health").ends_with("\r\n\r\nok\n"));
    assert_eq!(status(&get(figures, "h", "/x")), "404");
    assert_eq!(status(&served.get("h", "/metrics")), "404", "the world sees no figures");
    // While it stops it says so: a response that nobody reads holds it.
    let large = fs::File::create(folder.path().join("large")).unwrap();
    large.set_len(64 * 1024 * 1024).unwrap();
    let mut open = TcpStream::connect(served.address).unwrap();
    open.write_all(b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    open.read_exact(&mut [0; 100]).unwrap();
    kill_process(Pid::from_child(&served.child), Signal::TERM).unwrap();
    until("stopping", || get(figures, "h", "/health").ends_with("\r\n\r\nstopping\n"));
    drop(open);
    assert!(served.child.wait().unwrap().success());
}

#[test]
fn a_supervisor_hands_a_socket_over_and_is_told() {
    let folder = folder(&[("x", "content")]);
    let path = folder.path().join("notify");
    let supervisor = UnixDatagram::bind(&path).unwrap();
    supervisor.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // systemd-socket-activate is not everywhere; python3 hands a descriptor over just so.
    let script = "import os, socket, sys\n\
                  s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen()\n\
                  os.dup2(s.fileno(), 3)\n\
                  os.set_inheritable(3, True)\n\
                  print('http://127.0.0.1:%d/' % s.getsockname()[1], flush=True)\n\
                  os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))\n\
                  os.execv(sys.argv[1], sys.argv[1:])\n";
    let mut command = Command::new("python3");
    command.args(["-c", script]).arg(program()).args(["serve", "--quiet"]);
    command.current_dir(folder.path()).env("NOTIFY_SOCKET", &path);
    let mut served = Served::start(&mut command, 1);
    let told = || {
        let mut state = [0; 64];
        let len = supervisor.recv(&mut state).unwrap();
        String::from_utf8_lossy(&state[..len]).into_owned()
    };
    assert_eq!(told(), "READY=1");
    assert!(served.get("h", "/x").ends_with("content"));
    served.hang_up();
    assert!(told().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    assert_eq!(told(), "READY=1");
    kill_process(Pid::from_child(&served.child), Signal::TERM).unwrap();
    assert_eq!(told(), "STOPPING=1");
    assert!(served.child.wait().unwrap().success());
}

#[test]
fn the_start_line_says_what_is_served_to_whom_and_where() {
    let folder = folder(&[("x", "content")]);
    let start = |arguments: &[&str]| {
        let mut command = Command::new(program());
        command.current_dir(folder.path()).arg("serve").args(arguments);
        Served::start(&mut command, 1).said.remove(0)
    };
    let place = folder.path().canonicalize().unwrap();
    let said = start(&["--listen", "127.0.0.1:0"]);
    let expected = format!("Serving {} to this machine on http://127.0.0.1:", place.display());
    assert!(said.starts_with(&expected), "{said}");
    let said = start(&["--text", "t", "--listen", "0.0.0.0:0"]);
    let expected = "Serving a text to the network on http://localhost:";
    assert!(said.starts_with(expected), "{said}");
}
