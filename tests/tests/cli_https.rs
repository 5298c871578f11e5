//! https of the program: recipe 10, and what else people expect of it on both sides.

#![expect(clippy::unwrap_used, reason = "a test stops where its premise fails")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use avocet::client::{Client, Config, Dialer, RawConnection};
use avocet::https::{self, OverTls};
use avocet::tls::{Authority, ClientTls, Purpose, Roots};
use avocet_tests::program::{Target, example, server_example};
use avocet_tests::run::{Ran, run_in};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A folder with an authority, and a server's certificate of it.
struct Place {
    folder: tempfile::TempDir,
    authority: Authority,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::open_or_make(&folder.path().join("ca")).unwrap();
        fs::create_dir(folder.path().join("www")).unwrap();
        fs::write(folder.path().join("www/page"), "a page\n").unwrap();
        let place = Self { folder, authority };
        place.issue("server.pem", &["localhost", "127.0.0.1"], Purpose::Server);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn issue(&self, file: &str, names: &[&str], purpose: Purpose) {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        self.authority.issue(&names, purpose).unwrap().write(&self.path(file)).unwrap();
    }

    fn serve(&self, more: &[&str]) -> Target {
        let (www, pem) = (self.text("www"), self.text("server.pem"));
        let own = ["serve", &www, "--tls-pem", &pem, "--listen", "127.0.0.1:0"];
        Target::start(&[&own, more].concat())
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        run_in(self.folder.path(), arguments, "")
    }

    /// Fetches with trust in the authority.
    fn fetch(&self, arguments: &[&str]) -> Ran {
        self.run(&[&["fetch", "--cacert", "ca/ca.pem"], arguments].concat())
    }

    fn tls(&self) -> ClientTls {
        let roots = Roots::none().file(self.authority.path());
        ClientTls::open(https::client_settings(roots)).unwrap()
    }
}

fn config(tls: &ClientTls) -> Config {
    let mut config = Config::default();
    config.connector = Arc::new(Dialer::new().secure(Arc::new(OverTls::new(tls.clone()))));
    config
}

fn url(target: &Target, path: &str) -> String {
    format!("https://localhost:{}/{path}", target.address.port())
}

#[test]
fn recipe_10_a_page_over_https() {
    let place = Place::new();
    let ran = place.run(&["certs", "self-signed", "localhost", "-o", "own.pem"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    let (www, pem) = (place.text("www"), place.text("own.pem"));
    let target = Target::start(&["serve", &www, "--tls-pem", &pem, "--listen", "127.0.0.1:0"]);
    let page = url(&target, "page");
    for more in [&[][..], &["--tlsv1.3"], &["--tls-max", "1.2"]] {
        let ran = place.run(&[&["fetch", "--cacert", "own.pem", &page], more].concat());
        assert_eq!((ran.status, &*ran.out), (0, "a page\n"), "{}", ran.err);
    }
    let ran = place.run(&["fetch", "-k", &page]);
    assert_eq!((ran.status, &*ran.out), (0, "a page\n"));
    assert!(ran.err.contains("no certificate is checked"), "-k shouts: {}", ran.err);
    // Two requests on one connection, and the second call's handshake is a new one.
    let ran =
        place.run(&["fetch", "--cacert", "own.pem", "-s", "-w", "%{num_connects} ", &page, &page]);
    assert_eq!(ran.out, "a page\n1 a page\n0 ");
}

#[test]
fn recipe_10_says_where_it_serves() {
    let place = Place::new();
    let (child, lines) = start(&[
        "serve",
        &place.text("www"),
        "--tls-pem",
        &place.text("server.pem"),
        "--listen",
        "127.0.0.1:0",
    ]);
    let first = lines.first().unwrap();
    let address = first.strip_prefix("Serving HTTPS Server on ").unwrap();
    let address = address.strip_suffix(" ...").unwrap();
    assert!(lines[1].ends_with(&format!("on https://{address}/")), "{lines:?}");
    drop(child);
}

/// A server, and the first two lines that it prints.
fn start(arguments: &[&str]) -> (Running, Vec<String>) {
    let program = avocet_tests::program::program();
    let mut child = Command::new(program).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.by_ref().take(2).map(Result::unwrap).collect();
    (Running(child), first)
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn recipe_10_as_a_library() {
    let source =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/avocet/examples/hello_tls.rs");
    assert!(fs::read_to_string(source).unwrap().lines().count() <= 20);
    let place = Place::new();
    let pem = place.text("server.pem");
    let mut child = Command::new(example("hello_tls"))
        .args(["--cert", &pem, "--key", &pem, "--port", "0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = child.stdout.take().unwrap();
    let _running = Running(child);
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    let port = line.trim_end_matches(" ...\n").rsplit(':').next().unwrap();
    let ran = place.fetch(&[&format!("https://localhost:{port}/")]);
    assert_eq!((ran.status, &*ran.out), (0, "Hello, World!"), "{}", ran.err);
}

#[test]
fn the_example_of_the_server_speaks_https_given_certificate_and_key() {
    let place = Place::new();
    let (pem, program) = (place.text("server.pem"), server_example());
    for (arguments, reason) in
        [(["--cert", &*pem], "--cert needs --key"), (["--key", &*pem], "--key needs --cert")]
    {
        let ran = Command::new(&program).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(!ran.status.success() && said.contains(reason), "{said}");
    }
    for (more, scheme) in [(&["--cert", &*pem, "--key", &*pem][..], "https"), (&[], "http")] {
        let mut child = Command::new(&program)
            .args(["--port", "0", "--workers", "2"])
            .args(more)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let _running = Running(child);
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let port = line.trim_end().rsplit(':').next().unwrap();
        let ran = place.fetch(&[&format!("{scheme}://localhost:{port}/plaintext")]);
        assert_eq!((ran.status, &*ran.out), (0, "Hello, World!"), "{}", ran.err);
    }
}

#[test]
fn recipe_10_what_is_wrong_ends_before_listening() {
    let place = Place::new();
    place.issue("other.pem", &["localhost"], Purpose::Server);
    fs::write(place.path("none.pem"), "").unwrap();
    for (arguments, expected) in [
        (&["--tls-pem", "missing.pem"][..], "missing.pem: No such file"),
        (&["--tls-pem", "none.pem"], "none.pem: no certificate"),
        (&["--tls-cert", "server.pem", "--tls-key", "other.pem"], "does not belong"),
        (&["--tls-cert", "server.pem"], "--tls-key"),
        (&["--tls-pem", "server.pem", "--tls-client-ca", "none.pem"], "none.pem: no certificate"),
        (&["--tls-client-ca", "server.pem"], "needs a certificate"),
        (&["--hsts"], "needs a certificate"),
    ] {
        let own = ["serve", "www", "--listen", "127.0.0.1:0"];
        let ran = place.run(&[&own, arguments].concat());
        assert_eq!(ran.status, 2, "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains(expected), "{arguments:?}: {}", ran.err);
        assert!(!ran.out.contains("https://"), "{}", ran.out);
    }
}

#[test]
fn security_a_key_that_others_may_read_is_warned_about() {
    let place = Place::new();
    // It ends before it listens, for want of authorities.
    let arguments = ["serve", "www", "--tls-pem", "server.pem", "--tls-client-ca", "missing.pem"];
    for (mode, warned) in [(0o600, false), (0o604, true)] {
        fs::set_permissions(place.path("server.pem"), fs::Permissions::from_mode(mode)).unwrap();
        let ran = place.run(&arguments);
        assert_eq!((ran.status, ran.err.contains("can read this key")), (2, warned), "{}", ran.err);
    }
}

#[test]
fn silent_clients_block_nobody() {
    let place = Place::new();
    let target = place.serve(&["--workers", "1"]);
    let silent: Vec<TcpStream> =
        (0..15).map(|_| TcpStream::connect(target.address).unwrap()).collect();
    let begun = Instant::now();
    assert_eq!(place.fetch(&[&url(&target, "page")]).out, "a page\n");
    assert!(begun.elapsed() < Duration::from_secs(8), "before any of them is given up");
    drop(silent);
}

#[test]
fn http_on_the_port_of_https_is_answered_400_with_a_hint() {
    let place = Place::new();
    let target = place.serve(&[]);
    let mut stream = TcpStream::connect(target.address).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    assert!(answer.contains("https://"), "{answer}");
}

#[test]
fn every_refusal_has_its_status_and_its_reason() {
    let place = Place::new();
    let target = place.serve(&[]);
    let page = url(&target, "page");
    let port = target.address.port();
    let elsewhere = format!("other.example:{port}:127.0.0.1");
    let other = format!("https://other.example:{port}/");
    let pin = "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    for (arguments, status, reason) in [
        (&["fetch", "--cacert", "server.pem", &page][..], 60, "issued by nobody who is trusted"),
        (
            &["fetch", "--cacert", "ca/ca.pem", "--resolve", &elsewhere, &other],
            60,
            "is not for other.example: it is for localhost, 127.0.0.1",
        ),
        (&["fetch", "--cacert", "ca/ca.pem", "--pin", pin, &page], 90, "none of those"),
        (&["fetch", "--cacert", "missing.pem", &page], 77, "missing.pem"),
        (&["fetch", "--cacert", "ca/ca.pem", "-E", "missing.pem", &page], 58, "missing.pem"),
        (&["fetch", "--cacert", "ca/ca.pem", "--crlfile", "server.pem", &page], 82, "server.pem"),
        (&["fetch", "--pin", "nonsense", &page], 2, "sha256//"),
    ] {
        let ran = place.run(arguments);
        assert_eq!(ran.status, status, "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains(reason), "{arguments:?}: {}", ran.err);
    }
    let plain = Target::start(&["serve", &place.text("www"), "--listen", "127.0.0.1:0"]);
    let ran = place.fetch(&[&url(&plain, "page")]);
    assert_eq!(ran.status, 35, "{}", ran.err);
    assert!(ran.err.contains("does not speak TLS"), "{}", ran.err);
    // The same of `check`, which says NOT OK.
    let ran = place.run(&["check", "--cacert", "server.pem", &page]);
    assert_eq!(ran.status, 1);
    assert!(ran.out.contains("NOT OK!") && ran.err.contains("trusted"), "{}{}", ran.out, ran.err);
    assert_eq!(place.run(&["check", "--cacert", "ca/ca.pem", &page]).status, 0);
}

#[test]
fn clients_show_certificates_where_they_are_wanted() {
    let place = Place::new();
    place.issue("alice.pem", &["alice"], Purpose::Client);
    let target = place.serve(&["--tls-client-ca", &place.text("ca/ca.pem")]);
    let page = url(&target, "page");
    let ran = place.fetch(&["-E", "alice.pem", &page]);
    assert_eq!((ran.status, &*ran.out), (0, "a page\n"), "{}", ran.err);
    let ran = place.fetch(&[&page]);
    assert_eq!(ran.status, 98, "{}", ran.err);
    assert!(ran.err.contains("wants a certificate"), "{}", ran.err);
    let ran = place.fetch(&["-E", "server.pem", &page]);
    assert_eq!(ran.status, 98, "a server's certificate is no client's: {}", ran.err);
    let more = ["--tls-client-ca", &place.text("ca/ca.pem"), "--tls-client-optional"];
    let target = place.serve(&more);
    assert_eq!(place.fetch(&[&url(&target, "page")]).out, "a page\n");
}

#[test]
fn the_system_s_roots_can_be_replaced_by_the_environment() {
    let place = Place::new();
    let target = place.serve(&[]);
    let output = Command::new(avocet_tests::program::program())
        .args(["fetch", &url(&target, "page")])
        .env("SSL_CERT_FILE", place.path("ca/ca.pem"))
        .env("SSLKEYLOGFILE", place.path("keys"))
        .output()
        .unwrap();
    assert_eq!(output.stdout, b"a page\n", "{}", String::from_utf8_lossy(&output.stderr));
    assert!(fs::read_to_string(place.path("keys")).unwrap().contains("CLIENT_TRAFFIC_SECRET_0"));
}

#[test]
fn downloads_and_explanations_go_over_https() {
    let place = Place::new();
    let content: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 251) as u8).collect();
    fs::write(place.path("www/large"), &content).unwrap();
    let target = place.serve(&[]);
    let large = url(&target, "large");
    let ran =
        place.run(&["download", "--cacert", "ca/ca.pem", "--split", "4", "-d", "got", &large]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(fs::read(place.path("got/large")).unwrap() == content);
    let ran = place.fetch(&["--explain", &url(&target, "page")]);
    for expected in ["TLSv1.3", "X25519MLKEM768", "http/1.1 inside", "checked; for localhost"] {
        assert!(ran.err.contains(expected), "{expected}: {}", ran.err);
    }
}

/// A proxy that opens tunnels, whatever the host, to this machine.
fn tunnels() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut near = stream.unwrap();
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && near.read(&mut byte).unwrap() == 1 {
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap();
            let port = head.split(' ').nth(1).unwrap().rsplit(':').next().unwrap();
            let mut far = TcpStream::connect(("127.0.0.1", port.parse().unwrap())).unwrap();
            near.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
            let (mut from, mut to) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            // Whichever side goes first, the other learns it by its own end.
            thread::spawn(move || drop(std::io::copy(&mut from, &mut to)));
            thread::spawn(move || drop(std::io::copy(&mut far, &mut near)));
        }
    });
    address
}

#[test]
fn https_goes_through_a_tunnel_and_the_name_is_that_of_the_host() {
    let place = Place::new();
    place.issue("server.pem", &["far.example"], Purpose::Server);
    let target = place.serve(&[]);
    let (proxy, port) = (format!("http://{}", tunnels()), target.address.port());
    let ran = place.fetch(&["-x", &proxy, &format!("https://far.example:{port}/page")]);
    assert_eq!((ran.status, &*ran.out), (0, "a page\n"), "{}", ran.err);
    let ran = place.fetch(&["-x", &proxy, &format!("https://other.example:{port}/page")]);
    assert_eq!(ran.status, 60, "{}", ran.err);
}

#[test]
fn who_comes_by_http_is_sent_to_https_and_may_be_told_to_stay() {
    let place = Place::new();
    let (_running, lines) = start(&[
        "serve",
        &place.text("www"),
        "--tls-pem",
        &place.text("server.pem"),
        "--listen",
        "127.0.0.1:0",
        "--hsts=600",
    ]);
    let port: u16 = lines[0].trim_end_matches(" ...").rsplit(':').next().unwrap().parse().unwrap();
    let secure = format!("https://localhost:{port}/page");
    let ran = place.fetch(&["-i", "--hsts", "known", &secure]);
    assert!(ran.out.contains("Strict-Transport-Security: max-age=600\r\n"), "{}", ran.out);
    assert!(fs::read_to_string(place.path("known")).unwrap().contains("localhost \""));
    let insecure = format!("http://localhost:{port}/page");
    assert_eq!(place.fetch(&["--hsts", "known", &insecure]).out, "a page\n");
    // Without checks it is obeyed, too, but nobody is believed.
    assert_eq!(place.run(&["fetch", "-k", "--hsts", "known", &insecure]).out, "a page\n");
    assert_eq!(place.run(&["fetch", "-k", "--hsts", "other", &secure]).out, "a page\n");
    assert!(!fs::read_to_string(place.path("other")).unwrap().contains("localhost"));
    assert!(place.fetch(&[&insecure]).out.contains("speaks https"), "nobody has told this one");
}

#[test]
fn the_listener_that_redirects() {
    let place = Place::new();
    let pem = place.text("server.pem");
    let (www, own) = (place.text("www"), ["--listen", "127.0.0.1:0", "--redirect-http"]);
    let program = avocet_tests::program::program();
    let mut child = Command::new(program)
        .args(["serve", &www, "--tls-pem", &pem])
        .args(own)
        .arg("127.0.0.1:0")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines: Vec<String> =
        BufReader::new(child.stdout.take().unwrap()).lines().take(3).map(Result::unwrap).collect();
    let _running = Running(child);
    let secure = lines[0].trim_end_matches(" ...").rsplit(':').next().unwrap();
    let from = lines[2].rsplit("http://").next().unwrap().trim_end_matches('/');
    let port = from.rsplit(':').next().unwrap();
    let ran = place.fetch(&["-i", &format!("http://localhost:{port}/page?q=1")]);
    let expected = format!("Location: https://localhost:{secure}/page?q=1\r\n");
    assert!(ran.out.starts_with("HTTP/1.1 301 ") && ran.out.contains(&expected), "{}", ran.out);
    assert!(!ran.out.contains("Strict-Transport"), "{}", ran.out);
    let ran = place.fetch(&["-i", "-d", "x", &format!("http://localhost:{port}/page")]);
    assert!(ran.out.starts_with("HTTP/1.1 308 "), "{}", ran.out);
    let ran = place.fetch(&["-L", &format!("http://localhost:{port}/page")]);
    assert_eq!(ran.out, "a page\n");
}

#[test]
fn certificates_are_replaced_100_times_under_load_and_no_request_fails() {
    let place = Place::new();
    let target = place.serve(&["--log-format", "off"]);
    let pid = Pid::from_raw(i32::try_from(target.id().unwrap()).unwrap()).unwrap();
    let (page, tls) = (url(&target, "page"), place.tls());
    let (over, done) = (AtomicBool::new(false), AtomicU64::new(0));
    let shown = || {
        // A session that is resumed goes with the certificate of its beginning.
        let without_sessions = config(&place.tls());
        let mut connection = RawConnection::with_config(&page, without_sessions).unwrap();
        connection.connect().unwrap();
        let secured = connection.peer().unwrap().secured.unwrap();
        secured.peer.clone().unwrap().fingerprint
    };
    thread::scope(|scope| {
        for fresh in [true, false, true] {
            let (page, tls, over, done) = (&page, &tls, &over, &done);
            scope.spawn(move || {
                let mut client = Client::with_config(config(tls));
                while !over.load(Ordering::Relaxed) {
                    if fresh {
                        client = Client::with_config(config(tls));
                    }
                    let mut response = client.get(page).send().expect("no request fails");
                    assert_eq!(response.text(1 << 20).expect("no content is cut"), "a page\n");
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let mut last = shown();
        for round in 0..100 {
            place.issue("server.pem", &["localhost", "127.0.0.1"], Purpose::Server);
            kill_process(pid, Signal::HUP).unwrap();
            let begun = Instant::now();
            loop {
                let now = shown();
                if now != last {
                    last = now;
                    break;
                }
                assert!(begun.elapsed() < Duration::from_secs(30), "round {round}");
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(done.into_inner() > 100);
    // A mistake in the file leaves the last good certificate in use.
    let last = shown();
    fs::write(place.path("server.pem"), "nonsense").unwrap();
    kill_process(pid, Signal::HUP).unwrap();
    assert_eq!(shown(), last);
}

#[test]
fn an_authority_for_development() {
    let place = Place::new();
    let ran = place.run(&["certs", "ca"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    let ca = place.path(".local/share/avocet/ca/ca.pem");
    assert!(ran.out.contains("CN=Avocet development CA ") && ca.exists(), "{}", ran.out);
    let ca = ca.to_str().unwrap().to_owned();
    let ran = place.run(&["certs", "trust-hint"]);
    assert!(ran.out.contains(&format!("curl --cacert {ca} URL")), "{}", ran.out);
    let ran = place.run(&["certs", "issue", "localhost", "-o", "issued.pem"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    let (www, pem) = (place.text("www"), place.text("issued.pem"));
    let target = Target::start(&["serve", &www, "--tls-pem", &pem, "--listen", "127.0.0.1:0"]);
    assert_eq!(place.run(&["fetch", "--cacert", &ca, &url(&target, "page")]).out, "a page\n");
    let host = format!("localhost:{}", target.address.port());
    let ran = place.run(&["certs", "show", "--cacert", &ca, &host]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.out.contains("   names      localhost\n"), "{}", ran.out);
    assert!(ran.out.ends_with("nothing is wrong with it\n"), "{}", ran.out);
    let ran = place.run(&["certs", "show", "--cacert", "ca/ca.pem", "--format", "json", &host]);
    assert_eq!(ran.status, 1, "{}", ran.err);
    let shown: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(shown["certificates"][0]["names"][0], "localhost");
    assert!(shown["problem"].as_str().unwrap().contains("nobody who is trusted"), "{shown}");
    let ran = place.run(&["certs", "show", "issued.pem"]);
    assert_eq!((ran.status, ran.out.contains("EC P-256")), (0, true), "{}", ran.out);
    let ran = place.run(&["certs", "show", "--cacert", "missing", &host]);
    assert_eq!(ran.status, 77, "{}", ran.err);
    assert_eq!(place.run(&["certs", "self-signed", "no blanks"]).status, 2);
}

#[test]
fn one_option_serves_https_for_development() {
    let place = Place::new();
    let program = avocet_tests::program::program();
    let mut child = Command::new(program)
        .args(["serve", &place.text("www"), "--tls-dev", "--listen", "127.0.0.1:0"])
        .env("HOME", place.folder.path())
        .env_remove("XDG_DATA_HOME")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let _running = Running(child);
    let address = line.trim_end_matches(" ...\n").rsplit(' ').next().unwrap();
    let ca = ".local/share/avocet/ca/ca.pem";
    let ran = place.run(&["fetch", "--cacert", ca, &format!("https://{address}/page")]);
    assert_eq!((ran.status, &*ran.out), (0, "a page\n"), "{}", ran.err);
}
