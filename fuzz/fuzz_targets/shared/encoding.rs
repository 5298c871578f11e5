//! What must hold for every decoder, whatever its input.

use avocet_encoding::{ContentCodings, DecodeError, Decoder, Limits, Next};

/// Decodes `data` behind its first two bytes whole and in pieces, whose sizes those two bytes
/// give: the outcome must be the same, within the limits, and stay what it is.
pub fn check(codings: &ContentCodings, data: &[u8]) {
    let [piece_len, room_len, input @ ..] = data else {
        return;
    };
    let limits = Limits::default().with_output(OUTPUT).with_codings(ContentCodings::MAX);
    let mut decoder = Decoder::new(codings, limits).expect("all codings are built in");
    let whole = decode(&mut decoder, input, usize::MAX, 1 << 16);
    decoder.reset().expect("a decoder can be reset");
    let cut = decode(&mut decoder, input, usize::from(*piece_len) + 1, usize::from(*room_len) + 1);
    match (whole, cut) {
        (Ok(whole), Ok(cut)) => assert!(whole == cut, "the content depends on the cut"),
        // A damaged outer coding may keep back what it decoded before the fault, so that the fault
        // of an inner one is seen only when the input comes in pieces.
        (Err(whole), Err(cut)) => assert!(
            codings.as_slice().len() > 1
                || std::mem::discriminant(&whole) == std::mem::discriminant(&cut),
            "{whole}, and cut: {cut}"
        ),
        (whole, cut) => panic!("{:?}, and cut: {:?}", whole.err(), cut.err()),
    }
}

fn decode(
    decoder: &mut Decoder,
    input: &[u8],
    piece_len: usize,
    room_len: usize,
) -> Result<Vec<u8>, DecodeError> {
    let mut content = Vec::new();
    let mut room = vec![0; room_len];
    for mut piece in input.chunks(piece_len.min(input.len().max(1))) {
        loop {
            let step = decoder.decode(piece, &mut room);
            let progress = step.inspect_err(|error| {
                assert_eq!(decoder.finish().as_ref(), Err(error), "an error stays");
            })?;
            piece = &piece[progress.read..];
            content.extend_from_slice(&room[..progress.written]);
            assert!(content.len() as u64 <= OUTPUT, "more than the limit");
            if progress.next == Next::Input {
                assert!(piece.is_empty(), "more input is wanted while there is some");
                break;
            }
        }
    }
    decoder.finish()?;
    assert_eq!(decoder.bytes_read(), input.len() as u64);
    assert_eq!(decoder.bytes_written(), content.len() as u64);
    Ok(content)
}

const OUTPUT: u64 = 1 << 18;
