//! The classes of request smuggling, each with the payloads it is known by, against `avocet echo`.
//!
//! Every payload is followed by a request that leaves a mark. An attack has worked when the mark
//! shows in an answer: then bytes that one reader took for content were a request to another.

use avocet_tests::program::Target;
use avocet_tests::raw::Connection;

const MARK: &str = "GET /echo HTTP/1.1\r\nHost: a\r\nX-Mark: smuggled\r\n\r\n";

/// Sends an attack with the mark behind it, and asserts one refusal and a close.
fn stopped(target: &Target, attack: impl AsRef<[u8]>) {
    let attack = attack.as_ref();
    let mut connection = Connection::open(target);
    connection.send([attack, MARK.as_bytes()].concat());
    let said = String::from_utf8_lossy(&connection.rest()).into_owned();
    let shown = String::from_utf8_lossy(&attack[..attack.len().min(300)]).into_owned();
    assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "{shown:?}: {said}");
    let status = said.get(9..12).unwrap_or_default();
    assert!(status.starts_with('4') || matches!(status, "501" | "505"), "{shown:?}: {said}");
    assert!(said.contains("Connection: close\r\n"), "{shown:?}: {said}");
    assert!(!said.contains("smuggled"), "{shown:?}: {said}");
}

fn post(fields: &str, body: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n{body}")
}

fn chunked(body: &str) -> String {
    post("Transfer-Encoding: chunked\r\n", body)
}

/// CL.TE and TE.CL: both fields in one request, in every order and spelling.
#[test]
fn cl_te_and_te_cl() {
    let target = Target::echo();
    for fields in [
        "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n",
        "Transfer-Encoding: Chunked\r\nContent-Length: 0\r\n",
        "content-length: 6\r\ntransfer-encoding:chunked\r\n",
        "Transfer-Encoding: identity\r\nContent-Length: 6\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 6\r\nContent-Length: 6\r\n",
        "Transfer-Encoding:\r\nContent-Length: 6\r\n",
    ] {
        stopped(&target, post(fields, "0\r\n\r\nG"));
    }
}

/// Several lengths, and lengths that are no number to one of two readers. RUSTSEC-2021-0078 (hyper,
/// a sign), and proxies that took 2^64 for 0.
#[test]
fn several_or_bad_lengths() {
    let target = Target::echo();
    for fields in [
        "Content-Length: 4\r\nContent-Length: 4\r\n",
        "Content-Length: 4\r\nContent-Length: 0\r\n",
        "Content-Length: 0\r\nContent-Length: 4\r\n",
        "Content-Length: 4, 4\r\n",
        "Content-Length: 4,\r\n",
        "Content-Length: +4\r\n",
        "Content-Length: -4\r\n",
        "Content-Length: 0x4\r\n",
        "Content-Length: 4_0\r\n",
        "Content-Length: 4 0\r\n",
        "Content-Length: \"4\"\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Content-Length: 18446744073709551620\r\n",
        "Content-Length: 340282366920938463463374607431768211460\r\n",
        "Content-Length:\r\n",
        "Content-Length: four\r\n",
        "Content-Length: 4;\r\n",
        "Content-Length: \u{664}\r\n",
        "Content-Length: 4\u{b}\r\n",
        "Content-Length: 4\0\r\n",
    ] {
        stopped(&target, post(fields, "abcd"));
    }
}

/// Transfer-Encoding spelled so that one reader knows it and another does not. RUSTSEC-2020-0031
/// (tiny_http, a blank before the colon), RUSTSEC-2021-0020 (hyper, the last of several), and a letter
/// that becomes `k` in lower case.
#[test]
fn odd_spellings_of_transfer_encoding() {
    let target = Target::echo();
    for fields in [
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding\t: chunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: identity, chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked, gzip\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n",
        "Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: \u{b}chunked\r\n",
        "Transfer-Encoding: chunked\u{c}\r\n",
        "Transfer-Encoding: chunked;q=1\r\n",
        "Transfer-Encoding: \"chunked\"\r\n",
        "Transfer-Encoding: ,chunked\r\n",
        "Transfer-Encoding: chunked,\r\n",
        "Transfer-Encoding:\r\n chunked\r\n",
        "Transfer-Encoding: chun\r\n ked\r\n",
        "Transfer-Encoding: chunKed\u{212a}\r\n",
        "Transfer-Encoding: chun\u{212a}ed\r\n",
        "Transfer-Encoding: chunked\0\r\n",
        "Transfer-Encoding:\r\n",
        " Transfer-Encoding: chunked\r\n",
        "X: y\nTransfer-Encoding: chunked\r\n",
        "X: y\rTransfer-Encoding: chunked\r\n",
    ] {
        stopped(&target, post(fields, "0\r\n\r\n"));
    }
    let old = "POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n";
    stopped(&target, format!("{old}0\r\n\r\n"));
}

/// TE.0, CL.0 and 0.CL: content that one reader overlooks because of the method, the answer or an
/// expectation. RUSTSEC-2020-0093 (async-h1), RUSTSEC-2020-0008 (hyper), CVE-2025-32094.
#[test]
fn content_is_never_overlooked() {
    let target = Target::echo();
    let hidden = MARK;
    let sized = format!("Content-Length: {}\r\n\r\n{hidden}", hidden.len());
    let chunks =
        format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{hidden}\r\n0\r\n\r\n", hidden.len());
    for method in ["GET", "HEAD", "OPTIONS", "DELETE", "TRACE", "PUT", "SPAM"] {
        for path in ["/", "/echo"] {
            for body in [&sized, &chunks] {
                for expect in ["", "Expect: 100-continue\r\n", "eXPECT: 100-CONTINUE\r\n"] {
                    let mut connection = Connection::open(&target);
                    let last = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
                    let head = format!("{method} {path} HTTP/1.1\r\nHost: a\r\n{expect}");
                    connection.send(format!("{head}{body}{last}"));
                    let said = String::from_utf8_lossy(&connection.rest()).into_owned();
                    assert!(!said.contains("smuggled"), "{head:?}: {said}");
                    let answers =
                        said.matches("HTTP/1.1 ").count() - said.matches("HTTP/1.1 100 ").count();
                    assert!(answers <= 2, "{head:?}: {said}");
                }
            }
        }
    }
}

/// TERM.EXT, EXT.TERM, TERM.SPILL, SPILL.TERM, and spills of one and two bytes: what ends a chunk
/// line, and what follows the data. CVE-2025-22871 (Go), CVE-2025-55315 (Kestrel), CVE-2025-43859
/// (h11).
#[test]
fn chunk_lines_and_spills() {
    let target = Target::echo();
    for body in [
        "1\na\r\n0\r\n\r\n",
        "1;\na\r\n0\r\n\r\n",
        "1;x\na\r\n0\r\n\r\n",
        "1;x=\"\n\"\r\na\r\n0\r\n\r\n",
        "1;\r\na\r\n0\r\n\r\n",
        "1;x\r\r\na\r\n0\r\n\r\n",
        "1;x\ry\r\na\r\n0\r\n\r\n",
        "1;x=\0\r\na\r\n0\r\n\r\n",
        "1;x=\u{7f}\r\na\r\n0\r\n\r\n",
        "1\r\naX0\r\n\r\n",
        "1\r\naXX0\r\n\r\n",
        "1\r\na\n0\r\n\r\n",
        "1\r\na\r0\r\n\r\n",
        "1\r\na\n\r0\r\n\r\n",
        "1\r\na\r\rX0\r\n\r\n",
        "1\r\na\r\n0\n\r\n",
        "1\r\na\r\n0\r\n\n",
        "1\ra\r\n0\r\n\r\n",
        "\r\n1\r\na\r\n0\r\n\r\n",
        "\n1\r\na\r\n0\r\n\r\n",
    ] {
        stopped(&target, chunked(body));
    }
}

/// Sizes that one reader takes for another number. RUSTSEC-2021-0079 (hyper, a wrap at 64 bits), and
/// an empty line that a tokenizer reads as size 0.
#[test]
fn chunk_sizes() {
    let target = Target::echo();
    for size in [
        "",
        " ",
        "0x1",
        "0X1",
        "+1",
        "-1",
        "1_",
        "_1",
        " 1",
        "1 ",
        "1\t",
        "1.",
        "1,",
        "g",
        "\u{661}",
        "1h",
        "10000000000000001",
        "ffffffffffffffff1",
        "00000000000000001",
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
        "1\u{b}",
        "1\0",
    ] {
        stopped(&target, chunked(&format!("{size}\r\na\r\n0\r\n\r\n")));
    }
}

/// Extensions and trailers without end. CVE-2023-39326 (Go).
#[test]
fn floods_of_extensions_and_trailers() {
    let target = Target::echo();
    stopped(&target, chunked(&format!("1;{}\r\na\r\n0\r\n\r\n", "x".repeat(5_000))));
    stopped(&target, chunked(&format!("{}0\r\n\r\n", "1;xxxxxxxxxx\r\na\r\n".repeat(5_000))));
    stopped(&target, chunked(&format!("0\r\n{}\r\n", "X: y\r\n".repeat(500))));
    stopped(&target, chunked(&format!("0\r\nX: {}\r\n\r\n", "y".repeat(20_000))));
}

/// Lone LF, lone CR, NUL and other control characters, anywhere in a head.
#[test]
fn odd_bytes_in_a_head() {
    let target = Target::echo();
    for odd in ["\n", "\r", "\0", "\u{1}", "\u{b}", "\u{c}", "\u{1b}", "\u{7f}"] {
        for request in [
            format!("G{odd}ET / HTTP/1.1\r\nHost: a\r\n\r\n"),
            format!("GET /{odd} HTTP/1.1\r\nHost: a\r\n\r\n"),
            format!("GET / HTTP/1.1{odd}Host: a\r\n\r\n"),
            format!("GET / HTTP/1.1\r\nHo{odd}st: a\r\n\r\n"),
            format!("GET / HTTP/1.1\r\nHost: a{odd}\r\n\r\n"),
            format!("GET / HTTP/1.1\r\nHost: a\r\nX: b{odd}c\r\n\r\n"),
            format!("GET / HTTP/1.1\r\nHost: a\r\n{odd}X: b\r\n\r\n"),
        ] {
            stopped(&target, request);
        }
    }
}

/// Folds, blanks before a colon, no colon, no name, a leading blank. CVE-2023-25725 (HAProxy, an
/// empty name ended the fields).
#[test]
fn odd_field_lines() {
    let target = Target::echo();
    for line in [
        "X: a\r\n b",
        "X: a\r\n\tb",
        "X : a",
        "X\t: a",
        "X",
        ": a",
        ":",
        " X: a",
        "\tX: a",
        "X a: b",
        "X\u{a0}: a",
        "Content-Length\0: 4",
        "Content-Length : 4",
        "Content Length: 4",
    ] {
        stopped(&target, format!("GET / HTTP/1.1\r\nHost: a\r\n{line}\r\n\r\n"));
        stopped(&target, format!("GET / HTTP/1.1\r\n{line}\r\nHost: a\r\n\r\n"));
    }
}

/// Versions, methods and targets that readers find different ends for. CVE-2013-4547 (nginx, a blank
/// in the target).
#[test]
fn odd_request_lines() {
    let target = Target::echo();
    for line in [
        "GET / HTTP/1.1 ",
        "GET  / HTTP/1.1",
        "GET /  HTTP/1.1",
        "GET / HTTP/1.1 HTTP/1.1",
        "GET / HTTP/01.1",
        "GET / HTTP/1.01",
        "GET / HTTP/1",
        "GET / HTTP/2.0",
        "GET / HTTP/3",
        "GET / http/1.1",
        "GET / HTTX/1.1",
        "GET /",
        "GET /a\0.php HTTP/1.1",
        "GET /a \0.php HTTP/1.1",
        "GET /a b HTTP/1.1",
        "GET /#a HTTP/1.1",
        "GET a HTTP/1.1",
        "GET * HTTP/1.1",
        "GET a:80 HTTP/1.1",
        "G\u{e9}T / HTTP/1.1",
        "GET /\u{e9} HTTP/1.1",
        "",
        "PRI * HTTP/2.0",
    ] {
        stopped(&target, format!("{line}\r\nHost: a\r\n\r\n"));
    }
}

/// Hosts that a proxy and a server read differently.
#[test]
fn odd_hosts() {
    let target = Target::echo();
    for lines in [
        "",
        "Host:\r\n",
        "Host: a\r\nHost: a\r\n",
        "Host: a\r\nhost: b\r\n",
        "Host: u@a\r\n",
        "Host: a:b\r\n",
        "Host: a:80:80\r\n",
        "Host: a:65536\r\n",
        "Host: a:+80\r\n",
        "Host: [::1\r\n",
        "Host: ::1\r\n",
        "Host: a/b\r\n",
        "Host: a?b\r\n",
        "Host: a#b\r\n",
        "Host: a\\b\r\n",
        "Host: a b\r\n",
        "Host: a,b\r\n",
        "Host: \u{e9}\r\n",
        "Host: a%\r\n",
        "Host: http://a\r\n",
    ] {
        stopped(&target, format!("GET / HTTP/1.1\r\n{lines}\r\n"));
        stopped(&target, format!("GET http://a/ HTTP/1.1\r\n{lines}\r\n"));
    }
}

/// After an error no byte of the connection is a request, however many follow.
#[test]
fn pipelining_behind_an_error() {
    let target = Target::echo();
    let good = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut connection = Connection::open(&target);
    connection.send(format!("{good}GET / HTTP/1.1\r\n\r\n{}", MARK.repeat(100)));
    assert_eq!(connection.answer().text(), "OK");
    assert_eq!(connection.answer().status, 400);
    connection.expect_close();
}

/// The bytes behind a request with Upgrade are HTTP until a 101, and h2c is refused by silence:
/// RUSTSEC-2026-0033 (pingora) gave them to the backend unread.
#[test]
fn bytes_behind_an_upgrade() {
    let target = Target::echo();
    let mut connection = Connection::open(&target);
    connection.send(
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\
         HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    );
    let answer = connection.answer();
    assert_eq!((answer.status, answer.field("upgrade")), (200, None));
    assert!(matches!(connection.answer().status, 400 | 505));
    connection.expect_close();
}

/// A request cannot write into the head of its answer: neither a target nor a value with encoded line
/// ends comes back as one.
#[test]
fn an_answer_cannot_be_split() {
    let target = Target::echo();
    for path in
        ["/%0d%0aX-Mark:%20smuggled", "/echo?%0d%0aX-Mark:smuggled", "/%0aX-Mark:smuggled%0a"]
    {
        let mut connection = Connection::open(&target);
        connection.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(connection.answer().field("x-mark"), None, "{path}");
    }
}
