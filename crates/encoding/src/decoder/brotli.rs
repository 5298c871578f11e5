use brotli::enc::StandardAlloc;
use brotli::{BrotliDecompressStream, BrotliResult, BrotliState};

use super::stage::Fault;
use crate::DecodeError;
use crate::progress::Step;

/// Decodes `br`.
///
/// *Bounds*: the window is at most 16 MiB, as RFC 7932 §9.1 has it, and its memory grows with the
/// content; "large window" streams, which are not in the RFC, are refused.
pub(crate) struct Unbrotli {
    /// On the heap, as the state is some kilobytes long and a stage is moved about.
    state: Box<State>,
    is_done: bool,
}

type State = BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>;

impl Unbrotli {
    pub(crate) fn new() -> Self {
        Self { state: Box::new(new_state()), is_done: false }
    }

    pub(crate) fn reset(&mut self) -> Result<(), DecodeError> {
        *self.state = new_state();
        self.is_done = false;
        Ok(())
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.is_done
    }

    pub(crate) fn step(
        &mut self,
        input: &[u8],
        out: &mut [u8],
        step: &mut Step,
    ) -> Result<(), Fault> {
        while !self.is_done {
            // The backend counts in 32 bits.
            let mut available_in = (input.len() - step.read).min(PIECE);
            let mut available_out = (out.len() - step.written).min(PIECE);
            let before = *step;
            let result = BrotliDecompressStream(
                &mut available_in,
                &mut step.read,
                input,
                &mut available_out,
                &mut step.written,
                out,
                &mut 0,
                &mut self.state,
            );
            match result {
                BrotliResult::ResultSuccess => self.is_done = true,
                BrotliResult::ResultFailure => {
                    return Err(fault(self.state.error_code as i32));
                }
                BrotliResult::NeedsMoreInput if step.read == input.len() => return Ok(()),
                BrotliResult::NeedsMoreOutput if step.written == out.len() => return Ok(()),
                _ if *step == before => return Err(Fault::Corrupt("the data cannot be read on")),
                _ => {}
            }
        }
        if step.read < input.len() { Err(Fault::Trailing) } else { Ok(()) }
    }
}

fn new_state() -> State {
    let (u8s, u32s, codes) = Default::default();
    State::new_strict(u8s, u32s, codes)
}

/// Puts the backend's error code, numbered as in the reference decoder's `decode.h`, into our
/// terms. The type of the code is not exported, only its value.
pub(crate) fn fault(code: i32) -> Fault {
    match code {
        -1 | -3 => Fault::Corrupt("a length with a leading zero"),
        -2 => Fault::Corrupt("reserved bit"),
        -7..=-4 => Fault::Corrupt("bad prefix code"),
        -8 => Fault::Corrupt("bad context map"),
        -10 | -9 => Fault::Corrupt("bad block length"),
        -12 | -11 => Fault::Corrupt("a word that is not in the dictionary"),
        -13 => Fault::Window,
        -15 | -14 => Fault::Corrupt("padding bits that are not zero"),
        -16 => Fault::Corrupt("bad distance"),
        _ => Fault::Corrupt("bad brotli data"),
    }
}

/// The most bytes of input or room for one call of the backend.
const PIECE: usize = 1 << 30;
