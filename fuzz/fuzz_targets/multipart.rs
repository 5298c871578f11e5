//! Any bytes as a form: the parts are the same whether they come at once, byte by byte or in two
//! pieces, and no part holds its delimiter.
#![no_main]

use avocet_semantics::multipart::{Event, Parser, PartHead};
use libfuzzer_sys::fuzz_target;

type Parts = Vec<(PartHead, Vec<u8>, bool)>;

fuzz_target!(|input: (u16, &[u8])| {
    let (cut, bytes) = input;
    let whole = parse(bytes, bytes.len().max(1));
    assert_eq!(whole, parse(bytes, 1), "byte by byte");
    assert_eq!(whole, parse(bytes, usize::from(cut).max(1)), "in pieces");
    for (_, content, _) in whole.iter().flat_map(|(parts, _)| parts) {
        assert!(!content.windows(5).any(|five| five == b"\r\n--b"));
    }
});

fn parse(bytes: &[u8], most: usize) -> Option<(Parts, bool)> {
    let mut parser = Parser::new(b"b").expect("a boundary");
    let mut parts: Parts = Vec::new();
    let mut waiting = Vec::new();
    for piece in bytes.chunks(most) {
        waiting.extend_from_slice(piece);
        loop {
            let step = parser.read(&waiting).ok()?;
            let is_over = matches!(step.event, Event::End | Event::NeedMore);
            match step.event {
                Event::Part(head) => parts.push((head, Vec::new(), false)),
                Event::Data(bytes) => parts.last_mut()?.1.extend_from_slice(bytes),
                Event::PartEnd => parts.last_mut()?.2 = true,
                Event::End | Event::NeedMore => {}
            }
            waiting.drain(..step.used);
            if is_over {
                break;
            }
        }
    }
    Some((parts, parser.is_complete()))
}
