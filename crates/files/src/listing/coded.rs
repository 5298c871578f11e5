//! A long listing compressed while it is sent.

use std::io;
use std::sync::Arc;

use avocet_encoding::Encoder;
use avocet_net::WorkerPool;
use avocet_server::Body;

use super::{Listing, Share};
use crate::steps::{self, Steps};

/// The listing as an encoder makes it, piece by piece on the pool. `room` is for the encoder's memory.
pub(super) fn body(
    listing: Listing,
    encoder: Encoder,
    room: Share,
    pool: &Arc<WorkerPool>,
) -> Body {
    let (text, at) = (String::new(), 0);
    let work = Work { listing, encoder, text, at, is_over: false, _room: room };
    steps::body(work, "a listing", pool)
}

struct Work {
    listing: Listing,
    encoder: Encoder,
    /// What was rendered, and how much of it the encoder has taken.
    text: String,
    at: usize,
    is_over: bool,
    _room: Share,
}

impl Steps for Work {
    fn step(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.is_over {
            return Ok(None);
        }
        let mut piece = vec![0; PIECE];
        let mut len = 0;
        while len < PIECE && !self.is_over {
            if self.at == self.text.len() {
                self.text.clear();
                self.at = 0;
                if !self.listing.render(&mut self.text, PIECE) {
                    let drained =
                        self.encoder.finish(&mut piece[len..]).map_err(io::Error::other)?;
                    len += drained.written;
                    self.is_over = drained.is_done;
                    continue;
                }
            }
            let rest = &self.text.as_bytes()[self.at..];
            let progress =
                self.encoder.encode(rest, &mut piece[len..]).map_err(io::Error::other)?;
            len += progress.written;
            self.at += progress.read;
        }
        piece.truncate(len);
        Ok(Some(piece))
    }
}

/// Bytes that are rendered, and bytes that are made, at a time.
const PIECE: usize = 64 * 1024;
