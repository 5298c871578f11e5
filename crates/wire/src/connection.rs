use std::fmt;
use std::marker::PhantomData;

use crate::content::{Content, Piece};
use crate::cycle::{CloseReason, Cycle, Facts, ReadStep, Reading, SendStep, Sending};
use crate::error::{Fault, Part, ReadError};
use crate::fields::Fields;
use crate::framing::Framing;
use crate::response::ResponseHead;
use crate::role::Role;
use crate::send_error::SendError;
use crate::table::FieldTable;
use crate::unfinished::Unfinished;
use crate::{FieldBuf, trailers};

/// One side of an HTTP/1 connection: it reads the messages of the peer from bytes that the caller owns,
/// and frames the messages that the caller sends.
///
/// It holds 40 bytes of state and no buffer. The order of calls: [`read`](Self::read) until it says
/// [`Event::NeedMore`] or [`Event::Paused`]; send a head, [`frame_data`](Self::frame_data) for each piece of
/// content, [`send_end`](Self::send_end); when both halves are done, [`next_cycle`](Self::next_cycle).
///
#[doc = include_str!("cycle/states.md")]
#[derive(Clone)]
pub struct Connection<R: Role> {
    pub(crate) cycle: Cycle,
    pub(crate) content: Content,
    /// Bytes of declared content that are still to be sent.
    pub(crate) unsent: u64,
    /// What was looked at of a head, line or trailer section that has not come whole.
    pub(crate) unfinished: Unfinished,
    role: PhantomData<R>,
}

/// What one call of [`Connection::read`] found.
#[derive(Debug)]
pub struct Step<'b, R: Role> {
    /// The bytes at the start of the input that are dealt with. The caller drops them before the next call.
    pub used: usize,
    /// What they were.
    pub event: Event<'b, R>,
}

/// A part of a message, borrowed from the input and the field table.
#[derive(Debug)]
pub enum Event<'b, R: Role> {
    /// The head of a request, or of a final response.
    Head {
        /// The head.
        head: R::Incoming<'b>,
        /// How its content ends.
        body: Framing,
        /// Whether the client waits for a 100 before it sends the content. Never set for responses.
        expects_continue: bool,
    },
    /// The head of an interim response (1xx but 101).
    Interim(ResponseHead<'b>),
    /// Content, its framing removed. Never empty.
    Data(&'b [u8]),
    /// The end of the message, given once for each, with the trailers that may be used.
    End(Fields<'b>),
    /// More bytes are needed.
    NeedMore,
    /// The other half must finish first, then [`Connection::next_cycle`].
    Paused,
    /// What follows belongs to another protocol.
    Switched,
}

/// What the end of the input means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eof {
    /// Nothing is missing: the peer closed between messages, or after its last.
    Clean,
    /// The end of the content, which was to last until the close. Stands for [`Event::End`].
    End,
}

/// The content of a message to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodySize {
    /// There is none.
    Empty,
    /// This many bytes.
    Known(u64),
    /// It ends when it ends: sent as chunks, or to a client of HTTP/1.0 until the close.
    Unknown,
}

impl BodySize {
    pub(crate) fn is_empty(self) -> bool {
        matches!(self, Self::Empty | Self::Known(0))
    }
}

impl<R: Role> Connection<R> {
    /// A fresh connection.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            cycle: Cycle::new(),
            content: Content::NONE,
            unsent: 0,
            unfinished: Unfinished::NOTHING,
            role: PhantomData,
        }
    }

    /// Reads one event from `input`, which is all bytes that came and were not used.
    ///
    /// The caller drops [`Step::used`] bytes and calls again, until [`Event::NeedMore`] or
    /// [`Event::Paused`]. After `NeedMore` the next call gets the unused bytes and newer ones behind them;
    /// the bytes searched already are remembered, so that over all calls the work is linear.
    ///
    /// *Errors*: [`ReadError`]; from then on every call gives [`ReadError::Failed`], so that no later byte of
    /// the connection is taken for a message. A server can still answer.
    #[inline]
    pub fn read<'b>(
        &mut self,
        input: &'b [u8],
        table: &'b mut FieldTable,
    ) -> Result<Step<'b, R>, ReadError> {
        debug_assert!(self.unfinished.scanned as usize <= input.len(), "unused bytes were dropped");
        match self.cycle.reading {
            Reading::Head => R::read_head(self, input, table),
            Reading::Content => self.read_content(input, table),
            Reading::End => {
                self.take_end();
                Ok(Step { used: 0, event: Event::End(Fields::none()) })
            }
            Reading::Done | Reading::Closed => Ok(Step { used: 0, event: Event::Paused }),
            Reading::Switched => Ok(Step { used: 0, event: Event::Switched }),
            Reading::Failed => Err(ReadError::Failed),
        }
    }

    /// Steps over the end of a message whose content has ended, as [`read`](Self::read) does when it
    /// gives [`Event::End`] without using a byte. False, and nothing happened, everywhere else.
    #[inline]
    pub fn take_end(&mut self) -> bool {
        let is_due = self.cycle.reading == Reading::End;
        if is_due {
            self.cycle.read(ReadStep::EndTold);
            self.cycle.switch_when_due();
        }
        is_due
    }

    fn read_content<'b>(
        &mut self,
        input: &'b [u8],
        table: &'b mut FieldTable,
    ) -> Result<Step<'b, R>, ReadError> {
        let (used, piece) = match self.content.read(input, &mut self.unfinished, table) {
            Ok(read) => read,
            Err(error) => {
                self.cycle.read(ReadStep::Fail);
                return Err(error);
            }
        };
        if used > 0 {
            // RFC 9110 §10.1.1: a server may leave out the 100 once content has come.
            self.cycle.facts.remove(Facts::AWAITS);
        }
        let event = match piece {
            Piece::NeedMore => Event::NeedMore,
            Piece::Data(range) => Event::Data(input.get(range).unwrap_or_default()),
            Piece::LastData(range) => {
                self.cycle.read(ReadStep::LastContent);
                Event::Data(input.get(range).unwrap_or_default())
            }
            Piece::Trailers(range) => {
                self.cycle.read(ReadStep::LastContent);
                self.cycle.read(ReadStep::EndTold);
                self.cycle.switch_when_due();
                let bytes = input.get(range).unwrap_or_default();
                Event::End(Fields { bytes, lines: &table.lines })
            }
        };
        Ok(Step { used, event })
    }

    /// Tells that the peer has closed its side, after all its bytes were read.
    ///
    /// *Errors*: [`ReadError::CutShort`] if a message is incomplete or, on a client, a response is due.
    pub fn read_eof(&mut self) -> Result<Eof, ReadError> {
        let during = match self.cycle.reading {
            Reading::Head if !self.unfinished.is_fresh() || self.response_is_due() => Part::Head,
            Reading::Head | Reading::Done | Reading::Closed | Reading::Switched => {
                self.cycle.read(ReadStep::Close);
                return Ok(Eof::Clean);
            }
            Reading::End => {
                self.cycle.read(ReadStep::Close);
                return Ok(Eof::End);
            }
            Reading::Content => match self.content.at_eof() {
                Ok(()) => {
                    self.cycle.read(ReadStep::Close);
                    return Ok(Eof::End);
                }
                Err(during) => during,
            },
            Reading::Failed => return Err(ReadError::Failed),
        };
        self.cycle.read(ReadStep::Fail);
        Err(ReadError::CutShort { during })
    }

    /// Whether a head is due because this side asked for it. On a server a request is only outstanding
    /// once its head was read.
    fn response_is_due(&self) -> bool {
        self.cycle.reading == Reading::Head && self.cycle.outstanding() > 0
    }

    /// Accounts for `len` bytes of content that the caller sends next. Writes what goes before them to
    /// `out` and gives what goes after them. Nothing happens if `len` is 0.
    ///
    /// *Errors*: [`SendError::ContentNotDue`], or [`SendError::TooLong`] if the head declared less.
    pub fn frame_data(&mut self, len: u64, out: &mut Vec<u8>) -> Result<&'static [u8], SendError> {
        if len == 0 {
            return Ok(b"");
        }
        if self.cycle.sending != Sending::Content {
            let declared = self.cycle.sending == Sending::Done
                && !self.cycle.facts.has(Facts::CHUNKED)
                && !self.cycle.facts.has(Facts::NO_CONTENT);
            return Err(if declared {
                SendError::TooLong { left: 0 }
            } else {
                SendError::ContentNotDue
            });
        }
        let facts = self.cycle.facts;
        let has_length = !facts.has(Facts::CHUNKED) && !facts.has(Facts::ENDLESS);
        if has_length {
            let left = self.unsent;
            self.unsent = left.checked_sub(len).ok_or(SendError::TooLong { left })?;
        }
        // A client that sends its content no longer waits for 100.
        self.cycle.facts.remove(Facts::AWAITS);
        if has_length && self.unsent == 0 {
            self.end_sending();
        }
        if !facts.has(Facts::CHUNKED) {
            return Ok(b"");
        }
        crate::bytes::push_hex(out, len);
        out.extend_from_slice(b"\r\n");
        Ok(b"\r\n")
    }

    /// Ends the message that is being sent, with `trailers` if it is chunked.
    ///
    /// A message without content, or with a declared length all of which was sent, is complete already;
    /// then this does nothing.
    ///
    /// *Errors*: [`SendError::TooShort`], [`SendError::TrailersNotChunked`],
    /// [`SendError::ForbiddenTrailer`], [`SendError::ContentNotDue`].
    pub fn send_end(&mut self, trailers: &FieldBuf, out: &mut Vec<u8>) -> Result<(), SendError> {
        let facts = self.cycle.facts;
        match self.cycle.sending {
            Sending::Head => return Err(SendError::ContentNotDue),
            Sending::Done | Sending::Switched => {
                return if facts.has(Facts::NO_CONTENT) {
                    Ok(())
                } else if facts.has(Facts::CHUNKED) || facts.has(Facts::ENDLESS) {
                    Err(SendError::ContentNotDue)
                } else if trailers.is_empty() {
                    Ok(())
                } else {
                    Err(SendError::TrailersNotChunked)
                };
            }
            Sending::Content => {}
        }
        if facts.has(Facts::CHUNKED) {
            if trailers.iter().any(|(name, _)| trailers::is_forbidden(name.as_bytes())) {
                return Err(SendError::ForbiddenTrailer);
            }
            out.extend_from_slice(b"0\r\n");
            out.extend_from_slice(trailers.as_bytes());
            out.extend_from_slice(b"\r\n");
        } else if !trailers.is_empty() {
            return Err(SendError::TrailersNotChunked);
        } else if !facts.has(Facts::ENDLESS) {
            return Err(SendError::TooShort { missing: self.unsent });
        }
        self.end_sending();
        Ok(())
    }

    /// All of the content that the head declared has gone out.
    pub(crate) fn end_sending(&mut self) {
        self.unsent = 0;
        self.cycle.send(SendStep::LastContent);
        self.cycle.switch_when_due();
    }

    /// Whether content is due on the wire: a head was sent that declares some, and it is not complete.
    ///
    /// Not so after the answer to HEAD, after 204 and 304, and after a declared length of 0.
    #[must_use]
    pub fn sends_content(&self) -> bool {
        self.cycle.sending == Sending::Content
    }

    /// Whether `Expect: 100-continue` is in force: on a server, the client waits and nothing of the content
    /// was read; on a client, neither 100 nor a final response came and nothing of the content was sent.
    #[must_use]
    pub fn awaits_continue(&self) -> bool {
        self.cycle.facts.has(Facts::AWAITS)
    }

    /// Lets the connection end with this exchange: the next head that is sent says `Connection: close`.
    pub fn close_after_cycle(&mut self) {
        self.cycle.facts.add(Facts::CLOSE);
    }

    /// Whether the connection must end with this exchange, as far as is known by now.
    #[must_use]
    pub fn will_close(&self) -> bool {
        self.cycle.will_close()
    }

    /// Whether the end of the connection is, or was, the end of content in this exchange. Such content must
    /// not be cut off by an orderly close: the peer would take the part for the whole.
    #[must_use]
    pub fn lasts_until_close(&self) -> bool {
        self.cycle.facts.has(Facts::UNTIL_CLOSE)
    }

    /// Whether the message of the peer is complete and its end was told.
    #[must_use]
    pub fn reading_done(&self) -> bool {
        matches!(self.cycle.reading, Reading::Done | Reading::Closed | Reading::Switched)
    }

    /// Whether the message that this side sends is complete.
    #[must_use]
    pub fn sending_done(&self) -> bool {
        matches!(self.cycle.sending, Sending::Done | Sending::Switched)
    }

    /// Whether the connection carries another protocol now, in both directions.
    #[must_use]
    pub fn has_switched(&self) -> bool {
        self.cycle.reading == Reading::Switched
    }

    /// Begins the next exchange.
    ///
    /// *Errors*: [`CloseReason`]. After [`CloseReason::ReadingUnfinished`] and
    /// [`CloseReason::SendingUnfinished`] the call may be repeated when that half is done; every other reason
    /// is final.
    pub fn next_cycle(&mut self) -> Result<(), CloseReason> {
        self.cycle.next()?;
        self.unfinished = Unfinished::NOTHING;
        Ok(())
    }

    /// Moves both halves when a head was sent whose content is framed so on the wire.
    pub(crate) fn begin_sending(&mut self, framing: Framing) {
        let facts = &mut self.cycle.facts;
        facts.set(Facts::CHUNKED, framing == Framing::Chunked);
        facts.set(Facts::ENDLESS, framing == Framing::UntilClose);
        facts.set(Facts::NO_CONTENT, framing == Framing::Empty);
        self.unsent = if let Framing::Length(length) = framing { length } else { 0 };
        self.cycle.send(if framing == Framing::Empty {
            SendStep::HeadAlone
        } else {
            SendStep::HeadBeforeContent
        });
    }

    /// Moves the reading half when a head was read whose content is framed so.
    #[inline]
    pub(crate) fn begin_content(&mut self, framing: Framing) {
        self.unfinished = Unfinished::NOTHING;
        self.content = Content::new(framing);
        self.cycle.read(if framing == Framing::Empty {
            ReadStep::HeadAlone
        } else {
            ReadStep::HeadBeforeContent
        });
    }
}

impl<R: Role> Default for Connection<R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R: Role> fmt::Debug for Connection<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("reading", &self.cycle.reading)
            .field("sending", &self.cycle.sending)
            .field("outstanding", &self.cycle.outstanding())
            .field("will_close", &self.cycle.will_close())
            .finish_non_exhaustive()
    }
}

/// Skips empty lines before a head and counts them. Gives the bytes skipped.
///
/// RFC 9112 §2.2: "a server that is expecting to receive and parse a request-line SHOULD ignore at least one
/// empty line (CRLF) received prior to the request-line."
#[inline]
pub(crate) fn skip_empty_lines(input: &[u8], count: &mut u8) -> Result<usize, ReadError> {
    let mut skipped = 0;
    while input.get(skipped..).is_some_and(|rest| rest.starts_with(b"\r\n")) {
        if *count == MOST_EMPTY_LINES {
            return Err(ReadError::malformed(Fault::EmptyLines, skipped));
        }
        skipped += 2;
        *count += 1;
    }
    Ok(skipped)
}

/// Most empty lines before a head.
const MOST_EMPTY_LINES: u8 = 8;
