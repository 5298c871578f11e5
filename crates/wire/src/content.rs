//! Reading content: its framing removed, its end found (RFC 9112 §6, §7).

use std::ops::Range;

use crate::chunk;
use crate::error::{Fault, Limit, Part, ReadError};
use crate::framing::Framing;
use crate::table::FieldTable;
use crate::trailers;
use crate::unfinished::Unfinished;

/// Where the reading of content stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Content {
    /// Bytes that are left of the content or of the chunk.
    left: u64,
    /// Bytes of chunk extensions seen in this message.
    extensions: u32,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Length,
    UntilClose,
    ChunkLine,
    ChunkData,
    ChunkEnd,
    Trailers,
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Content, not the last that a length declared.
    Data(Range<usize>),
    /// The last of the content that a length declared.
    LastData(Range<usize>),
    /// The end of chunked content. The table holds the trailers, whose bytes these are.
    Trailers(Range<usize>),
    NeedMore,
}

impl Content {
    pub(crate) const NONE: Self = Self { left: 0, extensions: 0, stage: Stage::Length };

    pub(crate) fn new(framing: Framing) -> Self {
        let (left, stage) = match framing {
            Framing::Empty => (0, Stage::Length),
            Framing::Length(length) => (length, Stage::Length),
            Framing::Chunked => (0, Stage::ChunkLine),
            Framing::UntilClose => (0, Stage::UntilClose),
        };
        Self { left, extensions: 0, stage }
    }

    /// Whether the end of the connection ends the content; if not, what is cut short by it.
    pub(crate) fn at_eof(&self) -> Result<(), Part> {
        match self.stage {
            Stage::UntilClose => Ok(()),
            Stage::Length => Err(Part::Content),
            Stage::ChunkLine | Stage::ChunkData | Stage::ChunkEnd | Stage::Trailers => {
                Err(Part::Chunks)
            }
        }
    }

    /// Reads one piece. Gives also the number of bytes used.
    ///
    /// `unfinished` tells what was looked at before of a line or of trailers that have not come whole.
    pub(crate) fn read(
        &mut self,
        input: &[u8],
        unfinished: &mut Unfinished,
        table: &mut FieldTable,
    ) -> Result<(usize, Piece), ReadError> {
        if input.is_empty() {
            return Ok((0, Piece::NeedMore));
        }
        match self.stage {
            Stage::UntilClose => Ok((input.len(), Piece::Data(0..input.len()))),
            Stage::Length => {
                let length = self.take(input.len());
                let range = 0..length;
                Ok((
                    length,
                    if self.left == 0 { Piece::LastData(range) } else { Piece::Data(range) },
                ))
            }
            Stage::ChunkLine | Stage::ChunkData | Stage::ChunkEnd | Stage::Trailers => {
                self.read_chunked(input, unfinished, table)
            }
        }
    }

    fn read_chunked(
        &mut self,
        input: &[u8],
        unfinished: &mut Unfinished,
        table: &mut FieldTable,
    ) -> Result<(usize, Piece), ReadError> {
        let mut at = 0;
        loop {
            let rest = input.get(at..).unwrap_or_default();
            match self.stage {
                Stage::ChunkLine => {
                    let scanned = unfinished.scanned as usize;
                    let line = chunk::parse(rest, scanned, table.limits.chunk_line)
                        .map_err(|error| error.shifted(at))?;
                    let Some(line) = line else {
                        unfinished.scanned = length(rest);
                        return Ok((at, Piece::NeedMore));
                    };
                    *unfinished = Unfinished::NOTHING;
                    self.count_extensions(line.extensions, table, at)?;
                    at += line.used;
                    self.left = line.size;
                    self.stage = if line.size == 0 { Stage::Trailers } else { Stage::ChunkData };
                }
                Stage::ChunkData if rest.is_empty() => return Ok((at, Piece::NeedMore)),
                Stage::ChunkData => {
                    let start = at;
                    at += self.take(rest.len());
                    let end = at;
                    if self.left == 0 {
                        self.stage = Stage::ChunkEnd;
                        if input.get(at..).is_some_and(|rest| rest.starts_with(b"\r\n")) {
                            self.stage = Stage::ChunkLine;
                            at += 2;
                        }
                    }
                    return Ok((at, Piece::Data(start..end)));
                }
                // §7.1 with erratum 7633: the data of a chunk is followed by exactly CRLF.
                Stage::ChunkEnd => match rest {
                    [] | [b'\r'] => return Ok((at, Piece::NeedMore)),
                    [b'\r', b'\n', ..] => {
                        self.stage = Stage::ChunkLine;
                        at += 2;
                    }
                    _ => return Err(ReadError::malformed(Fault::ChunkEnd, at)),
                },
                Stage::Trailers => {
                    let FieldTable { limits, lines, .. } = table;
                    let end = trailers::parse(rest, unfinished, limits, lines)
                        .map_err(|error| error.shifted(at))?;
                    let Some(end) = end else { return Ok((at, Piece::NeedMore)) };
                    *unfinished = Unfinished::NOTHING;
                    return Ok((at + end, Piece::Trailers(at..at + end)));
                }
                Stage::Length | Stage::UntilClose => {
                    debug_assert!(false, "only chunked content is read here");
                    return Ok((at, Piece::NeedMore));
                }
            }
        }
    }

    /// Takes as much of `available` bytes as is left.
    fn take(&mut self, available: usize) -> usize {
        let taken = usize::try_from(self.left).map_or(available, |left| left.min(available));
        self.left -= taken as u64;
        taken
    }

    /// Bounds the sum of extensions, not only each line: `Go CVE-2023-39326`.
    fn count_extensions(
        &mut self,
        extensions: usize,
        table: &FieldTable,
        position: usize,
    ) -> Result<(), ReadError> {
        let extensions = u32::try_from(extensions).unwrap_or(u32::MAX);
        self.extensions = self.extensions.saturating_add(extensions);
        if u64::from(self.extensions) > table.limits.extensions {
            let most = table.limits.extensions;
            return Err(ReadError::LimitExceeded { limit: Limit::Extensions, most, position });
        }
        Ok(())
    }
}

/// A length below the limits, which are clamped to 32 bits.
pub(crate) fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}
