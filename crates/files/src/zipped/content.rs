//! The content of an entry, as it is in the zip or unpacked.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use avocet_net::{FileRange, WorkerPool};
use avocet_server::Body;
use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::index::Entry;
use crate::metadata::Metadata;
use crate::pieces::{Piece, Pieces};
use crate::steps::{self, Steps};

/// The deflated content between head and end of gzip: nothing has to be made for it.
pub(super) fn gzip(file: &Arc<File>, state: &Metadata, entry: &Entry, start: u64) -> Body {
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    // The length counts modulo 2^32 (RFC 1952 §2.3.1).
    let size = u32::try_from(entry.size & 0xffff_ffff).unwrap_or_default();
    let end = [entry.crc.to_le_bytes(), size.to_le_bytes()].concat();
    let packed = FileRange { file: Arc::clone(file), offset: start, len: entry.packed };
    let pieces =
        vec![Piece::Bytes(head.to_vec().into()), Piece::File(packed), Piece::Bytes(end.into())];
    Pieces::of_parts(pieces, state, entry.packed + 18)
}

/// The content unpacked while it is sent.
pub(super) fn inflated(
    file: &Arc<File>,
    entry: &Entry,
    start: u64,
    pool: &Arc<WorkerPool>,
) -> Body {
    let inflating = Inflating {
        file: Arc::clone(file),
        entry: *entry,
        at: start,
        left: entry.packed,
        decompress: Decompress::new(false),
        input: Vec::new(),
        crc: Crc::new(),
        held: Vec::new(),
        is_over: false,
    };
    match steps::body(inflating, "unpacking", pool) {
        Body::Source { source, .. } => Body::Source { size: Some(entry.size), source },
        body => body,
    }
}

struct Inflating {
    file: Arc<File>,
    entry: Entry,
    at: u64,
    /// Bytes of the zip that are still to be read.
    left: u64,
    decompress: Decompress,
    input: Vec<u8>,
    crc: Crc,
    /// The last piece, which leaves when it is known that all is right.
    held: Vec<u8>,
    is_over: bool,
}

impl Steps for Inflating {
    fn step(&mut self) -> io::Result<Option<Vec<u8>>> {
        while !self.is_over {
            let (piece, ended) = self.inflate()?;
            self.crc.update(&piece);
            if self.decompress.total_out() > self.entry.size {
                return Err(damaged());
            }
            if ended {
                if self.crc.sum() != self.entry.crc
                    || self.decompress.total_out() != self.entry.size
                {
                    return Err(damaged());
                }
                self.is_over = true;
                self.held.extend_from_slice(&piece);
                return Ok(Some(std::mem::take(&mut self.held)));
            }
            let before = std::mem::replace(&mut self.held, piece);
            if !before.is_empty() {
                return Ok(Some(before));
            }
        }
        Ok(None)
    }
}

impl Inflating {
    /// About [`PIECE`] bytes, and whether they were the last.
    fn inflate(&mut self) -> io::Result<(Vec<u8>, bool)> {
        let mut out = Vec::with_capacity(PIECE);
        while out.len() < PIECE {
            if self.input.is_empty() && self.left > 0 {
                let most = usize::try_from(self.left).unwrap_or(PIECE).min(PIECE);
                self.input.resize(most, 0);
                self.file.read_exact_at(&mut self.input, self.at)?;
                self.at += most as u64;
                self.left -= most as u64;
            }
            let (read, written) = (self.decompress.total_in(), self.decompress.total_out());
            let status =
                self.decompress.decompress_vec(&self.input, &mut out, FlushDecompress::None);
            let status = status.map_err(|_| damaged())?;
            let taken = usize::try_from(self.decompress.total_in() - read).unwrap_or(usize::MAX);
            self.input.drain(..taken.min(self.input.len()));
            if status == Status::StreamEnd {
                return Ok((out, true));
            }
            let is_stuck = taken == 0 && self.decompress.total_out() == written;
            if is_stuck && self.left == 0 && out.len() < PIECE {
                return Err(damaged());
            }
        }
        Ok((out, false))
    }
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "an entry of the zip is damaged")
}

const PIECE: usize = 64 * 1024;
