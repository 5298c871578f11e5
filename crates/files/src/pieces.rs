//! Content out of files that is watched while it is sent.

use std::collections::VecDeque;
use std::fs::File;
use std::io;

use avocet_net::{FileRange, Notifier, Segment};
use avocet_server::{Body, BodySource, Pulled};
use avocet_wire::FieldBuf;
use bytes::Bytes;

use crate::metadata::Metadata;

/// Pieces in their order. Before the last bytes of a file go out its state is asked for again: if
/// the file was written over meanwhile the client has bytes of two files, and the connection ends
/// so that it learns of that.
pub(crate) struct Pieces {
    ahead: VecDeque<Piece>,
    state: Metadata,
}

#[derive(Debug)]
pub(crate) enum Piece {
    Bytes(Bytes),
    File(FileRange),
}

impl Pieces {
    /// A range of one file. A short one leaves with its head, in one go.
    pub(crate) fn of_range(range: FileRange, state: &Metadata) -> Body {
        let len = range.len;
        if len <= WATCHED {
            return Body::File(range);
        }
        Self { ahead: VecDeque::from([Piece::File(range)]), state: *state }.into_body(len)
    }

    /// Several ranges of one file with what stands between them, `size` bytes in all.
    pub(crate) fn of_parts(pieces: Vec<Piece>, state: &Metadata, size: u64) -> Body {
        Self { ahead: pieces.into(), state: *state }.into_body(size)
    }

    fn into_body(self, size: u64) -> Body {
        Body::Source { size: Some(size), source: Box::new(self) }
    }

    fn is_last_file(&self) -> bool {
        !self.ahead.iter().any(|piece| matches!(piece, Piece::File(_)))
    }

    /// A file that has grown is let pass: whoever appends to a file, a log say, leaves the bytes
    /// that were promised as they are.
    fn check(&self, file: &File) -> io::Result<()> {
        let current = Metadata::of(file)?;
        if current.size > self.state.size || current.has_content_of(&self.state) {
            return Ok(());
        }
        Err(io::Error::other("the file was changed while it was sent"))
    }
}

impl BodySource for Pieces {
    fn pull(&mut self, _most: usize, _wake: &dyn Fn() -> Notifier) -> io::Result<Pulled> {
        let mut range = match self.ahead.pop_front() {
            None => return Ok(Pulled::End(FieldBuf::new())),
            Some(Piece::Bytes(bytes)) => return Ok(Pulled::Piece(Segment::Shared(bytes))),
            Some(Piece::File(range)) => range,
        };
        if self.is_last_file() {
            if range.len > TAIL {
                let mut tail = range.clone();
                tail.offset += range.len - TAIL;
                tail.len = TAIL;
                range.len -= TAIL;
                self.ahead.push_front(Piece::File(tail));
            } else {
                self.check(&range.file)?;
            }
        }
        Ok(Pulled::Piece(Segment::File(range)))
    }
}

/// Content up to this length is not watched: it is gone into the socket at once.
const WATCHED: u64 = 256 * 1024;

/// What is held back until the file was looked at again.
const TAIL: u64 = 16 * 1024;
