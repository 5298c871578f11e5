//! A file compressed while it is sent.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use avocet_encoding::{Coding, EncodeError, Encoder, Level};
use avocet_net::WorkerPool;
use avocet_server::Body;

use super::check;
use super::encoded::{Input, PIECE, encoded};
use crate::metadata::Metadata;

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
    let whole = Whole { file: Arc::clone(file), state: *state, read: 0 };
    Ok(encoded(whole, Encoder::new(coding, Level::Default)?, "compression", pool))
}

/// All of a file, which must stay as it was until its last byte is read.
struct Whole {
    file: Arc<File>,
    state: Metadata,
    read: u64,
}

impl Input for Whole {
    fn ahead<'a>(&'a mut self, room: &'a mut Vec<u8>) -> io::Result<&'a [u8]> {
        let rest = usize::try_from(self.state.size - self.read).unwrap_or(usize::MAX);
        room.resize(rest.min(PIECE), 0);
        self.file.read_exact_at(room, self.read)?;
        Ok(room)
    }

    fn took(&mut self, count: usize) -> io::Result<()> {
        self.read += count as u64;
        if self.read == self.state.size {
            check(&self.file, &self.state)?;
        }
        Ok(())
    }
}
