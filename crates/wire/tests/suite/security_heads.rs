//! One test for each class of attack on heads, named after it.

use avocet_wire::{Fault, Framing, Leniency, Limit, Limits, ReadError};
use http::Method;

use crate::attack::{chunked, read, refused, requests};
use crate::drive::{self, Seen};

#[test]
fn bare_lf_bare_cr_nul_and_controls() {
    for head in [
        "GET / HTTP/1.1\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\n",
        "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
        "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\rHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\rX: y\r\n\r\n",
        "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n",
    ] {
        assert_eq!(refused(head), 400, "{head:?}");
    }
    for byte in (0..0x20u8).chain([0x7f]).filter(|byte| *byte != b'\t') {
        let byte = char::from(byte);
        for head in [
            format!("G{byte}T / HTTP/1.1\r\nHost: a\r\n\r\n"),
            format!("GET /{byte} HTTP/1.1\r\nHost: a\r\n\r\n"),
            format!("GET / HTTP/1.1\r\nHost: a\r\nX{byte}: y\r\n\r\n"),
            format!("GET / HTTP/1.1\r\nHost: a\r\nX: y{byte}z\r\n\r\n"),
        ] {
            assert_eq!(refused(&head), 400, "{head:?}");
        }
    }
}

#[test]
fn obs_fold_and_malformed_field_lines() {
    for lines in [
        "X: a\r\n b\r\n",
        "X: a\r\n\tb\r\n",
        "X: a\r\n \r\n",
        "Transfer-Encoding:\r\n chunked\r\n",
        "X : a\r\n",
        "X\t: a\r\n",
        "Content-Length : 5\r\n",
        "X\r\n",
        ": a\r\n",
        ":\r\n",
        "X Y: a\r\n",
        "Bad[Name: a\r\n",
        "X@: a\r\n",
        "Caf\u{e9}: a\r\n",
        "(X): a\r\n",
        "\"X\": a\r\n",
    ] {
        let input = format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
        assert_eq!(refused(&input), 400, "{lines:?}");
    }
    assert_eq!(refused("GET / HTTP/1.1\r\n \r\nHost: a\r\n\r\n"), 400);
    assert_eq!(refused("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), 400);
}

#[test]
fn version_method_and_target() {
    for (line, status) in [
        ("GET / HTTP/2.0", 505),
        ("GET / HTTP/0.9", 505),
        ("GET / HTTP/5.6", 505),
        ("PRI * HTTP/2.0", 505),
        ("GET / http/1.1", 400),
        ("GET / HTTP/ 1.1", 400),
        ("GET / HTTP/1.", 400),
        ("GET / HTTP/1.10", 400),
        ("GET / HTTP/11.1", 400),
        ("GET / HTTP/1,1", 400),
        ("GET / FTP/1.1", 400),
        ("GET / HTTP/1.1 ", 400),
        ("GET /", 400),
        ("GET", 400),
        ("GET  / HTTP/1.1", 400),
        ("GET /  HTTP/1.1", 400),
        ("GET\t/ HTTP/1.1", 400),
        (" GET / HTTP/1.1", 400),
        ("GET /a b HTTP/1.1", 400),
        ("GET / HTTP/1.1\r", 400),
        ("G(T / HTTP/1.1", 400),
        ("GET: / HTTP/1.1", 400),
        ("GET /path#frag HTTP/1.1", 400),
        ("GET /path\\file HTTP/1.1", 400),
        ("GET /caf\u{e9} HTTP/1.1", 400),
        ("GET /<script> HTTP/1.1", 400),
        ("GET * HTTP/1.1", 400),
        ("POST * HTTP/1.1", 400),
        ("GET a HTTP/1.1", 400),
        ("GET a:443 HTTP/1.1", 400),
        ("GET http:// HTTP/1.1", 400),
        ("GET http://u:p@a/ HTTP/1.1", 400),
        ("CONNECT / HTTP/1.1", 400),
        ("CONNECT a HTTP/1.1", 400),
        ("CONNECT a:0 HTTP/1.1", 400),
        ("CONNECT a:83979 HTTP/1.1", 400),
        ("CONNECT http://a:1/ HTTP/1.1", 400),
    ] {
        assert_eq!(refused(&format!("{line}\r\nHost: a\r\n\r\n")), status, "{line:?}");
    }
    assert_eq!(refused(&format!("{} / HTTP/1.1\r\nHost: a\r\n\r\n", "A".repeat(100_000))), 400);
    for line in ["GET / HTTP/1.2", "get / HTTP/1.1", "FOO-BAR / HTTP/1.1", "OPTIONS * HTTP/1.1"] {
        assert_eq!(read(&format!("{line}\r\nHost: a\r\n\r\n")).error(), None, "{line}");
    }
}

#[test]
fn host() {
    for value in [
        "",
        "a:b",
        "u@a",
        "u:p@a",
        "[::1",
        "::1",
        "a\\b",
        "a/path",
        "a, b",
        "a,b",
        "a?b",
        "a#b",
        "a b",
        "a:65536",
        "a:-1",
        "a:80:80",
        "[::g]",
        "[fe80::1%25eth0]",
        "http://a",
        "\u{e9}",
        "a%4",
        ":80",
    ] {
        assert_eq!(refused(&format!("GET / HTTP/1.1\r\nHost: {value}\r\n\r\n")), 400, "{value:?}");
        assert_eq!(refused(&format!("GET / HTTP/1.0\r\nHost: {value}\r\n\r\n")), 400, "{value:?}");
    }
    for heads in ["Host: a\r\nHost: a\r\n", "Host: a\r\nX: y\r\nhost: b\r\n", ""] {
        assert_eq!(refused(&format!("GET / HTTP/1.1\r\n{heads}\r\n")), 400, "{heads:?}");
    }
    assert_eq!(refused("GET http://a/ HTTP/1.1\r\n\r\n"), 400, "the absolute form needs one too");
    assert_eq!(read("GET / HTTP/1.0\r\n\r\n").error(), None);
    for value in ["a", "a:80", "a:", "127.0.0.1:8080", "[::1]", "[::1]:80", "xn--caf-dma.example"] {
        let input = format!("GET / HTTP/1.1\r\nHost: {value}\r\n\r\n");
        assert_eq!(read(&input).error(), None, "{value:?}");
    }
}

#[test]
fn pipelining_after_an_error() {
    let good = "GET /evil HTTP/1.1\r\nHost: a\r\n\r\n";
    for bad in [
        "GET / HTTP/1.1\r\n\r\n",
        "X\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
    ] {
        let transcript = read(&format!("{bad}{good}"));
        assert_eq!(requests(&transcript), [""; 0]);
        assert_eq!(transcript.eof, Err(ReadError::Failed));
    }
    let transcript = read(&chunked(&format!("5\r\nhello\n{good}")));
    assert_eq!(requests(&transcript), ["POST /"]);
    assert!(transcript.error().is_some());
}

#[test]
fn upgrade_and_h2c() {
    // The bytes behind a request that asks for an upgrade stay HTTP until the answer is 101.
    for token in ["websocket", "h2c"] {
        let input = format!(
            "GET /a HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: {token}\r\n\r\n\
             GET /b HTTP/1.1\r\nHost: a\r\n\r\n"
        );
        assert_eq!(requests(&read(&input)), ["GET /a", "GET /b"]);
    }
    assert_eq!(refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
    let post = "CONNECT a:443 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    assert_eq!(refused(post), 400, "a CONNECT request has no content");
}

#[test]
fn head_204_304_and_1xx() {
    let framings = |method: &Method, input: &str| -> Vec<Framing> {
        let transcript = drive::client(Leniency::client(), method, input.as_bytes(), &[]);
        let framing = |seen: &Seen| match seen {
            Seen::Response { framing, .. } => Some(*framing),
            _ => None,
        };
        transcript.seen.iter().filter_map(framing).collect()
    };
    for fields in ["Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", ""] {
        let head = format!("HTTP/1.1 200 OK\r\n{fields}\r\n").repeat(2);
        assert_eq!(framings(&Method::HEAD, &head), [Framing::Empty; 2]);
        for status in ["204 No Content", "304 Not Modified"] {
            let input = format!("HTTP/1.1 {status}\r\n{fields}\r\n").repeat(2);
            assert_eq!(framings(&Method::GET, &input), [Framing::Empty; 2]);
        }
        let input = format!("HTTP/1.1 103 Hint\r\n{fields}\r\nHTTP/1.1 204 No Content\r\n\r\n");
        assert_eq!(framings(&Method::GET, &input), [Framing::Empty]);
    }
    let flood = "HTTP/1.1 102 Processing\r\n\r\n".repeat(17);
    let error = drive::client(Leniency::client(), &Method::GET, flood.as_bytes(), &[]).error();
    assert!(matches!(error, Some(ReadError::LimitExceeded { limit: Limit::Interim, .. })));
    let switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n";
    let error = drive::client(Leniency::client(), &Method::GET, switch, &[]).error();
    assert_eq!(error, Some(ReadError::Malformed { fault: Fault::UnexpectedSwitch, position: 0 }));
}

/// Heads that come byte by byte must cost time in proportion to their length: one long head about as much as
/// sixteen of a sixteenth of its length. Reading from the start at each byte would make it sixteen times as much.
/// Counted is the time of the processor that this thread had, which a busy machine changes little.
#[cfg(target_os = "linux")]
#[test]
fn quadratic_work() {
    let limits = Limits { head: 1 << 20, fields: 20_000, ..Limits::server() };
    let many_lines = |length: usize| "X: yyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(length / 32);
    let one_line = |length: usize| format!("X: {}", "y".repeat(length));
    for fields in [many_lines, one_line] as [fn(usize) -> String; 2] {
        let time = |length: usize, rounds: usize| -> u64 {
            let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{}", fields(length));
            let cuts: Vec<usize> = (1..head.len()).collect();
            let start = nanoseconds_on_cpu();
            for _ in 0..rounds {
                let strict = Leniency::strict();
                assert!(drive::server_with(limits, strict, head.as_bytes(), &cuts).is_open());
            }
            nanoseconds_on_cpu() - start
        };
        let (short, long) = (time(32 << 10, 16), time(512 << 10, 1));
        assert!(long < short * 5, "{short} ns for sixteen parts, {long} ns for the whole");
    }
}

#[cfg(target_os = "linux")]
fn nanoseconds_on_cpu() -> u64 {
    let text =
        std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells the time");
    text.split(' ').next().and_then(|first| first.parse().ok()).expect("a number comes first")
}
