//! `avocet fetch`: more of curl's options, each as curl means it.

use std::fs;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use avocet_tests::run::{fetch, run, run_in};
use avocet_tests::scripted::{Scripted, field, response};

fn path(request: &str) -> &str {
    request.split(' ').nth(1).unwrap_or_default()
}

fn redirecting(status: &'static str, to: String) -> Scripted {
    Scripted::start(move |request| match path(request) {
        "/from" => response(status, &format!("Location: {to}\r\n"), ""),
        _ => response("200 OK", "", "there"),
    })
}

#[test]
fn errors_of_the_server_with_and_without_their_pages() {
    let folder = tempfile::tempdir().unwrap();
    let server = Scripted::start(|request| match path(request) {
        "/fine" => response("200 OK", "", "fine"),
        _ => response("404 Not Found", "", "no such page"),
    });
    let (missing, fine) = (server.url("/missing"), server.url("/fine"));
    let ran = fetch(&["--fail-with-body", &missing]);
    assert_eq!((ran.status, &*ran.out), (22, "no such page"));
    assert_eq!(ran.err, format!("avocet: {missing}: status 404\n"));
    let ran = fetch(&["-f", "--fail-early", &missing, &fine, "--next", &fine]);
    assert_eq!((ran.status, &*ran.out), (22, ""));
    let ran = fetch(&["-f", &missing, &fine, "-:", &fine]);
    assert_eq!((ran.status, &*ran.out), (22, "finefine"));
    let call = ["fetch", "--fail-with-body", "--remove-on-error", "-o", "f", &missing];
    assert_eq!(run_in(folder.path(), &call, "").status, 22);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn files_and_their_folders() {
    let folder = tempfile::tempdir().unwrap();
    let server = Scripted::start(|request| {
        let named = "Content-Disposition: attachment; filename=\"theirs\"\r\n";
        response("200 OK", named, path(request))
    });
    let (one, two) = (server.url("/1"), server.url("/2"));
    let inside = |call: &[&str]| run_in(folder.path(), &[&["fetch"], call].concat(), "");
    let file = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(inside(&["-o", "a/b/f", &one]).status, 23);
    assert_eq!(inside(&["--create-dirs", "--output-dir", "x", "-o", "a/f", &one]).status, 0);
    assert_eq!(file("x/a/f"), "/1");
    for (number, url) in [&one, &two, &two].into_iter().enumerate() {
        let ran = inside(&["--no-clobber", "-w", "%{filename_effective}", "-o", "f", url]);
        let name = if number == 0 { "f".to_owned() } else { format!("f.{number}") };
        assert_eq!((ran.status, &*ran.out), (0, &*name));
    }
    assert_eq!((file("f"), file("f.2")), ("/1".to_owned(), "/2".to_owned()));
    assert_eq!(inside(&["-OJ", &one]).status, 0);
    assert_eq!(inside(&["-OJ", &two]).status, 23, "a name of the server replaces no file");
    assert_eq!(inside(&["-OJ", "--clobber", &two]).status, 0);
    assert_eq!(file("theirs"), "/2");
    assert_eq!(inside(&["-OJ", "--no-clobber", &one]).status, 0);
    assert_eq!(file("theirs.1"), "/1");
    // A transfer that fails half way leaves its part, or nothing.
    let cut = Scripted::start(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc".to_vec());
    assert_eq!(inside(&["-o", "part", &cut.url("/")]).status, 18);
    assert_eq!(file("part"), "abc");
    assert_eq!(inside(&["--remove-on-error", "-o", "part", &cut.url("/")]).status, 18);
    assert!(!folder.path().join("part").exists());
    assert_eq!(inside(&["--no-clobber", "-C", "-", "-o", "f", &one]).status, 2);
}

#[test]
fn post_after_redirects() {
    for (status, option) in
        [("301 Moved", "--post301"), ("302 Found", "--post302"), ("303 See", "--post303")]
    {
        let server = redirecting(status, "/to".to_owned());
        let url = server.url("/from");
        assert_eq!(fetch(&["-L", "-d", "a=1", &url]).out, "there");
        assert_eq!(fetch(&["-L", option, "-d", "a=1", &url]).out, "there");
        let requests = server.requests();
        assert!(requests[1].starts_with("GET /to "), "{}", requests[1]);
        assert!(requests[3].starts_with("POST /to ") && requests[3].ends_with("a=1"));
    }
    let server = redirecting("302 Found", "/from".to_owned());
    assert_eq!(fetch(&["-L", "--max-redirs", "2", &server.url("/from")]).status, 47);
    let rounds = AtomicU32::new(0);
    let server = Scripted::start(move |_| match rounds.fetch_add(1, Ordering::Relaxed) {
        60 => response("200 OK", "", "there"),
        _ => response("302 Found", "Location: /\r\n", ""),
    });
    assert_eq!(fetch(&["-L", "--max-redirs", "-1", &server.url("/")]).out, "there");
}

#[test]
fn passwords_go_along_when_every_host_is_trusted() {
    for (call, kept) in [
        (&["-L", "-u", "me:secret"][..], false),
        (&["--location-trusted", "-u", "me:secret"], true),
        (&["--location-trusted", "--oauth2-bearer", "token"], true),
        (&["-L", "-H", "Authorization: Basic x"], false),
    ] {
        let there = Scripted::start(|_| response("200 OK", "", "there"));
        let server = redirecting("302 Found", there.url("/").replace("127.0.0.1", "localhost"));
        assert_eq!(fetch(&[call, &[&server.url("/from")]].concat()).out, "there");
        assert!(field(&server.requests()[0], "authorization").is_some());
        let seen = there.requests();
        assert_eq!(field(&seen[0], "authorization").is_some(), kept, "{call:?}");
    }
    // The same with a challenge: the password is for the host that was named.
    for (option, asked) in [("-L", 1), ("--location-trusted", 2)] {
        let there = Scripted::start(|_| {
            let challenge = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n";
            response("401 Unauthorized", challenge, "closed")
        });
        let server = redirecting("302 Found", there.url("/").replace("127.0.0.1", "localhost"));
        fetch(&[option, "--digest", "-u", "me:secret", &server.url("/from")]);
        assert_eq!(there.requests().len(), asked, "{option}");
    }
}

#[test]
fn schemes_and_users_that_are_refused() {
    let server = redirecting("302 Found", "http://me@127.0.0.1:1/".to_owned());
    let (url, from) = (server.url("/"), server.url("/from"));
    let user = url.replace("http://", "http://me:secret@");
    for (call, status) in [
        (&["--proto", "=https", &url][..], 1),
        (&["--proto", "-http", &url], 1),
        (&["--proto", "=http", &url], 0),
        (&["-L", "--proto-redir", "=https", &from], 1),
        (&["-L", "--proto-redir", "=https", &url], 0),
        (&["-L", "--disallow-username-in-url", &from], 67),
        (&["--disallow-username-in-url", &user], 67),
        (&["--proto", "=", &url], 2),
        (&["--proto-default", "ftp", &url], 2),
    ] {
        let ran = fetch(call);
        assert_eq!(ran.status, status, "{call:?}: {}", ran.err);
        assert!(!ran.err.contains("secret"), "{}", ran.err);
        assert_eq!(ran.err.lines().count(), usize::from(status != 0), "{}", ran.err);
    }
    let ran = fetch(&["--proto-default", "https", "127.0.0.1:1"]);
    assert!(ran.err.starts_with("avocet: https://127.0.0.1:1/: "), "{}", ran.err);
}

#[test]
fn what_is_asked_for_in_other_words() {
    let server = Scripted::start(|request| response("200 OK", "", path(request)));
    let out = |call: &[&str]| fetch(call).out;
    let url = server.url("/a/../b");
    assert_eq!(out(&[&url]), "/b");
    assert_eq!(out(&["--path-as-is", &format!("{url}?c#d")]), "/a/../b?c");
    assert_eq!(out(&["--request-target", "*", "-X", "OPTIONS", &url]), "*");
    let queries = ["--url-query", "q=a b&", "--url-query", "+raw=%41"];
    assert_eq!(out(&[&queries[..], &["-d", "x", &url]].concat()), "/b?q=a%20b%26&raw=%41");
    assert!(server.requests().last().unwrap().ends_with("\r\n\r\nx"));
    assert_eq!(out(&["-G", "-d", "x=1", "--url-query", "y=2", &server.url("/?z")]), "/?z&x=1&y=2");
    assert_eq!(out(&["--data-ascii", "x", &url]), "/b");
    assert!(server.requests().last().unwrap().starts_with("POST /b "));
    let habits = [
        "--basic",
        "--proxy-basic",
        "--http1.1",
        "--no-progress-meter",
        "--tcp-nodelay",
        "--tlsv1",
        "-N",
    ];
    assert_eq!(out(&[&habits[..], &["-0", "--http1.1", &url]].concat()), "/b");
    assert!(server.requests().last().unwrap().starts_with("GET /b HTTP/1.1\r\n"));
    for unknown in ["--ntlm", "--http3", "--proxy-digest", "--ciphers"] {
        let ran = fetch(&[unknown, "x", &url]);
        assert_eq!((ran.status, ran.err.lines().count()), (2, 1), "{unknown}: {}", ran.err);
        assert!(ran.err.contains(unknown), "{}", ran.err);
    }
}

#[test]
fn tries_as_often_and_as_long_as_was_said() {
    let served = AtomicU32::new(0);
    let server = Scripted::start(move |_| match served.fetch_add(1, Ordering::Relaxed) % 2 {
        0 => b"nonsense\r\n\r\n".to_vec(),
        _ => response("200 OK", "", "at last"),
    });
    let url = server.url("/");
    let call = ["--retry", "1", "--retry-delay", "0.01", "-d", "x", &url];
    assert_eq!(fetch(&call).status, 8, "nonsense comes again");
    assert_eq!(fetch(&call).out, "at last");
    let ran = fetch(&[&["--retry-all-errors"], &call[..]].concat());
    assert_eq!((ran.status, &*ran.out), (0, "at last"), "{}", ran.err);
    assert_eq!(server.requests().len(), 4);
    let refused = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/", listener.local_addr().unwrap())
    };
    let begun = Instant::now();
    let ran =
        fetch(&["--retry", "1000", "--retry-max-time", "1", "--retry-delay", "0.3", &refused]);
    assert_eq!(ran.status, 7);
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn transfers_begin_at_their_pace() {
    let server = redirecting("302 Found", "/to".to_owned());
    let (from, to) = (server.url("/from"), server.url("/[1-3]"));
    let begun = Instant::now();
    let ran =
        fetch(&["--rate", "5/s", "--netrc-optional", "--happy-eyeballs-timeout-ms", "20", &to]);
    assert_eq!((ran.status, &*ran.out), (0, "theretherethere"), "{}", ran.err);
    assert!(begun.elapsed() >= Duration::from_millis(400), "two pauses of 200 ms");
    assert_eq!(fetch(&["--rate", "fast", &to]).status, 2);
    let time = |url: &str| -> f64 {
        fetch(&["-L", "-o", "/dev/null", "-w", "%{time_redirect}", url]).out.parse().unwrap()
    };
    assert_eq!(time(&server.url("/to")), 0.0);
    assert!(time(&from) > 0.0);
}

#[test]
fn messages_go_where_they_are_sent() {
    let folder = tempfile::tempdir().unwrap();
    let server = Scripted::start(|_| response("200 OK", "", "page"));
    let call = ["-v", "fetch", "--stderr", "said", &server.url("/"), "http://127.0.0.1:1/"];
    let ran = run_in(folder.path(), &call, "");
    assert_eq!((ran.status, &*ran.out, &*ran.err), (7, "page", ""));
    let said = fs::read_to_string(folder.path().join("said")).unwrap();
    assert!(said.contains("> GET / HTTP/1.1\n") && said.contains("127.0.0.1:1"), "{said}");
    let ran = run(&["fetch", "--stderr", "-", "http://127.0.0.1:1/"]);
    assert!(ran.out.starts_with("avocet: ") && ran.err.is_empty(), "{}", ran.out);
}

#[test]
fn proxies_by_their_own_options() {
    let proxy = Scripted::start(|request| match request.starts_with("CONNECT") {
        true => response("403 Forbidden", "", ""),
        false => response("200 OK", "", "by proxy"),
    });
    let place = proxy.address.to_string();
    let own = ["-x", &place, "--proxy-header", "X-For: proxy"];
    let ran = fetch(&[&own[..], &["-H", "X-All: page", "http://far.invalid/"]].concat());
    assert_eq!(ran.out, "by proxy", "{}", ran.err);
    let ran = fetch(&[&own[..], &["-p", "-H", "X-All: page", "http://far.invalid/"]].concat());
    assert_eq!(ran.status, 56, "{}", ran.err);
    let requests = proxy.requests();
    let seen = |index: usize, name| field(&requests[index], name);
    assert_eq!((seen(0, "x-for"), seen(0, "x-all")), (Some("proxy"), Some("page")));
    assert!(requests[1].starts_with("CONNECT far.invalid:80 "), "{}", requests[1]);
    assert_eq!((seen(1, "x-for"), seen(1, "x-all")), (Some("proxy"), None));
    // A SOCKS server would understand the first bytes; this one closes at what is no request.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap().to_string();
    let socks = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = [0; 2];
        std::io::Read::read_exact(&mut stream, &mut bytes).unwrap();
        bytes
    });
    let ran =
        fetch(&["-x", "http://127.0.0.1:1", "--socks5-hostname", &place, "http://h.invalid/"]);
    assert_ne!(ran.status, 0);
    assert_eq!(socks.join().unwrap()[0], 5, "{}", ran.err);
}
