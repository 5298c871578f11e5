//! §6.2: Content-Length.

use avocet_tests::program::Target;
use avocet_tests::raw::{Connection, ask};

/// The length counts octets of content, and what follows them is the next request.
#[test]
fn exactly_that_many_octets_are_content() {
    let target = Target::echo();
    let mut connection = Connection::open(&target);
    let next = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    connection.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na\0b{next}"));
    assert_eq!(connection.answer().content, b"a\0b");
    assert_eq!(connection.answer().text(), "OK");
}

/// Zeros in front are digits.
#[test]
fn a_length_is_decimal() {
    let target = Target::echo();
    for length in ["2", "02", "0000000000000000000000002"] {
        let request = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\nok");
        assert_eq!(ask(&target, request).text(), "ok", "{length}");
    }
}

/// RFC 9110 §8.6: the length in an answer to HEAD is that of the answer to GET.
#[test]
fn head_has_the_length_of_get() {
    let target = Target::echo();
    let request = |method: &str| format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut connection = Connection::open(&target);
    connection.send(request("GET"));
    let get = connection.answer();
    connection.send(request("HEAD"));
    let head = connection.answer_to_head();
    assert_eq!(get.field("content-length"), Some("2"));
    assert_eq!(head.field("content-length"), Some("2"));
    // Had the server sent content, it would be taken for the answer to this one.
    connection.send(request("GET"));
    assert_eq!(connection.answer().text(), "OK");
}

/// Content of any method is framed, even where it means nothing.
#[test]
fn content_is_framed_whatever_the_method() {
    let target = Target::echo();
    for method in ["GET", "DELETE", "OPTIONS", "PUT", "SPAM", "TRACE"] {
        let mut connection = Connection::open(&target);
        let content = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
        connection.send(format!(
            "{method} /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{content}",
            content.len()
        ));
        let first = connection.answer();
        if first.closes() {
            connection.expect_close();
            continue;
        }
        connection.expect_silence();
        connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(connection.answer().text(), "OK", "{method}");
    }
}
