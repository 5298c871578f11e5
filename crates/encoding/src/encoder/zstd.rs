use zstd_safe::zstd_sys::ZSTD_EndDirective as Directive;
use zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer, ResetDirective, get_error_name};

use super::stage::Drain;
use crate::encoder::Drained;
use crate::progress::Step;
use crate::{Coding, EncodeError};

/// Encodes `zstd`: one frame without a checksum, as the coding's users have it.
pub(crate) struct Zstd {
    context: CCtx<'static>,
}

impl Zstd {
    pub(crate) fn new(level: u8) -> Result<Self, EncodeError> {
        let no_memory = EncodeError::OutOfMemory { coding: Coding::Zstd };
        let mut context = CCtx::try_create().ok_or(no_memory)?;
        checked(context.set_parameter(CParameter::CompressionLevel(level.into())))?;
        Ok(Self { context })
    }

    /// Makes the window and the tables fit, and puts the length into the frame.
    pub(crate) fn declare_length(&mut self, len: u64) -> Result<(), EncodeError> {
        checked(self.context.set_pledged_src_size(Some(len))).map(drop)
    }

    pub(crate) fn reset(&mut self) -> Result<(), EncodeError> {
        checked(self.context.reset(ResetDirective::SessionOnly)).map(drop)
    }

    pub(crate) fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, EncodeError> {
        let mut step = Step::default();
        while step.read < input.len() && step.written < out.len() {
            let (rest, room) = (&input[step.read..], &mut out[step.written..]);
            let (moved, _) = self.run(Directive::ZSTD_e_continue, rest, room)?;
            step.read += moved.read;
            step.written += moved.written;
            if moved == Step::default() {
                let reason = "the encoder does not come further";
                return Err(EncodeError::Failed { coding: Coding::Zstd, reason });
            }
        }
        if input.is_empty() {
            step = self.run(Directive::ZSTD_e_continue, input, out)?.0;
        }
        Ok(step)
    }

    pub(crate) fn drain(&mut self, to: Drain, out: &mut [u8]) -> Result<Drained, EncodeError> {
        let directive = match to {
            Drain::Flush => Directive::ZSTD_e_flush,
            Drain::Finish => Directive::ZSTD_e_end,
        };
        let (step, left) = self.run(directive, &[], out)?;
        Ok(Drained { written: step.written, is_done: left == 0 })
    }

    /// One call of the backend, and the bytes that it holds back at least.
    fn run(
        &mut self,
        directive: Directive,
        input: &[u8],
        out: &mut [u8],
    ) -> Result<(Step, usize), EncodeError> {
        let mut input = InBuffer::around(input);
        let mut out = OutBuffer::around(out);
        let left = checked(self.context.compress_stream2(&mut out, &mut input, directive))?;
        Ok((Step { read: input.pos(), written: out.pos() }, left))
    }
}

fn checked(result: zstd_safe::SafeResult) -> Result<usize, EncodeError> {
    let coding = Coding::Zstd;
    result.map_err(|code| EncodeError::Failed { coding, reason: get_error_name(code) })
}
