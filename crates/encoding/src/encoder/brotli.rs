use brotli::enc::StandardAlloc;
use brotli::enc::encode::{
    BrotliEncoderOperation as Operation, BrotliEncoderParameter as Parameter,
    BrotliEncoderStateStruct,
};

use super::stage::Drain;
use crate::encoder::Drained;
use crate::progress::Step;
use crate::{Coding, EncodeError};

/// Encodes `br`.
pub(crate) struct Brotli {
    level: u8,
    /// On the heap, as the state is some kilobytes long and a stage is moved about.
    state: Box<State>,
}

type State = BrotliEncoderStateStruct<StandardAlloc>;

impl Brotli {
    pub(crate) fn new(level: u8) -> Self {
        Self { level, state: Box::new(new_state(level)) }
    }

    /// Takes a window no larger than the content, which makes the encoder smaller and faster.
    pub(crate) fn declare_length(&mut self, len: u64) -> Result<(), EncodeError> {
        let fits = |bits: &u32| (1_u64 << bits) - WINDOW_GAP >= len;
        let least = if is_thorough(self.level) { 10 } else { LEAST_FAST_WINDOW_BITS };
        let window_bits = (least..WINDOW_BITS).find(fits).unwrap_or(WINDOW_BITS);
        let hint = u32::try_from(len).unwrap_or(u32::MAX);
        let is_set = self.state.set_parameter(Parameter::BROTLI_PARAM_LGWIN, window_bits)
            && self.state.set_parameter(Parameter::BROTLI_PARAM_SIZE_HINT, hint);
        if is_set { Ok(()) } else { Err(EncodeError::DeclaredTooLate) }
    }

    pub(crate) fn reset(&mut self) -> Result<(), EncodeError> {
        *self.state = new_state(self.level);
        Ok(())
    }

    pub(crate) fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, EncodeError> {
        self.run(Operation::BROTLI_OPERATION_PROCESS, input, out)
    }

    pub(crate) fn drain(&mut self, to: Drain, out: &mut [u8]) -> Result<Drained, EncodeError> {
        let operation = match to {
            Drain::Flush => Operation::BROTLI_OPERATION_FLUSH,
            Drain::Finish => Operation::BROTLI_OPERATION_FINISH,
        };
        let written = self.run(operation, &[], out)?.written;
        let is_done = match to {
            Drain::Flush => !self.state.has_more_output(),
            Drain::Finish => self.state.is_finished(),
        };
        Ok(Drained { written, is_done })
    }

    fn run(
        &mut self,
        operation: Operation,
        input: &[u8],
        out: &mut [u8],
    ) -> Result<Step, EncodeError> {
        let mut step = Step::default();
        let is_fine = self.state.compress_stream(
            operation,
            &mut input.len(),
            input,
            &mut step.read,
            &mut out.len(),
            out,
            &mut step.written,
            &mut None,
            &mut |_, _, _, _| (),
        );
        if is_fine {
            return Ok(step);
        }
        let reason = "the state of the encoder is inconsistent";
        Err(EncodeError::Failed { coding: Coding::Br, reason })
    }
}

fn new_state(level: u8) -> State {
    let window_bits = if is_thorough(level) { WINDOW_BITS } else { STREAM_WINDOW_BITS };
    let mut state = State::new(StandardAlloc::default());
    // A new state takes every parameter.
    state.set_parameter(Parameter::BROTLI_PARAM_QUALITY, level.into());
    state.set_parameter(Parameter::BROTLI_PARAM_LGWIN, window_bits);
    state
}

/// Whether the level is one of the two that search all of the window.
fn is_thorough(level: u8) -> bool {
    level >= 10
}

/// The largest window, 4 MiB, as the reference encoder has it by default.
const WINDOW_BITS: u32 = 22;

/// The window of a fast level where the length is not known, 512 KiB: a stream that outgrows its
/// first block allocates twice the window at once, which 4 MiB would make 8.
const STREAM_WINDOW_BITS: u32 = 19;

/// The smallest window of a fast level, 128 KiB. Below it, levels 5 to 9 take a table of 32 MiB,
/// the reference encoder's table for small windows not being in brotli 9.
const LEAST_FAST_WINDOW_BITS: u32 = 17;

/// A window of n bits holds 16 bytes less than 2^n (RFC 7932 §9.1).
const WINDOW_GAP: u64 = 16;
