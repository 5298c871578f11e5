//! What a response carries.

use std::io;

use avocet_net::{FileRange, Notifier, Segment};
use avocet_wire::{BodySize, FieldBuf};
use bytes::Bytes;

/// The content of a response.
#[derive(Default)]
pub enum Body {
    /// None.
    #[default]
    Empty,
    /// Bytes of the program.
    Static(&'static [u8]),
    /// Bytes of its own.
    Owned(Vec<u8>),
    /// Bytes shared with others.
    Shared(Bytes),
    /// A range of a file, by sendfile where the transport can. A file that has become shorter cuts
    /// the response off.
    File(FileRange),
    /// Pieces made while they are sent; without a size they are sent chunked.
    Source {
        /// The number of bytes that will come, where it is known. A source that gives another
        /// number ends the connection.
        size: Option<u64>,
        /// Gives the pieces.
        source: Box<dyn BodySource>,
    },
}

/// Gives a response's content piece by piece, when there is room for it.
pub trait BodySource: Send {
    /// The next piece, of about `most` bytes or fewer. A source that has nothing yet keeps a
    /// notifier from `wake` and uses it when there is more.
    ///
    /// *Bounds*: called only while fewer than 64 KiB wait for the client.
    ///
    /// *Errors*: the response is cut off and the connection ends, so that the client cannot take
    /// the part for the whole.
    fn pull(&mut self, most: usize, wake: &dyn Fn() -> Notifier) -> io::Result<Pulled>;
}

/// What a source gave.
pub enum Pulled {
    /// A piece; an empty one is passed over.
    Piece(Segment),
    /// Nothing yet; the notifier will say when.
    Pending,
    /// The end, with trailer fields, which go out when the content is chunked.
    End(FieldBuf),
}

impl Body {
    pub(crate) fn size(&self) -> BodySize {
        let known = match self {
            Self::Empty => Some(0),
            Self::Static(bytes) => Some(bytes.len() as u64),
            Self::Owned(bytes) => Some(bytes.len() as u64),
            Self::Shared(bytes) => Some(bytes.len() as u64),
            Self::File(range) => Some(range.len),
            Self::Source { size, .. } => *size,
        };
        match known {
            Some(0) => BodySize::Empty,
            Some(size) => BodySize::Known(size),
            None => BodySize::Unknown,
        }
    }

    /// The bytes, if they are at hand and so few that a copy behind the head costs less than a
    /// segment of their own.
    pub(crate) fn small(&self) -> Option<&[u8]> {
        let bytes: &[u8] = match self {
            Self::Empty => b"",
            Self::Static(bytes) => bytes,
            Self::Owned(bytes) => bytes,
            Self::Shared(bytes) => bytes,
            Self::File(_) | Self::Source { .. } => return None,
        };
        (bytes.len() <= SMALL).then_some(bytes)
    }

    pub(crate) fn into_content(self) -> Content {
        match self {
            Self::Empty => Content::Whole(Segment::Static(b"")),
            Self::Static(bytes) => Content::Whole(Segment::Static(bytes)),
            Self::Owned(bytes) => Content::Whole(Segment::Owned(bytes)),
            Self::Shared(bytes) => Content::Whole(Segment::Shared(bytes)),
            Self::File(range) => Content::Whole(Segment::File(range)),
            Self::Source { source, .. } => Content::Pieces(source),
        }
    }
}

/// Content at hand, or still to come.
pub(crate) enum Content {
    Whole(Segment),
    Pieces(Box<dyn BodySource>),
}

pub(crate) fn segment_len(segment: &Segment) -> u64 {
    match segment {
        Segment::Owned(bytes) => bytes.len() as u64,
        Segment::Shared(bytes) => bytes.len() as u64,
        Segment::Static(bytes) => bytes.len() as u64,
        Segment::File(range) => range.len,
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::Static(text.as_bytes())
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::Owned(text.into_bytes())
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Owned(bytes)
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::Shared(bytes)
    }
}

/// The largest content that is copied behind its head.
const SMALL: usize = 4 * 1024;
