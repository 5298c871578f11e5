//! `avocet fetch`: recipes 1, 4, 7 and 8, and what else users of curl expect.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use avocet_tests::program::Target;
use avocet_tests::run::{fetch, run, run_in};
use avocet_tests::scripted::{Scripted, field, response};

fn content(request: &str) -> &str {
    request.split_once("\r\n\r\n").map_or("", |(_, content)| content)
}

#[test]
fn recipe_1_a_page_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let page: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    fs::write(folder.path().join("page"), &page).unwrap();
    let target =
        Target::start(&["serve", folder.path().to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    let url = |path: &str| format!("http://{}/{path}", target.address);
    let ran = run_in(folder.path(), &["fetch", "-o", "got", &url("page")], "");
    assert_eq!((ran.status, &*ran.out, &*ran.err), (0, "", ""));
    assert_eq!(fs::read(folder.path().join("got")).unwrap(), page);
    let missing = url("not-exist");
    let ran = fetch(&[&missing]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.out.contains("404"), "{}", ran.out);
    let host = target.address.to_string();
    assert_eq!(fetch(&["--host", &host, "--path", "not-exist"]).out, ran.out);
    let ran = fetch(&["--fail", &missing]);
    assert_eq!((ran.status, &*ran.out), (22, ""));
    assert_eq!(ran.err, format!("avocet: {missing}: status 404\n"));
}

#[test]
fn recipe_1_what_cannot_be_had_is_told_in_one_line() {
    let begun = Instant::now();
    let refused = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/", listener.local_addr().unwrap())
    };
    let cut = Scripted::start(|request| match request.split(' ').nth(1) {
        Some("/length") => b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc".to_vec(),
        Some("/chunk") => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc".to_vec(),
        Some("/head") => b"HTTP/1.1 200 OK\r\nContent-Le".to_vec(),
        Some("/bad") => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc".to_vec(),
        _ => Vec::new(),
    });
    for (url, expected) in [
        ("http://no.such.host.invalid/".to_owned(), &[6][..]),
        (refused, &[7]),
        ("http://[/".to_owned(), &[2, 3]),
        ("gopher://h/".to_owned(), &[2, 3]),
        (cut.url("/length"), &[18]),
        (cut.url("/chunk"), &[18]),
        (cut.url("/bad"), &[56]),
        (cut.url("/head"), &[52, 56]),
        (cut.url("/nothing"), &[52]),
    ] {
        let ran = fetch(&[&url]);
        assert!(expected.contains(&ran.status), "{url}: {}: {}", ran.status, ran.err);
        assert!(ran.err.starts_with("avocet: ") && ran.err.lines().count() == 1, "{}", ran.err);
    }
    assert!(begun.elapsed() < Duration::from_secs(60));
}

#[test]
fn recipe_4_forms_survive_their_way() {
    let server = Scripted::start(|_| response("200 OK", "", ""));
    let url = server.url("/form");
    for call in [
        &["-d", "k=v", "-d", "k2=v2"][..],
        &["--data-urlencode", "q=a b&c+d=%\u{e9}"],
        &["-G", "--data-urlencode", "q=a b&+=%"],
        &["--json", "{\"a\":1}"],
    ] {
        assert_eq!(fetch(&[call, &[&url]].concat()).status, 0);
    }
    let requests = server.requests();
    let urlencoded = Some("application/x-www-form-urlencoded");
    assert!(requests[0].starts_with("POST /form HTTP/1.1\r\n"));
    assert_eq!(field(&requests[0], "content-type"), urlencoded);
    assert_eq!(field(&requests[0], "content-length"), Some("9"));
    assert_eq!(content(&requests[0]), "k=v&k2=v2");
    assert_eq!(content(&requests[1]), "q=a%20b%26c%2Bd%3D%25%C3%A9");
    assert!(requests[2].starts_with("GET /form?q=a%20b%26%2B%3D%25 HTTP/1.1\r\n"));
    assert_eq!(field(&requests[2], "content-length"), None);
    assert_eq!(field(&requests[3], "content-type"), Some("application/json"));
}

#[test]
fn recipe_4_files_go_as_parts() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("small.png"), "PNG\r\n--").unwrap();
    let large = "0123456789abcdef".repeat(100_000);
    fs::write(folder.path().join("large"), &large).unwrap();
    let server = Scripted::start(|_| response("200 OK", "", ""));
    let url = server.url("/");
    let call = ["fetch", "-F", "pic=@small.png", "-F", "note=a=b;c", "-F", "big=@large", &url];
    let ran = run_in(folder.path(), &call, "");
    assert_eq!(ran.status, 0, "{}", ran.err);
    let requests = server.requests();
    let request = &requests[0];
    let kind = field(request, "content-type").unwrap();
    let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
    let expected = format!(
        "--{boundary}\r\n\
         Content-Disposition: form-data; name=\"pic\"; filename=\"small.png\"\r\n\
         Content-Type: image/png\r\n\r\nPNG\r\n--\r\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\na=b;c\r\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"big\"; filename=\"large\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n{large}\r\n--{boundary}--\r\n"
    );
    assert!(content(request) == expected, "{:.600}", content(request));
    assert_eq!(field(request, "content-length"), Some(&*expected.len().to_string()));

    let ran = run_in(folder.path(), &["fetch", "-F", "pic=@missing.png", &url], "");
    assert_eq!(ran.status, 26, "{}", ran.err);
    assert_eq!(server.requests().len(), 1, "nothing was sent");
}

#[test]
fn recipe_4_where_only_post_is_allowed_the_page_and_allow_are_shown() {
    let server =
        Scripted::start(|_| response("405 Method Not Allowed", "Allow: POST\r\n", "no GET here"));
    let ran = fetch(&["-i", &server.url("/")]);
    assert_eq!(ran.status, 0);
    assert!(ran.out.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"), "{}", ran.out);
    assert!(ran.out.contains("\r\nAllow: POST\r\n") && ran.out.ends_with("no GET here"));
}

#[test]
fn recipe_7_posing_as_firefox() {
    let server = Scripted::start(|_| response("200 OK", "X-Second: 2\r\nx-FIRST: 1\r\n", "page"));
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:20.0) Gecko/20100101 Firefox/20.0";
    let ran = fetch(&["-A", agent, "-i", &server.url("/")]);
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-Second: 2\r\nx-FIRST: 1\r\n\r\n";
    assert_eq!((ran.status, ran.out), (0, format!("{head}page")));
    assert_eq!(fetch(&["--browser", "firefox", &server.url("/")]).status, 0);
    let requests = server.requests();
    assert_eq!(requests[0].to_ascii_lowercase().matches("user-agent:").count(), 1);
    assert_eq!(field(&requests[0], "user-agent"), Some(agent));
    assert!(field(&requests[1], "user-agent").unwrap().contains("Firefox/"));
    for value in ["a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rb"] {
        let ran = fetch(&["-A", value, &server.url("/")]);
        assert_eq!(ran.status, 2, "{}", ran.err);
    }
    assert_eq!(server.requests().len(), 2, "nothing was sent");
}

#[test]
fn recipe_8_compressed_on_the_wire_and_whole_on_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let text = "the same line again and again\n".repeat(2_000);
    fs::write(folder.path().join("t.txt"), &text).unwrap();
    let target =
        Target::start(&["serve", folder.path().to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    let url = format!("http://{}/t.txt", target.address);
    let ran = fetch(&["--compressed", &url]);
    assert_eq!((ran.status, ran.out == text), (0, true), "{}", ran.err);
    let ran = fetch(&["--compressed", "-I", &url]);
    let shown = ran.out.to_ascii_lowercase();
    assert!(shown.contains("\r\ncontent-encoding: ") && shown.contains("\r\nvary: "), "{shown}");
    let ran = fetch(&["-I", "-H", "Accept-Encoding: gzip;q=0", &url]);
    assert!(!ran.out.to_ascii_lowercase().contains("content-encoding"), "{}", ran.out);

    let damaged = "Content-Encoding: gzip\r\n";
    let server = Scripted::start(move |_| response("200 OK", damaged, "this is no gzip"));
    let ran = fetch(&["--compressed", &server.url("/")]);
    assert_eq!((ran.status, &*ran.out), (61, ""), "{}", ran.err);
}

#[test]
fn facts_of_a_transfer_are_written_out() {
    let server = Scripted::start(|request| match request.split(' ').nth(1) {
        Some("/from") => response("302 Found", "Location: /to\r\n", ""),
        _ => response("200 OK", "ETag: \"e\"\r\nContent-Type: text/plain\r\n", "12345"),
    });
    let format = "|%{http_code} %{num_redirects} %{size_download} %{url_effective} %{remote_port} \
                  %header{etag} %{num_connects}";
    let ran = fetch(&["-L", "-w", format, &server.url("/from")]);
    let (to, port) = (server.url("/to"), server.address.port());
    assert_eq!(ran.out, format!("12345|200 1 5 {to} {port} \"e\" 2"));
    let ran = fetch(&["-o", "/dev/null", "-w", "%{json}", &server.url("/from")]);
    let facts: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(facts["response_code"], 302);
    assert_eq!(facts["redirect_url"], to);
    let times = ["time_connect", "time_pretransfer", "time_starttransfer", "time_total"];
    let times = times.map(|name| facts[name].as_f64().unwrap());
    assert!(times[0] > 0.0 && times.is_sorted(), "{times:?}");
    assert!(facts["size_request"].as_u64() > Some(20) && facts["size_header"].as_u64() > Some(20));
}

#[test]
fn a_status_that_passes_is_tried_again() {
    let server = Scripted::start({
        let served = std::sync::atomic::AtomicU32::new(0);
        move |_| match served.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 | 1 => response("503 Service Unavailable", "", "busy"),
            _ => response("200 OK", "", "done"),
        }
    });
    let call = ["--retry", "3", "--retry-delay", "0.05", "-w", "|%{num_retries}"];
    let ran = fetch(&[&call[..], &[&server.url("/")]].concat());
    assert_eq!((ran.status, &*ran.out), (0, "done|2"), "{}", ran.err);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn rates_are_held_and_demanded() {
    let text = "x".repeat(1_500_000);
    let server = Scripted::start(move |_| response("200 OK", "", &text));
    let begun = Instant::now();
    let ran = fetch(&["--limit-rate", "1000k", &server.url("/")]);
    assert_eq!((ran.status, ran.out.len()), (0, 1_500_000), "{}", ran.err);
    assert!(begun.elapsed() > Duration::from_millis(900), "{:?}", begun.elapsed());

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = silent.accept().unwrap();
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx";
        std::io::Write::write_all(&mut stream, head).unwrap();
        // Held open until the client gives up.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let ran = fetch(&["--speed-limit", "1000", "--speed-time", "1", &url]);
    assert_eq!(ran.status, 28, "{}", ran.err);
}

#[test]
fn a_transfer_is_explained() {
    let server = Scripted::start(|request| match request.split(' ').nth(1) {
        Some("/from") => response("302 Found", "Location: /to\r\nSet-Cookie: a=1\r\n", ""),
        _ => response(
            "200 OK",
            "Cache-Control: private, max-age=60\r\nAge: 15\r\nETag: \"e\"\r\n\
             Set-Cookie: b=\u{9b}31m; Domain=com\r\nSet-Cookie: c=1; Domain=com\r\n",
            "page",
        ),
    });
    let folder = tempfile::tempdir().unwrap();
    let from = server.url("/from");
    let ran = run_in(folder.path(), &["fetch", "-L", "--explain", "-c", "jar", &from], "");
    assert_eq!((ran.status, &*ran.out), (0, "page"), "{}", ran.err);
    let expected = [
        "* cookie set, a=1: stored".to_owned(),
        "* cookie a of 127.0.0.1: sent".to_owned(),
        "* cookie set, c=1: refused: ".to_owned(),
        format!("* redirect: 302 from {from}"),
        format!("* answer from: {}", server.url("/to")),
        format!("* address tried: {}: connected after ", server.address),
        format!(" to {}", server.address),
        "* caching: fresh for 45 s (max-age); not for shared caches (private); can be asked for \
         again by its entity tag"
            .to_owned(),
        " ms |".to_owned(),
        "* in all ".to_owned(),
    ];
    let mut rest = &*ran.err;
    for part in &expected {
        let at = rest.find(part).unwrap_or_else(|| panic!("{part}: {}", ran.err));
        rest = &rest[at + part.len()..];
    }
    assert!(!ran.err.contains('\u{9b}'), "{:?}", ran.err);
}

#[test]
fn options_come_from_files_and_next_begins_anew() {
    let server = Scripted::start(|_| response("200 OK", "", "."));
    let folder = tempfile::tempdir().unwrap();
    let lines = format!(
        "# options\nuser-agent = \"from a file\"\n-d a=1\ndata: \"b= 2\"\nurl = {}\n",
        server.url("/filed")
    );
    fs::write(folder.path().join("options"), lines).unwrap();
    let call = ["fetch", "-K", "options", "-A", "from the line", "--next", &server.url("/plain")];
    let ran = run_in(folder.path(), &call, "");
    assert_eq!((ran.status, &*ran.out), (0, ".."), "{}", ran.err);
    let requests = server.requests();
    assert!(requests[0].starts_with("POST /filed HTTP/1.1\r\n"), "{}", requests[0]);
    assert_eq!(field(&requests[0], "user-agent"), Some("from the line"));
    assert_eq!(content(&requests[0]), "a=1&b= 2");
    assert!(requests[1].starts_with("GET /plain HTTP/1.1\r\n"), "{}", requests[1]);
    assert!(field(&requests[1], "user-agent").unwrap().starts_with("avocet/"));
    for (file, status) in [("missing", 26), ("options", 2)] {
        fs::write(folder.path().join("options"), "data \"open\n").unwrap();
        let ran = run_in(folder.path(), &["fetch", "-K", file, &server.url("/")], "");
        assert_eq!(ran.status, status, "{}", ran.err);
        assert!(ran.err.starts_with("avocet: "), "{}", ran.err);
    }
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn exchanges_are_logged_as_har_without_secrets() {
    let server = Scripted::start(|request| match request.split(' ').nth(1) {
        Some("/from?q=a%20b") => {
            response("302 Found", "Location: /to\r\nSet-Cookie: s=hidden\r\n", "")
        }
        _ => response("200 OK", "Content-Type: text/plain\r\n", "page"),
    });
    let folder = tempfile::tempdir().unwrap();
    let from = server.url("/from?q=a%20b");
    let call = ["fetch", "-L", "--har", "log.har", "-u", "me:hidden", "-d", "x=1", &from];
    assert_eq!(run_in(folder.path(), &call, "").status, 0);
    let text = fs::read_to_string(folder.path().join("log.har")).unwrap();
    assert!(!text.contains("hidden") && !text.contains("bWU6"), "{text}");
    let har: serde_json::Value = serde_json::from_str(&text).unwrap();
    let entries = har["log"]["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0]["request"]["method"], "POST");
    assert_eq!(entries[0]["request"]["bodySize"], 3);
    assert_eq!(entries[0]["request"]["queryString"][0]["value"], "a b");
    assert_eq!(entries[0]["response"]["status"], 302);
    assert_eq!(entries[0]["response"]["redirectURL"], "/to");
    assert_eq!(entries[1]["request"]["url"], server.url("/to"));
    assert_eq!(entries[1]["response"]["content"]["mimeType"], "text/plain");
    assert!(entries[1]["time"].as_f64() > Some(0.0));
}

/// A URL of https asks for secrecy: what goes to it never goes in clear, after a redirect neither.
#[test]
fn nothing_for_https_goes_out_in_clear() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let secure = format!("https://{}/", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = seen.clone();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            // A server that speaks no TLS. What the client does about it is what is looked at.
            let answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 8\r\n\r\nin clear";
            let _ = std::io::Write::write_all(&mut stream, answer);
            let mut bytes = Vec::new();
            let _ = stream.read_to_end(&mut bytes);
            kept.lock().unwrap().extend(bytes);
        }
    });
    let there = format!("Location: {secure}\r\n");
    let redirect = Scripted::start(move |_| response("302 Found", &there, ""));
    let folder = tempfile::tempdir().unwrap();
    let redirecting = redirect.url("/");
    for call in [
        &["fetch", &secure][..],
        &["fetch", "-L", &redirecting],
        &["download", "-o", "f", "--tries", "1", &secure],
    ] {
        let ran = run_in(folder.path(), call, "");
        assert_eq!((ran.status, &*ran.out), (35, ""), "{call:?}: {}", ran.err);
        assert!(ran.err.contains("TLS"), "{}", ran.err);
    }
    assert_eq!(run(&["check", &secure]).status, 1);
    let seen = seen.lock().unwrap();
    let text = String::from_utf8_lossy(&seen);
    assert!(!seen.is_empty() && !text.contains("HTTP/1"), "{text:?}");
}

#[test]
fn a_full_disk_and_an_unwritable_place_are_told() {
    let server = Scripted::start(|_| response("200 OK", "", "content"));
    let url = server.url("/f");
    for place in ["/dev/full", "/no/such/folder/f"] {
        let ran = fetch(&["-o", place, &url]);
        assert_eq!(ran.status, 23, "{}", ran.err);
        assert!(ran.err.starts_with(&format!("avocet: cannot write {place}: ")), "{}", ran.err);
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    }
}
