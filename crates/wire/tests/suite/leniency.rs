//! Each switch of leniency: off by default and then an error, on and then the documented reading.

use avocet_wire::{CloseReason, Framing, Leniency, Limits};
use http::Method;

use crate::drive::{self, Seen, Transcript};

const STRICT: Leniency = Leniency::strict();

fn client(leniency: Leniency, input: &str) -> Transcript {
    drive::client(leniency, &Method::GET, input.as_bytes(), &[])
}

/// Refused strictly; read with the one switch.
fn needs(lenient: Leniency, input: &str) -> Transcript {
    assert!(client(STRICT, input).error().is_some(), "{input:?}");
    let transcript = client(lenient, input);
    assert_eq!(transcript.error(), None, "{input:?}");
    transcript
}

fn fields(transcript: &Transcript) -> Vec<(&str, &[u8])> {
    let Some(Seen::Response { fields, .. }) = transcript.seen.first() else {
        panic!("{transcript:?}");
    };
    fields.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect()
}

#[test]
fn a_server_is_strict_by_default_and_a_client_is_not() {
    assert_eq!(Leniency::client(), Leniency { missing_host: false, ..ALL });
}

const ALL: Leniency = Leniency {
    missing_host: true,
    bare_lf_in_response: true,
    fold_in_response: true,
    blank_before_colon_in_response: true,
    missing_reason: true,
    empty_lines_before_response: true,
    equal_lengths_in_response: true,
    length_beside_chunked_in_response: true,
};

#[test]
fn missing_host() {
    let read = |leniency: Leniency, input: &str| {
        drive::server_with(Limits::server(), leniency, input.as_bytes(), &[]).error()
    };
    let lenient = Leniency { missing_host: true, ..STRICT };
    assert!(read(STRICT, "GET / HTTP/1.1\r\n\r\n").is_some());
    assert_eq!(read(lenient, "GET / HTTP/1.1\r\n\r\n"), None);
    assert!(read(lenient, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n").is_some());
    assert!(read(lenient, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n").is_some());
}

#[test]
fn no_switch_makes_a_request_lenient() {
    for input in [
        "GET / HTTP/1.1\nHost: a\n\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    ] {
        let transcript = drive::server_with(Limits::server(), ALL, input.as_bytes(), &[]);
        assert!(transcript.error().is_some(), "{input:?}");
    }
}

#[test]
fn bare_lf_in_response() {
    let lenient = Leniency { bare_lf_in_response: true, ..STRICT };
    let read = needs(lenient, "HTTP/1.1 200 OK\nX: y\r\nContent-Length: 2\n\nok");
    assert_eq!(fields(&read), [("X", &b"y"[..]), ("Content-Length", b"2")]);
    assert_eq!(read.contents(), [b"ok".to_vec()]);
    // Never in chunks, and never a lone CR.
    for input in [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\nok\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\n\r\n",
        "HTTP/1.1 200 OK\rX: y\n\n",
        "HTTP/1.1 200 OK\nX: y\rz\n\n",
        "HTTP/1.1 200 OK\nX: y\x01\n\n",
    ] {
        assert!(client(lenient, input).error().is_some(), "{input:?}");
    }
}

#[test]
fn fold_in_response() {
    let lenient = Leniency { fold_in_response: true, ..STRICT };
    let input = "HTTP/1.1 204 OK\r\nX: a\r\n b\r\n\t c\r\nY:\r\n d\r\nZ: e\r\n \r\n\r\n";
    let read = needs(lenient, input);
    assert_eq!(fields(&read), [("X", &b"a   b  \t c"[..]), ("Y", b"d"), ("Z", b"e")]);
    assert_eq!(read.ends(), 1);
    // A blank behind the status line folds nothing.
    assert!(client(lenient, "HTTP/1.1 204 OK\r\n X: a\r\n\r\n").error().is_some());
    // What a fold joins is checked like any value.
    assert!(client(lenient, "HTTP/1.1 204 OK\r\nX: a\r\n b\x01\r\n\r\n").error().is_some());
    assert!(client(lenient, "HTTP/1.1 204 OK\r\nX: a\r\n b\rc\r\n\r\n").error().is_some());
    // Values are folded, names are not: not even where blanks before the colon are dropped, and another fold
    // before it has already changed the way in which the head is read.
    let blanks = Leniency { blank_before_colon_in_response: true, ..lenient };
    for lines in
        ["X: a\r\nY\r\n : b\r\n", "X: a\r\n b\r\nY\r\n : c\r\n", "X: a\r\n b\r\nY\r\n Z: c\r\n"]
    {
        let input = format!("HTTP/1.1 204 OK\r\n{lines}\r\n");
        assert!(client(blanks, &input).error().is_some(), "{input:?}");
    }
    let mixed = Leniency { bare_lf_in_response: true, ..lenient };
    assert_eq!(fields(&needs(mixed, "HTTP/1.1 204 OK\nX: a\n b\n\n")), [("X", &b"a  b"[..])]);
}

#[test]
fn blank_before_colon_in_response() {
    let lenient = Leniency { blank_before_colon_in_response: true, ..STRICT };
    let read = needs(lenient, "HTTP/1.1 200 OK\r\nContent-Length \t: 2\r\n\r\nok");
    assert_eq!(fields(&read), [("Content-Length", &b"2"[..])]);
    assert_eq!(read.contents(), [b"ok".to_vec()]);
    assert!(client(lenient, "HTTP/1.1 200 OK\r\nX Y: z\r\n\r\n").error().is_some());
    assert!(client(lenient, "HTTP/1.1 200 OK\r\n : z\r\n\r\n").error().is_some());
}

#[test]
fn missing_reason() {
    let lenient = Leniency { missing_reason: true, ..STRICT };
    let read = needs(lenient, "HTTP/1.1 204\r\n\r\n");
    assert!(
        matches!(&read.seen[0], Seen::Response { status: 204, reason, .. } if reason.is_empty())
    );
    assert!(client(lenient, "HTTP/1.1 20\r\n\r\n").error().is_some());
    assert!(client(lenient, "HTTP/1.1 2040\r\n\r\n").error().is_some());
    // With the blank no leniency is needed.
    assert_eq!(client(STRICT, "HTTP/1.1 204 \r\n\r\n").error(), None);
}

#[test]
fn empty_lines_before_response() {
    let lenient = Leniency { empty_lines_before_response: true, ..STRICT };
    let read = needs(lenient, "\r\n\r\nHTTP/1.1 204 \r\n\r\n\r\nHTTP/1.1 204 \r\n\r\n");
    assert_eq!(read.ends(), 2);
    let flood = "\r\n".repeat(9) + "HTTP/1.1 204 \r\n\r\n";
    assert!(client(lenient, &flood).error().is_some());
}

#[test]
fn equal_lengths_in_response() {
    let lenient = Leniency { equal_lengths_in_response: true, ..STRICT };
    for lengths in [
        "Content-Length: 2\r\nContent-Length: 2\r\n",
        "Content-Length: 2, 2\r\n",
        "Content-Length: 2\r\nX: y\r\ncontent-length: 02,2\r\n",
    ] {
        let read = needs(lenient, &format!("HTTP/1.1 200 OK\r\n{lengths}\r\nok"));
        assert_eq!(read.contents(), [b"ok".to_vec()]);
    }
    for lengths in ["2\r\nContent-Length: 3", "2, 3", "2,", ",2", "", "2, x", "2 2"] {
        let input = format!("HTTP/1.1 200 OK\r\nContent-Length: {lengths}\r\n\r\nok!");
        assert!(client(lenient, &input).error().is_some(), "{lengths:?}");
    }
}

#[test]
fn length_beside_chunked_in_response() {
    let lenient = Leniency { length_beside_chunked_in_response: true, ..STRICT };
    let read = needs(
        lenient,
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    );
    assert_eq!(read.contents(), [b"ok".to_vec()]);
    assert!(matches!(read.seen[0], Seen::Response { framing: Framing::Chunked, .. }));
    assert_eq!(read.seen.last(), Some(&Seen::Close(CloseReason::FramingInDoubt)));
}

#[test]
fn chunks_in_a_response_of_http_1_0_end_the_connection() {
    let input =
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let read = client(STRICT, input);
    assert_eq!(read.seen.last(), Some(&Seen::Close(CloseReason::FramingInDoubt)));
}
