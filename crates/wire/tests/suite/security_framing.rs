//! One test for each class of attack on the framing of content, named after it.

use avocet_wire::{CloseReason, Limit, ReadError};

use crate::attack::{chunked, post, read, refused, requests};
use crate::drive::Seen;

#[test]
fn cl_te_and_te_cl() {
    let smuggled = "GET /evil HTTP/1.1\r\nHost: a\r\n\r\n";
    for fields in [
        "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n",
        "Content-Length: 6\r\nX: y\r\ntransfer-encoding: CHUNKED\r\n",
        "Content-Length: +6\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 6x\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 6\r\nTransfer-Encoding: identity\r\n",
        "Content-Length: 6\r\nTransfer-Encoding:\r\n",
    ] {
        assert_eq!(refused(&post(fields, &format!("0\r\n\r\n{smuggled}"))), 400, "{fields:?}");
    }
}

#[test]
fn several_or_bad_content_length() {
    for value in [
        "",
        " ",
        "+5",
        "-5",
        "-0",
        "0x5",
        "5,5",
        "5, 5",
        "5, 6",
        ",5",
        "5,",
        "1 0",
        "5 5",
        "1_0",
        "5.0",
        "5;",
        "\"5\"",
        "5\u{660}",
        "99999999999999999999",
        "18446744073709551616",
        "18446744073709551621",
        "abc",
    ] {
        assert_eq!(
            refused(&post(&format!("Content-Length: {value}\r\n"), "hello")),
            400,
            "{value:?}"
        );
    }
    for second in ["5", "6", "05"] {
        let fields = format!("Content-Length: 5\r\nContent-Length: {second}\r\n");
        assert_eq!(refused(&post(&fields, "hello")), 400, "{second}");
    }
    // Leading zeros are decimal, never octal.
    let transcript = read(&post("Content-Length: 0010\r\n", "0123456789"));
    assert_eq!(transcript.contents(), [b"0123456789".to_vec()]);
}

#[test]
fn transfer_encoding_spelled_oddly() {
    for (value, status) in [
        ("", 400),
        ("\u{b}chunked", 400),
        ("\u{c}chunked", 400),
        ("chunked\0", 400),
        ("chunked;q=1", 400),
        ("chunked;ext=val", 400),
        ("chunked, chunked", 400),
        ("chunked, gzip", 400),
        (", chunked", 400),
        ("chunked,", 400),
        ("\"chunked\"", 400),
        ("chun\u{212a}ed", 400),
        ("chunke\u{17f}", 400),
        ("xchunked", 400),
        ("chunked x", 400),
        ("identity", 400),
        ("gzip", 400),
        ("gzip, chunked", 501),
        ("identity, chunked", 501),
    ] {
        let input = post(&format!("Transfer-Encoding: {value}\r\n"), "0\r\n\r\n");
        assert_eq!(refused(&input), status, "{value:?}");
    }
    for (first, second, status) in
        [("chunked", "identity", 400), ("chunked", "chunked", 400), ("gzip", "chunked", 501)]
    {
        let fields = format!("Transfer-Encoding: {first}\r\nTransfer-Encoding: {second}\r\n");
        assert_eq!(refused(&post(&fields, "0\r\n\r\n")), status, "{first}, {second}");
    }
    for value in ["chunked", "CHUNKED", "ChUnKeD", "  chunked\t"] {
        let transcript = read(&post(&format!("Transfer-Encoding:{value}\r\n"), "0\r\n\r\n"));
        assert_eq!(transcript.ends(), 1, "{value:?}");
    }
    // A name that only looks alike frames nothing.
    let transcript =
        read(&post("Transfer_Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"));
    assert_eq!(transcript.contents(), [b"0\r\n\r\n".to_vec()]);
    assert_eq!(refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400);
}

#[test]
fn te_0_cl_0_0_cl_and_expect() {
    let next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";
    for method in ["GET", "HEAD", "OPTIONS", "DELETE", "TRACE", "POST", "FOO"] {
        for (fields, content) in [
            ("Content-Length: 5\r\n", "hello"),
            ("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
        ] {
            let input = format!("{method} / HTTP/1.1\r\nHost: a\r\n{fields}\r\n{content}{next}");
            let transcript = read(&input);
            assert_eq!(requests(&transcript), [format!("{method} /"), "GET /next".to_owned()]);
            assert_eq!(transcript.contents(), [b"hello".to_vec(), Vec::new()]);
        }
    }
    for value in ["200-ok", "100-continue, x", "100-continu", "x\r\nExpect: 100-continue"] {
        let input = post(&format!("Expect: {value}\r\nContent-Length: 5\r\n"), "hello");
        assert_eq!(refused(&input), 417, "{value:?}");
    }
    // A final answer instead of 100 ends the connection: the content may come or not.
    let transcript = read(&post("Expect: 100-continue\r\nContent-Length: 5\r\n", ""));
    assert!(matches!(transcript.seen[0], Seen::Request { expects_continue: true, .. }));
}

#[test]
fn chunk_extensions_term_ext_ext_term_spill() {
    for line in [
        "5;\n",
        "5;a\n",
        "5\n",
        "5\r",
        "5\rX\n",
        "5;a\rb\r\n",
        "5;a=\"\n\"\r\n",
        "5;\0\r\n",
        "5;a=\"\u{1}\"\r\n",
        "5;a=b\u{7f}\r\n",
        "5;\r\n",
        "5;bad[=x\r\n",
        "5 ;\r\n",
        "5;=\r\n",
        "5;a=\r\n",
        "5;a=\"x\r\n",
    ] {
        let input =
            chunked(&format!("{line}hello\r\n0\r\n\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(refused(&input), 400, "{line:?}");
    }
    for end in ["", "\n", "\r", "X", "XX", "\r\r\n", "\n\r\n", " \r\n"] {
        let input = chunked(&format!("5\r\nhello{end}0\r\n\r\n"));
        assert_eq!(refused(&input), 400, "one and two bytes instead of the line end: {end:?}");
    }
    let transcript = read(&chunked("5;a;b=c;d=\"e;\\\"f\" ; g\r\nhello\r\n0;last\r\n\r\n"));
    assert_eq!(transcript.contents(), [b"hello".to_vec()]);
}

#[test]
fn chunk_size_syntax() {
    for size in [
        "",
        " ",
        "+5",
        "-5",
        "0x5",
        "5 ",
        " 5",
        "\t5",
        "5_0",
        "1_0",
        "_",
        "g",
        "5,",
        "\u{665}",
        "5h",
        "5.",
        "00000000000000005",
        "10000000000000005",
        "fffffffffffffffff",
    ] {
        let input = chunked(&format!("{size}\r\nhello\r\n0\r\n\r\n"));
        assert_eq!(refused(&input), 400, "{size:?}");
    }
    // The largest size that fits is believed, and costs nothing until the bytes come.
    let transcript = read(&chunked("ffffffffffffffff\r\nhello"));
    assert!(transcript.is_open());
    assert_eq!(transcript.contents(), [b"hello".to_vec()]);
}

#[test]
fn extension_and_trailer_floods() {
    let limit = |input: &str| match read(input).error() {
        Some(ReadError::LimitExceeded { limit, .. }) => limit,
        other => panic!("{other:?}"),
    };
    assert_eq!(limit(&chunked(&format!("5;{}\r\n", "a".repeat(65_536)))), Limit::ChunkLine);
    let chunk = format!("1;{}\r\nx\r\n", "a".repeat(1000));
    assert_eq!(limit(&chunked(&chunk.repeat(17))), Limit::Extensions);
    let long = format!("5\r\nhello\r\n0\r\nX: {}\r\n\r\n", "a".repeat(20_000));
    assert_eq!(limit(&chunked(&long)), Limit::Trailers);
    let many = format!("0\r\n{}\r\n", "X: y\r\n".repeat(101));
    assert_eq!(limit(&chunked(&many)), Limit::TrailerFields);
    for bad in [
        "X\r\n\r\n",
        ": y\r\n\r\n",
        "X: a\0b\r\n\r\n",
        "X : y\r\n\r\n",
        " X: y\r\n\r\n",
        "X: y\n\r\n",
    ] {
        assert_eq!(refused(&chunked(&format!("0\r\n{bad}"))), 400, "{bad:?}");
    }
    // What frames, routes or authenticates is ignored behind the content.
    let trailers = "Content-Length: 50\r\nTransfer-Encoding: chunked\r\nHost: evil\r\nX-Sum: 1\r\n\
        Authorization: x\r\nContent-Type: text/evil\r\nConnection: close\r\n";
    let transcript = read(&chunked(&format!("0\r\n{trailers}\r\n")));
    let kept = vec![("X-Sum".to_owned(), b"1".to_vec())];
    assert!(transcript.seen.contains(&Seen::End(kept)), "{transcript:?}");
    assert!(!transcript.seen.contains(&Seen::Close(CloseReason::PeerAsked)));
}
