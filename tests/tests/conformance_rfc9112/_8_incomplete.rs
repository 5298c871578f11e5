//! §8: messages that break off. A server may say so before it closes, and must not act on them as if
//! they were whole.

use avocet_tests::program::Target;
use avocet_tests::raw::Connection;

fn breaks_off(request: &str) {
    let target = Target::echo();
    let mut connection = Connection::open(&target);
    connection.send(request);
    connection.half_close();
    let said = connection.rest();
    let said = String::from_utf8_lossy(&said);
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{request:?}: {said:?}");
}

#[test]
fn a_request_that_breaks_off_in_its_line() {
    breaks_off("GET / HT");
}

#[test]
fn a_request_that_breaks_off_in_its_fields() {
    breaks_off("GET / HTTP/1.1\r\nHost: a\r\n");
}

#[test]
fn a_request_that_breaks_off_in_its_content() {
    breaks_off("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel");
}

/// "A message body that uses the chunked transfer coding is incomplete if the zero-sized chunk that
/// terminates the encoding has not been received."
#[test]
fn a_request_that_breaks_off_before_its_last_chunk() {
    breaks_off("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n");
    breaks_off("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\no");
    breaks_off("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n");
}

/// A client that has sent a whole request may close its side, and still gets its answer.
#[test]
fn a_whole_request_is_answered_after_its_client_has_said_all() {
    let target = Target::echo();
    let mut connection = Connection::open(&target);
    connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    connection.half_close();
    assert_eq!(connection.answer().text(), "OK");
    connection.expect_close();
}

/// A connection on which nothing was asked ends without an answer.
#[test]
fn no_request_has_no_answer() {
    let target = Target::echo();
    let mut connection = Connection::open(&target);
    connection.half_close();
    connection.expect_close();
}
