//! Each limit: one byte or line below it passes, at it the right answer comes.

use avocet_wire::{FieldTable, Leniency, Limit, Limits, ReadError};
use http::Method;

use crate::drive::{self, Transcript};

fn server(limits: Limits, input: &str) -> Transcript {
    drive::server_with(limits, Leniency::strict(), input.as_bytes(), &[])
}

fn limit(transcript: &Transcript) -> Option<(Limit, u16)> {
    let error = transcript.error()?;
    match error {
        ReadError::LimitExceeded { limit, most, .. } => {
            assert!(error.to_string().ends_with(&format!("{most} at most")), "{error}");
            Some((limit, error.status_hint().as_u16()))
        }
        other => panic!("{other:?}"),
    }
}

/// Reads the inputs for the bound itself and for one more.
fn at_and_above(limits: Limits, make: impl Fn(usize) -> String, bound: usize, due: (Limit, u16)) {
    let below = server(limits, &make(bound));
    assert_eq!(limit(&below), None, "{bound} is allowed");
    assert!(below.ends() > 0, "{below:?}");
    let above = server(limits, &make(bound + 1));
    assert_eq!(limit(&above), Some(due), "{bound} is the most");
    let says = above.error().map(|error| error.to_string()).unwrap_or_default();
    assert!(says.ends_with(&format!(" {bound} at most")), "{says}");
}

#[test]
fn defaults_are_as_documented() {
    let server = Limits::server();
    assert_eq!((server.request_line, server.head, server.fields), (8192, 32_768, 100));
    assert_eq!((server.chunk_line, server.extensions), (4096, 16_384));
    assert_eq!((server.trailers, server.trailer_fields, server.interim), (16_384, 100, 16));
    assert_eq!(Limits::client(), Limits { head: 262_144, ..server });
}

#[test]
fn request_line() {
    let make = |length: usize| {
        let target = "a".repeat(length - "GET / HTTP/1.1\r\n".len());
        format!("GET /{target} HTTP/1.1\r\nHost: a\r\n\r\n")
    };
    at_and_above(Limits::server(), make, 8192, (Limit::RequestLine, 414));
    let endless = format!("GET /{}", "a".repeat(8192));
    assert_eq!(limit(&server(Limits::server(), &endless)), Some((Limit::RequestLine, 414)));
}

#[test]
fn head() {
    let make = |length: usize| {
        let start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
        format!("{start}{}\r\n\r\n", "y".repeat(length - start.len() - 4))
    };
    at_and_above(Limits::server(), make, 32_768, (Limit::Head, 431));
    let endless = format!("GET / HTTP/1.1\r\n{}", "X: y\r\n".repeat(90)) + &"z".repeat(33_000);
    assert_eq!(limit(&server(Limits::server(), &endless)), Some((Limit::Head, 431)));
}

#[test]
fn fields() {
    let make =
        |lines: usize| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(lines - 1));
    at_and_above(Limits::server(), make, 100, (Limit::Fields, 431));
}

#[test]
fn chunk_line_and_extensions() {
    let start = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let one = |length: usize| {
        let extension = "e".repeat(length - "5;\r\n".len());
        format!("{start}5;{extension}\r\nhello\r\n0\r\n\r\n")
    };
    at_and_above(Limits::server(), one, 4096, (Limit::ChunkLine, 400));
    let sum = |length: usize| {
        let chunk = format!("1;{}\r\nx\r\n", "e".repeat(1023));
        format!(
            "{start}{}1;{}\r\nx\r\n0\r\n\r\n",
            chunk.repeat(15),
            "e".repeat(length - 15 * 1024 - 1)
        )
    };
    at_and_above(Limits::server(), sum, 16_384, (Limit::Extensions, 400));
}

#[test]
fn trailers_and_trailer_fields() {
    let start = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
    let long = |length: usize| format!("{start}X: {}\r\n\r\n", "y".repeat(length - 7));
    at_and_above(Limits::server(), long, 16_384, (Limit::Trailers, 431));
    let many = |lines: usize| format!("{start}{}\r\n", "X: y\r\n".repeat(lines));
    at_and_above(Limits::server(), many, 100, (Limit::TrailerFields, 431));
}

#[test]
fn interim_responses() {
    let read = |count: usize| {
        let input = "HTTP/1.1 103 \r\n\r\n".repeat(count) + "HTTP/1.1 204 \r\n\r\n";
        drive::client(Leniency::client(), &Method::GET, input.as_bytes(), &[])
    };
    assert_eq!(limit(&read(16)), None);
    assert_eq!(limit(&read(17)), Some((Limit::Interim, 400)));
    // The count is of one response, not of the connection.
    let twice = ("HTTP/1.1 103 \r\n\r\n".repeat(16) + "HTTP/1.1 204 \r\n\r\n").repeat(2);
    let transcript = drive::client(Leniency::client(), &Method::GET, twice.as_bytes(), &[]);
    assert_eq!((limit(&transcript), transcript.ends()), (None, 2));
}

#[test]
fn response_heads_have_the_room_of_a_client() {
    let make = |length: usize| {
        let start = "HTTP/1.1 204 No Content\r\nX: ";
        format!("{start}{}\r\n\r\n", "y".repeat(length - start.len() - 4))
    };
    let read = |length: usize| {
        drive::client(Leniency::client(), &Method::GET, make(length).as_bytes(), &[])
    };
    assert_eq!(limit(&read(262_144)), None);
    assert_eq!(limit(&read(262_145)), Some((Limit::Head, 431)));
}

#[test]
fn empty_lines_before_a_request() {
    let read = |lines: usize| {
        let input = "\r\n".repeat(lines) + "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let every: Vec<usize> = (1..input.len()).collect();
        let whole = server(Limits::server(), &input);
        let pieces =
            drive::server_with(Limits::server(), Leniency::strict(), input.as_bytes(), &every);
        assert_eq!(whole, pieces);
        whole
    };
    assert_eq!(read(8).error(), None);
    let error = read(9).error().expect("too many");
    assert_eq!(error.status_hint(), 400);
}

#[test]
fn methods_of_32_bytes() {
    let make = |length: usize| format!("{} / HTTP/1.1\r\nHost: a\r\n\r\n", "M".repeat(length));
    assert_eq!(server(Limits::server(), &make(32)).error(), None);
    let error = server(Limits::server(), &make(33)).error().expect("too long");
    assert_eq!((error.status_hint().as_u16(), error.position()), (400, Some(33)));
}

#[test]
fn limits_are_clamped_to_what_positions_hold() {
    let limits = Limits {
        request_line: usize::MAX,
        head: usize::MAX,
        fields: usize::MAX,
        chunk_line: usize::MAX,
        extensions: u64::MAX,
        trailers: usize::MAX,
        trailer_fields: usize::MAX,
        interim: u32::MAX,
    };
    let clamped = *FieldTable::new(limits, Leniency::strict()).limits();
    assert_eq!((clamped.head, clamped.trailers), (0xffff_ffff, 0xffff_ffff));
    assert_eq!((clamped.fields, clamped.trailer_fields, clamped.interim), (65_534, 65_534, 254));
    // Nothing above 32 bits of position is needed to hold a head of many lines.
    let input = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(65_533));
    assert_eq!(server(limits, &input).error(), None);
    let input = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(65_534));
    assert_eq!(limit(&server(limits, &input)), Some((Limit::Fields, 431)));
}
