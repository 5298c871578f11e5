use crate::{Coding, ContentCodings, DecodeError, Decoder, EncodeError, Encoder, Level};
use crate::{Limits, Next};

/// Decodes a whole message in memory.
///
/// *Bounds*: the content is at most `max_len` bytes long, and no longer than the ratio of the
/// default [`Limits`] allows. For other limits use a [`Decoder`].
///
/// *Errors*: any [`DecodeError`], [`DecodeError::OutputLimit`] past `max_len`.
///
/// ```
/// use avocet_encoding::{Coding, Level, decode_all, encode_all};
/// # #[cfg(feature = "gzip")] {
/// let coded = encode_all(Coding::Gzip, Level::Best, b"so much to say")?;
/// assert_eq!(decode_all(&Coding::Gzip.into(), &coded, 1 << 20)?, b"so much to say");
/// assert!(decode_all(&Coding::Gzip.into(), &coded, 13).is_err());
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn decode_all(
    codings: &ContentCodings,
    mut input: &[u8],
    max_len: usize,
) -> Result<Vec<u8>, DecodeError> {
    let mut decoder = Decoder::new(codings, Limits::default().with_output(max_len as u64))?;
    let guess = input.len().saturating_mul(4).min(max_len);
    let mut content = Vec::new();
    let mut len = 0;
    loop {
        content.resize(len + larger(len, guess), 0);
        let progress = decoder.decode(input, &mut content[len..])?;
        input = &input[progress.read..];
        len += progress.written;
        if progress.next == Next::Input {
            decoder.finish()?;
            content.truncate(len);
            return Ok(content);
        }
    }
}

/// Encodes a whole message in memory.
///
/// *Bounds*: content that does not compress grows by some tens of bytes and, at level 1 of gzip and
/// deflate, by up to an eighth.
///
/// *Errors*: as [`Encoder::new`], and [`EncodeError::Failed`].
pub fn encode_all(coding: Coding, level: Level, content: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let mut encoder = Encoder::new(coding, level)?;
    encoder.declare_length(content.len() as u64)?;
    let mut rest = content;
    let mut is_ended = false;
    let mut coded = Vec::new();
    let mut len = 0;
    while !is_ended {
        coded.resize(len + larger(len, content.len() / 2), 0);
        if !rest.is_empty() {
            let progress = encoder.encode(rest, &mut coded[len..])?;
            rest = &rest[progress.read..];
            len += progress.written;
        }
        if rest.is_empty() {
            let drained = encoder.finish(&mut coded[len..])?;
            len += drained.written;
            is_ended = drained.is_done;
        }
    }
    coded.truncate(len);
    Ok(coded)
}

/// How much room to add after `len` bytes: the guess first, then as much again as there is.
fn larger(len: usize, guess: usize) -> usize {
    if len == 0 { guess.max(LEAST_ROOM) } else { len.max(LEAST_ROOM) }
}

const LEAST_ROOM: usize = 256;
