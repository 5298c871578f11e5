//! Content that is compressed while it is sent.

use std::io;
use std::os::unix::fs::FileExt;

use avocet_encoding::Encoder;
use avocet_net::{FileRange, Notifier, Segment};
use avocet_server::{Body, BodySource, Pulled};
use avocet_wire::FieldBuf;

/// The length of content, where it is known.
pub(super) fn size(body: &Body) -> Option<u64> {
    match body {
        Body::File(range) => Some(range.len),
        Body::Source { size, .. } => *size,
        other => bytes(other).map(|bytes| bytes.len() as u64),
    }
}

/// Content that is in memory.
pub(super) fn bytes(body: &Body) -> Option<&[u8]> {
    match body {
        Body::Empty => Some(b""),
        Body::Static(bytes) => Some(bytes),
        Body::Owned(bytes) => Some(bytes),
        Body::Shared(bytes) => Some(bytes),
        Body::File(_) | Body::Source { .. } => None,
    }
}

/// The same content, coded piece by piece as the client takes it.
pub(super) fn streamed(body: Body, encoder: Encoder) -> Body {
    let (ahead, inner) = match body {
        Body::Source { source, .. } => (None, Some(source)),
        Body::File(range) => (Some(Segment::File(range)), None),
        Body::Empty => (None, None),
        Body::Static(bytes) => (Some(Segment::Static(bytes)), None),
        Body::Owned(bytes) => (Some(Segment::Owned(bytes)), None),
        Body::Shared(bytes) => (Some(Segment::Shared(bytes)), None),
    };
    let coded = Coded { encoder, ahead, taken: 0, inner, stage: Stage::Open };
    Body::Source { size: None, source: Box::new(coded) }
}

struct Coded {
    encoder: Encoder,
    /// What is coded now, and how much of it was.
    ahead: Option<Segment>,
    taken: usize,
    inner: Option<Box<dyn BodySource>>,
    stage: Stage,
}

enum Stage {
    /// All that the encoder was given has left it, or need not yet.
    Open,
    /// It was given something since it was flushed.
    Held,
    /// The content has ended, and the rest comes out.
    Ending(FieldBuf),
    /// All is out.
    Over(FieldBuf),
}

impl BodySource for Coded {
    fn pull(&mut self, most: usize, wake: &dyn Fn() -> Notifier) -> io::Result<Pulled> {
        let mut out = vec![0; PIECE];
        loop {
            if let Some(segment) = self.ahead.take() {
                let len = self.encode(&segment, &mut out)?;
                self.keep_rest(segment);
                self.stage = Stage::Held;
                if len == 0 {
                    continue;
                }
                return Ok(piece(out, len));
            }
            match std::mem::replace(&mut self.stage, Stage::Open) {
                Stage::Over(trailers) => return Ok(Pulled::End(trailers)),
                Stage::Ending(trailers) => {
                    let drained = self.encoder.finish(&mut out).map_err(io::Error::other)?;
                    let is_done = drained.is_done;
                    self.stage =
                        if is_done { Stage::Over(trailers) } else { Stage::Ending(trailers) };
                    return Ok(piece(out, drained.written));
                }
                stage => self.stage = stage,
            }
            let pulled = match &mut self.inner {
                Some(inner) => inner.pull(most, wake)?,
                None => Pulled::End(FieldBuf::new()),
            };
            match pulled {
                Pulled::Piece(segment) => self.ahead = Some(segment),
                Pulled::End(trailers) => self.stage = Stage::Ending(trailers),
                // What was said so far must not wait for what comes later.
                Pulled::Pending if matches!(self.stage, Stage::Held) => {
                    let drained = self.encoder.flush(&mut out).map_err(io::Error::other)?;
                    if drained.is_done {
                        self.stage = Stage::Open;
                    }
                    if drained.written > 0 {
                        return Ok(piece(out, drained.written));
                    }
                }
                Pulled::Pending => return Ok(Pulled::Pending),
            }
        }
    }
}

impl Coded {
    /// Codes the next bytes of a segment; the number of bytes that came out.
    fn encode(&mut self, segment: &Segment, out: &mut [u8]) -> io::Result<usize> {
        let mut scratch;
        let bytes: &[u8] = match segment {
            Segment::Owned(bytes) => &bytes[self.taken..],
            Segment::Shared(bytes) => &bytes[self.taken..],
            Segment::Static(bytes) => &bytes[self.taken..],
            Segment::File(range) => {
                let len = usize::try_from(range.len).unwrap_or(PIECE).min(PIECE);
                scratch = vec![0; len];
                // A file that has become shorter ends the response.
                range.file.read_exact_at(&mut scratch, range.offset)?;
                &scratch
            }
        };
        let bytes = &bytes[..bytes.len().min(PIECE)];
        let progress = self.encoder.encode(bytes, out).map_err(io::Error::other)?;
        self.taken += progress.read;
        Ok(progress.written)
    }

    /// Keeps what was not coded of a segment.
    fn keep_rest(&mut self, segment: Segment) {
        let rest = match segment {
            Segment::File(range) => {
                let taken = self.taken as u64;
                self.taken = 0;
                let (offset, len) = (range.offset + taken, range.len.saturating_sub(taken));
                (len > 0).then_some(Segment::File(FileRange { offset, len, ..range }))
            }
            Segment::Owned(bytes) if self.taken < bytes.len() => Some(Segment::Owned(bytes)),
            Segment::Shared(bytes) if self.taken < bytes.len() => Some(Segment::Shared(bytes)),
            Segment::Static(bytes) if self.taken < bytes.len() => Some(Segment::Static(bytes)),
            Segment::Owned(_) | Segment::Shared(_) | Segment::Static(_) => None,
        };
        if rest.is_none() {
            self.taken = 0;
        }
        self.ahead = rest;
    }
}

fn piece(mut bytes: Vec<u8>, len: usize) -> Pulled {
    bytes.truncate(len);
    Pulled::Piece(Segment::Owned(bytes))
}

/// Bytes that are read and made at a time.
const PIECE: usize = 32 * 1024;
