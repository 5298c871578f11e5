//! A long listing compressed while it is sent.

use std::io;
use std::sync::Arc;

use avocet_encoding::Encoder;
use avocet_net::WorkerPool;
use avocet_server::Body;

use super::{Listing, Share};
use crate::compress::{Input, PIECE, encoded};

/// The listing as an encoder makes it, piece by piece on the pool. `room` is for the encoder's memory.
pub(super) fn body(
    listing: Listing,
    encoder: Encoder,
    room: Share,
    pool: &Arc<WorkerPool>,
) -> Body {
    let rendered = Rendered { listing, text: String::new(), at: 0, _room: room };
    encoded(rendered, encoder, "a listing", pool)
}

struct Rendered {
    listing: Listing,
    /// What was rendered, and how much of it the encoder has taken.
    text: String,
    at: usize,
    _room: Share,
}

impl Input for Rendered {
    fn ahead<'a>(&'a mut self, _: &'a mut Vec<u8>) -> io::Result<&'a [u8]> {
        if self.at == self.text.len() {
            self.text.clear();
            self.at = 0;
            while self.text.is_empty() && self.listing.render(&mut self.text, PIECE) {}
        }
        Ok(&self.text.as_bytes()[self.at..])
    }

    fn took(&mut self, count: usize) -> io::Result<()> {
        self.at += count;
        Ok(())
    }
}
