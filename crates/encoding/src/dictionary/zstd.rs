//! The stream of `dcz`: one frame, to which the dictionary is a prefix of plain content, whatever it
//! begins with.

use zstd_safe::zstd_sys::ZSTD_EndDirective as Directive;
use zstd_safe::{CCtx, CParameter, DCtx, DParameter, InBuffer, OutBuffer, get_error_name};

use super::growth::decode_growing;
use crate::decoder::zstd_fault;
use crate::progress::Step;
use crate::{Coding, DecodeError, EncodeError};

/// Appends the stream to `coded`.
pub(super) fn encode(
    level: u8,
    dictionary: &[u8],
    content: &[u8],
    coded: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let no_memory = EncodeError::OutOfMemory { coding: Coding::Zstd };
    let mut context = CCtx::try_create().ok_or(no_memory)?;
    let bits = log_of(dictionary.len() as u64 + content.len() as u64);
    let bits = bits.clamp(LEAST_WINDOW_BITS, EVERYONES_WINDOW_BITS);
    encoded(context.set_parameter(CParameter::CompressionLevel(level.into())))?;
    encoded(context.set_parameter(CParameter::WindowLog(bits)))?;
    // The tables of the fast levels forget most of a long dictionary.
    encoded(context.set_parameter(CParameter::EnableLongDistanceMatching(true)))?;
    encoded(context.set_pledged_src_size(Some(content.len() as u64)))?;
    encoded(context.ref_prefix(dictionary))?;
    let mut room = vec![0; ROOM];
    let mut input = InBuffer::around(content);
    loop {
        let mut out = OutBuffer::around(&mut room[..]);
        let end = Directive::ZSTD_e_end;
        let left = encoded(context.compress_stream2(&mut out, &mut input, end))?;
        coded.extend_from_slice(out.as_slice());
        if left == 0 {
            return Ok(());
        }
    }
}

pub(super) fn decode(
    dictionary: &[u8],
    stream: &[u8],
    max_len: usize,
) -> Result<Vec<u8>, DecodeError> {
    let no_memory = DecodeError::OutOfMemory { coding: Coding::Zstd };
    let mut context = DCtx::try_create().ok_or_else(|| no_memory.clone())?;
    let bits =
        log_of(dictionary.len() as u64 / 4 * 5).clamp(EVERYONES_WINDOW_BITS, MAX_WINDOW_BITS);
    context.set_parameter(DParameter::WindowLogMax(bits)).map_err(|_| no_memory.clone())?;
    context.ref_prefix(dictionary).map_err(|_| no_memory)?;
    let mut input = InBuffer::around(stream);
    decode_growing(Coding::Zstd, stream.len().saturating_mul(4), max_len, |room| {
        let len = room.len();
        let mut out = OutBuffer::around(room);
        let hint = context.decompress_stream(&mut out, &mut input);
        let (coding, offset) = (Coding::Zstd, input.pos() as u64);
        let hint = hint.map_err(|code| zstd_fault(get_error_name(code)).at(coding, offset))?;
        let step = Step { read: input.pos(), written: out.pos() };
        let is_read = input.pos() == stream.len();
        match hint {
            0 if is_read => Ok((step, true)),
            0 => Err(DecodeError::TrailingData { coding, offset }),
            _ if is_read && step.written < len => Err(DecodeError::Truncated { coding, offset }),
            _ => Ok((step, false)),
        }
    })
}

fn encoded(result: zstd_safe::SafeResult) -> Result<usize, EncodeError> {
    let coding = Coding::Zstd;
    result.map_err(|code| EncodeError::Failed { coding, reason: get_error_name(code) })
}

/// The bits of the smallest window that holds so many bytes.
fn log_of(len: u64) -> u32 {
    len.checked_next_power_of_two().map_or(u64::BITS, u64::ilog2)
}

/// The smallest window that the backend has.
const LEAST_WINDOW_BITS: u32 = 10;

/// A window of 8 MiB, which every recipient takes (RFC 9842 §5).
const EVERYONES_WINDOW_BITS: u32 = 23;

/// The largest window that a recipient may have to take, 128 MiB (RFC 9842 §5).
const MAX_WINDOW_BITS: u32 = 27;

/// The room for one call of the encoder.
const ROOM: usize = 64 * 1024;
