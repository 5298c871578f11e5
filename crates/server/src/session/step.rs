//! The events of the machine and what they do to the exchange.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use avocet_net::{Outbox, Turn};
use avocet_wire::{Event, FieldBuf, Fields, Framing, RequestHead};
use http::StatusCode;
use http::header::ACCEPT;

use super::{HIGH_WATER, Session, Stage};
use crate::exchange::{Exchange, SinkPanicked, needs_head};
use crate::reply::{Answer, Intake, Parts, Plan, Reply, Resumed};
use crate::request::Request;
use crate::response::Response;

/// What keeps request content from being taken.
enum Fault {
    TooLarge,
    SinkPanicked,
}

/// What one turn may do before the others have theirs: 16 exchanges, or 256 KiB in either direction.
pub(super) struct Budget {
    exchanges: u32,
    read: u64,
    written: u64,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { exchanges: 16, read: SHARE, written: SHARE }
    }

    pub(super) fn read(&mut self, count: usize) {
        self.read = self.read.saturating_sub(count as u64);
    }

    pub(super) fn wrote(&mut self, count: u64) {
        self.written = self.written.saturating_sub(count);
    }

    pub(super) fn is_spent(&self) -> bool {
        self.exchanges == 0 || self.read == 0 || self.written == 0
    }
}

const SHARE: u64 = 256 * 1024;

impl Session {
    /// Whether the machine may read on.
    #[inline]
    pub(super) fn wants_input(
        &mut self,
        cx: &mut Turn<'_>,
        out: &mut Outbox,
        has_input: bool,
    ) -> bool {
        out.len() < HIGH_WATER
            && (self.exchange.is_none() || self.wants_content(cx, out, has_input))
    }

    /// Whether the machine may read on in an exchange.
    fn wants_content(&mut self, cx: &mut Turn<'_>, out: &mut Outbox, has_input: bool) -> bool {
        let drain = self.worker.shared.config.drain;
        let Some(exchange) = &mut self.exchange else { return true };
        if matches!(exchange.plan.answer, Answer::Upgrade(_)) {
            return true;
        }
        if self.conn.reading_done() {
            return false;
        }
        match exchange.wants_content(drain) {
            Ok(true) => {}
            Ok(false) => return false,
            Err(SinkPanicked) => {
                self.sink_panicked(cx, out);
                return false;
            }
        }
        // Somebody wants the content now, so the client that waits to be asked is asked, unless it
        // sent content already (RFC 9110 §10.1.1). Content that nobody wants is not asked for.
        if !has_input && self.conn.awaits_continue() && exchange.is_unanswered() {
            if exchange.plan.discards() {
                return false;
            }
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
        // The end of a message without content is told without another byte.
        let mut end_due = false;
        self.state.unstepped = false;
        loop {
            // Looked at where it is: a head is too large to be moved about.
            let read = self.conn.read(&input[used..], &mut table);
            let step = match &read {
                Ok(step) => step,
                Err(error) => {
                    self.refuse(cx, out, error);
                    return input.len();
                }
            };
            used += step.used;
            match &step.event {
                Event::Head { head, body, .. } => {
                    self.on_head(cx, out, head, *body);
                    end_due = true;
                    if self.state.stage == Stage::Open
                        && self.exchange.is_none()
                        && self.conn.take_end()
                    {
                        end_due = false;
                        budget.exchanges = budget.exchanges.saturating_sub(1);
                        self.next_cycle(cx.now());
                    }
                }
                Event::Data(bytes) => self.on_data(cx, out, bytes),
                Event::End(trailers) => {
                    end_due = false;
                    budget.exchanges = budget.exchanges.saturating_sub(1);
                    match self.exchange.take() {
                        Some(exchange) => self.on_end(cx, out, exchange, *trailers),
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
            let has_more = used < input.len() || end_due || self.exchange.is_some();
            if !has_more {
                return used;
            }
            if budget.is_spent() || !self.wants_input(cx, out, used < input.len()) {
                self.state.unstepped = has_more;
                return used;
            }
        }
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
        let mut plan = Plan::new();
        self.call(cx, out, head, framing, now, &mut plan, |handler, request, reply| {
            handler.handle(request, reply);
        });
        let log = self.worker.shared.access_log.clone();
        let over = matches!(plan.answer, Answer::Queued) && framing == Framing::Empty;
        if over {
            if let Some(log) = log {
                let record = self.record(&plan, now, now, false);
                record.write(&*log, Some(head));
            }
            return;
        }
        let json = self.worker.shared.config.error_pages.prefers_json(head.fields.get(&ACCEPT));
        plan.json_pages = json;
        if plan.is_too_large(framing) {
            self.refuse_too_large(cx, out, framing, &mut plan);
        }
        let head = needs_head(&plan, log.is_some()).then(|| head.to_owned());
        self.exchange = Some(Box::new(Exchange::new(head, framing, plan, now)));
    }

    fn on_data(&mut self, cx: &mut Turn<'_>, out: &mut Outbox, bytes: &[u8]) {
        let drain = self.worker.shared.config.drain;
        let Some(exchange) = &mut self.exchange else { return };
        exchange.received += bytes.len() as u64;
        let fault = match &mut exchange.plan.content {
            // Content that nobody wants, behind an answer: within the bound it keeps the
            // connection in step, beyond it the connection ends.
            Intake::Discard => {
                exchange.discard(bytes.len(), cx.now());
                if exchange.discarded > drain && !exchange.is_unanswered() {
                    self.finish_exchange(cx.now(), false);
                    self.close();
                }
                None
            }
            Intake::Collect { limit, bytes: collected, .. } => {
                let fits = exchange.received <= *limit;
                if fits {
                    collected.extend_from_slice(bytes);
                }
                (!fits).then_some(Fault::TooLarge)
            }
            Intake::Sink(sink) => {
                let taken = catch_unwind(AssertUnwindSafe(|| sink.data(bytes)));
                taken.err().map(|_| Fault::SinkPanicked)
            }
            Intake::Feed(feed) => {
                let taken = catch_unwind(AssertUnwindSafe(|| feed.data(bytes)));
                taken.err().map(|_| Fault::SinkPanicked)
            }
        };
        match fault {
            None => {}
            Some(Fault::TooLarge) => {
                self.worker.counters.refused.add(1);
                let response = Response::error(StatusCode::PAYLOAD_TOO_LARGE);
                self.answer_for_library(cx, out, response);
            }
            Some(Fault::SinkPanicked) => self.sink_panicked(cx, out),
        }
    }

    fn sink_panicked(&mut self, cx: &mut Turn<'_>, out: &mut Outbox) {
        self.worker.counters.panics.add(1);
        log::error!("a sink of request content panicked");
        let response = Response::error(StatusCode::INTERNAL_SERVER_ERROR);
        self.answer_for_library(cx, out, response);
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
            Intake::Feed(mut feed) => {
                if catch_unwind(AssertUnwindSafe(|| feed.end(trailers))).is_err() {
                    self.exchange = Some(exchange);
                    return self.sink_panicked(cx, out);
                }
            }
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
        // The content has ended: whoever asks for it now would wait for ever.
        if let Intake::Collect { .. } | Intake::Sink(_) =
            std::mem::replace(&mut exchange.plan.content, Intake::Discard)
        {
            log::error!("a handler asked a second time for the content of {}", head.target.path());
            exchange.plan.answer = Answer::Missing;
            let response = Response::error(StatusCode::INTERNAL_SERVER_ERROR);
            self.reply(cx, out, framing, &mut exchange.plan, |mut reply| reply.answer(response));
        }
        exchange.head = Some(owned);
    }

    /// Goes on with a request that was postponed; its content is still to come.
    pub(super) fn call_postponed(
        &mut self,
        cx: &mut Turn<'_>,
        out: &mut Outbox,
        exchange: &mut Exchange,
        then: Resumed,
    ) {
        let Some(owned) = exchange.head.take() else { return };
        exchange.plan.answer = Answer::Missing;
        let (framing, started) = (exchange.framing, exchange.started);
        let head = owned.as_head();
        self.call(cx, out, &head, framing, started, &mut exchange.plan, |_, request, reply| {
            then(request, reply);
        });
        if exchange.plan.is_too_large(framing) {
            self.refuse_too_large(cx, out, framing, &mut exchange.plan);
        }
        exchange.head = Some(owned);
    }

    /// Refuses content before it is read.
    fn refuse_too_large(
        &mut self,
        cx: &mut Turn<'_>,
        out: &mut Outbox,
        framing: Framing,
        plan: &mut Plan,
    ) {
        self.worker.counters.refused.add(1);
        self.conn.close_after_cycle();
        *plan = Plan { json_pages: plan.json_pages, ..Plan::new() };
        let response = Response::error(StatusCode::PAYLOAD_TOO_LARGE);
        self.reply(cx, out, framing, plan, |mut reply| reply.answer(response));
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
        self.close_when_last(cx);
        let Some(transport) = &self.transport else { return };
        let worker = &*self.worker;
        let conn = &mut self.conn;
        let result = {
            let request = Request::new(head, transport.info(), framing, started);
            let wake = || cx.notifier();
            let (out, plan, now) = (&mut *out, &mut *plan, cx.now());
            let head = Some(head);
            let mut parts = Parts { conn, out, worker, wake: &wake, plan, framing, head, now };
            let reply = Reply::new(&mut parts);
            catch_unwind(AssertUnwindSafe(|| call(&*worker.shared.handler, &request, reply)))
        };
        if result.is_err() {
            worker.counters.panics.add(1);
            log::error!("a handler panicked on {}", head.target.path());
            plan.content = Intake::Discard;
        }
        if result.is_err() && !matches!(plan.answer, Answer::Queued | Answer::Leaving)
            || matches!(plan.answer, Answer::Missing)
        {
            if result.is_ok() {
                log::error!("a handler did not answer {}", head.target.path());
            }
            if plan.status.is_some() {
                plan.answer = Answer::Broken;
                return;
            }
            let pages = &self.worker.shared.config.error_pages;
            plan.json_pages = pages.prefers_json(head.fields.get(&ACCEPT));
            self.conn.close_after_cycle();
            let response = Response::error(StatusCode::INTERNAL_SERVER_ERROR);
            self.reply(cx, out, framing, plan, |mut reply| reply.answer(response));
        }
    }

    /// A response that can be foreseen to be the last says so.
    fn close_when_last(&mut self, cx: &Turn<'_>) {
        if cx.stopping().is_some() || self.state.read_ended {
            self.conn.close_after_cycle();
        }
    }

    /// Makes a reply for the library itself.
    pub(super) fn reply(
        &mut self,
        cx: &mut Turn<'_>,
        out: &mut Outbox,
        framing: Framing,
        plan: &mut Plan,
        answer: impl FnOnce(Reply<'_>),
    ) {
        self.close_when_last(cx);
        let wake = || cx.notifier();
        let (worker, now) = (&*self.worker, cx.now());
        let conn = &mut self.conn;
        let mut parts = Parts { conn, out, worker, wake: &wake, plan, framing, head: None, now };
        answer(Reply::new(&mut parts));
    }

    pub(super) fn next_cycle(&mut self, now: Instant) {
        match self.conn.next_cycle() {
            Ok(()) => {
                self.clock.idle(now);
                self.state.unstepped = !self.input.is_empty();
            }
            Err(_) => self.close(),
        }
    }
}
