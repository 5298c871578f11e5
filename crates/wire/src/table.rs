use memchr::memchr;

use crate::bytes::spells;
use crate::{Leniency, Limits};

/// Where the field lines of the current head stand, and the limits under which heads are read.
///
/// One table serves every connection of a thread: [`Connection::read`](crate::Connection::read) fills it
/// anew for each head, and the events borrow it. Once it has grown to the largest head seen it allocates
/// nothing more.
///
/// *Bounds*: 16 bytes for each field line, at most [`Limits::fields`] or [`Limits::trailer_fields`] lines;
/// with [`Leniency::fold_in_response`] also one copy of a folded head, at most [`Limits::head`] bytes.
#[derive(Clone, Debug)]
pub struct FieldTable {
    pub(crate) limits: Limits,
    pub(crate) leniency: Leniency,
    pub(crate) lines: Lines,
    /// A response head whose folded lines were replaced by blanks.
    pub(crate) unfolded: Vec<u8>,
}

impl FieldTable {
    /// An empty table. Nothing is allocated until the first head is read.
    #[must_use]
    pub fn new(limits: Limits, leniency: Leniency) -> Self {
        let largest = u32::MAX as usize;
        let most = usize::from(u16::MAX) - 1;
        let limits = Limits {
            request_line: limits.request_line.min(largest),
            head: limits.head.min(largest),
            fields: limits.fields.min(most),
            chunk_line: limits.chunk_line.min(largest),
            trailers: limits.trailers.min(largest),
            trailer_fields: limits.trailer_fields.min(most),
            interim: limits.interim.min(254),
            ..limits
        };
        Self { limits, leniency, lines: Lines::EMPTY, unfolded: Vec::new() }
    }

    /// The limits, clamped to what positions of 32 bits can hold.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The deviations that are accepted.
    #[must_use]
    pub fn leniency(&self) -> &Leniency {
        &self.leniency
    }
}

/// One field line: positions of name and trimmed value in the bytes of the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) name_start: u32,
    pub(crate) name_end: u32,
    pub(crate) value_start: u32,
    pub(crate) value_end: u32,
}

impl Line {
    /// The bytes of the name.
    #[inline]
    pub(crate) fn name(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.name_start as usize..self.name_end as usize).unwrap_or_default()
    }

    /// The bytes of the value.
    #[inline]
    pub(crate) fn value(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.value_start as usize..self.value_end as usize).unwrap_or_default()
    }
}

/// The lines of one section, and which of them the codec itself must know.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    pub(crate) spans: Vec<Line>,
    pub(crate) known: Known,
}

impl Lines {
    pub(crate) const EMPTY: Self = Self { spans: Vec::new(), known: Known::NONE };

    #[inline]
    pub(crate) fn clear(&mut self) {
        self.spans.clear();
        self.known = Known::NONE;
    }

    /// Adds a line and notes it if its name is one that decides framing, persistence or routing.
    #[inline]
    pub(crate) fn push(&mut self, name: &[u8], line: Line) {
        self.known.note(name, self.spans.len());
        self.spans.push(line);
    }
}

/// The fields that the codec must know, found while the lines are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) host: Seen,
    pub(crate) content_length: Seen,
    pub(crate) transfer_encoding: Seen,
    pub(crate) connection: Seen,
    pub(crate) expect: Seen,
    pub(crate) upgrade: Seen,
}

/// How often a field was seen, and on which line first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) first: u16,
    pub(crate) count: u16,
}

impl Seen {
    const NEVER: Self = Self { first: 0, count: 0 };

    #[inline]
    fn note(&mut self, index: usize) {
        if self.count == 0 {
            self.first = u16::try_from(index).unwrap_or(u16::MAX);
        }
        self.count = self.count.saturating_add(1);
    }

    #[inline]
    pub(crate) fn any(self) -> bool {
        self.count != 0
    }
}

impl Known {
    pub(crate) const NONE: Self = Self {
        host: Seen::NEVER,
        content_length: Seen::NEVER,
        transfer_encoding: Seen::NEVER,
        connection: Seen::NEVER,
        expect: Seen::NEVER,
        upgrade: Seen::NEVER,
    };

    /// Looks at the length first: most names differ from all six by it alone.
    #[inline]
    fn note(&mut self, name: &[u8], index: usize) {
        match name.len() {
            4 if spells(name, b"host") => self.host.note(index),
            6 if spells(name, b"expect") => self.expect.note(index),
            7 if spells(name, b"upgrade") => self.upgrade.note(index),
            10 if spells(name, b"connection") => self.connection.note(index),
            14 if spells(name, b"content-length") => self.content_length.note(index),
            17 if spells(name, b"transfer-encoding") => self.transfer_encoding.note(index),
            _ => {}
        }
    }
}

/// What a search for the end of a section found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scan {
    /// The empty line ends here, or a line ends in a way that the parser will refuse.
    Stop(usize),
    /// Neither is in sight.
    Nothing,
}

/// Looks in `bytes[from..]` for the end of a section whose first line has begun at 0.
///
/// Bytes before `from` were searched by earlier calls, so that the search over all calls is linear.
pub(crate) fn scan_end(bytes: &[u8], from: usize, allow_bare_lf: bool) -> Scan {
    let mut at = from;
    while let Some(offset) = bytes.get(at..).and_then(|rest| memchr(b'\n', rest)) {
        let end = at + offset;
        let before = bytes.get(..end).unwrap_or_default();
        match before {
            [] | [.., b'\n', b'\r'] | [b'\r'] => return Scan::Stop(end + 1),
            [.., b'\r'] => {}
            [.., b'\n'] => return Scan::Stop(end + 1),
            _ if !allow_bare_lf => return Scan::Stop(end + 1),
            _ => {}
        }
        at = end + 1;
    }
    Scan::Nothing
}
