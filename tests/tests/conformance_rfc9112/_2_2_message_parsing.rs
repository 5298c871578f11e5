//! §2.2: octets into messages.

use avocet_tests::program::Target;
use avocet_tests::raw::{Connection, ask, refused};

/// A message is a sequence of octets, not of characters: bytes above 0x7F in a field value are no
/// error, and are not changed.
#[test]
fn bytes_beyond_ascii_in_a_value_are_octets() {
    let target = Target::echo();
    let answer = ask(&target, b"GET /echo HTTP/1.1\r\nHost: a\r\nX-A: \xc3\xa9 \xff\r\n\r\n");
    assert_eq!(answer.status, 200);
    let value = b"X-A: \xc3\xa9 \xff\n";
    assert!(answer.content.windows(value.len()).any(|window| window == value), "{answer:?}");
}

/// A server should pass over at least one empty line before a request line.
#[test]
fn an_empty_line_before_a_request_is_passed_over() {
    let target = Target::echo();
    let answer = ask(&target, "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(answer.status, 200);
}

/// The same between two requests, where old clients sent one after the content of a POST.
#[test]
fn an_empty_line_behind_content_is_passed_over() {
    let target = Target::echo();
    let mut connection = Connection::open(&target);
    connection.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok");
    assert_eq!(connection.answer().text(), "ok");
    connection.send("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(connection.answer().text(), "OK");
}

/// A recipient may take a lone LF for the end of a line. Ours does not: a proxy in front that
/// disagrees about line ends is how requests are smuggled.
#[test]
fn a_lone_lf_ends_no_line() {
    let target = Target::echo();
    for request in [
        "GET / HTTP/1.1\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\n",
        "GET / HTTP/1.1\nHost: a\n\n",
        "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        refused(&target, request, 400);
    }
}

/// A lone CR makes the element that it stands in invalid.
#[test]
fn a_lone_cr_is_an_error() {
    let target = Target::echo();
    for request in [
        "GET / HTTP/1.1\rHost: a\r\n\r\n",
        "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\rc\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX\rA: b\r\n\r\n",
        "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        refused(&target, request, 400);
    }
}

/// Whitespace between the start line and the first field: the message is to be rejected, or the line
/// to be passed over without being looked at. Ours rejects it.
#[test]
fn a_blank_before_the_first_field_is_an_error() {
    let target = Target::echo();
    for request in [
        "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
        "GET / HTTP/1.1\r\n\tX-A: b\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\n \r\nHost: a\r\n\r\n",
    ] {
        refused(&target, request, 400);
    }
}

/// Octets that match no HTTP message should get a 400, and then a close.
#[test]
fn what_is_no_request_is_answered_400() {
    let target = Target::echo();
    for request in [
        "hello\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "\x16\x03\x01\x02\0\x01\0\x01\r\n\r\n",
        "GET / HTTP/1.1\r\nHost a\r\n\r\n",
    ] {
        refused(&target, request, 400);
    }
}

/// What follows a broken message on its connection is no request any more.
#[test]
fn nothing_behind_a_broken_message_is_answered() {
    let target = Target::echo();
    refused(&target, "GET / HTTP/1.1\r\nHost a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400);
}

/// The reading of a message does not depend on how its bytes arrive.
#[test]
fn a_request_byte_by_byte_is_the_same_request() {
    let target = Target::echo();
    let mut connection = Connection::open(&target);
    for byte in
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    {
        connection.send([*byte]);
    }
    assert_eq!(connection.answer().text(), "ok");
}
