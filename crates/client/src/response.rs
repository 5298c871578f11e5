//! A response of the blocking face.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::rc::Rc;

use avocet_wire::{FieldBuf, Fields, OwnedResponseHead};
use http::header::HeaderName;
use http::{StatusCode, Version};
use url::Url;

use crate::error::{Error, ErrorKind, Phase};
use crate::multi::{Multi, TransferId};
use crate::transfer::{Past, Times};

/// A response whose head has come; its content is read from it, as [`Read`] or whole.
///
/// Dropping it unread ends the connection. It stays on the thread of its engine.
pub struct Response {
    engine: Rc<RefCell<Multi>>,
    id: TransferId,
    head: OwnedResponseHead,
    url: Url,
    history: Vec<Past>,
    ended: bool,
    trailers: FieldBuf,
}

impl Response {
    pub(crate) fn new(
        engine: Rc<RefCell<Multi>>,
        id: TransferId,
        head: OwnedResponseHead,
        url: Url,
        history: Vec<Past>,
    ) -> Self {
        Self { engine, id, head, url, history, ended: false, trailers: FieldBuf::new() }
    }

    /// The head.
    pub fn head(&self) -> &OwnedResponseHead {
        &self.head
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.head.status()
    }

    /// The version of HTTP that the server speaks.
    pub fn version(&self) -> Version {
        self.head.version()
    }

    /// The field lines in their order.
    pub fn fields(&self) -> Fields<'_> {
        self.head.fields()
    }

    /// The value of the first field line of this name, where it is text.
    pub fn field(&self, name: &HeaderName) -> Option<&str> {
        self.head.fields().get(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Where the response came from, after redirects.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The redirects that led here, the first first.
    pub fn history(&self) -> &[Past] {
        &self.history
    }

    /// The trailers, once the content was read to its end.
    pub fn trailers(&self) -> &FieldBuf {
        &self.trailers
    }

    /// When things happened so far.
    pub fn times(&self) -> Option<Times> {
        self.engine.borrow_mut().with(self.id, |transfer| transfer.times)
    }

    /// The content, at most `limit` bytes.
    ///
    /// *Errors*: as reading; [`ErrorKind::Limit`] when there is more.
    pub fn bytes(&mut self, limit: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        while self.fill()? {
            let room = limit - bytes.len();
            let (taken, more) = self.take(|available| {
                let count = available.len().min(room);
                bytes.extend_from_slice(&available[..count]);
                (count, available.len() > count)
            });
            if more && taken == room {
                let message = format!("the content is larger than {limit} bytes");
                return Err(Error::new(ErrorKind::Limit, Phase::Content, message).about(&self.url));
            }
        }
        Ok(bytes)
    }

    /// The content as text in UTF-8, at most `limit` bytes.
    ///
    /// *Errors*: as [`Response::bytes`]; [`ErrorKind::Decode`] when it is not UTF-8.
    pub fn text(&mut self, limit: usize) -> Result<String, Error> {
        String::from_utf8(self.bytes(limit)?).map_err(|error| {
            Error::new(ErrorKind::Decode, Phase::Content, "the content is not text in UTF-8")
                .caused_by(error)
                .about(&self.url)
        })
    }

    /// Copies the content to a writer; the number of bytes.
    ///
    /// *Errors*: as reading; [`ErrorKind::Receiver`] when the writer fails.
    pub fn copy_to(&mut self, writer: &mut impl Write) -> Result<u64, Error> {
        let mut total = 0;
        while self.fill()? {
            let (count, written) =
                self.take(|available| (available.len(), writer.write_all(available)));
            total += count as u64;
            written.map_err(|error| {
                Error::new(ErrorKind::Receiver, Phase::Content, &error)
                    .caused_by(error)
                    .about(&self.url)
            })?;
        }
        Ok(total)
    }

    /// Turns the engine until there is content; false at its end.
    fn fill(&mut self) -> Result<bool, Error> {
        if self.ended {
            return Ok(false);
        }
        loop {
            let mut engine = self.engine.borrow_mut();
            let found = engine.with(self.id, |transfer| {
                let inbox = transfer.inbox()?;
                if inbox.taken < inbox.bytes.len() {
                    return Some(Ok(None));
                }
                inbox.end.take().map(|end| end.map(Some))
            });
            match found.flatten() {
                Some(Ok(None)) => return Ok(true),
                Some(Ok(Some(trailers))) => {
                    drop(engine);
                    self.trailers = trailers;
                    self.ended = true;
                    return Ok(false);
                }
                Some(Err(error)) => {
                    self.ended = true;
                    return Err(error);
                }
                None => engine.turn(None)?,
            }
        }
    }

    /// Gives what has come to `take`, which says how much of it is done with.
    fn take<T>(&mut self, take: impl FnOnce(&[u8]) -> (usize, T)) -> (usize, T) {
        let mut engine = self.engine.borrow_mut();
        let mut take = Some(take);
        let taken = engine.with(self.id, |transfer| {
            let stopped = !transfer.wants_data();
            let inbox = transfer.inbox()?;
            let (count, result) = take.take()?(&inbox.bytes[inbox.taken..]);
            inbox.taken += count;
            if inbox.taken == inbox.bytes.len() {
                inbox.bytes.clear();
                inbox.taken = 0;
            }
            transfer.backlog -= count;
            Some((count, result, stopped && transfer.wants_data()))
        });
        match taken.flatten() {
            Some((count, result, resume)) => {
                if resume {
                    engine.wake(self.id);
                }
                (count, result)
            }
            None => take.map_or_else(
                || unreachable!("the closure is taken only where its result is returned"),
                |take| take(&[]),
            ),
        }
    }
}

impl Read for Response {
    /// *Blocking*: until content comes. *Errors*: those of the transfer, as the inner error.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() || !self.fill().map_err(io::Error::other)? {
            return Ok(0);
        }
        let (count, ()) = self.take(|available| {
            let count = available.len().min(buf.len());
            buf[..count].copy_from_slice(&available[..count]);
            (count, ())
        });
        Ok(count)
    }
}

impl Drop for Response {
    fn drop(&mut self) {
        // The engine is borrowed only while one of the methods above runs.
        if let Ok(mut engine) = self.engine.try_borrow_mut() {
            engine.cancel(self.id);
        }
    }
}
