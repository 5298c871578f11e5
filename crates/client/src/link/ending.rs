//! How an exchange ends, well or badly, and what becomes of its connection.

use std::io;

use avocet_net::Turn;
use avocet_wire::FieldBuf;

use super::exchange::Exchange;
use super::{Duty, Ended, Link, Progress, Stage};
use crate::error::{Error, ErrorKind};
use crate::transfer::Reaction;

/// Why an exchange ends early.
pub(super) enum Failure {
    /// Nobody waits for it any more.
    Cancelled,
    /// The rest of the response is not worth reading; the transfer goes on elsewhere.
    Abandoned,
    /// A kept connection turned out to be closed before anything was sent on it.
    Stale,
    /// The connection failed.
    Lost(io::Error),
    /// The request cannot be sent as it is; nothing of it was.
    Unsendable(Error),
    /// The transfer failed.
    Final(Error),
}

impl Link {
    /// The exchange is complete. The connection is given back before the transfer goes on, so that a
    /// next hop to the same place finds it.
    pub(super) fn complete(&mut self, cx: &mut Turn<'_>) -> Result<Progress, Ended> {
        let Some(exchange) = self.exchange.take() else { return Err(Ended) };
        self.since = cx.now();
        self.served += 1;
        // Bytes after the response belong to no request: the connection is out of step.
        let usable = self.conn.next_cycle().is_ok()
            && self.input.is_empty()
            && self.pending.is_none()
            && !(cx.readable() && self.is_disturbed(cx));
        let parked = usable && self.park(cx);
        if !parked {
            self.leave();
        }
        self.hub.on_end(exchange.id, exchange.received_trailers, cx.now());
        if parked { Ok(Progress::Done) } else { Err(Ended) }
    }

    /// The exchange ends unfinished, and the connection with it unless nothing was sent.
    pub(super) fn end(&mut self, cx: &mut Turn<'_>, failure: Failure) -> Result<Progress, Ended> {
        let Some(exchange) = self.exchange.take() else { return Err(Ended) };
        let (id, now) = (exchange.id, cx.now());
        if let Failure::Unsendable(error) = failure {
            let parked = self.park(cx);
            self.hub.fail(id, error, now);
            return if parked { Ok(Progress::Done) } else { Err(Ended) };
        }
        self.leave();
        match failure {
            Failure::Cancelled => {}
            Failure::Abandoned => self.hub.on_end(id, FieldBuf::new(), now),
            Failure::Stale => self.hub.requeue(id),
            Failure::Unsendable(error) | Failure::Final(error) => self.hub.fail(id, error, now),
            Failure::Lost(error) => self.lost(exchange, error, cx),
        }
        Err(Ended)
    }

    /// The connection failed under the exchange.
    fn lost(&self, exchange: Exchange, error: io::Error, cx: &Turn<'_>) {
        let id = exchange.id;
        // The rest of a response that is not given out is not missed.
        if exchange.reaction == Reaction::Discard {
            self.hub.on_end(id, FieldBuf::new(), cx.now());
            return;
        }
        let answered = self.hub.with(id, |transfer| transfer.answered).unwrap_or(true);
        if self.served > 0 && !answered && self.may_replay(id) {
            self.hub.requeue(id);
            return;
        }
        let phase = exchange.phase();
        // Where writing failed first, that is the reason, and the end that was read its consequence;
        // but an alert of TLS, which is data that says why, is better than both.
        let error = match exchange.broken {
            Some(broken) if error.kind() != io::ErrorKind::InvalidData => broken,
            _ => error,
        };
        let (kind, message) = match error.kind() {
            io::ErrorKind::UnexpectedEof if !exchange.heard => {
                (ErrorKind::CutShort, "the server closed without an answer".to_owned())
            }
            _ => (ErrorKind::Connection, error.to_string()),
        };
        self.hub.fail(id, Error::new(kind, phase, message).caused_by(error), cx.now());
    }

    fn may_replay(&self, id: crate::TransferId) -> bool {
        let replay = self.hub.with(id, |transfer| {
            let may = transfer.may_replay();
            transfer.replayed = true;
            may
        });
        replay.unwrap_or(false)
    }

    pub(super) fn park(&mut self, cx: &mut Turn<'_>) -> bool {
        let (task, now) = (cx.id(), cx.now());
        let hub = self.hub.clone();
        let parked = hub.park(self.place, task, cx, now);
        self.duty = if parked { Duty::Idle(task) } else { Duty::None };
        if !parked {
            self.stage = Stage::Gone;
        }
        parked
    }

    /// Takes the connection out of the books.
    fn leave(&mut self) {
        if let Duty::Active(_) = std::mem::replace(&mut self.duty, Duty::None) {
            self.hub.release(self.place);
        }
        self.stage = Stage::Gone;
    }
}
