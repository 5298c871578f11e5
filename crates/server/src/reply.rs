//! How a handler answers.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use avocet_net::{Notifier, Outbox, Segment, Task, Transport};
use avocet_wire::{
    BodySize, Connection, FieldBuf, Fields, Framing, RequestHead, SendError, Server,
};
use http::StatusCode;
use http::header::{ACCEPT, CONTENT_TYPE, VARY};

use crate::body::{Body, BodySource, Content, segment_len};
use crate::postponed::Postponed;
use crate::request::Request;
use crate::response::Response;
use crate::session::HIGH_WATER;
use crate::ticket::{Slot, Ticket};
use crate::worker::Worker;

/// The answer to one request. It is used up by answering or by saying how the answer will come.
///
/// The library frames the content, answers HEAD without it, adds Date and Server, and keeps the
/// connection in step: request content that nobody wanted is read away up to a bound.
pub struct Reply<'a> {
    /// Behind a reference, since a reply is handed on from handler to handler.
    parts: &'a mut Parts<'a>,
}

/// What a reply works on.
pub(crate) struct Parts<'a> {
    pub(crate) conn: &'a mut Connection<Server>,
    pub(crate) out: &'a mut Outbox,
    pub(crate) worker: &'a Worker,
    pub(crate) wake: &'a dyn Fn() -> Notifier,
    pub(crate) plan: &'a mut Plan,
    pub(crate) framing: Framing,
    /// The head of the request, while it is at hand.
    pub(crate) head: Option<&'a RequestHead<'a>>,
    pub(crate) now: Instant,
}

/// What a handler has arranged.
pub(crate) struct Plan {
    pub(crate) content: Intake,
    pub(crate) answer: Answer,
    /// Status and content length of the response, once it is begun.
    pub(crate) status: Option<StatusCode>,
    pub(crate) sent: u64,
    /// What the client prefers for the page of an error, for a time when its head is gone.
    pub(crate) json_pages: Option<bool>,
    /// What is done to the response before it is sent.
    pub(crate) filter: Option<Filter>,
}

pub(crate) type Filter = Box<dyn FnOnce(Response) -> Response>;

/// Where request content goes.
pub(crate) enum Intake {
    /// Away, within a bound.
    Discard,
    Collect {
        limit: u64,
        bytes: Vec<u8>,
        then: Collected,
    },
    Sink(Box<dyn Sink>),
    Feed(Box<dyn Feed>),
}

pub(crate) type Resumed = Box<dyn FnOnce(&Request<'_>, Reply<'_>)>;

pub(crate) type Collected = Box<dyn FnOnce(&Request<'_>, Vec<u8>, Reply<'_>)>;

/// Where the response stands.
pub(crate) enum Answer {
    /// Nothing is known yet.
    Missing,
    /// It comes when the request's content has ended.
    AtEnd,
    /// It comes through a ticket.
    Deferred(Arc<Slot>),
    /// The handler goes on when it is told to, and takes the content then.
    Postponed(Arc<AtomicBool>, Resumed),
    /// Its head is written, its content comes from a source.
    Streaming(Box<dyn BodySource>),
    /// It is in the outbox, to the end.
    Queued,
    /// It is in the outbox to the end, and so long that the exchange ends when it has left.
    Leaving,
    /// Another protocol follows.
    Upgrade(Upgrade),
    /// It could not be completed.
    Broken,
}

pub(crate) type Upgrade = Box<dyn FnOnce(Upgraded) -> Box<dyn Task>>;

/// A connection that has left HTTP.
pub struct Upgraded {
    /// The connection. It is registered with the loop already.
    pub transport: Box<dyn Transport>,
    /// Bytes of the new protocol that were read already.
    pub early: Vec<u8>,
}

/// Takes request content as it comes, on the loop's thread, and answers at its end.
///
/// *Errors*: a sink that panics is answered 500, and the connection ends.
///
/// *Blocking*: not allowed, as in a [`Handler`](crate::Handler).
pub trait Sink {
    /// Some bytes of the content.
    fn data(&mut self, bytes: &[u8]);

    /// Whether more may come. A sink that says no stops the client, and wakes the session with a
    /// notifier when it is ready again.
    fn ready(&mut self) -> bool {
        true
    }

    /// The content has ended. A sink that is dropped without this call has seen only a part.
    fn end(self: Box<Self>, request: &Request<'_>, trailers: Fields<'_>, reply: Reply<'_>);
}

/// Takes request content on the loop's thread, for somebody who answers through a ticket and may do so
/// before the content has ended.
///
/// *Errors*: a feed that panics is answered 500, and the connection ends.
///
/// *Blocking*: not allowed, as in a [`Handler`](crate::Handler).
pub trait Feed {
    /// Some bytes of the content.
    fn data(&mut self, bytes: &[u8]);

    /// Whether more may come. A feed that says no stops the client, and wakes the session with a
    /// notifier when it is ready again. A client that waits to be asked for its content (100) is
    /// asked when this first says yes.
    fn ready(&mut self) -> bool;

    /// Whether nobody will take any more: what still comes is read away within the usual bound. It is
    /// asked whenever the session wakes, so it must be true before the ticket is used early.
    fn is_abandoned(&self) -> bool;

    /// The content has ended. A feed that is dropped without this call has seen only a part.
    fn end(&mut self, trailers: Fields<'_>);
}

impl<'a> Reply<'a> {
    pub(crate) fn new(parts: &'a mut Parts<'a>) -> Self {
        Self { parts }
    }

    /// Answers.
    ///
    /// *Errors*: a response that HTTP does not allow (content with 204, an interim status, 101 that
    /// was not asked for) is answered 500 in its place and told to the program's log.
    pub fn send(mut self, response: Response) {
        self.answer(response);
    }

    /// Answers with parts that stay the handler's own: nothing is allocated.
    ///
    /// *Errors*: as for [`Reply::send`].
    pub fn send_parts(mut self, status: StatusCode, fields: &FieldBuf, body: Body) {
        if self.parts.plan.filter.is_some() {
            let mut response = Response::new(status).with_body(body);
            response.fields = fields.clone();
            return self.answer(response);
        }
        self.start(status, fields, body, &FieldBuf::new());
    }

    /// The same reply, whose final response goes through `filter` on its way, however and whenever it
    /// is given. Of several filters the last one added comes first, so that a handler around another
    /// one has the last word. Pages of errors are filled in before. Responses that leave HTTP are not
    /// filtered.
    #[must_use]
    pub fn filtered(self, filter: impl FnOnce(Response) -> Response + 'static) -> Self {
        let before = self.parts.plan.filter.take();
        self.parts.plan.filter = Some(match before {
            None => Box::new(filter),
            Some(before) => Box::new(move |response| before(filter(response))),
        });
        self
    }

    /// Sends an interim response, such as 103; a client of HTTP/1.0 gets none.
    ///
    /// 100 goes out of itself when content is wanted; this is for hints. Later ones go through
    /// [`Ticket::interim`].
    ///
    /// *Errors*: a status that is not interim, or a client of HTTP/1.0.
    ///
    /// *Spec*: RFC 9110 §15.2, RFC 8297.
    pub fn interim(&mut self, status: StatusCode, fields: &FieldBuf) -> Result<(), SendError> {
        self.parts.out.append(|tail| self.parts.conn.send_interim(status, fields, tail))
    }

    /// Collects the request's content, at most `limit` bytes, then calls `then` on the loop's thread.
    ///
    /// *Bounds*: content that is declared larger is answered 413 before it is read, other content as
    /// soon as it is larger; the connection ends then. Memory grows with what has come, never with
    /// what was declared. A client below the least rate is answered 408.
    pub fn collect(
        self,
        limit: u64,
        then: impl FnOnce(&Request<'_>, Vec<u8>, Reply<'_>) + 'static,
    ) {
        self.parts.plan.content =
            Intake::Collect { limit, bytes: Vec::new(), then: Box::new(then) };
        self.parts.plan.answer = Answer::AtEnd;
    }

    /// Gives the request's content to a sink, which answers at its end.
    ///
    /// *Bounds*: of content that the sink is not ready for, one buffer of the loop waits. The least
    /// rate holds only while the sink is ready.
    pub fn consume(self, sink: Box<dyn Sink>) {
        self.parts.plan.content = Intake::Sink(sink);
        self.parts.plan.answer = Answer::AtEnd;
    }

    /// Answers later, from any thread. The request's content is read away.
    ///
    /// *Bounds*: content beyond [`Config::drain`](crate::Config::drain) stays unread, and the
    /// connection ends with the answer. There is no time-out for the answer.
    pub fn defer(self) -> Ticket {
        let (ticket, slot) = Ticket::new((self.parts.wake)());
        self.parts.plan.answer = Answer::Deferred(slot);
        ticket
    }

    /// Lets the request wait until it is told to go on, and calls `then` with it on the loop's thread:
    /// for questions that are answered elsewhere, such as whether a password is right. The content
    /// stays unread meanwhile, and a client that waits to be asked for it is not asked.
    ///
    /// *Bounds*: how long that takes is the program's own to bound.
    pub fn postpone(self, then: impl FnOnce(&Request<'_>, Reply<'_>) + 'static) -> Postponed {
        let (postponed, is_due) = Postponed::new((self.parts.wake)());
        self.parts.plan.answer = Answer::Postponed(is_due, Box::new(then));
        postponed
    }

    /// Answers later, from any thread, while a feed takes the content.
    ///
    /// *Bounds*: of content that the feed is not ready for, one buffer of the loop waits. The least
    /// rate holds only while the feed is ready.
    pub fn feed(self, feed: Box<dyn Feed>) -> Ticket {
        self.parts.plan.content = Intake::Feed(feed);
        self.defer()
    }

    /// Leaves HTTP: answers 101 with these fields, which must name the protocol in Upgrade, or the
    /// given 2xx to a CONNECT, and hands the connection to the task that `then` makes once that has
    /// left and the request's content has ended.
    ///
    /// *Bounds*: the session's time-outs are over with HTTP; the task sets its own.
    ///
    /// *Errors*: 101 to a request that did not ask for it is answered 500.
    ///
    /// *Spec*: RFC 9110 §7.8, §9.3.6, §15.2.2.
    pub fn upgrade(
        mut self,
        status: StatusCode,
        fields: &FieldBuf,
        then: impl FnOnce(Upgraded) -> Box<dyn Task> + 'static,
    ) {
        self.start(status, fields, Body::Empty, &FieldBuf::new());
        if matches!(self.parts.plan.answer, Answer::Queued) {
            self.parts.plan.answer = Answer::Upgrade(Box::new(then));
        }
    }

    /// A handle that wakes this request's session, for sinks and sources.
    pub fn notifier(&self) -> Notifier {
        (self.parts.wake)()
    }

    /// Whether the client waits to be asked for its content.
    pub(crate) fn awaits_continue(&self) -> bool {
        self.parts.conn.awaits_continue()
    }

    pub(crate) fn answer(&mut self, mut response: Response) {
        if response.close {
            self.parts.conn.close_after_cycle();
        }
        self.add_page(&mut response);
        if let Some(filter) = self.parts.plan.filter.take() {
            response = filter(response);
        }
        let Response { status, fields, body, trailers, .. } = response;
        self.start(status, &fields, body, &trailers);
    }

    fn add_page(&mut self, response: &mut Response) {
        let Some(page) = response.page.take() else { return };
        let status = response.status;
        if is_without_content(status) {
            return;
        }
        let pages = &self.parts.worker.shared.config.error_pages;
        let json = match self.parts.head {
            Some(head) => pages.prefers_json(head.fields.get(&ACCEPT)),
            None => self.parts.plan.json_pages,
        };
        let (content_type, text) =
            pages.page(status, page.explanation.as_deref(), json == Some(true));
        response.body = text.into();
        let mut pushed = response.fields.push(&CONTENT_TYPE, content_type);
        if json.is_some() {
            pushed = pushed.and_then(|()| response.fields.push(&VARY, "Accept"));
        }
        if let Err(error) = pushed {
            log::error!("the fields of the error page: {error}");
        }
    }

    fn start(&mut self, status: StatusCode, fields: &FieldBuf, body: Body, trailers: &FieldBuf) {
        if self.leaves_content() {
            self.parts.conn.close_after_cycle();
        }
        let Parts { conn, out, worker, plan, now, .. } = &mut *self.parts;
        let head = worker.with_common(*now, fields, |common| {
            out.append(|tail| {
                let fields = &[common, fields];
                // The usual answer is whole, small and in memory: it is done in one go.
                if trailers.is_empty()
                    && let Some(bytes) = body.small()
                {
                    plan.sent = conn.send_whole_response(status, fields, bytes, tail)? as u64;
                    plan.status = Some(status);
                    return Ok(true);
                }
                let size = if trailers.is_empty() { body.size() } else { BodySize::Unknown };
                conn.send_response(status, fields, size, tail)?;
                plan.status = Some(status);
                Ok(false)
            })
        });
        let whole = match head {
            Err(error) if self.parts.plan.status.is_none() => {
                log::error!("a response of status {status} was refused: {error}");
                return self.give_up();
            }
            whole => whole,
        };
        self.parts.worker.counters.response(status.as_u16());
        let begun = match whole {
            Ok(true) => {
                self.parts.plan.answer = Answer::Queued;
                Ok(())
            }
            Ok(false) => self.start_content(body, trailers),
            Err(error) => Err(error),
        };
        if let Err(error) = begun {
            log::error!("a response of status {status} was cut off: {error}");
            self.parts.plan.answer = Answer::Broken;
        }
    }

    fn start_content(&mut self, body: Body, trailers: &FieldBuf) -> Result<(), SendError> {
        match body.into_content() {
            _ if !self.parts.conn.sends_content() => self.finish(trailers),
            Content::Whole(segment) => self.send_whole(segment, trailers),
            Content::Pieces(source) => {
                self.parts.plan.answer = Answer::Streaming(source);
                Ok(())
            }
        }
    }

    /// Whether request content will stay unread: the client was not asked for it, or there is more of
    /// it than is read away.
    fn leaves_content(&self) -> bool {
        let drain = self.parts.worker.shared.config.drain;
        let too_much = matches!(self.parts.framing, Framing::Length(length) if length > drain);
        !self.parts.conn.reading_done()
            && (self.parts.conn.awaits_continue() || too_much && self.parts.plan.discards())
    }

    fn send_whole(&mut self, segment: Segment, trailers: &FieldBuf) -> Result<(), SendError> {
        let len = segment_len(&segment);
        let suffix = self.parts.out.append(|tail| self.parts.conn.frame_data(len, tail))?;
        self.parts.out.push(segment);
        // Such a response takes its time: its exchange lasts until it has left.
        let is_long = len >= HIGH_WATER || self.parts.out.ends_with_file();
        self.parts.out.push_slice(suffix);
        self.parts.plan.sent += len;
        self.finish(trailers)?;
        if is_long {
            self.parts.plan.answer = Answer::Leaving;
        }
        Ok(())
    }

    fn finish(&mut self, trailers: &FieldBuf) -> Result<(), SendError> {
        self.parts.out.append(|tail| send_end(self.parts.conn, trailers, tail))?;
        self.parts.plan.answer = Answer::Queued;
        Ok(())
    }

    /// A handler's own mistake is the client's 500 while nothing was sent.
    fn give_up(&mut self) {
        self.parts.plan.answer = Answer::Broken;
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        let nothing = FieldBuf::new();
        let sent = self.parts.worker.with_common(self.parts.now, &nothing, |common| {
            self.parts.out.append(|tail| {
                self.parts.conn.send_response(status, &[common, &nothing], BodySize::Empty, tail)
            })
        });
        if sent.and_then(|()| self.finish(&nothing)).is_ok() {
            self.parts.plan.status = Some(status);
            self.parts.worker.counters.response(status.as_u16());
        }
    }
}

/// RFC 9110 §15: these statuses have no content, whatever page there is.
fn is_without_content(status: StatusCode) -> bool {
    status.is_informational()
        || [StatusCode::NO_CONTENT, StatusCode::RESET_CONTENT, StatusCode::NOT_MODIFIED]
            .contains(&status)
}

/// Ends a message. Trailers go out where there is a place for them, which is chunked content.
pub(crate) fn send_end(
    conn: &mut Connection<Server>,
    trailers: &FieldBuf,
    tail: &mut Vec<u8>,
) -> Result<(), SendError> {
    match conn.send_end(trailers, tail) {
        Err(SendError::TrailersNotChunked) => conn.send_end(&FieldBuf::new(), tail),
        ended => ended,
    }
}

impl Plan {
    pub(crate) fn new() -> Self {
        Self {
            content: Intake::Discard,
            answer: Answer::Missing,
            status: None,
            sent: 0,
            json_pages: None,
            filter: None,
        }
    }

    /// Whether content may be lost without harm because nobody waits for it.
    pub(crate) fn discards(&self) -> bool {
        matches!(self.content, Intake::Discard)
    }

    /// Whether this content is refused before it is read.
    pub(crate) fn is_too_large(&self, framing: Framing) -> bool {
        matches!((&self.content, framing), (Intake::Collect { limit, .. }, Framing::Length(length)) if length > *limit)
    }
}
