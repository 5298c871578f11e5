//! A response of the blocking face.

use std::cell::RefCell;
use std::io::{self, BufRead, Read, Write};
use std::rc::Rc;

use avocet_wire::{FieldBuf, Fields, OwnedResponseHead};
use http::header::{CONTENT_TYPE, HeaderName};
use http::{StatusCode, Version};
use url::Url;

use crate::charset;
use crate::error::{Error, ErrorKind, Phase};
use crate::ids::TransferId;
use crate::multi::Multi;
use crate::report::{Past, Report, Times};
use crate::transfer::Transfer;

/// A response whose head has come; its content is read from it, as [`Read`] or [`BufRead`], or whole.
///
/// Dropping it unread ends the connection. It stays on the thread of its engine.
///
/// ```no_run
/// use std::io::BufRead;
///
/// let response = avocet_client::Client::new().get("http://localhost:8080/log").send()?;
/// for line in response.error_for_status()?.lines() {
///     println!("{}", line?);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Response {
    transfer: Handle,
    head: OwnedResponseHead,
    url: Url,
    history: Vec<Past>,
    /// Content that was taken from the engine, and how much of it was read.
    bytes: Vec<u8>,
    taken: usize,
    ended: bool,
    trailers: FieldBuf,
}

/// A transfer of the blocking face, which is cancelled when nobody holds it any more.
struct Handle {
    engine: Rc<RefCell<Multi>>,
    id: TransferId,
}

impl Response {
    /// Waits for the head of a response.
    pub(crate) fn wait(engine: Rc<RefCell<Multi>>, id: TransferId) -> Result<Self, Error> {
        let transfer = Handle { engine, id };
        loop {
            let found = transfer.with(|transfer| {
                let inbox = transfer.inbox()?;
                if let Some(head) = inbox.head.take() {
                    let history = std::mem::take(&mut transfer.report.history);
                    return Some(Ok((head, transfer.report.url.clone(), history)));
                }
                inbox.end.take_if(|end| end.is_err()).and_then(Result::err).map(Err)
            });
            match found? {
                Some(Ok((head, url, history))) => {
                    let (bytes, trailers) = (Vec::new(), FieldBuf::new());
                    return Ok(Self {
                        transfer,
                        head,
                        url,
                        history,
                        bytes,
                        taken: 0,
                        ended: false,
                        trailers,
                    });
                }
                Some(Err(error)) => return Err(error),
                None => transfer.turn()?,
            }
        }
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
        self.transfer.with(|transfer| Some(transfer.report.times)).ok().flatten()
    }

    /// What is on record so far.
    pub fn report(&self) -> Option<Report> {
        let report = self.transfer.with(|transfer| Some(transfer.report.clone()));
        report.ok().flatten().map(|mut report| {
            report.history.clone_from(&self.history);
            report
        })
    }

    /// The response itself, unless its status is 400 or above.
    ///
    /// *Errors*: [`ErrorKind::Status`], with the status and the URL.
    pub fn error_for_status(self) -> Result<Self, Error> {
        let status = self.status();
        if !status.is_client_error() && !status.is_server_error() {
            return Ok(self);
        }
        let message = format!("the server answered {status}");
        let error = Error::new(ErrorKind::Status, Phase::Head, message);
        Err(error.with_status(status).about(&self.url))
    }

    /// The same as [`Response::content`]. Where [`Read`] is imported its own `bytes` hides this one.
    ///
    /// *Errors*: as there.
    pub fn bytes(&mut self, limit: usize) -> Result<Vec<u8>, Error> {
        self.content(limit)
    }

    /// The content, at most `limit` bytes.
    ///
    /// *Errors*: as reading; [`ErrorKind::Limit`] when there is more.
    pub fn content(&mut self, limit: usize) -> Result<Vec<u8>, Error> {
        let mut all = Vec::new();
        while self.fill()? {
            let new = &self.bytes[self.taken..];
            if new.len() > limit - all.len() {
                let message = format!("the content is larger than {limit} bytes");
                return Err(Error::new(ErrorKind::Limit, Phase::Content, message).about(&self.url));
            }
            if all.is_empty() && self.taken == 0 {
                std::mem::swap(&mut all, &mut self.bytes);
            } else {
                all.extend_from_slice(new);
            }
            self.taken = self.bytes.len();
        }
        Ok(all)
    }

    /// The content as text, at most `limit` bytes: by its byte order mark, else by the charset of
    /// Content-Type, else in UTF-8. Known are UTF-8, UTF-16, and Windows-1252, which the web also
    /// calls ISO-8859-1 and US-ASCII.
    ///
    /// *Errors*: as [`Response::content`]; [`ErrorKind::Decode`] when it is none, or of another
    /// charset.
    pub fn text(&mut self, limit: usize) -> Result<String, Error> {
        let bytes = self.content(limit)?;
        charset::decode(bytes, self.head.fields().get(&CONTENT_TYPE)).map_err(|message| {
            Error::new(ErrorKind::Decode, Phase::Content, message).about(&self.url)
        })
    }

    /// Copies the content to a writer; the number of bytes.
    ///
    /// *Errors*: as reading; [`ErrorKind::Receiver`] when the writer fails.
    pub fn copy_to(&mut self, writer: &mut impl Write) -> Result<u64, Error> {
        let mut total = 0;
        while self.fill()? {
            let new = &self.bytes[self.taken..];
            writer.write_all(new).map_err(|error| {
                Error::new(ErrorKind::Receiver, Phase::Content, &error)
                    .caused_by(error)
                    .about(&self.url)
            })?;
            total += new.len() as u64;
            self.taken = self.bytes.len();
        }
        Ok(total)
    }

    /// Turns the engine until there is content that was not read; false at its end.
    fn fill(&mut self) -> Result<bool, Error> {
        if self.taken < self.bytes.len() {
            return Ok(true);
        }
        self.bytes.clear();
        self.taken = 0;
        while !self.ended {
            let (bytes, mut stopped) = (&mut self.bytes, false);
            let found = self.transfer.with(|transfer| {
                let inbox = transfer.inbox()?;
                if inbox.bytes.is_empty() {
                    return inbox.end.take().map(|end| end.map(Some));
                }
                std::mem::swap(&mut inbox.bytes, bytes);
                stopped = !transfer.wants_data();
                transfer.backlog = 0;
                Some(Ok(None))
            });
            match found {
                Ok(None) => self.transfer.turn()?,
                Ok(Some(Ok(None))) => {
                    if stopped {
                        self.transfer.wake();
                    }
                    return Ok(true);
                }
                Ok(Some(Ok(Some(trailers)))) => {
                    self.trailers = trailers;
                    self.ended = true;
                }
                Ok(Some(Err(error))) | Err(error) => {
                    self.ended = true;
                    return Err(error);
                }
            }
        }
        Ok(false)
    }
}

impl Read for Response {
    /// *Blocking*: until content comes. *Errors*: those of the transfer, as the inner error.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        let available = self.fill_buf()?;
        let count = available.len().min(buf.len());
        buf[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Response {
    /// *Blocking*: until content comes. *Errors*: those of the transfer, as the inner error.
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.fill().map_err(io::Error::other)?;
        Ok(&self.bytes[self.taken..])
    }

    fn consume(&mut self, count: usize) {
        self.taken = self.bytes.len().min(self.taken + count);
    }
}

impl Handle {
    /// Calls `with` with the transfer.
    ///
    /// *Errors*: it is gone.
    fn with<R>(&self, with: impl FnOnce(&mut Transfer) -> Option<R>) -> Result<Option<R>, Error> {
        let found = self.engine.borrow_mut().with(self.id, with);
        found
            .ok_or_else(|| Error::new(ErrorKind::Cancelled, Phase::Content, "the transfer is gone"))
    }

    fn turn(&self) -> Result<(), Error> {
        self.engine.borrow_mut().turn(None)
    }

    /// Content was taken: the connection may read on.
    fn wake(&self) {
        self.engine.borrow_mut().wake(self.id);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // It is borrowed only while one of the methods above runs.
        if let Ok(mut engine) = self.engine.try_borrow_mut() {
            engine.cancel(self.id);
        }
    }
}
