//! §9.6: how connections end.

use avocet_tests::program::Target;
use avocet_tests::raw::Connection;

/// A server that receives close must close behind its answer, and should say so there.
#[test]
fn close_is_answered_with_close() {
    let target = Target::echo();
    for value in ["close", "Close", "CLOSE", "x, close", "close, x", "keep-alive, close", ",close,"]
    {
        let mut connection = Connection::open(&target);
        connection.send(format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: {value}\r\n\r\n"));
        let answer = connection.answer();
        assert_eq!(answer.text(), "OK");
        assert!(answer.lists("connection", "close"), "{value}: {answer:?}");
        connection.expect_close();
    }
}

/// The option may stand in any of several lines.
#[test]
fn close_in_another_line_counts() {
    let target = Target::echo();
    let mut connection = Connection::open(&target);
    connection.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: close\r\n\r\n");
    assert!(connection.answer().closes());
    connection.expect_close();
}

/// A word that only looks like it is another option.
#[test]
fn closed_is_not_close() {
    let target = Target::echo();
    let mut connection = Connection::open(&target);
    connection.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: closed, not-close\r\n\r\n");
    assert!(!connection.answer().closes());
    connection.expect_silence();
}

/// A server must not act on requests behind the one with close.
#[test]
fn nothing_behind_close_is_answered() {
    let target = Target::echo();
    let mut connection = Connection::open(&target);
    let close = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    connection.send(format!("{close}{close}"));
    assert_eq!(connection.answer().text(), "OK");
    connection.expect_close();
}

/// A close with unread bytes resets the connection, and the reset can overtake the answer. So a
/// server closes in stages: its own side, then reading a little, then all. The answer arrives
/// although the client is still sending.
#[test]
fn a_refusal_reaches_a_client_that_is_still_sending() {
    let target = Target::echo();
    for _ in 0..20 {
        let mut connection = Connection::open(&target);
        connection.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: nonsense\r\n\r\n");
        for _ in 0..16 {
            connection.send([b'x'; 8_192]);
        }
        assert_eq!(connection.answer().status, 400);
        connection.expect_close();
    }
}
