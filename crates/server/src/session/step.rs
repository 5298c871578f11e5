//! The events of the machine and what they do to the exchange.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use avocet_net::{Outbox, Turn};
use avocet_wire::{Event, FieldBuf, Fields, Framing, ReadError, RequestHead};
use http::StatusCode;

use super::{Session, Stage};
use crate::body::{Pulled, segment_len};
use crate::exchange::{Exchange, Record, needs_head};
use crate::reply::{Answer, Intake, Plan, Reply, Upgraded};
use crate::request::Request;
use crate::response::Response;

/// What one turn may do before the others have theirs: 16 exchanges or 256 KiB read.
pub(super) struct Budget {
    exchanges: u32,
    bytes: usize,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { exchanges: 16, bytes: 256 * 1024 }
    }

    pub(super) fn read(&mut self, count: usize) {
        self.bytes = self.bytes.saturating_sub(count);
    }

    pub(super) fn is_spent(&self) -> bool {
        self.exchanges == 0 || self.bytes == 0
    }
}

/// Output beyond which no further request is read: a client that pipelines and does not read stops
/// itself.
const HIGH_WATER: u64 = 64 * 1024;

/// How much a source is asked for at a time.
const PIECE: usize = 32 * 1024;

impl Session {
    /// Whether the machine may read on.
    pub(super) fn wants_input(
        &mut self,
        cx: &mut Turn<'_>,
        out: &mut Outbox,
        has_input: bool,
    ) -> bool {
        if out.len() >= HIGH_WATER {
            return false;
        }
        let drain = self.worker.shared.config.drain;
        let Some(exchange) = &mut self.exchange else { return true };
        if matches!(exchange.plan.answer, Answer::Upgrade(_)) {
            return true;
        }
        if self.conn.reading_done() || !exchange.wants_content(drain) {
            return false;
        }
        // Somebody wants the content now, so the client that waits to be asked is asked, unless it
        // sent content already (RFC 9110 §10.1.1).
        if !has_input && self.conn.awaits_continue() && exchange.is_unanswered() {
            let nothing = FieldBuf::new();
            let asked =
                out.append(|tail| self.conn.send_interim(StatusCode::CONTINUE, &nothing, tail));
            if let Err(error) = asked {
                log::error!("100 for {}: {error}", cx.id());
            }
        }
        true
    }

    /// Steps over the input until more is needed or something else comes first; the number of bytes
    /// stepped over.
    pub(super) fn step_input(
        &mut self,
        cx: &mut Turn<'_>,
        out: &mut Outbox,
        input: &[u8],
        budget: &mut Budget,
    ) -> usize {
        let worker = self.worker.clone();
        let mut table = worker.table.borrow_mut();
        let mut used = 0;
        self.state.unstepped = false;
        loop {
            let step = match self.conn.read(&input[used..], &mut table) {
                Ok(step) => step,
                Err(error) => {
                    self.refuse(cx, out, &error);
                    return input.len();
                }
            };
            used += step.used;
            match step.event {
                Event::Head { head, body, .. } => self.on_head(cx, out, &head, body),
                Event::Data(bytes) => self.on_data(cx, out, bytes),
                Event::End(trailers) => {
                    budget.exchanges = budget.exchanges.saturating_sub(1);
                    match self.exchange.take() {
                        Some(exchange) => self.on_end(cx, out, exchange, trailers),
                        None => self.next_cycle(cx.now()),
                    }
                }
                Event::NeedMore => {
                    if self.exchange.is_none() && used < input.len() {
                        self.clock.head_begun(cx.now());
                    }
                    return used;
                }
                // The response comes first.
                Event::Paused => {
                    self.state.unstepped = used < input.len();
                    return used;
                }
                // The other protocol begins when the response has left.
                Event::Switched => {
                    self.state.stage = Stage::Switching;
                    self.state.unstepped = false;
                    return used;
                }
                // The events of the other role cannot come.
                _ => return used,
            }
            if self.state.stage != Stage::Open {
                return input.len();
            }
            if used == input.len() && !self.has_event_due() {
                return used;
            }
            if budget.is_spent() || !self.wants_input(cx, out, used < input.len()) {
                self.state.unstepped = used < input.len() || self.has_event_due();
                return used;
            }
        }
    }

    /// Whether the machine can give an event without another byte: the end of a message that is
    /// complete, or the switch of protocols.
    fn has_event_due(&self) -> bool {
        self.exchange.is_some() || !self.conn.reading_done()
    }

    fn on_head(
        &mut self,
        cx: &mut Turn<'_>,
        out: &mut Outbox,
        head: &RequestHead<'_>,
        framing: Framing,
    ) {
        let now = cx.now();
        self.worker.counters.requests.add(1);
        if cx.stopping().is_some() || self.state.read_ended {
            self.conn.close_after_cycle();
        }
        let mut plan = Plan::new();
        self.call(cx, out, head, framing, now, &mut plan, |handler, request, reply| {
            handler.handle(request, reply);
        });
        if plan.is_too_large(framing) {
            plan = Plan::new();
            self.conn.close_after_cycle();
            let response = Response::error(StatusCode::PAYLOAD_TOO_LARGE);
            self.reply(cx, out, framing, &mut plan, |mut reply| reply.answer(response));
        }
        let log = self.worker.shared.access_log.clone();
        let over = matches!(plan.answer, Answer::Queued) && framing == Framing::Empty;
        if over {
            if let Some(log) = log {
                let record = self.record(&plan, now, now, false);
                record.write(&*log, Some(head));
            }
            return;
        }
        let head = needs_head(&plan, log.is_some()).then(|| head.to_owned());
        let exchange = Exchange { head, framing, plan, started: now, received: 0 };
        self.exchange = Some(Box::new(exchange));
    }

    fn on_data(&mut self, cx: &mut Turn<'_>, out: &mut Outbox, bytes: &[u8]) {
        let drain = self.worker.shared.config.drain;
        let Some(exchange) = &mut self.exchange else { return };
        exchange.received += bytes.len() as u64;
        let too_large = match &mut exchange.plan.content {
            // Content that nobody wants, behind an answer: within the bound it keeps the
            // connection in step, beyond it the connection ends.
            Intake::Discard => {
                if exchange.received > drain && !exchange.is_unanswered() {
                    self.finish_exchange(cx.now(), false);
                    self.close();
                }
                false
            }
            Intake::Collect { limit, bytes: collected, .. } => {
                let fits = exchange.received <= *limit;
                if fits {
                    collected.extend_from_slice(bytes);
                }
                !fits
            }
            Intake::Sink(sink) => {
                sink.data(bytes);
                false
            }
            Intake::Feed(feed) => {
                feed.data(bytes);
                false
            }
        };
        if too_large {
            self.worker.counters.refused.add(1);
            self.answer_for_library(cx, out, Response::error(StatusCode::PAYLOAD_TOO_LARGE));
        }
    }

    fn on_end(
        &mut self,
        cx: &mut Turn<'_>,
        out: &mut Outbox,
        mut exchange: Box<Exchange>,
        trailers: Fields<'_>,
    ) {
        match std::mem::replace(&mut exchange.plan.content, Intake::Discard) {
            Intake::Discard => {}
            Intake::Feed(mut feed) => feed.end(trailers),
            Intake::Collect { bytes, then, .. } => {
                self.call_at_end(cx, out, &mut exchange, |request, reply| {
                    then(request, bytes, reply);
                });
            }
            Intake::Sink(sink) => {
                self.call_at_end(cx, out, &mut exchange, |request, reply| {
                    sink.end(request, trailers, reply);
                });
            }
        }
        self.exchange = Some(exchange);
        self.drive_exchange(cx, out);
    }

    fn call_at_end(
        &mut self,
        cx: &mut Turn<'_>,
        out: &mut Outbox,
        exchange: &mut Exchange,
        then: impl FnOnce(&Request<'_>, Reply<'_>),
    ) {
        let Some(owned) = exchange.head.take() else { return };
        exchange.plan.answer = Answer::Missing;
        let (framing, started) = (exchange.framing, exchange.started);
        let head = owned.as_head();
        self.call(cx, out, &head, framing, started, &mut exchange.plan, |_, request, reply| {
            then(request, reply);
        });
        exchange.head = Some(owned);
    }

    /// Calls a handler or what it left behind. Whoever panics, or arranges nothing, is answered 500.
    #[expect(clippy::too_many_arguments, reason = "the parts of one call, borrowed apart")]
    fn call(
        &mut self,
        cx: &mut Turn<'_>,
        out: &mut Outbox,
        head: &RequestHead<'_>,
        framing: Framing,
        started: Instant,
        plan: &mut Plan,
        call: impl FnOnce(&dyn crate::handler::Handler, &Request<'_>, Reply<'_>),
    ) {
        let Some(transport) = &self.transport else { return };
        let worker = &*self.worker;
        let conn = &mut self.conn;
        let result = {
            let request = Request::new(head, transport.info(), framing, started);
            let wake = || cx.notifier();
            let (out, plan, now) = (&mut *out, &mut *plan, cx.now());
            let reply = Reply { conn, out, worker, wake: &wake, plan, framing, now };
            catch_unwind(AssertUnwindSafe(|| call(&*worker.shared.handler, &request, reply)))
        };
        if result.is_err() {
            worker.counters.panics.add(1);
            log::error!("a handler panicked on {}", head.target.path());
            plan.content = Intake::Discard;
        }
        if result.is_err() && !matches!(plan.answer, Answer::Queued | Answer::QueuedFile)
            || matches!(plan.answer, Answer::Missing)
        {
            if result.is_ok() {
                log::error!("a handler did not answer {}", head.target.path());
            }
            if plan.status.is_some() {
                plan.answer = Answer::Broken;
                return;
            }
            self.conn.close_after_cycle();
            let response = Response::error(StatusCode::INTERNAL_SERVER_ERROR);
            self.reply(cx, out, framing, plan, |mut reply| reply.answer(response));
        }
    }

    /// Makes a reply for the library itself.
    fn reply(
        &mut self,
        cx: &mut Turn<'_>,
        out: &mut Outbox,
        framing: Framing,
        plan: &mut Plan,
        answer: impl FnOnce(Reply<'_>),
    ) {
        let wake = || cx.notifier();
        let (worker, now) = (&*self.worker, cx.now());
        answer(Reply { conn: &mut self.conn, out, worker, wake: &wake, plan, framing, now });
    }

    /// Carries on an exchange that waits for something else than input; true when it changed.
    pub(super) fn drive_exchange(&mut self, cx: &mut Turn<'_>, out: &mut Outbox) -> bool {
        let Some(mut exchange) = self.exchange.take() else { return false };
        let answer = std::mem::replace(&mut exchange.plan.answer, Answer::Broken);
        let mut changed = false;
        exchange.plan.answer = match answer {
            Answer::Deferred(slot) => match slot.take() {
                Some(response) => {
                    changed = true;
                    let framing = exchange.framing;
                    self.reply(cx, out, framing, &mut exchange.plan, |mut reply| {
                        reply.answer(response);
                    });
                    std::mem::replace(&mut exchange.plan.answer, Answer::Broken)
                }
                None => Answer::Deferred(slot),
            },
            Answer::Streaming(source) => {
                let before = out.len();
                let answer = self.pull(cx, out, &mut exchange.plan, source);
                changed = out.len() != before || !matches!(answer, Answer::Streaming(_));
                answer
            }
            Answer::QueuedFile if out.is_empty() => {
                changed = true;
                Answer::Queued
            }
            other => other,
        };
        match exchange.plan.answer {
            Answer::Broken => {
                self.worker.counters.aborted.add(1);
                self.exchange = Some(exchange);
                self.finish_exchange(cx.now(), true);
                self.close();
                true
            }
            Answer::Queued if self.conn.reading_done() => {
                self.exchange = Some(exchange);
                self.finish_exchange(cx.now(), false);
                self.next_cycle(cx.now());
                true
            }
            // The rest of an early answer's request keeps the connection only while it may: a client
            // that waits to be asked for its content will not be asked any more.
            Answer::Queued if self.conn.will_close() && exchange.plan.discards() => {
                self.exchange = Some(exchange);
                self.finish_exchange(cx.now(), false);
                self.close();
                true
            }
            _ => {
                self.exchange = Some(exchange);
                changed
            }
        }
    }

    /// Takes pieces from a source while there is room.
    fn pull(
        &mut self,
        cx: &mut Turn<'_>,
        out: &mut Outbox,
        plan: &mut Plan,
        mut source: Box<dyn crate::body::BodySource>,
    ) -> Answer {
        let wake = || cx.notifier();
        while out.len() < HIGH_WATER {
            let pulled = catch_unwind(AssertUnwindSafe(|| source.pull(PIECE, &wake)));
            let done = match pulled {
                Ok(Ok(Pulled::Piece(segment))) => {
                    let len = segment_len(&segment);
                    plan.sent += len;
                    let framed = out.append(|tail| self.conn.frame_data(len, tail));
                    framed.map(|suffix| {
                        out.push(segment);
                        out.push_slice(suffix);
                        None
                    })
                }
                Ok(Ok(Pulled::Pending)) => return Answer::Streaming(source),
                Ok(Ok(Pulled::End(trailers))) => out
                    .append(|tail| self.conn.send_end(&trailers, tail))
                    .map(|()| Some(Answer::Queued)),
                Ok(Err(error)) => {
                    log::error!("the content of a response ended early: {error}");
                    return Answer::Broken;
                }
                Err(_) => {
                    self.worker.counters.panics.add(1);
                    log::error!("the source of a response's content panicked");
                    return Answer::Broken;
                }
            };
            match done {
                Ok(None) => {}
                Ok(Some(answer)) => return answer,
                Err(error) => {
                    log::error!("the content of a response does not fit its head: {error}");
                    return Answer::Broken;
                }
            }
        }
        Answer::Streaming(source)
    }

    /// Ends the exchange for the log.
    fn finish_exchange(&mut self, now: Instant, aborted: bool) {
        let Some(exchange) = self.exchange.take() else { return };
        if let Some(log) = self.worker.shared.access_log.clone() {
            let record = self.record(&exchange.plan, exchange.started, now, aborted);
            match &exchange.head {
                Some(owned) => record.write(&*log, Some(&owned.as_head())),
                None => record.write(&*log, None),
            }
        }
    }

    fn record(&self, plan: &Plan, started: Instant, now: Instant, aborted: bool) -> Record<'_> {
        let (status, content) = (plan.status, plan.sent);
        Record { remote: &self.peer().remote, status, content, started, now, aborted }
    }

    fn next_cycle(&mut self, now: Instant) {
        match self.conn.next_cycle() {
            Ok(()) => {
                self.clock.idle(now);
                self.state.unstepped = !self.input.is_empty();
            }
            Err(_) => self.close(),
        }
    }

    /// The client broke a rule: it is told so once, where it can be, and the connection ends.
    pub(super) fn refuse(&mut self, cx: &mut Turn<'_>, out: &mut Outbox, error: &ReadError) {
        self.worker.counters.refused.add(1);
        log::debug!("{}: {error}", self.peer().remote);
        let status = error.status_hint();
        let response = Response::error_because(status, capitalized(&error.to_string()));
        self.answer_for_library(cx, out, response);
    }

    /// Answers in place of the handler, where nothing was answered yet, and ends the connection.
    pub(super) fn answer_for_library(
        &mut self,
        cx: &mut Turn<'_>,
        out: &mut Outbox,
        response: Response,
    ) {
        let now = cx.now();
        let mut exchange = self.exchange.take().unwrap_or_else(|| {
            let plan = Plan::new();
            let framing = Framing::Empty;
            Box::new(Exchange { head: None, framing, plan, started: now, received: 0 })
        });
        let aborted = !exchange.is_unanswered();
        if !aborted {
            exchange.plan.content = Intake::Discard;
            self.conn.close_after_cycle();
            let framing = exchange.framing;
            self.reply(cx, out, framing, &mut exchange.plan, |mut reply| reply.answer(response));
        }
        self.exchange = Some(exchange);
        self.finish_exchange(now, aborted);
        self.close();
    }

    /// The connection has failed; an exchange that was under way is over.
    pub(super) fn give_up(&mut self, now: Instant) {
        if self.exchange.is_some() {
            self.worker.counters.aborted.add(1);
            self.finish_exchange(now, true);
        }
    }

    /// Hands the connection to the task of the other protocol. The task keeps the session's place on
    /// the loop, so that events find it.
    pub(super) fn switch(&mut self) {
        let Some(exchange) = self.exchange.take() else { return self.close() };
        let Answer::Upgrade(then) = exchange.plan.answer else { return self.close() };
        let Some(transport) = self.transport.take() else { return self.close() };
        let early = std::mem::take(&mut self.input);
        self.upgraded = Some(then(Upgraded { transport, early }));
    }
}

fn capitalized(message: &str) -> String {
    let mut characters = message.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).chain(['.']).collect()
}
