//! §6.1: Transfer-Encoding.

use avocet_tests::program::Target;
use avocet_tests::raw::{Connection, ask, refused};

fn post(fields: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n2\r\nok\r\n0\r\n\r\n")
}

/// A recipient must read chunked. Names of codings have no case (§7).
#[test]
fn chunked_is_read_in_any_case() {
    let target = Target::echo();
    for coding in ["chunked", "Chunked", "CHUNKED", "cHuNkEd"] {
        let answer = ask(&target, post(&format!("Transfer-Encoding: {coding}\r\n")));
        assert_eq!((answer.status, answer.text()), (200, "ok"), "{coding}");
    }
}

/// A coding that is not known should be answered 501.
#[test]
fn a_coding_that_is_not_known_is_501() {
    let target = Target::echo();
    for coding in ["gzip, chunked", "identity", "foo, chunked", "gzip"] {
        let mut connection = Connection::open(&target);
        connection.send(post(&format!("Transfer-Encoding: {coding}\r\n")));
        let answer = connection.answer();
        assert!(matches!(answer.status, 400 | 501), "{coding}: {answer:?}");
        connection.expect_close();
    }
}

/// Chunked must not be applied twice, and must come last: the length is not known otherwise, and
/// §6.3 has that answered 400.
#[test]
fn chunked_stands_last_and_once() {
    let target = Target::echo();
    for fields in [
        "Transfer-Encoding: chunked, gzip\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    ] {
        refused(&target, post(fields), 400);
    }
}

/// Spellings that one reader takes for chunked and another for nothing.
#[test]
fn odd_spellings_of_chunked_are_refused() {
    let target = Target::echo();
    for value in [
        "",
        ",",
        "chunked,",
        ",chunked",
        "\"chunked\"",
        "xchunked",
        "chunkedx",
        "chunked;a=b",
        "chunked ;",
        "'chunked'",
        "chunked\u{b}",
        "\u{b}chunked",
        "chunked\u{c}",
        "chun\u{212a}ed",
        "chunked\0",
    ] {
        let mut connection = Connection::open(&target);
        connection.send(post(&format!("Transfer-Encoding: {value}\r\n")));
        let answer = connection.answer();
        assert!(matches!(answer.status, 400 | 501), "{value:?}: {answer:?}");
        assert!(answer.closes(), "{value:?}");
        connection.expect_close();
    }
}

/// Both framings in one request: a server may reject it, and must close in any case. Ours rejects
/// it, whatever the length says.
#[test]
fn both_framings_are_an_error() {
    let target = Target::echo();
    for fields in [
        "Content-Length: 12\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 12\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
        "Content-Length: 4\r\nTransfer-Encoding: identity\r\n",
    ] {
        let mut connection = Connection::open(&target);
        connection.send(post(fields));
        let answer = connection.answer();
        assert!(matches!(answer.status, 400 | 501), "{fields:?}: {answer:?}");
        connection.expect_close();
    }
}

/// Transfer-Encoding in a message of HTTP/1.0 means that its framing is faulty.
#[test]
fn a_transfer_encoding_of_1_0_is_faulty() {
    let target = Target::echo();
    let fields = "Host: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n";
    refused(&target, format!("POST / HTTP/1.0\r\n{fields}\r\n2\r\nok\r\n0\r\n\r\n"), 400);
}

/// A client of HTTP/1.0 must not get a Transfer-Encoding.
#[test]
fn a_client_of_1_0_gets_no_transfer_encoding() {
    let target = Target::echo();
    for request in [
        "GET / HTTP/1.0\r\n\r\n",
        "GET /echo HTTP/1.0\r\nTE: chunked\r\nConnection: TE\r\n\r\n",
        "POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nok",
    ] {
        let answer = ask(&target, request);
        assert_eq!((answer.status, answer.field("transfer-encoding")), (200, None), "{request:?}");
    }
}

/// Neither framing stands in a 204 (and RFC 9110 §8.6 for the length); the reader of every answer
/// checks that, this test brings a 204 about.
#[test]
fn no_content_has_no_framing() {
    let target = Target::echo();
    let answer = ask(&target, "OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(answer.status, 204);
    assert!(answer.field("allow").is_some());
}
