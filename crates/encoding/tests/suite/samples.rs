//! Content to code, and coding in pieces.

use avocet_encoding::{Coding, ContentCodings, Drained, EncodeError, Encoder, Level, Next};

use crate::pieces::Random;

/// The codings of this build.
pub(crate) fn built_in() -> impl Iterator<Item = Coding> {
    Coding::ALL.into_iter().filter(|coding| coding.is_built_in())
}

/// Text with some structure, that compresses by about a third as web pages do.
pub(crate) fn page(len: usize) -> Vec<u8> {
    let mut random = Random::from_seed(len as u64);
    let words = ["<div class=\"row\">", "</div>", "the ", "value ", "of ", "a ", "heron "];
    let mut page = Vec::with_capacity(len + 32);
    while page.len() < len {
        page.extend_from_slice(words[random.below(words.len())].as_bytes());
        if random.below(4) == 0 {
            page.extend_from_slice(random.below(1_000_000).to_string().as_bytes());
        }
    }
    page.truncate(len);
    page
}

/// Bytes that do not compress.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut random = Random::from_seed(!(len as u64));
    (0..len).map(|_| random.below(256) as u8).collect()
}

/// Encodes whole content through rooms of `room_len` bytes.
pub(crate) fn encode(
    encoder: &mut Encoder,
    content: &[u8],
    room_len: usize,
) -> Result<Vec<u8>, EncodeError> {
    let mut coded = Vec::new();
    encode_piece(encoder, content, room_len, &mut coded)?;
    drain(room_len, &mut coded, |room| encoder.finish(room))?;
    Ok(coded)
}

pub(crate) fn encode_piece(
    encoder: &mut Encoder,
    mut piece: &[u8],
    room_len: usize,
    coded: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let mut room = vec![0; room_len];
    loop {
        let progress = encoder.encode(piece, &mut room)?;
        piece = &piece[progress.read..];
        coded.extend_from_slice(&room[..progress.written]);
        if progress.next == Next::Input {
            assert!(piece.is_empty(), "more input is wanted while there is some");
            return Ok(());
        }
    }
}

pub(crate) fn drain(
    room_len: usize,
    coded: &mut Vec<u8>,
    mut step: impl FnMut(&mut [u8]) -> Result<Drained, EncodeError>,
) -> Result<(), EncodeError> {
    let mut room = vec![0; room_len];
    loop {
        let drained = step(&mut room)?;
        coded.extend_from_slice(&room[..drained.written]);
        if drained.is_done {
            return Ok(());
        }
        assert!(drained.written > 0, "nothing was drained into {room_len} bytes of room");
    }
}

/// Content in several codings over each other.
pub(crate) fn stack(codings: &[Coding], content: &[u8]) -> (ContentCodings, Vec<u8>) {
    let mut list = ContentCodings::IDENTITY;
    for &coding in codings {
        list.push(coding).expect("the list is short");
    }
    let mut encoder = Encoder::stacked(&list, Level::Default).expect("the codings are built in");
    let coded = encode(&mut encoder, content, 4096).expect("content can be coded");
    (list, coded)
}
