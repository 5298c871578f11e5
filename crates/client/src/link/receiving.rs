//! The response on its way in.

use avocet_net::{Input, Turn};
use avocet_wire::{Eof, Event, FieldBuf, Fields, Framing, ReadError, ResponseHead};
use http::StatusCode;

use super::ending::Failure;
use super::exchange::{Receiving, Sending};
use super::{Link, Stage};
use crate::error::{Error, ErrorKind, Phase};
use crate::transfer::Reaction;

impl Link {
    /// Reads and steps over what came; false when nothing did.
    pub(super) fn receive(
        &mut self,
        cx: &mut Turn<'_>,
        scratch: &mut [u8],
        budget: &mut usize,
    ) -> Result<bool, Failure> {
        let Some(exchange) = &mut self.exchange else { return Err(Failure::Cancelled) };
        match exchange.receiving {
            Receiving::Over => return Ok(false),
            Receiving::Reading if exchange.reaction != Reaction::Discard => {
                let wanted = self.hub.with(exchange.id, |transfer| transfer.wants_data());
                let wanted = wanted.ok_or(Failure::Cancelled)?;
                exchange.note_wanted(wanted, cx.now());
                if !wanted {
                    return Ok(false);
                }
            }
            Receiving::Waiting | Receiving::Reading => {}
        }
        // What was left when the caller had enough comes before anything new.
        if self.unstepped {
            return self.step_input(cx).map(|()| true);
        }
        if !cx.readable() {
            return Ok(false);
        }
        let Stage::Ready(transport) = &mut self.stage else { return Err(Failure::Cancelled) };
        match cx.read(&mut **transport, scratch).map_err(Failure::Lost)? {
            Input::Blocked => Ok(false),
            Input::Closed => self.on_close().map(|()| true),
            Input::Bytes(count) => {
                *budget = budget.saturating_sub(count);
                exchange.heard = true;
                if exchange.receiving == Receiving::Reading {
                    exchange.note_content(count as u64, cx.now());
                }
                if self.input.is_empty() {
                    let used = self.step(cx, &scratch[..count])?;
                    self.input.extend_from_slice(&scratch[used..count]);
                } else {
                    self.input.extend_from_slice(&scratch[..count]);
                    self.step_input(cx)?;
                }
                Ok(true)
            }
        }
    }

    /// Steps over the input that is kept.
    fn step_input(&mut self, cx: &mut Turn<'_>) -> Result<(), Failure> {
        let mut input = std::mem::take(&mut self.input);
        let used = self.step(cx, &input)?;
        if used < input.len() {
            input.drain(..used);
            self.input = input;
        }
        Ok(())
    }

    /// Steps over the events in the input; the number of bytes that are done with.
    fn step(&mut self, cx: &mut Turn<'_>, input: &[u8]) -> Result<usize, Failure> {
        self.unstepped = false;
        let hub = self.hub.clone();
        let mut table = hub.table.borrow_mut();
        let (mut used, mut window) = (0, SLICE);
        loop {
            let Some(exchange) = &mut self.exchange else { return Err(Failure::Cancelled) };
            if exchange.receiving == Receiving::Over {
                return Ok(used);
            }
            // A filter may make a thousand bytes of one: it gets little at a time, so that what the
            // caller has not taken yet stays within its bound.
            let decodes = exchange.reaction == Reaction::Decode;
            let end = if decodes { input.len().min(used + window) } else { input.len() };
            let id = exchange.id;
            let step = self.conn.read(&input[used..end], &mut table);
            let step = match step {
                Ok(step) => step,
                Err(error) => return Err(self.unreadable(error)),
            };
            used += step.used;
            match step.event {
                Event::NeedMore if end < input.len() => window += SLICE,
                Event::NeedMore | Event::Paused => return Ok(used),
                Event::Interim(head) => {
                    exchange.moved = cx.now();
                    if matches!(exchange.sending, Sending::Expecting(_))
                        && head.status == StatusCode::CONTINUE
                    {
                        exchange.sending = Sending::Content;
                        exchange.begin_content(cx.now());
                    }
                    hub.with(id, |transfer| {
                        transfer.report.traffic.received_heads += step.used as u64;
                        let hop = transfer.hop();
                        hub.config.hooks.iter().for_each(|hook| hook.on_interim(&hop, &head));
                    });
                }
                Event::Head { head, body, .. } => self.on_head(cx, &head, body, step.used)?,
                Event::Data(bytes) => {
                    window = SLICE;
                    let read = step.used as u64;
                    if exchange.reaction == Reaction::Discard {
                        exchange.discarded += read;
                        if exchange.discarded > DISCARD {
                            return Err(Failure::Abandoned);
                        }
                        continue;
                    }
                    hub.with(id, |transfer| transfer.report.traffic.received_content += read);
                    let more = hub.on_data(id, bytes).ok_or(Failure::Cancelled)?;
                    if !more.map_err(Failure::Final)? {
                        // Even without input the end of the response may be next.
                        self.unstepped = true;
                        return Ok(used);
                    }
                }
                Event::End(trailers) => {
                    exchange.received_trailers = kept(trailers);
                    exchange.receiving = Receiving::Over;
                }
                Event::Switched => {
                    let message = "the server switched to another protocol unasked";
                    let error = Error::new(ErrorKind::Protocol, Phase::Head, message);
                    return Err(Failure::Final(error));
                }
            }
        }
    }

    /// The final head of a response.
    fn on_head(
        &mut self,
        cx: &Turn<'_>,
        head: &ResponseHead<'_>,
        body: Framing,
        size: usize,
    ) -> Result<(), Failure> {
        // RFC 9110 §15.5.9: what a server says on closing an idle connection is no answer to the
        // request that was under way to it.
        let early = self.is_sending();
        let Some(exchange) = &mut self.exchange else { return Err(Failure::Cancelled) };
        let belated = head.status == StatusCode::REQUEST_TIMEOUT && self.served > 0;
        if belated && self.hub.with(exchange.id, |transfer| transfer.may_replay()) == Some(true) {
            return Err(Failure::Lost(std::io::ErrorKind::ConnectionAborted.into()));
        }
        exchange.receiving = Receiving::Reading;
        exchange.begin_content(cx.now());
        let id = exchange.id;
        self.hub.with(id, |transfer| transfer.report.traffic.received_heads += size as u64);
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            let message = "the server switches to another protocol, which is not spoken here";
            return Err(Failure::Final(Error::new(ErrorKind::Protocol, Phase::Head, message)));
        }
        let reaction = self.hub.on_head(id, head, body, cx.now());
        let reaction = reaction.ok_or(Failure::Cancelled)?.map_err(Failure::Final)?;
        exchange.reaction = reaction;
        // A server that agrees may answer while it reads; one that does not has made up its mind, and
        // one that never said 100 has not asked for the content.
        let expecting = matches!(exchange.sending, Sending::Expecting(_));
        if early && (expecting || !head.status.is_success()) {
            self.stop_sending();
        }
        let long = match body {
            Framing::Length(length) => length > DISCARD,
            Framing::UntilClose => true,
            Framing::Empty | Framing::Chunked => false,
        };
        if reaction == Reaction::Discard && long { Err(Failure::Abandoned) } else { Ok(()) }
    }

    fn on_close(&mut self) -> Result<(), Failure> {
        let Some(exchange) = &mut self.exchange else { return Err(Failure::Cancelled) };
        match self.conn.read_eof() {
            Ok(Eof::End) if exchange.receiving == Receiving::Reading => {
                exchange.receiving = Receiving::Over;
                Ok(())
            }
            Err(_) if exchange.reaction == Reaction::Discard => Err(Failure::Abandoned),
            Err(error) if exchange.heard => {
                let phase = exchange.phase();
                let message = format!("the server closed the connection early: {error}");
                let error = Error::new(ErrorKind::CutShort, phase, message).caused_by(error);
                Err(Failure::Final(error))
            }
            Ok(_) | Err(_) => Err(Failure::Lost(std::io::ErrorKind::UnexpectedEof.into())),
        }
    }

    fn unreadable(&self, error: ReadError) -> Failure {
        let Some(exchange) = &self.exchange else { return Failure::Cancelled };
        // What a response says that is not given out, is nobody's concern.
        if exchange.reaction == Reaction::Discard {
            return Failure::Abandoned;
        }
        let kind = match error {
            ReadError::LimitExceeded { .. } => ErrorKind::Limit,
            _ => ErrorKind::Protocol,
        };
        Failure::Final(Error::new(kind, exchange.phase(), error).caused_by(error))
    }
}

/// Trailers that own their bytes.
fn kept(trailers: Fields<'_>) -> FieldBuf {
    let mut kept = FieldBuf::new();
    for (name, value) in trailers.iter() {
        // What could be read can be written, framing fields apart, which trailers must not hold.
        if let Err(error) = kept.push_raw(name, value) {
            log::debug!("a trailer field was dropped: {error}");
        }
    }
    kept
}

/// The content of a redirect that is read away to keep the connection.
const DISCARD: u64 = 64 * 1024;

/// Coded bytes that a filter gets at once.
const SLICE: usize = 4 * 1024;
