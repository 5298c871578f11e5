//! Feeds decoders in pieces of any size, with random numbers that can be repeated.

use std::env;

use avocet_encoding::{ContentCodings, DecodeError, Decoder, Limits, Next};

/// Xorshift: enough randomness to cut input, and the same on every machine.
pub(crate) struct Random(u64);

impl Random {
    /// Takes the seed from `AVOCET_SEED`, else from the clock, and prints it for a repetition.
    pub(crate) fn from_environment() -> Self {
        let seed = match env::var("AVOCET_SEED") {
            Ok(seed) => seed.parse().expect("AVOCET_SEED is a number"),
            Err(_) => {
                std::time::UNIX_EPOCH.elapsed().expect("a clock after 1970").as_nanos() as u64
            }
        };
        println!("AVOCET_SEED={seed}");
        Self::from_seed(seed)
    }

    pub(crate) fn from_seed(seed: u64) -> Self {
        // Xorshift stays at zero if it starts there.
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }
}

/// Decodes a message whose pieces and rooms have the sizes that the closures give.
pub(crate) fn decode_pieces(
    decoder: &mut Decoder,
    mut input: &[u8],
    mut piece_len: impl FnMut() -> usize,
    mut room_len: impl FnMut() -> usize,
) -> Result<Vec<u8>, DecodeError> {
    let mut content = Vec::new();
    loop {
        let (mut piece, rest) = input.split_at(piece_len().min(input.len()));
        input = rest;
        loop {
            let mut room = vec![0; room_len()];
            let progress = decoder.decode(piece, &mut room)?;
            piece = &piece[progress.read..];
            content.extend_from_slice(&room[..progress.written]);
            if progress.next == Next::Input {
                assert!(piece.is_empty(), "more input is wanted while there is some");
                break;
            }
        }
        if input.is_empty() {
            decoder.finish()?;
            return Ok(content);
        }
    }
}

/// Decodes whole, byte by byte and in random pieces, and sees to it that the outcome is the same:
/// the content, or the kind of error where there is one coding.
pub(crate) fn decode_any_cut(
    codings: &ContentCodings,
    limits: Limits,
    input: &[u8],
    random: &mut Random,
) -> Result<Vec<u8>, DecodeError> {
    let is_stack = codings.as_slice().len() > 1;
    let mut decoder = Decoder::new(codings, limits)?;
    let whole = decode_pieces(&mut decoder, input, || usize::MAX, || 1 << 16);
    decoder.reset()?;
    let bytes = decode_pieces(&mut decoder, input, || 1, || 1);
    assert_same(&whole, &bytes, is_stack, "byte by byte");
    for round in 0..8 {
        decoder.reset()?;
        let bound = 1 << (2 * round);
        let (mut pieces, mut rooms) = (Random(random.0), Random(random.0 ^ 0x5DEE_CE66));
        let cut = decode_pieces(
            &mut decoder,
            input,
            || 1 + pieces.below(bound),
            || 1 + rooms.below(bound),
        );
        assert_same(&whole, &cut, is_stack, &format!("in pieces of up to {bound}"));
        random.below(2);
    }
    whole
}

fn assert_same(
    whole: &Result<Vec<u8>, DecodeError>,
    cut: &Result<Vec<u8>, DecodeError>,
    is_stack: bool,
    how: &str,
) {
    match (whole, cut) {
        (Ok(whole), Ok(cut)) => assert!(whole == cut, "other content {how}"),
        // A damaged outer coding may keep back what it decoded before the fault, so that the fault
        // of an inner one is seen only when the input comes in pieces.
        (Err(whole), Err(cut)) => assert!(
            is_stack || std::mem::discriminant(whole) == std::mem::discriminant(cut),
            "{whole}, and {how}: {cut}"
        ),
        _ => panic!("whole: {:?}, {how}: {:?}", whole.as_ref().err(), cut.as_ref().err()),
    }
}
