//! Handlers that may block, on the threads of a pool.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use avocet_net::{Notifier, PeerInfo, WorkerPool};
use avocet_wire::{FieldBuf, Fields, InvalidField, OwnedHead};
use bytes::Bytes;
use http::header::HeaderName;
use http::{Method, StatusCode};

use crate::channel::{BodySender, channel};
use crate::handler::Handler;
use crate::reply::{Feed, Reply};
use crate::request::Request;
use crate::response::Response;
use crate::ticket::Ticket;

/// A handler from a function that may block: it reads the request's content and writes the
/// response's as plain streams.
///
/// *Bounds*: 64 KiB of content wait in each direction. When the pool's queue is full the answer is
/// 503 with Retry-After. A function that fails before its first byte of content is answered 500;
/// later, the response is cut off.
///
/// ```no_run
/// use std::io::{Read, Write};
/// use std::sync::Arc;
///
/// use avocet_net::WorkerPool;
/// use avocet_server::blocking;
///
/// let pool = Arc::new(WorkerPool::new());
/// let shout = blocking(pool, |mut request, mut responder| {
///     let mut text = String::new();
///     request.body.read_to_string(&mut text)?;
///     responder.write_all(text.to_uppercase().as_bytes())
/// });
/// ```
pub fn blocking<F>(pool: Arc<WorkerPool>, answer: F) -> impl Handler
where
    F: Fn(OwnedRequest, &mut Responder) -> io::Result<()> + Send + Sync + 'static,
{
    Blocking { pool, answer: Arc::new(answer) }
}

struct Blocking<F> {
    pool: Arc<WorkerPool>,
    answer: Arc<F>,
}

/// A request for another thread.
pub struct OwnedRequest {
    head: OwnedHead,
    peer: PeerInfo,
    /// The content.
    pub body: BodyReader,
}

/// Writes a response. Content goes out in pieces while it is written; a response that fits one piece
/// gets a length.
pub struct Responder {
    ticket: Option<Ticket>,
    status: StatusCode,
    fields: FieldBuf,
    trailers: FieldBuf,
    buffer: Vec<u8>,
    sender: Option<BodySender>,
}

/// Reads request content on another thread.
pub struct BodyReader(Arc<Inflow>);

struct Inflow {
    state: Mutex<InflowState>,
    changed: Condvar,
    notifier: Notifier,
}

#[derive(Default)]
struct InflowState {
    bytes: VecDeque<u8>,
    wanted: bool,
    end: Option<End>,
    reader_gone: bool,
}

#[derive(Clone, Copy)]
enum End {
    Complete,
    CutShort,
}

struct Intake {
    inflow: Arc<Inflow>,
    /// The client waits to be asked, so nothing is read before somebody wants it.
    on_demand: bool,
}

impl<F> Handler for Blocking<F>
where
    F: Fn(OwnedRequest, &mut Responder) -> io::Result<()> + Send + Sync + 'static,
{
    fn handle(&self, request: &Request<'_>, reply: Reply<'_>) {
        let inflow = Arc::new(Inflow {
            state: Mutex::default(),
            changed: Condvar::new(),
            notifier: reply.notifier(),
        });
        let head = request.head().to_owned();
        let peer = request.peer().clone();
        let body = BodyReader(inflow.clone());
        let on_demand = reply.awaits_continue();
        if !request.has_content() {
            inflow.lock().end = Some(End::Complete);
        }
        let ticket = reply.feed(Box::new(Intake { inflow, on_demand }));
        let answer = self.answer.clone();
        let job = Job { ticket: Some(ticket) };
        let queued =
            self.pool.execute(move || job.run(OwnedRequest { head, peer, body }, &*answer));
        if queued.is_err() {
            log::warn!("the worker pool is full");
        }
    }
}

/// One call that waits for its thread; dropped unrun, it answers 503.
struct Job {
    ticket: Option<Ticket>,
}

impl Job {
    fn run<F>(mut self, request: OwnedRequest, answer: &F)
    where
        F: Fn(OwnedRequest, &mut Responder) -> io::Result<()>,
    {
        let Some(ticket) = self.ticket.take() else { return };
        let mut responder = Responder {
            ticket: Some(ticket),
            status: StatusCode::OK,
            fields: FieldBuf::new(),
            trailers: FieldBuf::new(),
            buffer: Vec::new(),
            sender: None,
        };
        match answer(request, &mut responder) {
            Ok(()) => responder.finish(),
            Err(error) => responder.fail(&error),
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            ticket.send(Response::busy());
        }
    }
}

impl OwnedRequest {
    /// The head.
    pub fn head(&self) -> &OwnedHead {
        &self.head
    }

    /// The method.
    pub fn method(&self) -> &Method {
        self.head.method()
    }

    /// The path of the target, percent-encoding and all.
    pub fn path(&self) -> &str {
        self.head.target().path()
    }

    /// The field lines.
    pub fn fields(&self) -> Fields<'_> {
        self.head.fields()
    }

    /// The two ends of the connection.
    pub fn peer(&self) -> &PeerInfo {
        &self.peer
    }
}

impl Responder {
    /// Sets the status; without effect once content has gone out.
    pub fn status(&mut self, status: StatusCode) {
        self.status = status;
    }

    /// Adds a field line; without effect once content has gone out.
    ///
    /// *Errors*: an invalid value, or a field that is the library's own.
    pub fn field(
        &mut self,
        name: &HeaderName,
        value: impl AsRef<[u8]>,
    ) -> Result<(), InvalidField> {
        self.fields.push(name, value)
    }

    /// Adds a trailer field.
    ///
    /// *Errors*: an invalid value, or a field that is the library's own.
    pub fn trailer(
        &mut self,
        name: &HeaderName,
        value: impl AsRef<[u8]>,
    ) -> Result<(), InvalidField> {
        self.trailers.push(name, value)
    }

    fn begin(&mut self, body: crate::body::Body, trailers: FieldBuf) {
        let Some(ticket) = self.ticket.take() else { return };
        let mut response = Response::new(self.status).with_body(body).with_trailers(trailers);
        response.fields = std::mem::take(&mut self.fields);
        ticket.send(response);
    }

    fn finish(mut self) {
        let (buffer, trailers) =
            (std::mem::take(&mut self.buffer), std::mem::take(&mut self.trailers));
        match self.sender.take() {
            None => self.begin(buffer.into(), trailers),
            Some(mut sender) => {
                if !buffer.is_empty()
                    && let Err(error) = sender.send(buffer.into())
                {
                    log::debug!("the client did not take the whole response: {error}");
                }
                sender.finish(trailers);
            }
        }
    }

    /// Nothing sent yet: 500. Otherwise the sender is dropped, which cuts the response off.
    fn fail(mut self, error: &io::Error) {
        if self.ticket.is_none() && error.kind() == io::ErrorKind::BrokenPipe {
            // The client has left, or asked for the head alone.
            log::debug!("a blocking handler could not write: {error}");
        } else {
            log::error!("a blocking handler failed: {error}");
        }
        if let Some(ticket) = self.ticket.take() {
            ticket.send(Response::error(StatusCode::INTERNAL_SERVER_ERROR));
        }
    }

    fn send_buffer(&mut self) -> io::Result<()> {
        if self.sender.is_none() {
            let (sender, body) = channel(WAITING, None);
            self.sender = Some(sender);
            self.begin(body, FieldBuf::new());
        }
        let piece = Bytes::from(std::mem::take(&mut self.buffer));
        match &mut self.sender {
            Some(sender) if !piece.is_empty() => sender.send(piece),
            _ => Ok(()),
        }
    }
}

impl Write for Responder {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PIECE {
            self.send_buffer()?;
        }
        Ok(bytes.len())
    }

    /// Sends what was written so far, and with it the head.
    fn flush(&mut self) -> io::Result<()> {
        self.send_buffer()
    }
}

impl Read for BodyReader {
    /// *Blocking*: until content comes. *Errors*: `UnexpectedEof` when it was cut short.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        let mut state = self.0.lock();
        loop {
            if !state.bytes.is_empty() {
                let was_full = state.bytes.len() >= WAITING;
                let count = state.bytes.read(buf)?;
                if was_full && state.bytes.len() < WAITING {
                    self.0.notifier.wake();
                }
                return Ok(count);
            }
            match state.end {
                Some(End::Complete) => return Ok(0),
                Some(End::CutShort) => return Err(io::ErrorKind::UnexpectedEof.into()),
                None => {}
            }
            if !state.wanted {
                state.wanted = true;
                self.0.notifier.wake();
            }
            state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for BodyReader {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.reader_gone = true;
        state.bytes = VecDeque::new();
        self.0.notifier.wake();
    }
}

impl Feed for Intake {
    fn data(&mut self, bytes: &[u8]) {
        let mut state = self.inflow.lock();
        if !state.reader_gone {
            state.bytes.extend(bytes);
            self.inflow.changed.notify_one();
        }
    }

    fn ready(&mut self) -> bool {
        let state = self.inflow.lock();
        let room = state.bytes.len() < WAITING;
        room && (state.wanted || !self.on_demand)
    }

    fn is_abandoned(&self) -> bool {
        self.inflow.lock().reader_gone
    }

    fn end(&mut self, _trailers: Fields<'_>) {
        self.inflow.lock().end = Some(End::Complete);
        self.inflow.changed.notify_one();
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        let mut state = self.inflow.lock();
        state.end.get_or_insert(End::CutShort);
        self.inflow.changed.notify_one();
    }
}

impl Inflow {
    /// The state is plain data that is never left half changed.
    fn lock(&self) -> MutexGuard<'_, InflowState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const WAITING: usize = 64 * 1024;
const PIECE: usize = 16 * 1024;
