//! §4: the status line. That it is well formed is checked with every answer.

use avocet_tests::program::Target;
use avocet_tests::raw::{Connection, ask};

/// A status line comes first, whatever was asked, and however badly: there is no answer in the
/// manner of HTTP/0.9.
#[test]
fn there_is_always_a_status_line() {
    let target = Target::echo();
    for request in
        ["GET /\r\n\r\n", "\0\r\n\r\n", "GET / HTTP/0.9\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"]
    {
        let answer = ask(&target, request);
        assert_eq!(answer.version, "HTTP/1.1", "{request:?}");
        assert!(answer.status >= 400, "{request:?}");
    }
}

/// The reason is for people, and a client ignores it; the codes here have their registered names.
#[test]
fn reasons_are_the_registered_ones() {
    let target = Target::echo();
    let table = [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200, "OK"),
        ("GET / HTTP/1.1\r\n\r\n", 400, "Bad Request"),
        ("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", 405, "Method Not Allowed"),
        ("SPAM / HTTP/1.1\r\nHost: a\r\n\r\n", 501, "Not Implemented"),
    ];
    for (request, status, reason) in table {
        let answer = ask(&target, request);
        assert_eq!((answer.status, answer.reason.as_str()), (status, reason));
    }
}

/// One request has one final answer.
#[test]
fn one_request_has_one_answer() {
    let target = Target::echo();
    let mut connection = Connection::open(&target);
    connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(connection.answer().status, 200);
    connection.expect_silence();
}
