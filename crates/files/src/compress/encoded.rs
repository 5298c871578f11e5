//! Content put into a coding while it is sent.

use std::io;
use std::sync::Arc;

use avocet_encoding::Encoder;
use avocet_net::WorkerPool;
use avocet_server::Body;

use crate::steps::{self, Steps};

/// Gives what is to be encoded, on a thread that may block.
pub(crate) trait Input: Send + 'static {
    /// The bytes that come next, none at the end. `room` is empty, and there for bytes that are kept nowhere
    /// else: what of them was not taken is asked for again.
    ///
    /// *Errors*: the response is cut off.
    fn ahead<'a>(&'a mut self, room: &'a mut Vec<u8>) -> io::Result<&'a [u8]>;

    /// So many of them were taken.
    ///
    /// *Errors*: as [`Input::ahead`].
    fn took(&mut self, count: usize) -> io::Result<()>;
}

/// A body that is made piece by piece on the pool and only as fast as the client takes it. `what` names it
/// where it fails.
pub(crate) fn encoded(
    input: impl Input,
    encoder: Encoder,
    what: &'static str,
    pool: &Arc<WorkerPool>,
) -> Body {
    steps::body(Work { input, encoder, is_over: false }, what, pool)
}

struct Work<I> {
    input: I,
    encoder: Encoder,
    is_over: bool,
}

impl<I: Input> Steps for Work<I> {
    /// Makes about [`PIECE`] bytes, or the rest.
    fn step(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.is_over {
            return Ok(None);
        }
        let mut piece = vec![0; PIECE];
        let mut len = 0;
        let mut room = Vec::new();
        while len < PIECE && !self.is_over {
            room.clear();
            let ahead = self.input.ahead(&mut room)?;
            if ahead.is_empty() {
                let drained = self.encoder.finish(&mut piece[len..]).map_err(io::Error::other)?;
                len += drained.written;
                self.is_over = drained.is_done;
                continue;
            }
            let progress =
                self.encoder.encode(ahead, &mut piece[len..]).map_err(io::Error::other)?;
            len += progress.written;
            self.input.took(progress.read)?;
        }
        piece.truncate(len);
        Ok(Some(piece))
    }
}

/// Bytes that are read, and bytes that are made, at a time.
pub(crate) const PIECE: usize = 64 * 1024;
