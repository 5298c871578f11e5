//! §10.1.1: Expect, and §15.2: interim answers.

use avocet_tests::program::Target;
use avocet_tests::raw::{Connection, refused};

const EXPECTING: &str =
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";

/// A server that wants the content must say 100, and the final answer follows the content.
#[test]
fn content_that_is_wanted_is_asked_for() {
    let target = Target::echo();
    let mut connection = Connection::open(&target);
    connection.send(EXPECTING);
    let interim = connection.answer();
    assert_eq!((interim.status, interim.content.len()), (100, 0));
    connection.expect_silence();
    connection.send("hello");
    assert_eq!(connection.answer().text(), "hello");
    connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(connection.answer().text(), "OK");
}

/// The value has no case, and may stand in chunked requests too.
#[test]
fn the_expectation_has_no_case() {
    let target = Target::echo();
    let mut connection = Connection::open(&target);
    let head = EXPECTING.replace("100-continue", "100-Continue");
    connection.send(head.replace("Content-Length: 5", "Transfer-Encoding: chunked"));
    assert_eq!(connection.answer().status, 100);
    connection.send("5\r\nhello\r\n0\r\n\r\n");
    assert_eq!(connection.answer().text(), "hello");
}

/// The 100 may be left out where content has come already; the final answer comes once in any case.
#[test]
fn content_that_comes_unasked_is_taken() {
    let target = Target::echo();
    let mut connection = Connection::open(&target);
    connection.send(format!("{EXPECTING}hello"));
    let mut answer = connection.answer();
    if answer.status == 100 {
        answer = connection.answer();
    }
    assert_eq!(answer.text(), "hello");
    connection.expect_silence();
}

/// A server that answers without the content, in place of a 100, must not take what comes next for
/// a request unless it has read the content: it waits for it, or closes.
#[test]
fn an_answer_in_place_of_100_loses_no_track() {
    let target = Target::echo();
    let mut connection = Connection::open(&target);
    connection
        .send("DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    let answer = connection.answer();
    assert_eq!(answer.status, 405);
    connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let rest = String::from_utf8_lossy(&connection.rest()).into_owned();
    assert!(!rest.contains("200 OK"), "content was read as a request: {rest}");
}

/// A request without content needs no 100.
#[test]
fn no_content_is_not_asked_for() {
    let target = Target::echo();
    let mut connection = Connection::open(&target);
    connection.send("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(connection.answer().status, 200);
}

/// A server must ignore the expectation in HTTP/1.0, and must not send an interim answer there.
#[test]
fn a_client_of_1_0_gets_no_interim_answer() {
    let target = Target::echo();
    let mut connection = Connection::open(&target);
    let head = EXPECTING.replace("HTTP/1.1", "HTTP/1.0");
    connection.send(head);
    connection.expect_silence();
    connection.send("hello");
    assert_eq!(connection.answer().text(), "hello");
}

/// Another expectation may be answered 417. Ours is.
#[test]
fn another_expectation_is_417() {
    let target = Target::echo();
    for value in ["200-ok", "100-continue, x", "100"] {
        refused(
            &target,
            format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: {value}\r\n\r\nok"),
            417,
        );
    }
}
