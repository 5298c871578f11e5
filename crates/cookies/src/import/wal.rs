//! The write-ahead log of an SQLite database: pages that were changed and not yet put into the
//! database itself. Firefox leaves most of its cookies there while it runs.

use std::collections::HashMap;

use super::sqlite::{be_u32, damaged};
use crate::error::Error;

/// Where in the log the newest committed content of each page begins.
///
/// What follows the last commit, or does not carry the marks of this log, is left over from an
/// earlier one or not finished, and does not count.
pub(super) fn index(log: &[u8], page_size: usize) -> Result<HashMap<u32, usize>, Error> {
    let mut committed = HashMap::new();
    let Some(header) = log.get(..HEADER) else { return Ok(committed) };
    let big_endian = match be_u32(header, 0)? {
        0x377f_0682 => false,
        0x377f_0683 => true,
        _ => return Err(damaged("the write-ahead log is none")),
    };
    if usize::try_from(be_u32(header, 8)?).ok() != Some(page_size) {
        return Err(damaged("the write-ahead log has pages of another size"));
    }
    let salt = &header[16..24];
    let mut sum = Checksum { state: (0, 0), big_endian };
    sum.add(&header[..24]);
    if !sum.is(&header[24..32]) {
        // SQLite ignores such a log: the first write to it was not finished.
        return Ok(committed);
    }
    let mut pending = HashMap::new();
    let mut at = HEADER;
    while let Some(frame) = log.get(at..at + FRAME_HEADER + page_size) {
        sum.add(&frame[..8]);
        sum.add(&frame[FRAME_HEADER..]);
        if &frame[8..16] != salt || !sum.is(&frame[16..24]) {
            break;
        }
        pending.insert(be_u32(frame, 0)?, at + FRAME_HEADER);
        // The size of the database after a commit; 0 in all other frames.
        if be_u32(frame, 4)? != 0 {
            committed.extend(pending.drain());
        }
        at += frame.len();
    }
    Ok(committed)
}

/// The running checksum of header and frames, over pairs of 32-bit words.
struct Checksum {
    state: (u32, u32),
    big_endian: bool,
}

impl Checksum {
    fn add(&mut self, octets: &[u8]) {
        let word = |octets: [u8; 4]| match self.big_endian {
            true => u32::from_be_bytes(octets),
            false => u32::from_le_bytes(octets),
        };
        let (mut first, mut second) = self.state;
        for pair in octets.chunks_exact(8) {
            let [a, b, c, d, e, f, g, h] = *pair else { continue };
            first = first.wrapping_add(word([a, b, c, d])).wrapping_add(second);
            second = second.wrapping_add(word([e, f, g, h])).wrapping_add(first);
        }
        self.state = (first, second);
    }

    /// Whether this is the sum that `stored` holds, big end first in every log.
    fn is(&self, stored: &[u8]) -> bool {
        let (first, second) = self.state;
        stored == [first.to_be_bytes(), second.to_be_bytes()].concat()
    }
}

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
