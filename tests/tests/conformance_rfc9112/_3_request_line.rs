//! §3 and §3.1: the request line and its method.

use avocet_tests::program::Target;
use avocet_tests::raw::{Connection, ask, refused};

/// One space between the parts. A server may be lenient about blanks; ours is not, because two
/// readers can find two targets in such a line.
#[test]
fn parts_are_separated_by_one_space() {
    let target = Target::echo();
    for line in [
        "GET  / HTTP/1.1",
        "GET /  HTTP/1.1",
        "GET\t/ HTTP/1.1",
        "GET /\tHTTP/1.1",
        " GET / HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET /\u{b}HTTP/1.1",
    ] {
        refused(&target, format!("{line}\r\nHost: a\r\n\r\n"), 400);
    }
}

/// An invalid request line should be answered 400, and not be corrected.
#[test]
fn a_line_with_too_few_or_too_many_parts_is_refused() {
    let target = Target::echo();
    for line in
        ["GET", "GET /", "GET / /a HTTP/1.1", "GET HTTP/1.1", "/ HTTP/1.1", "GET /a b HTTP/1.1"]
    {
        refused(&target, format!("{line}\r\nHost: a\r\n\r\n"), 400);
    }
}

/// The method is a token.
#[test]
fn a_method_is_a_token() {
    let target = Target::echo();
    for method in ["GE T", "G/T", "GET,", "G\u{1}T", "\"GET\"", "GET:"] {
        refused(&target, format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    }
}

/// Methods are told apart by case, and one that is not known is 501 (RFC 9110 §9.1).
#[test]
fn a_method_that_is_not_known_is_501() {
    let target = Target::echo();
    for method in ["get", "Get", "FOOBAR", "X-SPAM", "PROPFINDX"] {
        let answer = ask(&target, format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(answer.status, 501, "{method}");
    }
}

/// A request line of 8,000 octets at least should be read.
#[test]
fn a_line_of_eight_thousand_octets_is_read() {
    let target = Target::echo();
    let path = "a".repeat(8_000 - "GET / HTTP/1.1\r\n".len());
    let answer = ask(&target, format!("GET /{path} HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_eq!(answer.status, 200);
}

/// A target longer than the server wants to read must be answered 414.
#[test]
fn a_target_that_is_too_long_is_414() {
    let target = Target::echo();
    for len in [9_000, 60_000] {
        let path = "a".repeat(len);
        refused(&target, format!("GET /{path} HTTP/1.1\r\nHost: a\r\n\r\n"), 414);
    }
}

/// The same before the line has ended: a server must not wait for the end of what it will refuse.
#[test]
fn a_target_without_an_end_is_414() {
    let target = Target::echo();
    refused(&target, format!("GET /{}", "a".repeat(20_000)), 414);
}

/// An unfinished line is waited for.
#[test]
fn an_unfinished_line_is_waited_for() {
    let target = Target::echo();
    let mut connection = Connection::open(&target);
    connection.send("GET / HTT");
    connection.expect_silence();
    connection.send("P/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(connection.answer().status, 200);
}
