//! Responses on their way: late ones, streamed ones, those of the library itself, and what follows.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::Instant;

use avocet_net::{Outbox, Turn};
use avocet_wire::{Framing, ReadError};

use super::{Ended, HIGH_WATER, Session};
use crate::body::{BodySource, Pulled, segment_len};
use crate::channel::SenderPanicked;
use crate::exchange::{Exchange, Record};
use crate::reply::{Answer, Intake, Plan, Upgraded, send_end};
use crate::response::Response;
use crate::ticket::{Given, Interim};

/// How much a source is asked for at a time.
const PIECE: usize = 32 * 1024;

impl Session {
    /// Carries on an exchange that waits for something else than input; true when it changed.
    pub(super) fn drive_exchange(&mut self, cx: &mut Turn<'_>, out: &mut Outbox) -> bool {
        let Some(mut exchange) = self.exchange.take() else { return false };
        exchange.forget_gone_reader();
        let answer = std::mem::replace(&mut exchange.plan.answer, Answer::Broken);
        let mut changed = false;
        exchange.plan.answer = match answer {
            Answer::Deferred(slot) => {
                let (interims, given) = slot.take(out.len() < HIGH_WATER);
                changed = !interims.is_empty();
                for interim in interims {
                    self.send_interim(cx, out, &interim);
                }
                match given {
                    Some(Given { response, panicked }) => {
                        changed = true;
                        self.worker.counters.panics.add(u64::from(panicked));
                        if exchange.discarded > self.worker.shared.config.drain {
                            // More content came than is read away: the connection ends.
                            self.conn.close_after_cycle();
                        }
                        let framing = exchange.framing;
                        self.reply(cx, out, framing, &mut exchange.plan, |mut reply| {
                            reply.answer(response);
                        });
                        std::mem::replace(&mut exchange.plan.answer, Answer::Broken)
                    }
                    None => Answer::Deferred(slot),
                }
            }
            Answer::Postponed(is_due, then) if is_due.load(Ordering::Acquire) => {
                changed = true;
                self.call_postponed(cx, out, &mut exchange, then);
                std::mem::replace(&mut exchange.plan.answer, Answer::Broken)
            }
            Answer::Streaming(source) => {
                let before = out.len();
                let answer = self.pull(cx, out, &mut exchange.plan, source);
                changed = out.len() != before || !matches!(answer, Answer::Streaming(_));
                answer
            }
            Answer::Leaving if out.is_empty() => {
                changed = true;
                Answer::Queued
            }
            other => other,
        };
        match exchange.plan.answer {
            Answer::Broken => {
                self.exchange = Some(exchange);
                self.cut_off(cx.now());
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

    fn send_interim(&mut self, cx: &Turn<'_>, out: &mut Outbox, interim: &Interim) {
        let (status, fields) = (interim.status, &interim.fields);
        let sent = out.append(|tail| self.conn.send_interim(status, fields, tail));
        if let Err(error) = sent {
            log::debug!("no {status} for {}: {error}", cx.id());
        }
    }

    /// Takes pieces from a source while there is room.
    fn pull(
        &mut self,
        cx: &mut Turn<'_>,
        out: &mut Outbox,
        plan: &mut Plan,
        mut source: Box<dyn BodySource>,
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
                    .append(|tail| send_end(&mut self.conn, &trailers, tail))
                    .map(|()| Some(Answer::Queued)),
                Ok(Err(error)) => {
                    let panicked =
                        error.get_ref().is_some_and(|inner| inner.is::<SenderPanicked>());
                    self.worker.counters.panics.add(u64::from(panicked));
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
    pub(super) fn finish_exchange(&mut self, now: Instant, aborted: bool) {
        let Some(exchange) = self.exchange.take() else { return };
        if let Some(log) = self.worker.shared.access_log.clone() {
            let record = self.record(&exchange.plan, exchange.started, now, aborted);
            match &exchange.head {
                Some(owned) => record.write(&*log, Some(&owned.as_head())),
                None => record.write(&*log, None),
            }
        }
    }

    pub(super) fn record(
        &self,
        plan: &Plan,
        started: Instant,
        now: Instant,
        aborted: bool,
    ) -> Record<'_> {
        let (status, content) = (plan.status, plan.sent);
        let counters = &self.worker.counters;
        Record { counters, remote: &self.peer().remote, status, content, started, now, aborted }
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
        let mut exchange = self
            .exchange
            .take()
            .unwrap_or_else(|| Box::new(Exchange::new(None, Framing::Empty, Plan::new(), now)));
        if exchange.is_unanswered() {
            exchange.plan.content = Intake::Discard;
            self.conn.close_after_cycle();
            let framing = exchange.framing;
            self.reply(cx, out, framing, &mut exchange.plan, |mut reply| reply.answer(response));
        }
        let complete = matches!(exchange.plan.answer, Answer::Queued | Answer::Leaving);
        self.exchange = Some(exchange);
        if complete {
            self.finish_exchange(now, false);
            self.close();
        } else {
            self.cut_off(now);
        }
    }

    /// Ends an exchange whose response stays incomplete, and the connection with it.
    fn cut_off(&mut self, now: Instant) {
        self.worker.counters.aborted.add(1);
        self.finish_exchange(now, true);
        self.close();
        self.state.cut_off = self.conn.lasts_until_close() && !self.conn.sending_done();
    }

    /// The connection is over, come what may. What the client has not got must not look complete.
    pub(super) fn give_up(&mut self, now: Instant) {
        let unfinished = self.conn.lasts_until_close() && !self.conn.sending_done();
        let unsent = self.pending.take().is_some();
        if (unfinished || unsent)
            && let Some(transport) = &mut self.transport
            && let Err(error) = transport.reset()
        {
            log::debug!("resetting a connection: {error}");
        }
        if let Some(exchange) = &self.exchange {
            let aborted = unsent || !matches!(exchange.plan.answer, Answer::Queued);
            self.worker.counters.aborted.add(u64::from(aborted));
            self.finish_exchange(now, aborted);
        }
    }

    /// Hands the connection to the task of the other protocol. The task keeps the session's place on
    /// the loop, so that events find it.
    pub(super) fn switch(&mut self, cx: &mut Turn<'_>) -> Result<(), Ended> {
        // Everything may have come in the first packet, before the loop had to know the connection.
        self.register(cx)?;
        let Some(mut exchange) = self.exchange.take() else { return Err(Ended) };
        let answer = std::mem::replace(&mut exchange.plan.answer, Answer::Queued);
        self.exchange = Some(exchange);
        self.finish_exchange(cx.now(), false);
        let Answer::Upgrade(then) = answer else { return Err(Ended) };
        let Some(transport) = self.transport.take() else { return Err(Ended) };
        let early = std::mem::take(&mut self.input);
        let upgraded = Upgraded { transport, early };
        match catch_unwind(AssertUnwindSafe(|| then(upgraded))) {
            Ok(task) => {
                self.upgraded = Some(task);
                Ok(())
            }
            Err(_) => {
                self.worker.counters.panics.add(1);
                log::error!("the beginning of another protocol panicked");
                Err(Ended)
            }
        }
    }
}

fn capitalized(message: &str) -> String {
    let mut characters = message.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).chain(['.']).collect()
}
