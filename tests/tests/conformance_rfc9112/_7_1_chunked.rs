//! §7.1: the chunked coding.

use avocet_tests::program::Target;
use avocet_tests::raw::{Answer, Connection, refused};

const HEAD: &str = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

fn post(target: &Target, chunks: &str) -> Answer {
    let mut connection = Connection::open(target);
    connection.send(format!("{HEAD}{chunks}"));
    connection.answer()
}

fn broken(target: &Target, chunks: &str) {
    refused(target, format!("{HEAD}{chunks}"), 400);
}

/// Chunks of any size, written in hexadecimal of either case, with zeros in front.
#[test]
fn sizes_are_hexadecimal() {
    let target = Target::echo();
    let ten = "0123456789";
    for size in ["a", "A", "0a", "000000000000000A"] {
        let answer = post(&target, &format!("{size}\r\n{ten}\r\n0\r\n\r\n"));
        assert_eq!(answer.text(), ten, "{size}");
    }
    assert_eq!(post(&target, "1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n").text(), "abcdef");
    assert_eq!(post(&target, "0\r\n\r\n").text(), "");
    assert_eq!(post(&target, "2\r\n\r\n\r\n00\r\n\r\n").text(), "\r\n");
}

/// Large numbers must not wrap around. (And no memory is asked for: a size is not an order.)
#[test]
fn sizes_do_not_wrap() {
    let target = Target::echo();
    for size in
        ["10000000000000002", "ffffffffffffffff0", "00000000000000002", "FFFFFFFFFFFFFFFFFFFFFFFF"]
    {
        broken(&target, &format!("{size}\r\nok\r\n0\r\n\r\n"));
    }
}

/// A size is digits and nothing else.
#[test]
fn a_size_is_digits() {
    let target = Target::echo();
    for size in
        ["", " 2", "2 ", "\t2", "+2", "-2", "0x2", "2_0", "g", "2h", "2.", "\"2\"", "2,", " "]
    {
        broken(&target, &format!("{size}\r\nok\r\n0\r\n\r\n"));
    }
}

/// Lines end with CRLF; neither a lone LF nor a lone CR ends a size.
#[test]
fn a_size_ends_with_crlf() {
    let target = Target::echo();
    for chunks in [
        "2\nok\r\n0\r\n\r\n",
        "2\rok\r\n0\r\n\r\n",
        "2\r\r\nok\r\n0\r\n\r\n",
        "2;a\nok\r\n0\r\n\r\n",
        "2;a\rb\r\nok\r\n0\r\n\r\n",
        "2\r\nok\r\n0\n\r\n",
    ] {
        broken(&target, chunks);
    }
}

/// Behind the data of a chunk there is CRLF and nothing else: no more data, no other line end.
#[test]
fn data_ends_with_crlf() {
    let target = Target::echo();
    for chunks in [
        "2\r\noka\r\n0\r\n\r\n",
        "2\r\nok\n0\r\n\r\n",
        "2\r\nok\r0\r\n\r\n",
        "2\r\nok0\r\n\r\n",
        "2\r\nokXX0\r\n\r\n",
        "3\r\nok\r\n0\r\n\r\n",
    ] {
        broken(&target, chunks);
    }
}

/// §7.1.1: an extension that is not known must be ignored.
#[test]
fn extensions_are_ignored() {
    let target = Target::echo();
    for extension in [";a", ";a=b", ";a=\"b;c\"", ";a;b=c", " ;a", "; a", "; a = b", ";a=\"\\\"\""]
    {
        let answer = post(&target, &format!("2{extension}\r\nok\r\n0{extension}\r\n\r\n"));
        assert_eq!((answer.status, answer.text()), (200, "ok"), "{extension:?}");
    }
}

/// One that breaks the grammar is a place for smuggling, and is refused.
#[test]
fn broken_extensions_are_refused() {
    let target = Target::echo();
    for extension in [";", "; ", ";=b", ";a=", ";a=\"b", ";a b", ";\u{1}", ";a=\0", ";[", ";a=b c"]
    {
        broken(&target, &format!("2{extension}\r\nok\r\n0\r\n\r\n"));
    }
}

/// §7.1.1: the sum of extensions is to be bounded, with a status of class 4xx beyond.
#[test]
fn extensions_are_bounded() {
    let target = Target::echo();
    broken(&target, &format!("2;{}\r\nok\r\n0\r\n\r\n", "a".repeat(20_000)));
    let chunk = format!("1;{}\r\na\r\n", "a".repeat(1_000));
    broken(&target, &format!("{}0\r\n\r\n", chunk.repeat(20)));
}

/// §7.1.2: trailer fields are read and must not become header fields.
#[test]
fn trailers_stay_apart_from_the_head() {
    let target = Target::echo();
    let mut connection = Connection::open(&target);
    let head = HEAD.replace("POST / ", "POST /echo ");
    connection.send(format!("{head}2\r\nok\r\n0\r\nX-Trailer: a\r\nHost: b\r\n\r\n"));
    let answer = connection.answer();
    assert_eq!(answer.status, 200);
    assert!(!answer.text().contains("X-Trailer"), "{answer:?}");
    assert!(!answer.text().contains("Host: b"), "{answer:?}");
    // The framing of the next request does not suffer from what stood in the trailers.
    connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(connection.answer().text(), "OK");
}

/// Framing in trailers frames nothing.
#[test]
fn framing_in_trailers_is_nothing() {
    let target = Target::echo();
    for trailer in ["Content-Length: 100", "Transfer-Encoding: chunked", "Connection: close"] {
        let mut connection = Connection::open(&target);
        connection.send(format!("{HEAD}2\r\nok\r\n0\r\n{trailer}\r\n\r\n"));
        let answer = connection.answer();
        if answer.status != 200 {
            assert_eq!(answer.status, 400, "{trailer}");
            connection.expect_close();
            continue;
        }
        assert_eq!(answer.text(), "ok");
        connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(connection.answer().text(), "OK", "{trailer}");
    }
}

/// Trailers follow the grammar of fields.
#[test]
fn broken_trailers_are_refused() {
    let target = Target::echo();
    for trailer in ["X-A", "X-A : b", " X-A: b", "X-A: b\r\n c", "X-A: \0", "X-A: b\nX-B: c", ": b"]
    {
        broken(&target, &format!("2\r\nok\r\n0\r\n{trailer}\r\n\r\n"));
    }
}

/// Trailers are bounded like heads.
#[test]
fn trailers_are_bounded() {
    let target = Target::echo();
    let many: String = (0..200).map(|index| format!("X-{index}: a\r\n")).collect();
    refused(&target, format!("{HEAD}0\r\n{many}\r\n"), 431);
    let long = format!("X-A: {}\r\n", "a".repeat(20_000));
    refused(&target, format!("{HEAD}0\r\n{long}\r\n"), 431);
}
