//! Chunked content: our decoder against the grammar written plainly, whole and byte by byte.
#![no_main]
#![expect(dead_code, reason = "the shared files serve other targets too")]

use avocet_wire::{Limit, ReadError};
use libfuzzer_sys::fuzz_target;

#[path = "../../crates/wire/tests/suite/drive.rs"]
mod drive;
#[path = "../../crates/wire/tests/suite/naive.rs"]
mod naive;

use drive::Seen;

const HEAD: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";

fuzz_target!(|bytes: &[u8]| {
    let input = [HEAD, bytes].concat();
    let transcript = drive::server(&input, &[]);
    let cuts: Vec<usize> = (1..input.len()).collect();
    if input.len() < 2000 {
        assert_eq!(transcript, drive::server(&input, &cuts), "cuts show");
    }
    let content = transcript.contents().pop().expect("the head is right");
    let too_many_extensions = matches!(
        transcript.error(),
        Some(ReadError::LimitExceeded { limit: Limit::Extensions, .. })
    );
    match naive::chunked(bytes) {
        _ if too_many_extensions => assert!(bytes.len() > 16_384),
        naive::Chunked::Good(due, trailers, used) => {
            assert_eq!(content, due);
            assert_eq!(transcript.used, HEAD.len() + used);
            let Some(Seen::End(seen)) = transcript.seen.iter().rev().nth(1) else {
                panic!("no end: {transcript:?}");
            };
            // Fields that must not stand in trailers are left out, the others keep their order.
            let mut rest = trailers.iter();
            assert!(seen.iter().all(|field| rest.any(|sent| sent == field)));
            assert!(naive::values(seen, "content-length").is_empty());
            assert!(naive::values(seen, "transfer-encoding").is_empty());
            assert!(naive::values(seen, "host").is_empty());
        }
        naive::Chunked::Bad => assert!(transcript.error().is_some(), "{transcript:?}"),
        naive::Chunked::Unfinished => {
            assert!(transcript.eof.is_err(), "{transcript:?}");
            if transcript.error().is_some() {
                // Refused before a line has ended; then no end can mend it.
                for end in ["\r\n", "\r\n\r\n", "0\r\n\r\n", "\r\n0\r\n\r\n", "a: b\r\n\r\n"] {
                    let whole = [bytes, end.as_bytes()].concat();
                    let read = naive::chunked(&whole);
                    assert!(!matches!(read, naive::Chunked::Good(..)), "refused too early");
                }
            }
        }
    }
});
