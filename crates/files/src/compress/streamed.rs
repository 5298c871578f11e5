//! A file compressed while it is sent.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use avocet_encoding::{Coding, EncodeError, Encoder, Level};
use avocet_net::WorkerPool;
use avocet_server::Body;

use super::check;
use crate::metadata::Metadata;
use crate::steps::{self, Steps};

/// The content of a long file in a coding, made piece by piece on the pool and only as fast as the
/// client takes it, so that a slow client holds neither a thread nor more than one piece.
///
/// *Errors*: a coding that this build lacks.
pub(crate) fn streamed(
    file: &Arc<File>,
    state: &Metadata,
    coding: Coding,
    pool: &Arc<WorkerPool>,
) -> Result<Body, EncodeError> {
    let work = Work {
        file: Arc::clone(file),
        state: *state,
        encoder: Encoder::new(coding, Level::Default)?,
        read: 0,
        is_over: false,
    };
    Ok(steps::body(work, "compression", pool))
}

struct Work {
    file: Arc<File>,
    state: Metadata,
    encoder: Encoder,
    read: u64,
    is_over: bool,
}

impl Steps for Work {
    /// Makes about [`PIECE`] bytes, or the rest.
    fn step(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.is_over {
            return Ok(None);
        }
        let mut piece = vec![0; PIECE];
        let mut len = 0;
        let mut input = vec![0; PIECE];
        while len < PIECE && !self.is_over {
            let rest = usize::try_from(self.state.size - self.read).unwrap_or(usize::MAX);
            if rest == 0 {
                let drained = self.encoder.finish(&mut piece[len..]).map_err(io::Error::other)?;
                len += drained.written;
                self.is_over = drained.is_done;
                continue;
            }
            let wanted = &mut input[..rest.min(PIECE)];
            self.file.read_exact_at(wanted, self.read)?;
            let progress =
                self.encoder.encode(wanted, &mut piece[len..]).map_err(io::Error::other)?;
            len += progress.written;
            self.read += progress.read as u64;
            if self.read == self.state.size {
                check(&self.file, &self.state)?;
            }
        }
        piece.truncate(len);
        Ok(Some(piece))
    }
}

/// Bytes that are read, and bytes that are made, at a time.
const PIECE: usize = 64 * 1024;
