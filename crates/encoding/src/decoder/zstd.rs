use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, ResetDirective, get_error_name};

use super::stage::Fault;
use super::zstd_header::{MAX_HEADER, MAX_WINDOW, Start, read_start};
use crate::progress::Step;
use crate::{Coding, DecodeError};

/// Decodes `zstd`: one frame or more, skippable ones passed over.
///
/// The header of a frame is read here and given to the backend apart from the rest. With header,
/// frame and room at hand the backend decodes in one go, and other checks are made then: not that
/// of the window, but that of the length of content which ends in an empty block. What is accepted
/// would depend on how the input was cut.
///
/// *Bounds*: a window of at most 8 MiB, which is also about what the state can come to hold.
///
/// *Spec*: RFC 8878 §3, RFC 9659.
pub(crate) struct Unzstd {
    state: State,
    context: DCtx<'static>,
    frames: u64,
}

enum State {
    /// What has come of a frame's header.
    Start {
        held: [u8; MAX_HEADER],
        len: usize,
    },
    /// Inside a frame; `is_full` when the last step may have left content in the context.
    Body {
        is_full: bool,
        declared: Option<u64>,
        written: u64,
    },
    Skip {
        left: u32,
    },
}

impl Unzstd {
    pub(crate) fn new() -> Result<Self, DecodeError> {
        let no_memory = DecodeError::OutOfMemory { coding: Coding::Zstd };
        let mut context = DCtx::try_create().ok_or_else(|| no_memory.clone())?;
        let log = DParameter::WindowLogMax(MAX_WINDOW.ilog2());
        context.set_parameter(log).map_err(|_| no_memory)?;
        Ok(Self { state: State::START, context, frames: 0 })
    }

    pub(crate) fn reset(&mut self) -> Result<(), DecodeError> {
        self.state = State::START;
        self.frames = 0;
        let reset = self.context.reset(ResetDirective::SessionOnly);
        reset.map(drop).map_err(|_| DecodeError::OutOfMemory { coding: Coding::Zstd })
    }

    /// True between frames: after the last one the input may end, as it may go on.
    pub(crate) fn is_complete(&self) -> bool {
        self.frames > 0 && matches!(self.state, State::Start { len: 0, .. })
    }

    pub(crate) fn step(
        &mut self,
        input: &[u8],
        out: &mut [u8],
        step: &mut Step,
    ) -> Result<(), Fault> {
        loop {
            let rest = &input[step.read..];
            match &mut self.state {
                State::Start { .. } => {
                    if !self.start(rest, step)? {
                        return Ok(());
                    }
                }
                State::Skip { left } => {
                    let taken = rest.len().min(*left as usize);
                    step.read += taken;
                    // `taken` is at most `left`, so that it fits.
                    *left -= taken as u32;
                    if *left > 0 {
                        return Ok(());
                    }
                    self.end_frame();
                }
                State::Body { is_full, declared, written } => {
                    let room = &mut out[step.written..];
                    if room.is_empty() || rest.is_empty() && !*is_full {
                        return Ok(());
                    }
                    let (moved, is_end) = decompress(&mut self.context, rest, room)?;
                    *is_full = moved.written == room.len();
                    step.read += moved.read;
                    step.written += moved.written;
                    *written += moved.written as u64;
                    if is_end {
                        if declared.is_some_and(|declared| declared != *written) {
                            return Err(Fault::Length);
                        }
                        self.end_frame();
                    } else if moved == Step::default() && !rest.is_empty() {
                        return Err(Fault::Corrupt("the data cannot be read on"));
                    }
                }
            }
        }
    }

    /// Reads the start of a frame as far as `rest` has it. False when that takes more input.
    fn start(&mut self, rest: &[u8], step: &mut Step) -> Result<bool, Fault> {
        let State::Start { held, len } = &mut self.state else {
            return Ok(true);
        };
        let start = match read_start(&held[..*len]) {
            Err(Fault::Corrupt(_)) if self.frames > 0 => return Err(Fault::Trailing),
            start => start?,
        };
        match start {
            Start::Needs(_) if rest.is_empty() => return Ok(false),
            Start::Needs(total) => {
                // `total` is at most the longest header and more than what is held.
                let taken = rest.len().min(total - *len);
                held[*len..*len + taken].copy_from_slice(&rest[..taken]);
                *len += taken;
                step.read += taken;
            }
            Start::Skippable { content_len } => self.state = State::Skip { left: content_len },
            Start::Frame { header_len, content_len } => {
                let (moved, _) = decompress(&mut self.context, &held[..header_len], &mut [])?;
                if moved.read < header_len {
                    return Err(Fault::Corrupt("bad frame header"));
                }
                self.state = State::Body { is_full: false, declared: content_len, written: 0 };
            }
        }
        Ok(true)
    }

    fn end_frame(&mut self) {
        self.frames += 1;
        self.state = State::START;
    }
}

impl State {
    const START: Self = Self::Start { held: [0; MAX_HEADER], len: 0 };
}

/// One call of the backend; true at the end of a frame.
fn decompress(
    context: &mut DCtx<'static>,
    input: &[u8],
    out: &mut [u8],
) -> Result<(Step, bool), Fault> {
    let mut input = InBuffer::around(input);
    let mut out = OutBuffer::around(out);
    match context.decompress_stream(&mut out, &mut input) {
        Ok(hint) => Ok((Step { read: input.pos(), written: out.pos() }, hint == 0)),
        Err(code) => Err(fault(get_error_name(code))),
    }
}

/// Puts the backend's finding, which it tells by a message, into our terms.
pub(crate) fn fault(message: &'static str) -> Fault {
    match message {
        "Restored data doesn't match checksum" => Fault::Checksum,
        "Frame requires too much memory for decoding" => Fault::Window,
        "Dictionary mismatch" => Fault::Dictionary,
        _ => Fault::Corrupt("bad zstd data"),
    }
}
