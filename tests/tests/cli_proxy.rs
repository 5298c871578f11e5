//! `avocet fetch`: recipe 5, through a proxy, and other ways to a host.

use std::net::TcpListener;
use std::process::Command;

use avocet_tests::program::{Target, program};
use avocet_tests::run::fetch;
use avocet_tests::scripted::{Scripted, response};

fn fetch_with(variables: &[(&str, &str)], arguments: &[&str]) -> (Option<i32>, String) {
    run_with(variables, &[&["fetch"], arguments].concat())
}

/// With variables in the environment; the exit status and standard output.
fn run_with(variables: &[(&str, &str)], arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(program());
    command.env_clear().envs(variables.iter().copied()).args(arguments);
    let output = command.output().expect("the program starts");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

const FAR: &str = "http://no.such.host.invalid/p?q=1";

#[test]
fn recipe_5_the_whole_url_goes_to_the_proxy() {
    let proxy = Scripted::start(|_| response("200 OK", "", "by proxy"));
    let address = proxy.address.to_string();
    for written in [format!("http://{address}"), address.clone(), format!("http://{address}/")] {
        let ran = fetch(&["-x", &written, "-U", "me:secret", FAR]);
        assert_eq!((ran.status, &*ran.out), (0, "by proxy"), "{written}: {}", ran.err);
    }
    for request in proxy.requests() {
        let head = request.to_ascii_lowercase();
        assert!(request.starts_with(&format!("GET {FAR} HTTP/1.1\r\n")), "{request}");
        assert!(head.contains("\r\nhost: no.such.host.invalid\r\n"), "{request}");
        assert!(request.contains("Basic bWU6c2VjcmV0\r\n"), "{request}");
        assert_eq!(head.matches("proxy-authorization: ").count(), 1, "{request}");
    }
}

#[test]
fn recipe_5_the_environment_names_proxies_and_exceptions() {
    let proxy = Scripted::start(|_| response("200 OK", "", "by proxy"));
    let origin = Scripted::start(|_| response("200 OK", "", "direct"));
    let (by, near) = (proxy.url("/"), origin.url("/"));
    let out = |variables: &[(&str, &str)], arguments: &[&str]| {
        let (status, out) = fetch_with(variables, arguments);
        assert_eq!(status, Some(0), "{variables:?} {arguments:?}");
        out
    };
    assert_eq!(out(&[("http_proxy", &by)], &[FAR]), "by proxy");
    let checked = run_with(&[("http_proxy", &by)], &["check", FAR]);
    assert_eq!(checked, (Some(0), format!("Server: {FAR} status is OK\n")));
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().to_str().expect("text");
    let loaded = run_with(&[("http_proxy", &by)], &["download", "-d", dir, "-o", "f", FAR]);
    assert_eq!(loaded.0, Some(0));
    let text = std::fs::read_to_string(folder.path().join("f")).expect("a file");
    assert_eq!(text, "by proxy");
    assert_eq!(out(&[("ALL_PROXY", &by)], &[&near]), "by proxy");
    assert_eq!(out(&[("http_proxy", &by), ("no_proxy", "127.0.0.1")], &[&near]), "direct");
    assert_eq!(out(&[("http_proxy", &by), ("NO_PROXY", "127.0.0.0/8")], &[&near]), "direct");
    assert_eq!(out(&[("http_proxy", &by)], &["--noproxy", "*", &near]), "direct");
    assert_eq!(out(&[("http_proxy", &by)], &["-x", "", &near]), "direct");
    // A server's scripts get the field Proxy as HTTP_PROXY, so that name counts for nothing.
    assert_eq!(out(&[("HTTP_PROXY", &by)], &[&near]), "direct");
    for request in origin.requests() {
        assert!(!request.to_ascii_lowercase().contains("proxy"), "{request}");
    }
}

#[test]
fn recipe_5_what_is_wrong_with_a_proxy_is_told() {
    let dead = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let ran = fetch(&["-x", &dead, FAR]);
    assert!([5, 7].contains(&ran.status), "{}: {}", ran.status, ran.err);
    let ran = fetch(&["-x", "http://no.such.proxy.invalid:3128", FAR]);
    assert!([5, 7].contains(&ran.status), "{}: {}", ran.status, ran.err);
    let closed = Scripted::start(|_| {
        let fields = "Proxy-Authenticate: Basic realm=\"p\"\r\n";
        response("407 Proxy Authentication Required", fields, "")
    });
    let ran = fetch(&["-x", &closed.address.to_string(), FAR]);
    assert_ne!(ran.status, 0);
    assert!(ran.err.contains("wants a password"), "{}", ran.err);
    for wrong in ["gopher://h:1", "http://h:port", "http://"] {
        let ran = fetch(&["-x", wrong, FAR]);
        assert!(ran.status != 0 && ran.err.starts_with("avocet: "), "{wrong}: {}", ran.err);
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    }
}

#[test]
fn names_and_connections_are_led_elsewhere() {
    let server = Scripted::start(|_| response("200 OK", "", "here"));
    let port = server.address.port();
    let url = format!("http://far.invalid:{port}/");
    let ran = fetch(&["--resolve", &format!("far.invalid:{port}:127.0.0.1"), &url]);
    assert_eq!((ran.status, &*ran.out), (0, "here"), "{}", ran.err);
    let ran = fetch(&["--connect-to", &format!("::127.0.0.1:{port}"), "http://far.invalid/"]);
    assert_eq!((ran.status, &*ran.out), (0, "here"), "{}", ran.err);
    let ran = fetch(&["--interface", "127.0.0.5", "-w", "|%{local_ip}", &server.url("/")]);
    assert_eq!((ran.status, &*ran.out), (0, "here|127.0.0.5"), "{}", ran.err);
    let hosts = ["far.invalid:", "far.invalid\r", "127.0.0.1:"];
    for (request, host) in server.requests().iter().zip(hosts) {
        assert!(request.contains(&format!("ost: {host}")), "{request}");
    }
    assert_ne!(fetch(&["-6", &server.url("/")]).status, 0);
    assert_eq!(fetch(&["-4", &server.url("/")]).status, 0);
    for wrong in [["--resolve", "nonsense"], ["--connect-to", "nonsense"]] {
        assert_eq!(fetch(&[&wrong[..], &[&server.url("/")]].concat()).status, 2);
    }
}

#[test]
fn a_socket_in_the_file_system_is_a_host_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listen = format!("unix:{}", path.display());
    let _target =
        Target::start(&["serve", "--text", "hi", "--listen", &listen, "--listen", "127.0.0.1:0"]);
    let ran = fetch(&["--unix-socket", path.to_str().unwrap(), "http://anything/"]);
    assert_eq!((ran.status, &*ran.out), (0, "hi"), "{}", ran.err);
    let missing = folder.path().join("missing");
    let ran = fetch(&["--unix-socket", missing.to_str().unwrap(), "http://anything/"]);
    assert_eq!(ran.status, 7, "{}", ran.err);
}
