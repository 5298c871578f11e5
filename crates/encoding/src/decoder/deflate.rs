use flate2::{Decompress, DecompressError, FlushDecompress, Status};

use super::stage::Fault;
use crate::DecodeError;
use crate::progress::Step;

/// Decodes `deflate`: the zlib format, or bare deflate data where a server sends that instead.
///
/// RFC 9110 §8.4.1.2 means the zlib format and notes that some send the data without its header.
/// The first two bytes tell which: as a bare block, the bits of a zlib header would be a stored
/// block with padding that is not zero, which no encoder writes.
pub(crate) struct Inflate {
    state: State,
    stream: Decompress,
}

enum State {
    /// The first byte, once it is there without the second.
    Start(Option<u8>),
    Body,
    Done,
}

impl Inflate {
    pub(crate) fn new() -> Self {
        Self { state: State::Start(None), stream: Decompress::new(true) }
    }

    pub(crate) fn reset(&mut self) -> Result<(), DecodeError> {
        self.state = State::Start(None);
        Ok(())
    }

    pub(crate) fn is_complete(&self) -> bool {
        matches!(self.state, State::Done)
    }

    pub(crate) fn step(
        &mut self,
        input: &[u8],
        out: &mut [u8],
        step: &mut Step,
    ) -> Result<(), Fault> {
        loop {
            let rest = &input[step.read..];
            match self.state {
                State::Start(held) => match (held, rest) {
                    (None, [only]) => {
                        step.read += 1;
                        self.state = State::Start(Some(*only));
                    }
                    (None, [first, second, ..]) => {
                        self.stream.reset(is_zlib_header(*first, *second));
                        self.state = State::Body;
                    }
                    (Some(first), [second, ..]) => {
                        self.stream.reset(is_zlib_header(first, *second));
                        let (moved, result) = inflate(&mut self.stream, &[first], &mut []);
                        result?;
                        if moved.read != 1 {
                            return Err(Fault::Corrupt(STUCK));
                        }
                        self.state = State::Body;
                    }
                    (_, []) => return Ok(()),
                },
                State::Body => {
                    let room = &mut out[step.written..];
                    let (moved, result) = inflate(&mut self.stream, rest, room);
                    step.read += moved.read;
                    step.written += moved.written;
                    if !result? {
                        return Ok(());
                    }
                    self.state = State::Done;
                }
                State::Done if rest.is_empty() => return Ok(()),
                State::Done => return Err(Fault::Trailing),
            }
        }
    }
}

/// Runs `stream` until input or room is used up; true at the end of the stream.
pub(crate) fn inflate(
    stream: &mut Decompress,
    input: &[u8],
    out: &mut [u8],
) -> (Step, Result<bool, Fault>) {
    let mut step = Step::default();
    loop {
        let (before_in, before_out) = (stream.total_in(), stream.total_out());
        let result =
            stream.decompress(&input[step.read..], &mut out[step.written..], FlushDecompress::None);
        // Both differences are at most the length of a slice, so that they fit.
        let read = (stream.total_in() - before_in) as usize;
        let written = (stream.total_out() - before_out) as usize;
        step.read += read;
        step.written += written;
        match result {
            Ok(Status::StreamEnd) => return (step, Ok(true)),
            Err(error) => return (step, Err(fault(&error))),
            Ok(Status::Ok | Status::BufError) => {}
        }
        if step.read == input.len() || step.written == out.len() {
            return (step, Ok(false));
        }
        if read == 0 && written == 0 {
            return (step, Err(Fault::Corrupt(STUCK)));
        }
    }
}

/// Whether two bytes are a zlib header: deflate, a window of at most 32 KiB, and check bits that
/// make the pair a multiple of 31.
///
/// *Spec*: RFC 1950 §2.2.
fn is_zlib_header(first: u8, second: u8) -> bool {
    first & 0x0F == 8 && first >> 4 <= 7 && u16::from_be_bytes([first, second]).is_multiple_of(31)
}

/// Puts the backend's finding, which it tells by zlib's message, into our terms.
fn fault(error: &DecompressError) -> Fault {
    if error.needs_dictionary().is_some() {
        return Fault::Dictionary;
    }
    match error.message() {
        Some("incorrect data check") => Fault::Checksum,
        Some("invalid block type") => Fault::Corrupt("reserved block type"),
        Some("invalid stored block lengths") => {
            Fault::Corrupt("the lengths of a stored block do not match")
        }
        Some("invalid distance too far back") => {
            Fault::Corrupt("a copy reaches back before the start")
        }
        Some("too many length or distance symbols" | "invalid code lengths set")
        | Some("invalid bit length repeat" | "invalid code -- missing end-of-block")
        | Some("invalid literal/lengths set" | "invalid distances set") => {
            Fault::Corrupt("bad code lengths")
        }
        _ => Fault::Corrupt("bad deflate data"),
    }
}

const STUCK: &str = "the data cannot be read on";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zlib_headers_are_told_from_bare_blocks() {
        for (first, second) in [(0x78, 0x01), (0x78, 0x9C), (0x78, 0xDA), (0x18, 0xD3)] {
            assert!(is_zlib_header(first, second), "{first:02x}{second:02x}");
        }
        // Fixed, dynamic and stored blocks, a wrong check, a window of 64 KiB.
        for (first, second) in
            [(0x4B, 0x4C), (0x05, 0xC1), (0x00, 0x05), (0x78, 0x9D), (0x88, 0x1C)]
        {
            assert!(!is_zlib_header(first, second), "{first:02x}{second:02x}");
        }
    }
}
