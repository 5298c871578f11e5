//! One connection: it is made, carries transfers one after the other, rests in between.

mod exchange;

use std::io;
use std::rc::Rc;
use std::time::Instant;

use avocet_net::{Input, Next, Outbox, Task, Transport, Turn};
use avocet_wire::{Client, Connection};

use crate::connect::{Connect, Route};
use crate::error::{Error, ErrorKind};
use crate::hub::Hub;
use crate::multi::TransferId;
use exchange::{Exchange, Progress};

/// The task of a connection.
///
/// ```text
/// Making --established--> Ready: idle <--> exchange
///    \--failed--> gone            \--closed, failed, too old--> gone
/// ```
pub(crate) struct Link {
    hub: Rc<Hub>,
    route: Rc<Route>,
    stage: Stage,
    conn: Connection<Client>,
    input: Vec<u8>,
    pending: Option<Outbox>,
    exchange: Option<Exchange>,
    /// Exchanges that were completed.
    served: u64,
    since: Instant,
}

enum Stage {
    Making { connect: Box<dyn Connect>, id: TransferId, until: Instant },
    Ready(Box<dyn Transport>),
    Gone,
}

/// The connection is over and the task with it.
struct Ended;

impl Link {
    /// A connection for a transfer that waits for it.
    pub(crate) fn new(hub: Rc<Hub>, route: Rc<Route>, id: TransferId, now: Instant) -> Self {
        let connect = hub.config.connector.connect(&route);
        let until = now + hub.config.timeouts.connect;
        Self {
            hub,
            route,
            stage: Stage::Making { connect, id, until },
            conn: Connection::<Client>::new(),
            input: Vec::new(),
            pending: None,
            exchange: None,
            served: 0,
            since: now,
        }
    }

    fn work(&mut self, cx: &mut Turn<'_>) -> Result<Next, Ended> {
        if let Stage::Making { .. } = self.stage
            && let Some(next) = self.make(cx)?
        {
            return Ok(next);
        }
        if self.exchange.is_none() {
            match self.hub.take_assigned(cx.id()) {
                Some(id) => self.exchange = Some(Exchange::new(id, cx.now())),
                None => return self.rest(cx),
            }
        }
        let mut out = self.pending.take().unwrap_or_else(|| cx.take_outbox());
        let mut scratch = cx.take_scratch();
        let result = self.run(cx, &mut out, &mut scratch);
        cx.put_scratch(scratch);
        if out.is_empty() {
            cx.put_outbox(out);
        } else {
            self.pending = Some(out);
        }
        match result? {
            Progress::Spent => Ok(Next::Again),
            Progress::Waits => Ok(Next::Wait(self.deadline())),
            Progress::Done => self.rest(cx),
        }
    }

    /// Makes the connection; `None` once it is ready.
    fn make(&mut self, cx: &mut Turn<'_>) -> Result<Option<Next>, Ended> {
        let Stage::Making { connect, id, until } = &mut self.stage else { return Ok(None) };
        let (id, until) = (*id, *until);
        let total = self.hub.with(id, |transfer| transfer.deadline);
        // A transfer that was cancelled needs no connection.
        let Some(total) = total else {
            self.hub.release(&self.route);
            return Err(Ended);
        };
        let phase = connect.phase();
        let failure = match connect.turn(cx) {
            Ok(Some(transport)) => {
                let now = cx.now();
                self.hub.with(id, |transfer| transfer.times.connected = Some(now));
                self.stage = Stage::Ready(transport);
                self.exchange = Some(Exchange::new(id, now));
                return Ok(None);
            }
            Ok(None) if cx.now() >= until => {
                let limit = self.hub.config.timeouts.connect;
                let late = format!("no connection within {limit:?}");
                Error::new(ErrorKind::Timeout, phase, late)
            }
            Ok(None) if total.is_some_and(|total| cx.now() >= total) => {
                Error::new(ErrorKind::Timeout, phase, "the transfer took longer than it may")
            }
            Ok(None) => {
                let own = [connect.deadline(), total].into_iter().flatten().min();
                return Ok(Some(Next::Wait(Some(own.map_or(until, |own| own.min(until))))));
            }
            Err(error) => error,
        };
        self.hub.release(&self.route);
        self.hub.fail(id, failure);
        Err(Ended)
    }

    /// Nothing to do: whatever comes from the server now ends the connection, for it can answer no
    /// request of ours.
    fn rest(&mut self, cx: &mut Turn<'_>) -> Result<Next, Ended> {
        let idle_until = self.since + self.hub.config.pool.idle_for;
        let stray = !self.input.is_empty() || self.is_disturbed(cx);
        if stray || cx.now() >= idle_until || cx.stopping().is_some() {
            self.hub.forget(&self.route, cx.id());
            return Err(Ended);
        }
        Ok(Next::Wait(Some(idle_until)))
    }

    /// Whether bytes or the end have come on an idle connection.
    fn is_disturbed(&mut self, cx: &mut Turn<'_>) -> bool {
        let Stage::Ready(transport) = &mut self.stage else { return true };
        if !cx.readable() {
            return false;
        }
        let mut probe = [0; 1];
        !matches!(cx.read(&mut **transport, &mut probe), Ok(Input::Blocked))
    }

    fn read(&mut self, cx: &mut Turn<'_>, scratch: &mut [u8]) -> io::Result<Input> {
        let Stage::Ready(transport) = &mut self.stage else { return Ok(Input::Closed) };
        cx.read(&mut **transport, scratch)
    }

    /// Writes what the transport takes; whether it took something.
    fn flush(&mut self, cx: &mut Turn<'_>, out: &mut Outbox) -> io::Result<bool> {
        if out.is_empty() || !cx.writable() {
            return Ok(false);
        }
        let Stage::Ready(transport) = &mut self.stage else { return Ok(false) };
        let before = out.len();
        cx.write(&mut **transport, out)?;
        Ok(out.len() < before)
    }

    fn deadline(&self) -> Option<Instant> {
        let exchange = self.exchange.as_ref()?;
        let total = self.hub.with(exchange.id, |transfer| transfer.deadline).flatten();
        let own = exchange.deadline(&self.hub.config.timeouts);
        match (own, total) {
            (Some(own), Some(total)) => Some(own.min(total)),
            (own, total) => own.or(total),
        }
    }
}

impl Task for Link {
    fn turn(&mut self, cx: &mut Turn<'_>) -> Next {
        let next = self.work(cx).unwrap_or(Next::Done);
        if next == Next::Done {
            self.stage = Stage::Gone;
        }
        // A connection that became free, or a redirect, lets others begin.
        let hub = self.hub.clone();
        let now = cx.now();
        hub.dispatch(cx, now);
        next
    }
}
