//! Forms with files in them, as they arrive: `multipart/form-data`.
//!
//! The parser is pushed and copies nothing: the caller owns the bytes, keeps those that were not
//! used, and calls again when more have come.
//!
//! *Spec*: RFC 7578, RFC 2046 §5.1.
//!
//! ```
//! use avocet_semantics::multipart::{Event, Parser};
//!
//! let mut parser = Parser::for_form(b"multipart/form-data; boundary=b").unwrap();
//! let form = b"--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\nvalue\r\n--b--\r\n";
//! let mut rest = &form[..];
//! let mut value = Vec::new();
//! loop {
//!     let step = parser.read(rest).unwrap();
//!     rest = &rest[step.used..];
//!     match step.event {
//!         Event::Part(head) => assert_eq!(head.name, "n"),
//!         Event::Data(bytes) => value.extend_from_slice(bytes),
//!         Event::PartEnd => {}
//!         Event::End | Event::NeedMore => break,
//!     }
//! }
//! assert!(parser.is_complete() && value == b"value");
//! ```

mod head;

use crate::Error;
use crate::media_types::MediaType;

pub use head::PartHead;

/// Takes a form apart.
///
/// *Bounds*: heads of parts of 8 KiB and 16 fields, 1,000 parts. What waits for more input is never
/// longer than a head and a delimiter.
///
/// *Errors*: all that RFC 7578 does not provide for: text before the first part or after the last,
/// lines that do not end in CRLF, parts without a name, transfer codings.
#[derive(Clone, Debug)]
pub struct Parser {
    /// CRLF, two dashes and the boundary.
    delimiter: Vec<u8>,
    state: State,
    /// How much of a head that is incomplete was searched for its end.
    scanned: usize,
    parts: usize,
    /// Bytes used so far, for messages.
    offset: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing has been read.
    Start,
    /// The delimiter was read; CRLF or two dashes follow.
    Delimited,
    Head,
    /// The head was read, but for the empty line behind it.
    Blank,
    Data,
    /// The last delimiter was read; one CRLF may follow.
    Last,
    Over,
}

/// What a call of [`Parser::read`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<'b> {
    /// Bytes of the input that are done with.
    pub used: usize,
    /// What they were.
    pub event: Event<'b>,
}

/// What a form consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'b> {
    /// A part begins.
    Part(PartHead),
    /// Some of its content.
    Data(&'b [u8]),
    /// It ends.
    PartEnd,
    /// The form ends.
    End,
    /// The input does not suffice; what was not used is to be given again, with more behind it.
    NeedMore,
}

impl Parser {
    /// A parser for content of this type.
    ///
    /// *Errors*: another type than `multipart/form-data`, or no boundary.
    pub fn for_form(content_type: &[u8]) -> Result<Self, Error> {
        let invalid = Error::Syntax { what: "type of a form", at: 0 };
        let media_type = MediaType::parse(content_type)?;
        if !media_type.is("multipart", "form-data") {
            return Err(invalid);
        }
        let boundary = media_type.parameter("boundary").ok_or(invalid)?;
        Self::new(&boundary.bytes())
    }

    /// A parser for parts between delimiters with this boundary.
    ///
    /// *Errors*: a boundary that is empty, longer than 70 bytes, or has others than RFC 2046 §5.1.1
    /// allows.
    pub fn new(boundary: &[u8]) -> Result<Self, Error> {
        let is_allowed =
            |byte: &u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(byte);
        let ends_well = boundary.last().is_some_and(|&last| last != b' ');
        let unfit = boundary.iter().position(|byte| !is_allowed(byte));
        if let Some(at) = unfit {
            return Err(Error::Syntax { what: "boundary", at });
        }
        if !ends_well || boundary.len() > LONGEST_BOUNDARY {
            return Err(Error::Syntax { what: "boundary", at: boundary.len() });
        }
        let delimiter = [b"\r\n--", boundary].concat();
        Ok(Self { delimiter, state: State::Start, scanned: 0, parts: 0, offset: 0 })
    }

    /// Whether the last delimiter was read. Content that ends before was cut off.
    pub fn is_complete(&self) -> bool {
        matches!(self.state, State::Last | State::Over)
    }

    /// Reads on. Each call gives one event; `NeedMore` when there is none in the input yet.
    ///
    /// *Errors*: as the type says; the parser is of no use after one.
    pub fn read<'b>(&mut self, input: &'b [u8]) -> Result<Step<'b>, Error> {
        let mut used = 0;
        loop {
            let rest = &input[used..];
            let (count, event) = match self.state {
                State::Start => self.start(rest)?,
                State::Delimited => self.delimited(rest)?,
                State::Head => self.head(rest)?,
                State::Blank => self.blank(rest),
                State::Data => self.data(rest),
                State::Last | State::Over => self.last(rest)?,
            };
            used += count;
            self.offset += count as u64;
            match event {
                Some(event) => return Ok(Step { used, event }),
                None if count == 0 => return Ok(Step { used, event: Event::NeedMore }),
                None => {}
            }
        }
    }

    /// The first delimiter has no line before it, or an empty one.
    fn start(&mut self, rest: &[u8]) -> Result<(usize, Option<Event<'static>>), Error> {
        let skipped = if rest.starts_with(b"\r") { 0 } else { 2 };
        let wanted = &self.delimiter[skipped..];
        if rest.starts_with(wanted) {
            let count = wanted.len();
            self.state = State::Delimited;
            return Ok((count, None));
        }
        if wanted.starts_with(rest) { Ok((0, None)) } else { Err(self.error("first delimiter")) }
    }

    fn delimited(&mut self, rest: &[u8]) -> Result<(usize, Option<Event<'static>>), Error> {
        match rest {
            [b'\r', b'\n', ..] => {
                self.parts += 1;
                if self.parts > MOST_PARTS {
                    return Err(Error::TooMany { what: "parts", limit: MOST_PARTS });
                }
                self.state = State::Head;
                Ok((2, None))
            }
            [b'-', b'-', ..] => {
                self.state = State::Last;
                Ok((2, None))
            }
            [] | [b'\r' | b'-'] => Ok((0, None)),
            _ => Err(self.error("end of a delimiter")),
        }
    }

    fn head(&mut self, rest: &[u8]) -> Result<(usize, Option<Event<'static>>), Error> {
        if rest.starts_with(b"\r\n") {
            return Err(self.error("head of a part"));
        }
        // The end may have begun in what was searched before.
        let from = self.scanned.saturating_sub(3);
        let within = &rest[from.min(rest.len())..rest.len().min(LONGEST_HEAD)];
        let Some(end) = within.windows(4).position(|four| four == b"\r\n\r\n") else {
            if rest.len() >= LONGEST_HEAD {
                return Err(Error::TooMany {
                    what: "bytes in the head of a part",
                    limit: LONGEST_HEAD,
                });
            }
            self.scanned = rest.len();
            return Ok((0, None));
        };
        let end = from + end;
        let head = PartHead::parse(&rest[..end]).map_err(|error| error.after(self.place()))?;
        self.scanned = 0;
        self.state = State::Blank;
        Ok((end + 2, Some(Event::Part(head))))
    }

    /// A part without content may end with its head: the empty line is that of the delimiter then.
    fn blank(&mut self, rest: &[u8]) -> (usize, Option<Event<'static>>) {
        if rest.starts_with(&self.delimiter) {
            self.state = State::Delimited;
            return (self.delimiter.len(), Some(Event::PartEnd));
        }
        if self.delimiter.starts_with(rest) {
            return (0, None);
        }
        self.state = State::Data;
        (2, None)
    }

    fn data<'b>(&mut self, rest: &'b [u8]) -> (usize, Option<Event<'b>>) {
        let mut at = 0;
        while let Some(next) = rest[at..].iter().position(|&byte| byte == b'\r') {
            at += next;
            if rest[at..].starts_with(&self.delimiter) {
                if at > 0 {
                    return (at, Some(Event::Data(&rest[..at])));
                }
                self.state = State::Delimited;
                return (self.delimiter.len(), Some(Event::PartEnd));
            }
            if self.delimiter.starts_with(&rest[at..]) {
                return if at > 0 { (at, Some(Event::Data(&rest[..at]))) } else { (0, None) };
            }
            at += 1;
        }
        if rest.is_empty() { (0, None) } else { (rest.len(), Some(Event::Data(rest))) }
    }

    fn last(&mut self, rest: &[u8]) -> Result<(usize, Option<Event<'static>>), Error> {
        match (self.state, rest) {
            (_, []) => Ok((0, Some(Event::End))),
            (State::Last, [b'\r']) => Ok((0, None)),
            (State::Last, [b'\r', b'\n', ..]) => {
                self.state = State::Over;
                Ok((2, None))
            }
            _ => Err(self.error("end of a form")),
        }
    }

    fn place(&self) -> usize {
        usize::try_from(self.offset).unwrap_or(usize::MAX)
    }

    fn error(&self, what: &'static str) -> Error {
        Error::Syntax { what, at: self.place() }
    }
}

/// RFC 2046 §5.1.1.
const LONGEST_BOUNDARY: usize = 70;
const LONGEST_HEAD: usize = 8 * 1024;
const MOST_PARTS: usize = 1_000;

#[cfg(test)]
mod tests;
