//! The request on its way out.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::time::Instant;

use avocet_net::{Outbox, Segment, Turn};
use avocet_wire::{BodySize, Client, Connection, SendError};

use super::ending::Failure;
use super::exchange::{Exchange, Receiving, Sending};
use super::{Link, PROBE_AFTER, Stage};
use crate::compose;
use crate::error::{Error, ErrorKind, Phase};
use crate::request::Content;
use crate::transfer::Transfer;

impl Link {
    /// Queues the head of the request.
    pub(super) fn begin(&mut self, cx: &mut Turn<'_>, out: &mut Outbox) -> Result<bool, Failure> {
        let id = match &self.exchange {
            None => return Err(Failure::Cancelled),
            Some(exchange) if exchange.sending != Sending::Unsent => return Ok(false),
            Some(exchange) => exchange.id,
        };
        self.check_alive(id, cx)?;
        let (hub, conn, now) = (&self.hub, &mut self.conn, cx.now());
        let Some(exchange) = &mut self.exchange else { return Err(Failure::Cancelled) };
        let mut fields = hub.fields.borrow_mut();
        let begun = hub.with(id, |transfer| {
            exchange.total = transfer.deadline;
            compose::fields(transfer, &hub.config, &mut fields)?;
            let size = take_content(transfer, exchange)?;
            let target = transfer.hop().target();
            let (version, method) = (transfer.options.version, &transfer.method);
            if transfer.options.close {
                conn.close_after_cycle();
            }
            let before = out.len();
            out.append(|tail| {
                conn.send_request_as(version, method, &target, &[&fields], size, tail)
            })
            .map_err(misuse)?;
            transfer.report.traffic.sent_heads += out.len() - before;
            Ok(())
        });
        begun.ok_or(Failure::Cancelled)?.map_err(Failure::Unsendable)?;
        exchange.moved = now;
        exchange.sending = if !conn.sends_content() {
            Sending::Draining
        } else if conn.awaits_continue() {
            Sending::Expecting(now + hub.config.timeouts.expect)
        } else {
            exchange.begin_content(now);
            Sending::Content
        };
        Ok(true)
    }

    /// A kept connection is asked for its state before it gets a request, if it has rested for some
    /// time, if something is known to have come on it, or if the request could not be sent again.
    fn check_alive(&mut self, id: crate::TransferId, cx: &mut Turn<'_>) -> Result<(), Failure> {
        if self.served == 0 {
            return Ok(());
        }
        let fragile = self.hub.with(id, |transfer| transfer.is_fragile());
        let fragile = fragile.ok_or(Failure::Cancelled)?;
        let rested = cx.now().saturating_duration_since(self.since);
        let too_old = rested >= self.hub.config.pool.idle_for;
        let asked = fragile || rested >= PROBE_AFTER || cx.readable();
        if too_old || (asked && self.is_disturbed(cx)) {
            return Err(Failure::Stale);
        }
        Ok(())
    }

    /// Queues content while there is room.
    pub(super) fn fill(
        &mut self,
        now: Instant,
        out: &mut Outbox,
        scratch: &mut [u8],
    ) -> Result<bool, Failure> {
        let Some(exchange) = &mut self.exchange else { return Err(Failure::Cancelled) };
        if let Sending::Expecting(until) = exchange.sending
            && now >= until
        {
            exchange.sending = Sending::Content;
            exchange.begin_content(now);
        }
        if exchange.sending != Sending::Content || out.len() >= HIGH_WATER {
            return Ok(false);
        }
        let conn = &mut self.conn;
        let before = out.len();
        match exchange.content.pop_front() {
            None => {
                let trailers = std::mem::take(&mut exchange.trailers);
                out.append(|tail| conn.send_end(&trailers, tail)).map_err(unsendable)?;
                exchange.sending = Sending::Draining;
            }
            Some(Content::Empty) => {}
            Some(Content::Bytes(bytes)) => {
                let len = bytes.len() as u64;
                queue(conn, Segment::Shared(bytes), len, out)?;
            }
            Some(Content::File(range)) => {
                let len = range.len;
                queue(conn, Segment::File(range), len, out)?;
            }
            Some(Content::Reader { mut reader, size, trailers }) => {
                let most = scratch.len().min(PIECE);
                let count = read_some(&mut *reader, &mut scratch[..most])?;
                if count > 0 {
                    let framed = out.append(|tail| conn.frame_data(count as u64, tail));
                    let suffix = framed.map_err(unsendable)?;
                    out.push_slice(&scratch[..count]);
                    out.push_slice(suffix);
                    exchange.content.push_front(Content::Reader { reader, size, trailers });
                } else {
                    exchange.trailers.extend(&trailers);
                }
            }
            Some(Content::Parts(parts)) => {
                parts.into_iter().rev().for_each(|part| exchange.content.push_front(part));
            }
        }
        let queued = out.len() - before;
        if queued > 0 {
            self.hub.with(exchange.id, |transfer| transfer.report.traffic.sent_content += queued);
        }
        Ok(true)
    }

    /// Writes what the transport takes; whether it took something.
    ///
    /// A write that fails is not the end: a server that has answered and closed is still to be heard.
    pub(super) fn flush(&mut self, cx: &mut Turn<'_>, out: &mut Outbox) -> Result<bool, Failure> {
        let Some(exchange) = &mut self.exchange else { return Err(Failure::Cancelled) };
        let Stage::Ready(transport) = &mut self.stage else { return Err(Failure::Cancelled) };
        if exchange.sending == Sending::Stopped {
            out.consume(out.len());
        }
        let before = out.len();
        if before > 0 && cx.writable() {
            match cx.write(&mut **transport, out) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    let message = format!("the content cannot be sent: {error}");
                    let failure = Error::new(ErrorKind::Content, Phase::Send, message);
                    return Err(Failure::Final(failure.caused_by(error)));
                }
                Err(error) => {
                    out.consume(out.len());
                    exchange.broken = Some(error);
                    exchange.sending = Sending::Stopped;
                    exchange.content.clear();
                    exchange.moved = cx.now();
                    self.conn.close_after_cycle();
                    return Ok(true);
                }
            }
        }
        let written = before - out.len();
        if written > 0 {
            exchange.note_content(written, cx.now());
        }
        if exchange.sending == Sending::Draining && out.is_empty() {
            exchange.sending = Sending::Done;
            let now = cx.now();
            self.hub.with(exchange.id, |transfer| transfer.report.times.sent = Some(now));
        }
        Ok(written > 0)
    }

    /// The rest of the content will not be sent, since a response has come that does not need it, and
    /// without it the connection can carry nothing more.
    pub(super) fn stop_sending(&mut self) {
        let Some(exchange) = &mut self.exchange else { return };
        if !exchange.sending.is_over() {
            exchange.sending = Sending::Stopped;
            exchange.content.clear();
            self.conn.close_after_cycle();
        }
    }

    /// Whether the request is still on its way out, so that a response comes early.
    pub(super) fn is_sending(&self) -> bool {
        self.exchange.as_ref().is_some_and(|exchange| {
            exchange.receiving == Receiving::Waiting
                && !matches!(exchange.sending, Sending::Unsent)
                && !exchange.sending.is_over()
        })
    }
}

/// Moves the content into the exchange; its size.
fn take_content(transfer: &mut Transfer, exchange: &mut Exchange) -> Result<BodySize, Error> {
    let content = transfer.hand_out_content()?;
    let size = match content.size() {
        Some(0) => return Ok(BodySize::Empty),
        Some(size) => BodySize::Known(size),
        None => BodySize::Unknown,
    };
    exchange.content = VecDeque::from([content]);
    Ok(size)
}

fn queue(
    conn: &mut Connection<Client>,
    segment: Segment,
    len: u64,
    out: &mut Outbox,
) -> Result<(), Failure> {
    let suffix = out.append(|tail| conn.frame_data(len, tail)).map_err(unsendable)?;
    out.push(segment);
    out.push_slice(suffix);
    Ok(())
}

fn read_some(reader: &mut dyn Read, room: &mut [u8]) -> Result<usize, Failure> {
    loop {
        match reader.read(room) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                let message = format!("the content cannot be read: {error}");
                let failure = Error::new(ErrorKind::Content, Phase::Send, message);
                return Err(Failure::Final(failure.caused_by(error)));
            }
            Ok(count) => return Ok(count),
        }
    }
}

fn misuse(error: SendError) -> Error {
    Error::new(ErrorKind::Request, Phase::Send, error).caused_by(error)
}

fn unsendable(error: SendError) -> Failure {
    Failure::Final(misuse(error))
}

/// Output beyond which no more content is read from its source.
const HIGH_WATER: u64 = 64 * 1024;

/// What is asked of a reader at once.
const PIECE: usize = 32 * 1024;
