//! A response of the low-level face.

use std::io::{self, Read};
use std::time::Instant;

use avocet_wire::{Eof, Event, FieldBuf, Fields, Framing, OwnedResponseHead, ReadError};
use http::header::{CONTENT_TYPE, HeaderName};
use http::{StatusCode, Version};

use super::{Direction, RawConnection};
use crate::charset;
use crate::error::{Error, ErrorKind, Phase};

/// A response whose head has come; its content is read from it.
///
/// Until it is read to its end its connection carries no other response.
pub struct RawResponse<'c> {
    connection: &'c mut RawConnection,
    head: OwnedResponseHead,
    length: Option<u64>,
    will_close: bool,
    /// Content that was stepped over, and how much of it was read.
    content: Vec<u8>,
    taken: usize,
    ended: bool,
    trailers: FieldBuf,
}

impl<'c> RawResponse<'c> {
    pub(super) fn wait(connection: &'c mut RawConnection) -> Result<Self, Error> {
        let mut until = Instant::now() + connection.config.timeouts.head;
        loop {
            match step(connection, Phase::Head)? {
                Stepped::More { seen } => {
                    let more = more(connection, seen, Phase::Head, until)?;
                    if !more {
                        return Err(early(connection, Phase::Head));
                    }
                }
                Stepped::Interim => until = Instant::now() + connection.config.timeouts.head,
                Stepped::Head(head, framing) => {
                    connection.unread = true;
                    let length = match framing {
                        Framing::Empty => Some(0),
                        Framing::Length(length) => Some(length),
                        Framing::Chunked | Framing::UntilClose => None,
                    };
                    let will_close = connection.conn.will_close();
                    let (content, trailers) = (Vec::new(), FieldBuf::new());
                    let mut response = Self {
                        connection,
                        head: *head,
                        length,
                        will_close,
                        content,
                        taken: 0,
                        ended: false,
                        trailers,
                    };
                    if framing == Framing::Empty {
                        response.fill()?;
                    }
                    return Ok(response);
                }
                Stepped::Data(_) | Stepped::End(_) | Stepped::Switched => {
                    return Err(out_of_step(connection));
                }
            }
        }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.head.status()
    }

    /// The reason phrase, as it came.
    pub fn reason(&self) -> &[u8] {
        self.head.reason()
    }

    /// The version of HTTP that the server speaks.
    pub fn version(&self) -> Version {
        self.head.version()
    }

    /// The head.
    pub fn head(&self) -> &OwnedResponseHead {
        &self.head
    }

    /// The field lines in their order.
    pub fn fields(&self) -> Fields<'_> {
        self.head.fields()
    }

    /// The values of all field lines of this name, joined to a list; `None` if there is none.
    pub fn field(&self, name: &HeaderName) -> Option<String> {
        let values: Vec<_> =
            self.fields().get_all(name).map(|value| String::from_utf8_lossy(value)).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// The size of the content, where the head says it.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Whether the connection ends with this response.
    pub fn will_close(&self) -> bool {
        self.will_close
    }

    /// Whether the content was read to its end.
    pub fn is_read(&self) -> bool {
        self.ended && self.taken == self.content.len()
    }

    /// The trailers, once the content was read to its end.
    pub fn trailers(&self) -> &FieldBuf {
        &self.trailers
    }

    /// The content, at most `limit` bytes.
    ///
    /// *Blocking*: until it is there. *Errors*: [`ErrorKind::CutShort`] when it ends early,
    /// [`ErrorKind::Limit`] when there is more, and whatever befalls the connection.
    pub fn content(&mut self, limit: usize) -> Result<Vec<u8>, Error> {
        let mut all = Vec::new();
        while self.fill()? {
            let new = &self.content[self.taken..];
            if new.len() > limit - all.len() {
                let message = format!("the content is larger than {limit} bytes");
                let error = Error::new(ErrorKind::Limit, Phase::Content, message);
                return Err(error.about(&self.connection.url));
            }
            all.extend_from_slice(new);
            self.taken = self.content.len();
        }
        Ok(all)
    }

    /// The content as text, at most `limit` bytes; see [`Response::text`](crate::Response::text).
    ///
    /// *Errors*: as [`RawResponse::content`]; [`ErrorKind::Decode`] when it is no text.
    pub fn text(&mut self, limit: usize) -> Result<String, Error> {
        let bytes = self.content(limit)?;
        charset::decode(bytes, self.head.fields().get(&CONTENT_TYPE)).map_err(|message| {
            Error::new(ErrorKind::Decode, Phase::Content, message).about(&self.connection.url)
        })
    }

    /// Waits for content that was not read; false at its end.
    fn fill(&mut self) -> Result<bool, Error> {
        if self.taken < self.content.len() {
            return Ok(true);
        }
        self.content.clear();
        self.taken = 0;
        while !self.ended {
            let connection = &mut *self.connection;
            match step(connection, Phase::Content)? {
                Stepped::More { seen } => {
                    let until = Instant::now() + connection.config.timeouts.between;
                    if !more(connection, seen, Phase::Content, until)? {
                        match connection.conn.read_eof() {
                            Ok(Eof::End) => self.end(FieldBuf::new()),
                            Ok(Eof::Clean) | Err(_) => {
                                return Err(early(connection, Phase::Content));
                            }
                        }
                    }
                }
                Stepped::Data(bytes) => {
                    self.content = bytes;
                    return Ok(true);
                }
                Stepped::End(trailers) => self.end(trailers),
                Stepped::Interim | Stepped::Head(..) | Stepped::Switched => {
                    return Err(out_of_step(connection));
                }
            }
        }
        Ok(false)
    }

    /// The response is read: the connection is free for what comes next, or closed.
    fn end(&mut self, trailers: FieldBuf) {
        self.trailers = trailers;
        self.ended = true;
        self.connection.unread = false;
        if self.connection.conn.next_cycle().is_err() {
            self.connection.close();
        }
    }
}

impl Read for RawResponse<'_> {
    /// *Blocking*: until content comes. *Errors*: as [`RawResponse::content`], as the inner error.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() || !self.fill().map_err(io::Error::other)? {
            return Ok(0);
        }
        let available = &self.content[self.taken..];
        let count = available.len().min(buf.len());
        buf[..count].copy_from_slice(&available[..count]);
        self.taken += count;
        Ok(count)
    }
}

enum Stepped {
    /// More input is needed than so many bytes.
    More {
        seen: usize,
    },
    Interim,
    Head(Box<OwnedResponseHead>, Framing),
    Data(Vec<u8>),
    End(FieldBuf),
    Switched,
}

/// One step over the input.
fn step(connection: &mut RawConnection, phase: Phase) -> Result<Stepped, Error> {
    let RawConnection { conn, table, pump, .. } = connection;
    let Some(pump) = pump else { return Err(early(connection, phase)) };
    let mut seen_head = None;
    let stepped = pump.with_input(|input| {
        let step = match conn.read(input, table) {
            Ok(step) => step,
            Err(error) => return (0, Err(error)),
        };
        let used = step.used;
        let stepped = match step.event {
            Event::NeedMore | Event::Paused => Stepped::More { seen: input.len() - used },
            Event::Interim(_) => {
                seen_head = Some(input[..used].to_vec());
                Stepped::Interim
            }
            Event::Head { head, body, .. } => {
                seen_head = Some(input[..used].to_vec());
                Stepped::Head(Box::new(head.to_owned()), body)
            }
            Event::Data(bytes) => Stepped::Data(bytes.to_vec()),
            Event::End(trailers) => {
                let mut kept = FieldBuf::new();
                for (name, value) in trailers.iter() {
                    if let Err(error) = kept.push_raw(name, value) {
                        log::debug!("a trailer field was dropped: {error}");
                    }
                }
                Stepped::End(kept)
            }
            Event::Switched => Stepped::Switched,
        };
        (used, Ok(stepped))
    });
    if let Some(head) = seen_head {
        connection.show(Direction::Received, &head);
    }
    stepped.map_err(|error| {
        let kind = match error {
            ReadError::LimitExceeded { .. } => ErrorKind::Limit,
            _ => ErrorKind::Protocol,
        };
        let failed = Error::new(kind, phase, error).caused_by(error).about(&connection.url);
        connection.close();
        failed
    })
}

fn more(
    connection: &mut RawConnection,
    seen: usize,
    phase: Phase,
    until: Instant,
) -> Result<bool, Error> {
    let Some(pump) = &mut connection.pump else { return Ok(false) };
    let more = pump.more(seen, phase, until);
    more.map_err(|error| {
        let error = error.about(&connection.url);
        connection.close();
        error
    })
}

fn early(connection: &mut RawConnection, phase: Phase) -> Error {
    let message = match phase {
        Phase::Head => "the server closed without an answer, or within its head",
        _ => "the server closed before the content was complete",
    };
    connection.close();
    Error::new(ErrorKind::CutShort, phase, message).about(&connection.url)
}

fn out_of_step(connection: &mut RawConnection) -> Error {
    let message = "the server switched to another protocol, or answered out of step";
    connection.close();
    Error::new(ErrorKind::Protocol, Phase::Head, message).about(&connection.url)
}
