//! One test for each published flaw of another implementation that a codec can have, named after it: the bytes
//! that made it go wrong, and what must happen instead.

use avocet_wire::{
    BodySize, CloseReason, Connection, Event, FieldBuf, FieldTable, InvalidField, Leniency, Limit,
    Limits, ReadError, Server,
};
use http::header::{LOCATION, UPGRADE};
use http::{HeaderName, StatusCode};

use crate::attack::{chunked, post, read, refused, requests};
use crate::drive::Seen;

const NEXT: &str = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";

/// hyper took `+3` for a length.
#[test]
fn rustsec_2021_0078_lenient_content_length() {
    for value in ["+3", "+0", "++3", "3+"] {
        assert_eq!(refused(&post(&format!("Content-Length: {value}\r\n"), "abc")), 400);
    }
}

/// hyper let the sizes of chunks wrap around.
#[test]
fn rustsec_2021_0079_chunk_size_overflow() {
    for size in ["10000000000000000", "f0000000000000003", "1fffffffffffffff3", "ffffffffffffffff0"]
    {
        assert_eq!(refused(&chunked(&format!("{size}\r\nabc\r\n0\r\n\r\n"))), 400, "{size}");
    }
}

/// hyper took the first of several Transfer-Encoding lines for all.
#[test]
fn rustsec_2021_0020_several_transfer_encodings() {
    for (first, second) in [("chunked", "identity"), ("chunked", "cow"), ("cow", "chunked")] {
        let fields = format!("Transfer-Encoding: {first}\r\nTransfer-Encoding: {second}\r\n");
        assert!([400, 501].contains(&refused(&post(&fields, "0\r\n\r\n"))));
    }
}

/// hyper read no content for GET, and took it for the next request.
#[test]
fn rustsec_2020_0008_content_of_get() {
    let input =
        format!("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{NEXT}", NEXT.len());
    let transcript = read(&input);
    assert_eq!(requests(&transcript), ["GET /"]);
    assert_eq!(transcript.contents(), [NEXT.as_bytes().to_vec()]);
}

/// tiny_http took Transfer-Encoding with anything around it for chunked.
#[test]
fn rustsec_2020_0031_malformed_transfer_encoding() {
    for line in [
        "Transfer-Encoding : chunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: \u{b}chunked",
        "Transfer-Encoding: chunked\u{b}",
        " Transfer-Encoding: chunked",
        "Transfer-Encoding: z\r\nTransfer-Encoding: chunked",
        "X: y\rTransfer-Encoding: chunked",
        "Transfer\u{0}-Encoding: chunked",
    ] {
        let status = refused(&post(&format!("{line}\r\n"), "0\r\n\r\n"));
        assert!([400, 501].contains(&status), "{line:?}");
    }
}

/// async-h1 read the next request from content that the handler had left.
#[test]
fn rustsec_2020_0093_content_left_unread() {
    let mut table = FieldTable::new(Limits::server(), Leniency::strict());
    let mut connection = Connection::<Server>::new();
    let input = post(&format!("Content-Length: {}\r\n", NEXT.len()), NEXT);
    let used = connection.read(input.as_bytes(), &mut table).unwrap().used;
    let mut out = Vec::new();
    connection.send_response(StatusCode::OK, &[], BodySize::Empty, &mut out).unwrap();
    assert_eq!(connection.next_cycle(), Err(CloseReason::ReadingUnfinished));
    let step = connection.read(&input.as_bytes()[used..], &mut table).unwrap();
    assert!(matches!(step.event, Event::Data(data) if data == NEXT.as_bytes()));
}

/// trillium wrote field names and values to the wire unchecked.
#[test]
fn rustsec_2024_0009_response_splitting() {
    let mut fields = FieldBuf::new();
    for value in ["a\r\nSet-Cookie: b", "a\nb", "a\rb", "a\0b", "\r\n\r\n<html>", "a\u{7f}"] {
        assert_eq!(fields.push(&LOCATION, value), Err(InvalidField::Value), "{value:?}");
        assert_eq!(fields.push_raw("Location", value), Err(InvalidField::Value), "{value:?}");
    }
    for name in ["", "a b", "a:", "a\r\nb", "a\n", "caf\u{e9}", "a\0"] {
        assert_eq!(fields.push_raw(name, "x"), Err(InvalidField::Name), "{name:?}");
    }
    assert!(fields.is_empty(), "what is refused leaves nothing behind");
}

/// http-types had constructors that did not check, and so had the reason phrase of others.
#[test]
fn rustsec_2026_0174_unchecked_constructors() {
    let mut connection = Connection::<Server>::new();
    let mut out = Vec::new();
    let fields = FieldBuf::new();
    let reason = "OK\r\nSet-Cookie: a";
    let sent = connection.send_response_with_reason(
        StatusCode::OK,
        reason,
        &[&fields],
        BodySize::Empty,
        &mut out,
    );
    assert!(sent.is_err() && out.is_empty());
    for reserved in ["Content-Length", "transfer-encoding", "CONNECTION"] {
        let mut fields = FieldBuf::new();
        assert_eq!(fields.push_raw(reserved, "5"), Err(InvalidField::Reserved));
        let name: HeaderName = reserved.parse().unwrap();
        assert_eq!(fields.push(&name, "5"), Err(InvalidField::Reserved));
    }
}

/// pingora handed bytes to the new protocol before the upgrade was agreed upon.
#[test]
fn rustsec_2026_0033_bytes_behind_an_upgrade_request() {
    let mut table = FieldTable::new(Limits::server(), Leniency::strict());
    let mut connection = Connection::<Server>::new();
    let head = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
    let input = format!("{head}{NEXT}");
    let used = connection.read(input.as_bytes(), &mut table).unwrap().used;
    let rest = &input.as_bytes()[used..];
    assert!(matches!(connection.read(rest, &mut table).unwrap().event, Event::End(_)));
    assert!(matches!(connection.read(rest, &mut table).unwrap().event, Event::Paused));
    let mut fields = FieldBuf::new();
    fields.push(&UPGRADE, "x").unwrap();
    // The server answers without switching: what follows is a request as any other.
    connection.send_response(StatusCode::OK, &[&fields], BodySize::Empty, &mut Vec::new()).unwrap();
    connection.next_cycle().unwrap();
    let step = connection.read(rest, &mut table).unwrap();
    assert!(matches!(step.event, Event::Head { head, .. } if head.target.path() == "/next"));
}

/// Go's net/http took a bare line feed for the end of a chunk-size line.
#[test]
fn cve_2025_22871_bare_lf_in_a_chunk_line() {
    for line in ["5\n", "5;a\n", "5;\n", "0\n"] {
        assert_eq!(refused(&chunked(&format!("{line}hello\r\n0\r\n\r\n"))), 400, "{line:?}");
    }
}

/// Kestrel looked for CR LF in an extension, but let a lone one of them pass.
#[test]
fn cve_2025_55315_line_ends_in_a_chunk_extension() {
    for extension in [";\n", ";a\r", ";a\rb", ";a\nb", ";\rGET / HTTP/1.1", ";a=\"\r\""] {
        let input = chunked(&format!("5{extension}\r\nhello\r\n0\r\n\r\n"));
        assert_eq!(refused(&input), 400, "{extension:?}");
    }
}

/// h11 did not look at the two bytes behind the data of a chunk.
#[test]
fn cve_2025_43859_chunk_end_unchecked() {
    for end in ["XX", "\r\r", "\n\n", "\nX", "0\r", "\r0"] {
        assert_eq!(refused(&chunked(&format!("5\r\nhello{end}0\r\n\r\n"))), 400, "{end:?}");
    }
}

/// Go's net/http read any number of extension bytes for each byte of content.
#[test]
fn cve_2023_39326_flood_of_chunk_extensions() {
    let chunk = format!("1;a={}\r\nx\r\n", "b".repeat(100));
    let transcript = read(&chunked(&chunk.repeat(1000)));
    let error = transcript.error();
    assert!(matches!(error, Some(ReadError::LimitExceeded { limit: Limit::Extensions, .. })));
    assert!(transcript.contents()[0].len() < 200, "it ends before many chunks");
}

/// HAProxy ended the head at a field without a name and dropped what followed.
#[test]
fn cve_2023_25725_empty_field_name() {
    for line in [":", ": x", " : x", ":x: y"] {
        let input = post(&format!("{line}\r\nContent-Length: 5\r\n"), "hello");
        assert_eq!(refused(&input), 400, "{line:?}");
    }
}

/// HAProxy 2.6 took 2^64 for 0.
#[test]
fn haproxy_2_6_content_length_wraps() {
    for value in ["18446744073709551616", "18446744073709551621", "36893488147419103232"] {
        assert_eq!(refused(&post(&format!("Content-Length: {value}\r\n"), NEXT)), 400, "{value}");
    }
}

/// nginx went on with a request line that had a blank in its target, and checked another path than it opened.
#[test]
fn cve_2013_4547_blank_in_the_target() {
    for target in ["/a b", "/a \0b", "/a\0b", "/secret /../x", " /a"] {
        assert_eq!(
            refused(&format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")),
            400,
            "{target:?}"
        );
    }
}

/// Akamai's proxies disagreed on OPTIONS with Expect and a folded line.
#[test]
fn cve_2025_32094_options_expect_and_fold() {
    let head =
        "OPTIONS / HTTP/1.1\r\nHost: a\r\nExpect:\r\n 100-continue\r\nContent-Length: 9\r\n\r\n";
    assert_eq!(refused(&format!("{head}{NEXT}")), 400);
    let head = "OPTIONS / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    let transcript = read(&format!("{head}hello{NEXT}"));
    assert_eq!(requests(&transcript), ["OPTIONS /", "GET /next"]);
    assert_eq!(transcript.contents()[0], b"hello");
}

/// curl sent line ends from a URL to the proxy.
#[test]
fn cve_2014_8150_line_ends_in_a_target() {
    let mut connection = Connection::<avocet_wire::Client>::new();
    let mut host = FieldBuf::new();
    host.push_raw("Host", "a").unwrap();
    for target in ["/\r\nX: y", "/a b", "/\n", "/\0", "/a\u{7f}", "http://a/\r\nX: y", "", "a"] {
        let mut out = Vec::new();
        let sent = connection.send_request(
            &http::Method::GET,
            target,
            &[&host],
            BodySize::Empty,
            &mut out,
        );
        assert!(sent.is_err() && out.is_empty(), "{target:?}");
    }
}

/// `httparse::parse_chunk_size` takes lines without a digit for the last chunk.
#[test]
fn httparse_chunk_size_without_digits() {
    for line in ["\r\n", " \r\n", ";x\r\n", "\t\r\n", ";\r\n", "\r\n\r\n"] {
        assert_eq!(refused(&chunked(&format!("{line}{NEXT}"))), 400, "{line:?}");
    }
}

/// `chunked` with a Kelvin sign or a long s is chunked to who maps case by Unicode.
#[test]
fn case_mapping_beyond_ascii() {
    for value in ["chun\u{212a}ed", "chunKed\u{0}", "\u{ff43}hunked"] {
        assert_eq!(refused(&post(&format!("Transfer-Encoding: {value}\r\n"), "0\r\n\r\n")), 400);
    }
    let transcript =
        read(&post("Content-Length: 5\r\nTransfer-Encodin\u{1e21}: chunked\r\n", "hello"));
    assert!(matches!(transcript.seen.last(), Some(Seen::Error(_))), "names are tokens");
}
