//! Decoding into a buffer that grows.

use crate::progress::Step;
use crate::{Coding, DecodeError};

/// Calls `step` with ever more room until the stream has ended. A step writes as much as there is
/// room for, and tells where it is in its input and whether that was the end; input that is too short
/// is an error of its own.
pub(super) fn decode_growing(
    coding: Coding,
    guess: usize,
    max_len: usize,
    mut step: impl FnMut(&mut [u8]) -> Result<(Step, bool), DecodeError>,
) -> Result<Vec<u8>, DecodeError> {
    let mut content = vec![0; guess.max(LEAST_ROOM).min(max_len)];
    let (mut len, mut at) = (0, 0);
    loop {
        // At the limit a spare byte tells whether there is more.
        let mut spare = [0];
        let is_full = len == max_len;
        let room = if is_full { &mut spare[..] } else { &mut content[len..] };
        let (Step { read, written }, is_ended) = step(room)?;
        if is_full && written > 0 {
            return Err(DecodeError::OutputLimit { limit: max_len as u64 });
        }
        len += written;
        if is_ended {
            content.truncate(len);
            return Ok(content);
        }
        if written == 0 && read == at {
            let reason = "the data cannot be read on";
            return Err(DecodeError::Corrupt { coding, offset: at as u64, reason });
        }
        at = read;
        content.resize(len.saturating_mul(2).max(LEAST_ROOM).min(max_len), 0);
    }
}

const LEAST_ROOM: usize = 4096;
