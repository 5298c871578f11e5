//! One request and its response on a connection.

use std::io;
use std::time::Instant;

use avocet_net::{Input, Outbox, Segment, Turn};
use avocet_semantics::auth::basic;
use avocet_wire::{BodySize, Event, FieldBuf, Fields, Framing, SendError};
use http::Method;
use http::header::{ACCEPT_ENCODING, EXPECT, HOST};

use super::{Ended, Link};
use crate::config::Timeouts;
use crate::error::{Error, ErrorKind, Phase};
use crate::multi::TransferId;
use crate::request::Content;
use crate::transfer::{Reaction, Transfer};

/// The state of an exchange.
pub(super) struct Exchange {
    pub(super) id: TransferId,
    stage: Stage,
    /// Content that is still to be queued.
    content: Content,
    reaction: Reaction,
    /// Whether any byte of a response has come.
    heard: bool,
    /// The last time something moved.
    moved: Instant,
    /// Whether the caller has stopped the content, so that its silence is not the server's.
    held: bool,
    discarded: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The request is not written yet.
    Unsent,
    /// The head is written; the content waits for 100 until then.
    Expecting(Instant),
    /// Content is being sent.
    Sending,
    /// The response is due.
    Waiting,
    /// Its head has come.
    Reading,
    /// It is complete.
    Over,
}

/// How far a turn came.
pub(super) enum Progress {
    /// The budget is spent, not the work.
    Spent,
    /// An event will come.
    Waits,
    /// The exchange is over and the connection can carry another.
    Done,
}

impl Exchange {
    pub(super) fn new(id: TransferId, now: Instant) -> Self {
        Self {
            id,
            stage: Stage::Unsent,
            content: Content::Empty,
            reaction: Reaction::Deliver,
            heard: false,
            moved: now,
            held: false,
            discarded: 0,
        }
    }

    pub(super) fn deadline(&self, timeouts: &Timeouts) -> Option<Instant> {
        match self.stage {
            Stage::Expecting(until) => Some(until),
            Stage::Unsent | Stage::Sending => Some(self.moved + timeouts.between),
            Stage::Waiting => Some(self.moved + timeouts.head),
            Stage::Reading if self.held => None,
            Stage::Reading => Some(self.moved + timeouts.between),
            Stage::Over => None,
        }
    }

    fn phase(&self) -> Phase {
        match self.stage {
            Stage::Unsent | Stage::Expecting(_) | Stage::Sending => Phase::Send,
            Stage::Waiting => Phase::Head,
            Stage::Reading | Stage::Over => Phase::Content,
        }
    }
}

impl Link {
    /// Carries the exchange on as far as it goes.
    pub(super) fn run(
        &mut self,
        cx: &mut Turn<'_>,
        out: &mut Outbox,
        scratch: &mut [u8],
    ) -> Result<Progress, Ended> {
        let mut budget = BUDGET;
        loop {
            match self.advance(cx, out, scratch, &mut budget) {
                Ok(true) if budget == 0 => return Ok(Progress::Spent),
                Ok(true) => {}
                Ok(false) => return self.pause(cx),
                Err(failure) => return Err(self.end(cx, failure)),
            }
            if self.exchange.as_ref().is_none_or(|exchange| exchange.stage == Stage::Over) {
                return self.complete(cx);
            }
        }
    }

    /// One pass: write, then read. False when neither got anywhere.
    fn advance(
        &mut self,
        cx: &mut Turn<'_>,
        out: &mut Outbox,
        scratch: &mut [u8],
        budget: &mut usize,
    ) -> Result<bool, Failure> {
        let begun = self.begin(cx, out)?;
        let filled = self.fill(cx.now(), out)?;
        let wrote = self.flush(cx, out).map_err(Failure::Lost)?;
        if wrote {
            self.note_movement(cx.now(), out);
        }
        let read = self.receive(cx, scratch, budget)?;
        Ok(begun || filled || wrote || read)
    }

    /// Writes the head of the request.
    fn begin(&mut self, cx: &mut Turn<'_>, out: &mut Outbox) -> Result<bool, Failure> {
        let Some(exchange) = &mut self.exchange else { return Err(Failure::Cancelled) };
        if exchange.stage != Stage::Unsent {
            return Ok(false);
        }
        let (hub, conn, now) = (&self.hub, &mut self.conn, cx.now());
        let absolute = self.route.wants_absolute_form();
        let mut fields = hub.fields.borrow_mut();
        let begun = hub.with(exchange.id, |transfer| {
            compose(transfer, &hub.config, absolute, &mut fields)?;
            let again = transfer.content.again();
            exchange.content = std::mem::replace(&mut transfer.content, Content::Empty);
            if let Some(again) = again {
                transfer.content = again;
            }
            let size = match exchange.content.size() {
                Some(0) => BodySize::Empty,
                Some(size) => BodySize::Known(size),
                None => BodySize::Unknown,
            };
            let target = target(transfer, absolute);
            let (version, method) = (transfer.options.version, &transfer.method);
            out.append(|tail| {
                conn.send_request_as(version, method, &target, &[&fields], size, tail)
            })
            .map_err(misuse)
        });
        match begun {
            None => Err(Failure::Cancelled),
            Some(Err(error)) => Err(Failure::Final(error)),
            Some(Ok(())) => {
                exchange.moved = now;
                exchange.stage = if !conn.sends_content() {
                    hub.with(exchange.id, |transfer| transfer.times.sent = Some(now));
                    Stage::Waiting
                } else if conn.awaits_continue() {
                    Stage::Expecting(now + hub.config.timeouts.expect)
                } else {
                    Stage::Sending
                };
                Ok(true)
            }
        }
    }

    /// Queues content while there is room.
    fn fill(&mut self, now: Instant, out: &mut Outbox) -> Result<bool, Failure> {
        let Some(exchange) = &mut self.exchange else { return Err(Failure::Cancelled) };
        if let Stage::Expecting(until) = exchange.stage
            && now >= until
        {
            exchange.stage = Stage::Sending;
        }
        if exchange.stage != Stage::Sending || out.len() >= HIGH_WATER {
            return Ok(false);
        }
        let conn = &mut self.conn;
        let nothing = FieldBuf::new();
        let mut end = |trailers: &FieldBuf, out: &mut Outbox| {
            out.append(|tail| conn.send_end(trailers, tail)).map_err(misuse).map_err(Failure::Final)
        };
        match &mut exchange.content {
            Content::Empty => {
                end(&nothing, out)?;
                exchange.stage = Stage::Waiting;
                exchange.moved = now;
                self.hub.with(exchange.id, |transfer| transfer.times.sent = Some(now));
                return Ok(true);
            }
            Content::Reader { reader, trailers, .. } => {
                let mut piece = vec![0; PIECE];
                let count = loop {
                    match reader.read(&mut piece) {
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        result => break result,
                    }
                };
                let count = count.map_err(|error| {
                    let message = format!("the content cannot be read: {error}");
                    let failure = Error::new(ErrorKind::Content, Phase::Send, message);
                    Failure::Final(failure.caused_by(error))
                })?;
                if count > 0 {
                    piece.truncate(count);
                    queue(conn, Segment::Owned(piece), count as u64, out)?;
                    return Ok(true);
                }
                let trailers = std::mem::take(trailers);
                end(&trailers, out)?;
                exchange.content = Content::Empty;
                exchange.stage = Stage::Waiting;
                exchange.moved = now;
                self.hub.with(exchange.id, |transfer| transfer.times.sent = Some(now));
                return Ok(true);
            }
            Content::Bytes(bytes) => {
                let bytes = std::mem::take(bytes);
                let len = bytes.len() as u64;
                queue(conn, Segment::Shared(bytes), len, out)?;
            }
            Content::File(range) => {
                let (range, len) = (range.clone(), range.len);
                queue(conn, Segment::File(range), len, out)?;
            }
        }
        exchange.content = Content::Empty;
        Ok(true)
    }

    fn note_movement(&mut self, now: Instant, out: &Outbox) {
        if let Some(exchange) = &mut self.exchange
            && (exchange.stage != Stage::Reading || !out.is_empty())
        {
            exchange.moved = now;
        }
    }

    /// Reads and steps over what came; false when nothing did.
    fn receive(
        &mut self,
        cx: &mut Turn<'_>,
        scratch: &mut [u8],
        budget: &mut usize,
    ) -> Result<bool, Failure> {
        let Some(exchange) = &mut self.exchange else { return Err(Failure::Cancelled) };
        if exchange.stage == Stage::Reading && exchange.reaction == Reaction::Deliver {
            let wanted = self.hub.with(exchange.id, |transfer| transfer.wants_data());
            let wanted = wanted.ok_or(Failure::Cancelled)?;
            if exchange.held == wanted {
                exchange.held = !wanted;
                exchange.moved = cx.now();
            }
            if !wanted {
                return Ok(false);
            }
        }
        if !cx.readable() {
            return Ok(false);
        }
        match self.read(cx, scratch).map_err(Failure::Lost)? {
            Input::Blocked => Ok(false),
            Input::Closed => self.on_close(cx).map(|()| true),
            Input::Bytes(count) => {
                *budget = budget.saturating_sub(count);
                if let Some(exchange) = &mut self.exchange {
                    exchange.heard = true;
                    exchange.moved = cx.now();
                }
                if self.input.is_empty() {
                    let used = self.step(cx, &scratch[..count])?;
                    self.input.extend_from_slice(&scratch[used..count]);
                } else {
                    let mut input = std::mem::take(&mut self.input);
                    input.extend_from_slice(&scratch[..count]);
                    let used = self.step(cx, &input)?;
                    input.drain(..used);
                    self.input = input;
                }
                Ok(true)
            }
        }
    }

    /// Steps over the events in the input; the number of bytes that are done with.
    fn step(&mut self, cx: &mut Turn<'_>, input: &[u8]) -> Result<usize, Failure> {
        let hub = self.hub.clone();
        let mut table = hub.table.borrow_mut();
        let mut used = 0;
        loop {
            let Some(exchange) = &mut self.exchange else { return Err(Failure::Cancelled) };
            if exchange.stage == Stage::Over {
                return Ok(used);
            }
            let step = self.conn.read(&input[used..], &mut table).map_err(|error| {
                let kind = match error {
                    avocet_wire::ReadError::LimitExceeded { .. } => ErrorKind::Limit,
                    _ => ErrorKind::Protocol,
                };
                Failure::Final(Error::new(kind, exchange.phase(), error).caused_by(error))
            })?;
            used += step.used;
            match step.event {
                Event::NeedMore | Event::Paused => return Ok(used),
                Event::Interim(head) => {
                    if matches!(exchange.stage, Stage::Expecting(_))
                        && head.status == http::StatusCode::CONTINUE
                    {
                        exchange.stage = Stage::Sending;
                    }
                }
                Event::Head { head, body, .. } => {
                    let unfinished = matches!(exchange.stage, Stage::Expecting(_) | Stage::Sending);
                    exchange.stage = Stage::Reading;
                    let answer = hub.on_head(exchange.id, &head, body, cx.now());
                    exchange.reaction =
                        answer.ok_or(Failure::Cancelled)?.map_err(Failure::Final)?;
                    // The server has made up its mind: the rest of the content is not sent, and
                    // without it the connection can carry nothing more.
                    if unfinished {
                        exchange.content = Content::Empty;
                        self.conn.close_after_cycle();
                    }
                    let long = match body {
                        Framing::Length(length) => length > DISCARD,
                        Framing::UntilClose => true,
                        Framing::Empty | Framing::Chunked => false,
                    };
                    if exchange.reaction == Reaction::Discard && long {
                        return Err(Failure::Abandoned);
                    }
                }
                Event::Data(bytes) => match exchange.reaction {
                    Reaction::Deliver => {
                        let taken = hub.on_data(exchange.id, bytes);
                        taken.ok_or(Failure::Cancelled)?.map_err(Failure::Final)?;
                    }
                    Reaction::Discard => {
                        exchange.discarded += bytes.len() as u64;
                        if exchange.discarded > DISCARD {
                            return Err(Failure::Abandoned);
                        }
                    }
                },
                Event::End(trailers) => {
                    exchange.stage = Stage::Over;
                    self.leave(cx, trailers);
                    return Ok(used);
                }
                Event::Switched => {
                    let message = "the server switched to another protocol unasked";
                    let error = Error::new(ErrorKind::Protocol, Phase::Head, message);
                    return Err(Failure::Final(error));
                }
            }
        }
    }

    /// The response is complete. The connection is given back before the transfer goes on, so that a
    /// next hop to the same place finds it.
    fn leave(&mut self, cx: &mut Turn<'_>, trailers: Fields<'_>) {
        let Some(exchange) = &self.exchange else { return };
        let id = exchange.id;
        self.since = cx.now();
        self.served += 1;
        if self.conn.next_cycle().is_err() {
            self.hub.release(&self.route);
            self.stage = super::Stage::Gone;
        } else if !self.hub.park(&self.route, cx.id()) {
            self.stage = super::Stage::Gone;
        }
        self.hub.on_end(id, trailers, cx.now());
    }

    fn on_close(&mut self, cx: &mut Turn<'_>) -> Result<(), Failure> {
        let Some(exchange) = &mut self.exchange else { return Err(Failure::Cancelled) };
        match self.conn.read_eof() {
            Ok(avocet_wire::Eof::End) if exchange.stage == Stage::Reading => {
                exchange.stage = Stage::Over;
                self.leave(cx, Fields::none());
                Ok(())
            }
            Ok(_) => Err(Failure::Lost(io::ErrorKind::UnexpectedEof.into())),
            Err(error) if exchange.heard => {
                let phase = exchange.phase();
                let message = format!("the server closed the connection early: {error}");
                Err(Failure::Final(Error::new(ErrorKind::CutShort, phase, message)))
            }
            Err(_) => Err(Failure::Lost(io::ErrorKind::UnexpectedEof.into())),
        }
    }

    /// Nothing moves: waits, or gives up when it is too late.
    fn pause(&mut self, cx: &mut Turn<'_>) -> Result<Progress, Ended> {
        let late = self.deadline().is_some_and(|deadline| cx.now() >= deadline);
        match &self.exchange {
            Some(exchange) if late && !matches!(exchange.stage, Stage::Expecting(_)) => {
                let phase = exchange.phase();
                let total = self.hub.with(exchange.id, |transfer| transfer.deadline).flatten();
                let message = match total {
                    Some(total) if cx.now() >= total => "the transfer took longer than it may",
                    _ => "nothing came for too long",
                };
                let error = Error::new(ErrorKind::Timeout, phase, message);
                Err(self.end(cx, Failure::Final(error)))
            }
            _ => Ok(Progress::Waits),
        }
    }

    /// After the end of an exchange: the connection rests, or is gone.
    fn complete(&mut self, _cx: &mut Turn<'_>) -> Result<Progress, Ended> {
        self.exchange = None;
        match self.stage {
            super::Stage::Gone => Err(Ended),
            _ => Ok(Progress::Done),
        }
    }

    /// The connection ends with the exchange unfinished.
    fn end(&mut self, cx: &mut Turn<'_>, failure: Failure) -> Ended {
        let Some(exchange) = self.exchange.take() else { return Ended };
        self.hub.release(&self.route);
        let id = exchange.id;
        match failure {
            Failure::Cancelled => {}
            Failure::Abandoned => self.hub.on_end(id, Fields::none(), cx.now()),
            Failure::Final(error) => self.hub.fail(id, error),
            Failure::Lost(error) => {
                if self.served > 0 && !exchange.heard && self.may_replay(id) {
                    self.hub.requeue(id);
                } else {
                    let phase = exchange.phase();
                    let (kind, message) = match error.kind() {
                        io::ErrorKind::UnexpectedEof if !exchange.heard => {
                            (ErrorKind::CutShort, "the server closed without an answer".to_owned())
                        }
                        _ => (ErrorKind::Connection, error.to_string()),
                    };
                    self.hub.fail(id, Error::new(kind, phase, message).caused_by(error));
                }
            }
        }
        Ended
    }

    /// RFC 9112 §9.3.1: a request of an idempotent method may be sent again when a kept connection
    /// was closed before any answer; once, on a fresh connection.
    fn may_replay(&self, id: TransferId) -> bool {
        let replay = self.hub.with(id, |transfer| {
            let may = !transfer.replayed
                && transfer.method.is_idempotent()
                && transfer.content.again().is_some();
            transfer.replayed = true;
            transfer.task = None;
            may
        });
        replay.unwrap_or(false)
    }
}

/// Why an exchange ends early.
enum Failure {
    /// Nobody waits for it any more.
    Cancelled,
    /// The rest of the response is not worth reading; the transfer goes on elsewhere.
    Abandoned,
    /// The connection failed.
    Lost(io::Error),
    /// The transfer failed.
    Final(Error),
}

/// Puts the fields of a request together: Host first, then the caller's in their order, then what is
/// missing of the client's.
fn compose(
    transfer: &mut Transfer,
    config: &crate::config::Config,
    absolute: bool,
    fields: &mut FieldBuf,
) -> Result<(), Error> {
    let invalid = |error: avocet_wire::InvalidField| {
        Error::new(ErrorKind::Request, Phase::Prepare, error).caused_by(error)
    };
    fields.clear();
    if !transfer.fields.contains(&HOST) {
        push_host(transfer, fields).map_err(invalid)?;
    }
    fields.extend(&transfer.fields);
    for (name, value) in config.fields.iter() {
        if !has(fields, name) {
            fields.push_raw(name, value).map_err(invalid)?;
        }
    }
    if let Some(decoding) = &config.decoding
        && transfer.options.decode
        && !fields.contains(&ACCEPT_ENCODING)
    {
        fields.push(&ACCEPT_ENCODING, decoding.accepts()).map_err(invalid)?;
    }
    if absolute
        && let Some(credentials) = transfer.route.via.last().and_then(|p| p.credentials.as_ref())
        && !fields.contains(&http::header::PROXY_AUTHORIZATION)
    {
        let basic = basic::Login::new(&credentials.0, &credentials.1).map_err(|error| {
            Error::new(ErrorKind::Request, Phase::Prepare, error).caused_by(error)
        })?;
        let value = basic.to_field();
        fields.push(&http::header::PROXY_AUTHORIZATION, value).map_err(invalid)?;
    }
    let size = transfer.content.size();
    let expects =
        transfer.options.expect_continue.unwrap_or_else(|| size.is_none_or(|size| size >= LARGE));
    if expects && size != Some(0) && !fields.contains(&EXPECT) {
        fields.push(&EXPECT, "100-continue").map_err(invalid)?;
    }
    for hook in &config.hooks {
        hook.on_request(&transfer.hop(), fields)?;
    }
    for (name, value) in transfer.extra.iter() {
        if let Ok(name) = http::HeaderName::from_bytes(name.as_bytes()) {
            fields.remove(&name);
        }
        fields.push_raw(name, value).map_err(invalid)?;
    }
    Ok(())
}

fn push_host(transfer: &Transfer, fields: &mut FieldBuf) -> Result<(), avocet_wire::InvalidField> {
    let url = &transfer.url;
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => fields.push(&HOST, format!("{host}:{port}")),
        None => fields.push(&HOST, host),
    }
}

fn has(fields: &FieldBuf, name: &str) -> bool {
    fields.iter().any(|(other, _)| other.eq_ignore_ascii_case(name))
}

/// The target in its form: the path and query, or to a proxy the whole URL without fragment and
/// credentials.
fn target(transfer: &Transfer, absolute: bool) -> String {
    if let Some(target) = &transfer.options.target {
        return target.clone();
    }
    let url = &transfer.url;
    let path = url.path();
    let asterisk = transfer.method == Method::OPTIONS && path == "*";
    let mut target = String::with_capacity(url.as_str().len());
    if absolute && !asterisk {
        target.push_str(&url[..url::Position::BeforeUsername]);
        target.push_str(&url[url::Position::BeforeHost..url::Position::BeforePath]);
    }
    target.push_str(&url[url::Position::BeforePath..url::Position::AfterQuery]);
    target
}

fn queue(
    conn: &mut avocet_wire::Connection<avocet_wire::Client>,
    segment: Segment,
    len: u64,
    out: &mut Outbox,
) -> Result<(), Failure> {
    let framed = out.append(|tail| conn.frame_data(len, tail));
    let suffix = framed.map_err(misuse).map_err(Failure::Final)?;
    out.push(segment);
    out.push_slice(suffix);
    Ok(())
}

fn misuse(error: SendError) -> Error {
    Error::new(ErrorKind::Request, Phase::Send, error).caused_by(error)
}

/// Bytes read per turn before others have theirs.
const BUDGET: usize = 256 * 1024;

/// Output beyond which no more content is read from its source.
const HIGH_WATER: u64 = 64 * 1024;

const PIECE: usize = 32 * 1024;

/// The content of a redirect that is read away to keep the connection.
const DISCARD: u64 = 64 * 1024;

/// Content of this size asks first, whether it is welcome.
const LARGE: u64 = 1024 * 1024;
