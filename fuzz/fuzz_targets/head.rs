//! Heads: our reading against the grammar written plainly, and against httparse.
//!
//! The first byte of the input chooses what is read: 0 a request, 1 a response strictly, other a response as
//! a client reads it.
#![no_main]
#![expect(dead_code, reason = "the shared files serve other targets too")]

use avocet_wire::{Leniency, Limits};
use http::{Method, Version};
use libfuzzer_sys::fuzz_target;

#[path = "../../crates/wire/tests/suite/drive.rs"]
mod drive;
#[path = "../../crates/wire/tests/suite/naive.rs"]
mod naive;

use drive::{Seen, Transcript};

fuzz_target!(|input: &[u8]| {
    let Some((&kind, bytes)) = input.split_first() else { return };
    match kind {
        0 => request(bytes),
        1 => response(bytes, Leniency::strict()),
        _ => response(bytes, Leniency::client()),
    }
});

fn request(bytes: &[u8]) {
    let transcript = drive::server(bytes, &[]);
    check_fields(&transcript);
    match (naive::request(bytes), transcript.seen.first()) {
        (naive::Verdict::Good(due), Some(Seen::Request { method, target, version, fields, .. })) => {
            assert_eq!((method, target, fields), (&due.method, &due.target, &due.fields));
            assert_eq!(*version == Version::HTTP_10, due.minor == 0);
            as_httparse_reads_it(bytes, &due);
        }
        // A right head may still ask for what is refused: framing, an expectation.
        (naive::Verdict::Good(due), Some(Seen::Error(_))) => {
            let refused = naive::request_body(&due.method, due.minor, &due.fields) == naive::Body::Refused;
            let expects = !naive::values(&due.fields, "expect").is_empty();
            assert!(refused || expects, "{due:?} refused: {transcript:?}");
        }
        (naive::Verdict::Bad, Some(Seen::Error(_))) => {}
        (naive::Verdict::Unfinished, Some(Seen::Open)) => {}
        // An error may show before the end has come; then no end can mend it.
        (naive::Verdict::Unfinished, Some(Seen::Error(_))) => {
            for end in ["\r\n\r\n", "\n\r\n\r\n", " HTTP/1.1\r\nHost: a\r\n\r\n"] {
                let whole = [bytes, end.as_bytes()].concat();
                if let naive::Verdict::Good(due) = naive::request(&whole) {
                    panic!("{due:?} refused too early: {transcript:?}");
                }
            }
        }
        (due, _) => panic!("{due:?}, but {transcript:?}"),
    }
}

fn as_httparse_reads_it(bytes: &[u8], due: &naive::Request) {
    if due.minor > 1 {
        return; // httparse knows 1.0 and 1.1 only.
    }
    let mut headers = [httparse::EMPTY_HEADER; 100];
    let mut request = httparse::Request::new(&mut headers);
    let status = request.parse(bytes).expect("httparse is no stricter");
    assert_eq!(status, httparse::Status::Complete(due.used));
    assert_eq!(request.method, Some(due.method.as_str()));
    assert_eq!(request.path, Some(due.target.as_str()));
    assert_eq!(request.version, Some(due.minor));
    let fields = request.headers.iter().map(|h| (h.name.to_owned(), h.value.to_vec()));
    assert!(fields.eq(due.fields.iter().cloned()), "the fields differ");
}

fn response(bytes: &[u8], leniency: Leniency) {
    let transcript = drive::client(leniency, &Method::GET, bytes, &[]);
    check_fields(&transcript);
    if leniency != Leniency::strict() {
        return;
    }
    let mut headers = [httparse::EMPTY_HEADER; 100];
    let mut response = httparse::Response::new(&mut headers);
    let read = response.parse(bytes);
    match (transcript.seen.first(), read) {
        (Some(Seen::Response { status, reason, version, fields, .. }), read) => {
            let minor = bytes[7];
            if minor > b'1' {
                return;
            }
            assert!(read.expect("httparse is no stricter").is_complete());
            assert_eq!(response.code, Some(*status));
            assert_eq!(response.version, Some(u8::from(*version == Version::HTTP_11)));
            // httparse gives an empty reason where there are bytes above 0x7F.
            let theirs = response.reason.unwrap_or_default();
            assert!(theirs.as_bytes() == reason || !reason.is_ascii());
            let due = response.headers.iter().map(|h| (h.name.to_owned(), h.value.to_vec()));
            assert!(due.eq(fields.iter().cloned()), "the fields differ");
        }
        (Some(Seen::Open), read) => {
            let longest = Limits::client().head;
            let complete = read == Ok(httparse::Status::Complete(bytes.len()));
            assert!(bytes.len() < longest && !complete, "{bytes:?} is complete");
        }
        _ => {}
    }
}

/// Whatever was let through holds what its type promises.
fn check_fields(transcript: &Transcript) {
    for seen in &transcript.seen {
        let fields = match seen {
            Seen::Request { fields, .. }
            | Seen::Response { fields, .. }
            | Seen::Interim { fields, .. }
            | Seen::End(fields) => fields,
            _ => continue,
        };
        for (name, value) in fields {
            let line = [name.as_bytes(), b": ", value].concat();
            assert_eq!(naive::field(&line), Some((name.clone(), value.clone())));
        }
    }
}
