use flate2::{Compress, Compression, FlushCompress, Status};

use super::stage::Drain;
use crate::encoder::Drained;
use crate::progress::Step;
use crate::{Coding, EncodeError};

/// Encodes gzip and, for `deflate`, the zlib format.
pub(crate) struct Deflate {
    coding: Coding,
    level: u8,
    stream: Compress,
    /// What a flush into too little room gave, to be given out before anything else.
    spill: [u8; SPILL_LEN],
    spill_start: usize,
    spill_end: usize,
    /// Whether the flush is done when the spill is given out.
    is_flushed: bool,
    /// Whether the stream came to its end.
    is_ended: bool,
}

impl Deflate {
    /// For [`Coding::Gzip`], or else for [`Coding::Deflate`].
    pub(crate) fn new(coding: Coding, level: u8) -> Self {
        let compression = Compression::new(level.into());
        let stream = match coding {
            Coding::Gzip => Compress::new_gzip(compression, WINDOW_BITS),
            _ => Compress::new(compression, true),
        };
        Self {
            coding,
            level,
            stream,
            spill: [0; SPILL_LEN],
            spill_start: 0,
            spill_end: 0,
            is_flushed: false,
            is_ended: false,
        }
    }

    pub(crate) fn declare_length(&mut self, _len: u64) -> Result<(), EncodeError> {
        // Neither format says the length in front, and the window is the same for any.
        Ok(())
    }

    pub(crate) fn reset(&mut self) -> Result<(), EncodeError> {
        if self.is_ended {
            self.stream.reset();
            (self.spill_start, self.spill_end) = (0, 0);
            (self.is_flushed, self.is_ended) = (false, false);
        } else {
            // zlib-rs 0.6.8 keeps the open block of a stream that is reset before its end, so that
            // the next stream would lack the head of its first block at level 1.
            *self = Self::new(self.coding, self.level);
        }
        Ok(())
    }

    pub(crate) fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, EncodeError> {
        let (step, _) = compress(&mut self.stream, self.coding, input, out, FlushCompress::None)?;
        Ok(step)
    }

    pub(crate) fn drain(&mut self, to: Drain, out: &mut [u8]) -> Result<Drained, EncodeError> {
        match to {
            Drain::Flush => self.flush(out),
            Drain::Finish => {
                let (step, status) =
                    compress(&mut self.stream, self.coding, &[], out, FlushCompress::Finish)?;
                self.is_ended = status == Status::StreamEnd;
                Ok(Drained { written: step.written, is_done: self.is_ended })
            }
        }
    }

    /// Flushes into `out`, or first into the spill where `out` is so small that zlib would put an
    /// empty block behind each piece of the last one and never come to an end.
    fn flush(&mut self, out: &mut [u8]) -> Result<Drained, EncodeError> {
        let mut written = 0;
        loop {
            let spilled = &self.spill[self.spill_start..self.spill_end];
            let room = &mut out[written..];
            let len = spilled.len().min(room.len());
            room[..len].copy_from_slice(&spilled[..len]);
            written += len;
            self.spill_start += len;
            if self.spill_start < self.spill_end {
                return Ok(Drained { written, is_done: false });
            }
            if self.is_flushed {
                self.is_flushed = false;
                return Ok(Drained { written, is_done: true });
            }
            let room = &mut out[written..];
            let is_small = room.len() < LEAST_ROOM;
            let target = if is_small { &mut self.spill[..] } else { room };
            let target_len = target.len();
            let (step, _) =
                compress(&mut self.stream, self.coding, &[], target, FlushCompress::Sync)?;
            // Room that is left over says that nothing is held back.
            let is_done = step.written < target_len;
            if !is_small {
                return Ok(Drained { written: written + step.written, is_done });
            }
            (self.spill_start, self.spill_end) = (0, step.written);
            self.is_flushed = is_done;
        }
    }
}

/// One call of the backend, which goes on as long as there is input and room.
fn compress(
    stream: &mut Compress,
    coding: Coding,
    input: &[u8],
    out: &mut [u8],
    flush: FlushCompress,
) -> Result<(Step, Status), EncodeError> {
    let (before_in, before_out) = (stream.total_in(), stream.total_out());
    let status = stream.compress(input, out, flush).map_err(|_| EncodeError::Failed {
        coding,
        reason: "the state of the encoder is inconsistent",
    })?;
    // Both differences are at most the length of a slice, so that they fit.
    let read = (stream.total_in() - before_in) as usize;
    let written = (stream.total_out() - before_out) as usize;
    Ok((Step { read, written }, status))
}

/// The window of both formats at its largest, 32 KiB.
const WINDOW_BITS: u8 = 15;

/// zlib's manual asks for more than six bytes of room for a flush.
const LEAST_ROOM: usize = 16;

const SPILL_LEN: usize = 64;
