//! Where content ends: our decision against a plain transcription of RFC 9112 §6.3.
#![no_main]
#![expect(dead_code, reason = "the shared files serve other targets too")]

use arbitrary::Arbitrary;
use avocet_wire::{Framing, Leniency, Limits};
use http::Method;
use libfuzzer_sys::fuzz_target;

#[path = "../../crates/wire/tests/suite/drive.rs"]
mod drive;
#[path = "../../crates/wire/tests/suite/naive.rs"]
mod naive;

use drive::{Seen, Transcript};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    is_request: bool,
    method: u8,
    minor: bool,
    status: u16,
    lines: Vec<(Name, Value<'a>)>,
}

#[derive(Arbitrary, Debug, Clone, Copy)]
enum Name {
    Length,
    LengthLower,
    Coding,
    CodingUpper,
    Other,
}

impl Name {
    fn text(self) -> &'static str {
        match self {
            Self::Length => "Content-Length",
            Self::LengthLower => "content-length",
            Self::Coding => "Transfer-Encoding",
            Self::CodingUpper => "TRANSFER-ENCODING",
            Self::Other => "Content_Length",
        }
    }
}

#[derive(Arbitrary, Debug)]
enum Value<'a> {
    Number(u64),
    Chunked,
    ChunkedMixed,
    Gzip,
    GzipChunked,
    ChunkedTwice,
    Text(&'a str),
}

impl Value<'_> {
    fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Chunked => "chunked".to_owned(),
            Self::ChunkedMixed => "ChUnKeD".to_owned(),
            Self::Gzip => "gzip".to_owned(),
            Self::GzipChunked => "gzip, chunked".to_owned(),
            Self::ChunkedTwice => "chunked, chunked".to_owned(),
            Self::Text(text) => (*text).to_owned(),
        }
    }
}

fuzz_target!(|input: Input<'_>| {
    // A value with a line end would be another head than the one this builds.
    let is_value = |(_, value): &(Name, Value<'_>)| {
        value.text().len() < 200 && !value.text().contains(['\r', '\n'])
    };
    if input.lines.len() > 90 || !input.lines.iter().all(is_value) {
        return;
    }
    let lines: String =
        input.lines.iter().map(|(name, value)| format!("{}: {}\r\n", name.text(), value.text())).collect();
    let methods = [Method::GET, Method::POST, Method::HEAD, Method::CONNECT, Method::PUT];
    let method = &methods[usize::from(input.method) % methods.len()];
    let minor = u8::from(input.minor);
    let (bytes, transcript) = if input.is_request {
        let target = if *method == Method::CONNECT { "a:1" } else { "/" };
        let bytes = format!("{method} {target} HTTP/1.{minor}\r\nHost: a\r\n{lines}\r\n");
        let transcript = drive::server(bytes.as_bytes(), &[]);
        (bytes, transcript)
    } else {
        let status = 200 + input.status % 400;
        let bytes = format!("HTTP/1.{minor} {status} \r\n{lines}\r\n");
        let connection = drive::asking(method, false);
        let table = avocet_wire::FieldTable::new(Limits::client(), Leniency::strict());
        let transcript = drive::drive(connection, table, bytes.as_bytes(), &[]);
        (bytes, transcript)
    };
    let Some(fields) = input.lines.iter().map(line).collect::<Option<Vec<_>>>() else {
        assert!(transcript.error().is_some(), "{bytes:?}");
        return;
    };
    let due = if input.is_request {
        naive::request_body(method.as_str(), minor, &fields)
    } else {
        let status = 200 + input.status % 400;
        let (head, connect) = (*method == Method::HEAD, *method == Method::CONNECT);
        naive::response_body(head, connect, status, &fields)
    };
    assert_eq!(seen(&transcript), due, "{bytes:?} gave {transcript:?}");
});

fn line((name, value): &(Name, Value<'_>)) -> Option<(String, Vec<u8>)> {
    naive::field(format!("{}: {}", name.text(), value.text()).as_bytes())
}

fn seen(transcript: &Transcript) -> naive::Body {
    match transcript.seen.first() {
        Some(Seen::Request { framing, .. } | Seen::Response { framing, .. }) => match framing {
            Framing::Empty => naive::Body::None,
            Framing::Length(length) => naive::Body::Length(*length),
            Framing::Chunked => naive::Body::Chunked,
            Framing::UntilClose => naive::Body::UntilClose,
        },
        _ => naive::Body::Refused,
    }
}
