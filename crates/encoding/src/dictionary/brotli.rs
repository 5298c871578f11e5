//! The stream of `dcb`.

use brotli::enc::StandardAlloc;
use brotli::enc::encode::{
    BrotliEncoderOperation as Operation, BrotliEncoderParameter as Parameter,
    BrotliEncoderStateStruct,
};
use brotli::{Allocator, BrotliDecompressStream, BrotliResult, BrotliState, SliceWrapperMut};

use super::growth::decode_growing;
use crate::decoder::brotli_fault;
use crate::progress::Step;
use crate::{Coding, DecodeError, EncodeError};

/// Appends the stream to `coded`.
///
/// No copy may run over the end of the dictionary into the content, which recipients refuse and the
/// backend does not know. It is therefore shown a dictionary whose last byte is one that the content
/// does not have: no copy goes through that. Content that has all bytes gets the rarest of them, and is
/// decoded once to see whether it went well.
pub(super) fn encode(
    level: u8,
    dictionary: &[u8],
    content: &[u8],
    coded: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let mut counts = [0_usize; 256];
    content.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
    let (rarest, count) =
        (0..=u8::MAX).zip(counts).min_by_key(|(_, count)| *count).unwrap_or((0, 0));
    let mut shown = dictionary.to_vec();
    if let Some(last) = shown.last_mut() {
        *last = rarest;
    }
    let begin = coded.len();
    compress(level, &shown, content, coded)?;
    let comes_back = || decode(dictionary, &coded[begin..], content.len());
    if count == 0 || comes_back().is_ok_and(|decoded| decoded == content) {
        return Ok(());
    }
    let reason = "the content repeats the end of the dictionary in a way that cannot be coded";
    Err(EncodeError::Failed { coding: Coding::Br, reason })
}

/// The backend puts the dictionary into its window, in front of the content. A recipient keeps the
/// dictionary beside the window and counts distances into it from where the window begins. Both are
/// the same as long as nothing leaves the window, which is why it must hold them together.
fn compress(
    level: u8,
    dictionary: &[u8],
    content: &[u8],
    coded: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let len = dictionary.len() as u64 + content.len() as u64;
    let fits = |bits: &u32| (1_u64 << bits) - WINDOW_GAP >= len;
    let window_bits = (LEAST_WINDOW_BITS..=MAX_WINDOW_BITS).find(fits);
    let window_bits = window_bits.ok_or(EncodeError::WindowExceeded {
        coding: Coding::Br,
        len,
        limit: (1 << MAX_WINDOW_BITS) - WINDOW_GAP,
    })?;
    let mut state = BrotliEncoderStateStruct::new(StandardAlloc::default());
    // A new state takes every parameter. The length fits, as the window holds it.
    state.set_parameter(Parameter::BROTLI_PARAM_QUALITY, level.into());
    state.set_parameter(Parameter::BROTLI_PARAM_LGWIN, window_bits);
    state.set_parameter(Parameter::BROTLI_PARAM_SIZE_HINT, content.len() as u32);
    state.set_custom_dictionary(dictionary.len(), dictionary);
    let mut room = vec![0; ROOM];
    let mut read = 0;
    while !state.is_finished() {
        let mut step = Step::default();
        let rest = &content[read..];
        let is_fine = state.compress_stream(
            Operation::BROTLI_OPERATION_FINISH,
            &mut rest.len(),
            rest,
            &mut step.read,
            &mut room.len(),
            &mut room,
            &mut step.written,
            &mut None,
            &mut |_, _, _, _| (),
        );
        let is_stuck = step == Step::default() && !state.is_finished();
        if !is_fine || is_stuck {
            let reason = "the state of the encoder is inconsistent";
            return Err(EncodeError::Failed { coding: Coding::Br, reason });
        }
        read += step.read;
        coded.extend_from_slice(&room[..step.written]);
    }
    Ok(())
}

pub(super) fn decode(
    dictionary: &[u8],
    stream: &[u8],
    max_len: usize,
) -> Result<Vec<u8>, DecodeError> {
    let mut bytes = StandardAlloc::default();
    let mut kept = bytes.alloc_cell(dictionary.len());
    kept.slice_mut().copy_from_slice(dictionary);
    let (u32s, codes) = <(StandardAlloc, StandardAlloc)>::default();
    let mut state = BrotliState::new_with_custom_dictionary(bytes, u32s, codes, kept);
    // Streams with windows beyond 16 MiB are not in RFC 7932.
    state.large_window = false;
    let mut read = 0;
    decode_growing(Coding::Br, stream.len().saturating_mul(4), max_len, |out| {
        // The backend counts in 32 bits.
        let mut available_in = (stream.len() - read).min(PIECE);
        let mut available_out = out.len().min(PIECE);
        let mut step = Step { read, written: 0 };
        let result = BrotliDecompressStream(
            &mut available_in,
            &mut step.read,
            stream,
            &mut available_out,
            &mut step.written,
            out,
            &mut 0,
            &mut state,
        );
        read = step.read;
        let (coding, offset) = (Coding::Br, read as u64);
        match result {
            BrotliResult::ResultSuccess if read < stream.len() => {
                Err(DecodeError::TrailingData { coding, offset })
            }
            BrotliResult::ResultSuccess => Ok((step, true)),
            BrotliResult::ResultFailure => {
                Err(brotli_fault(state.error_code as i32).at(coding, offset))
            }
            BrotliResult::NeedsMoreInput if read == stream.len() => {
                Err(DecodeError::Truncated { coding, offset })
            }
            _ => Ok((step, false)),
        }
    })
}

/// The smallest window, as the encoder of `br` has it where the length is known.
const LEAST_WINDOW_BITS: u32 = 17;

/// The largest window, 16 MiB (RFC 9842 §4); plain `br` has the same bound.
const MAX_WINDOW_BITS: u32 = 24;

/// A window of n bits holds 16 bytes less than 2^n (RFC 7932 §9.1).
const WINDOW_GAP: u64 = 16;

/// The room for one call of the encoder.
const ROOM: usize = 64 * 1024;

/// The most bytes of input or room for one call of the decoder.
const PIECE: usize = 1 << 30;
