//! §6.3: how long the content is. The numbers are those of the list there.

use avocet_tests::program::Target;
use avocet_tests::raw::{Connection, refused};

fn two_requests(target: &Target, first: &str) -> (String, String) {
    let mut connection = Connection::open(target);
    connection.send(format!("{first}GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    let first = connection.answer();
    (first.text().to_owned(), connection.answer().text().to_owned())
}

/// 1: an answer to HEAD has no content. Neither has a refusal of a HEAD that is broken: the client
/// would take its page for the next answer.
#[test]
fn a_refusal_of_head_has_no_content() {
    let target = Target::echo();
    for (rest, status) in [
        ("* HTTP/1.1\r\nHost: a\r\n", 400),
        ("/ HTTP/1.1\r\n", 400),
        ("/ HTTP/2.0\r\nHost: a\r\n", 505),
        ("/ HTTP/1.1\r\nHost: a\r\nExpect: something\r\n", 417),
        ("/ HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n", 400),
    ] {
        let mut connection = Connection::open(&target);
        connection.send(format!("HEAD {rest}\r\n"));
        assert_eq!(connection.answer_to_head().status, status, "{rest:?}");
        connection.expect_close();
    }
}

/// 4: a request whose last coding is not chunked must be answered 400 and closed. (501 is the answer
/// to a coding that is not known, which is the same refusal.)
#[test]
fn a_request_that_does_not_end_in_chunked_is_refused() {
    let target = Target::echo();
    refused(
        &target,
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
        400,
    );
}

/// 5: an invalid Content-Length is unrecoverable: 400 and close.
#[test]
fn an_invalid_length_is_400() {
    let target = Target::echo();
    for value in [
        "",
        "+2",
        "-2",
        "-0",
        "0x2",
        "2.0",
        "2 2",
        "2a",
        "a",
        "1e1",
        "\u{b}2",
        "2;",
        "2,",
        ",2",
        "18446744073709551616",
        "99999999999999999999999999",
        "\"2\"",
    ] {
        refused(
            &target,
            format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {value}\r\n\r\nok"),
            400,
        );
    }
}

/// 5: several lengths that differ are invalid.
#[test]
fn lengths_that_differ_are_400() {
    let target = Target::echo();
    for fields in [
        "Content-Length: 2\r\nContent-Length: 3\r\n",
        "Content-Length: 2, 3\r\n",
        "Content-Length: 0\r\nContent-Length: 2\r\n",
    ] {
        refused(&target, format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\nok"), 400);
    }
}

/// 5: several equal lengths may be taken for one. Ours are refused.
#[test]
fn equal_lengths_are_400_too() {
    let target = Target::echo();
    for fields in ["Content-Length: 2\r\nContent-Length: 2\r\n", "Content-Length: 2, 2\r\n"] {
        refused(&target, format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\nok"), 400);
    }
}

/// 6: a valid length is the length.
#[test]
fn the_length_is_the_length() {
    let target = Target::echo();
    let first = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    assert_eq!(two_requests(&target, first), ("hello".into(), "OK".into()));
}

/// 6: content that has not all come is waited for.
#[test]
fn content_is_waited_for() {
    let target = Target::echo();
    let mut connection = Connection::open(&target);
    connection.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel");
    connection.expect_silence();
    connection.send("lo");
    assert_eq!(connection.answer().text(), "hello");
}

/// 6: a great length without content is no reason to answer, and none to make room for it.
#[test]
fn a_great_length_is_waited_for_in_silence() {
    let target = Target::echo();
    let mut connection = Connection::open(&target);
    connection.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\n");
    connection.expect_silence();
}

/// 7: a request with neither framing has no content, whatever its method.
#[test]
fn a_request_without_framing_has_no_content() {
    let target = Target::echo();
    for method in ["POST", "PUT", "GET"] {
        let path = if method == "POST" { "/" } else { "/echo" };
        let mut connection = Connection::open(&target);
        connection.send(format!(
            "{method} {path} HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"
        ));
        assert_eq!(connection.answer().status, 200, "{method}");
        assert_eq!(connection.answer().text(), "OK", "{method}");
    }
}

/// Chunked content ends with its last chunk, and the next request starts there.
#[test]
fn chunked_content_ends_with_its_last_chunk() {
    let target = Target::echo();
    let first = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
                 5\r\nhello\r\n0\r\n\r\n";
    assert_eq!(two_requests(&target, first), ("hello".into(), "OK".into()));
}
