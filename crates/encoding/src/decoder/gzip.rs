use flate2::{Crc, Decompress};

use super::deflate::inflate;
use super::gzip_header::HeaderReader;
use super::stage::Fault;
use crate::DecodeError;
use crate::progress::Step;

/// Decodes gzip: one member or more, each with its checksum and length verified.
///
/// *Spec*: RFC 1952 §2.2 (members follow each other without anything between them).
pub(crate) struct Gunzip {
    state: State,
    raw: Decompress,
    crc: Crc,
    /// The bytes of this member's content modulo 2^32, as ISIZE counts them.
    len: u32,
    members: u64,
}

enum State {
    Header(HeaderReader),
    Body,
    Trailer { bytes: [u8; 8], filled: usize },
}

impl Gunzip {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Header(HeaderReader::new()),
            raw: Decompress::new(false),
            crc: Crc::new(),
            len: 0,
            members: 0,
        }
    }

    pub(crate) fn reset(&mut self) -> Result<(), DecodeError> {
        self.state = State::Header(HeaderReader::new());
        self.members = 0;
        Ok(())
    }

    /// True between members: after the last one the input may end, as it may go on.
    pub(crate) fn is_complete(&self) -> bool {
        self.members > 0 && matches!(&self.state, State::Header(header) if header.is_at_start())
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
                State::Header(header) => {
                    let (used, result) = header.read(rest);
                    step.read += used;
                    match result {
                        // After a whole member anything but a member is not gzip any more.
                        Err(_) if self.members > 0 && header.is_in_magic() => {
                            return Err(Fault::Trailing);
                        }
                        result => result?,
                    }
                    if !header.is_done() {
                        return Ok(());
                    }
                    self.raw.reset(false);
                    self.crc.reset();
                    self.len = 0;
                    self.state = State::Body;
                }
                State::Body => {
                    let room = &mut out[step.written..];
                    let (moved, result) = inflate(&mut self.raw, rest, room);
                    self.crc.update(&room[..moved.written]);
                    self.len = self.len.wrapping_add(moved.written as u32);
                    step.read += moved.read;
                    step.written += moved.written;
                    if !result? {
                        return Ok(());
                    }
                    self.state = State::Trailer { bytes: [0; 8], filled: 0 };
                }
                State::Trailer { bytes, filled } => {
                    let taken = rest.len().min(bytes.len() - *filled);
                    bytes[*filled..*filled + taken].copy_from_slice(&rest[..taken]);
                    *filled += taken;
                    step.read += taken;
                    if *filled < bytes.len() {
                        return Ok(());
                    }
                    let [c0, c1, c2, c3, l0, l1, l2, l3] = *bytes;
                    if u32::from_le_bytes([c0, c1, c2, c3]) != self.crc.sum() {
                        return Err(Fault::Checksum);
                    }
                    if u32::from_le_bytes([l0, l1, l2, l3]) != self.len {
                        return Err(Fault::Length);
                    }
                    self.members += 1;
                    self.state = State::Header(HeaderReader::new());
                }
            }
        }
    }
}
