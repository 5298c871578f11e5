//! One connection: it is made, carries transfers one after the other, rests in between.

mod ending;
mod exchange;
mod making;
mod receiving;
mod sending;

use std::rc::Rc;
use std::time::{Duration, Instant};

use avocet_net::{Input, Next, Outbox, Task, TaskId, Transport, Turn};
use avocet_wire::{Client, Connection};

use crate::connect::Route;
use crate::error::{Error, ErrorKind, Phase};
use crate::hub::{Hub, Order};
use crate::ids::TransferId;
use crate::pool::PlaceId;
use ending::Failure;
use exchange::{Exchange, Receiving};
use making::Making;

/// The task of a connection.
///
/// ```text
/// Making --established--> Ready: idle <--> exchange
///    \--failed--> Gone            \--closed, failed, too old--> Gone
/// ```
pub(crate) struct Link {
    hub: Rc<Hub>,
    route: Rc<Route>,
    place: PlaceId,
    duty: Duty,
    stage: Stage,
    conn: Connection<Client>,
    input: Vec<u8>,
    /// Whether there may be whole events without reading, which were left when the caller had enough.
    unstepped: bool,
    pending: Option<Outbox>,
    exchange: Option<Exchange>,
    /// Exchanges that were completed.
    served: u64,
    /// When the last of them was.
    since: Instant,
}

enum Stage {
    Making(Making),
    Ready(Box<dyn Transport>),
    Gone,
}

/// What the pool counts this connection as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Duty {
    /// In use, for this transfer.
    Active(TransferId),
    /// At rest, under this name.
    Idle(TaskId),
    /// Nothing any more.
    None,
}

/// The connection is over and the task with it.
struct Ended;

/// How far a turn came.
enum Progress {
    /// The budget is spent, not the work.
    Spent,
    /// An event will come.
    Waits,
    /// The exchange is over and the connection can carry another.
    Done,
}

impl Link {
    /// A connection for a transfer that waits for it.
    pub(crate) fn new(
        hub: Rc<Hub>,
        route: Rc<Route>,
        place: PlaceId,
        id: TransferId,
        now: Instant,
    ) -> Self {
        let making = Making::new(id, now + hub.config.timeouts.connect);
        Self {
            hub,
            route,
            place,
            duty: Duty::Active(id),
            stage: Stage::Making(making),
            conn: Connection::<Client>::new(),
            input: Vec::new(),
            unstepped: false,
            pending: None,
            exchange: None,
            served: 0,
            since: now,
        }
    }

    fn work(&mut self, cx: &mut Turn<'_>) -> Result<Next, Ended> {
        if let Stage::Making(_) = self.stage
            && let Some(next) = self.make(cx)?
        {
            return Ok(next);
        }
        if self.exchange.is_none() {
            match self.hub.take_order(cx.id()) {
                None => return self.rest(cx),
                Some(Order::End) => {
                    self.duty = Duty::None;
                    return Err(Ended);
                }
                Some(Order::Carry(id)) => {
                    self.duty = Duty::Active(id);
                    // A transfer that was cancelled meanwhile leaves the connection as it is.
                    if !self.hub.has(id) {
                        return if self.park(cx) { self.rest(cx) } else { Err(Ended) };
                    }
                    self.exchange = Some(Exchange::new(id, cx.now()));
                }
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

    /// Carries the exchange on as far as it goes.
    fn run(
        &mut self,
        cx: &mut Turn<'_>,
        out: &mut Outbox,
        scratch: &mut [u8],
    ) -> Result<Progress, Ended> {
        let mut budget = BUDGET;
        let wanted = self.exchange.as_ref().is_some_and(|exchange| self.hub.has(exchange.id));
        let result = loop {
            if !wanted {
                break Err(Failure::Cancelled);
            }
            match self.advance(cx, out, scratch, &mut budget) {
                Err(failure) => break Err(failure),
                Ok(_) if self.is_complete() => return self.complete(cx),
                Ok(true) if budget == 0 => {
                    break self.check_total(cx.now()).map(|()| Progress::Spent);
                }
                Ok(true) => {}
                Ok(false) => break self.check_time(cx.now()).map(|()| Progress::Waits),
            }
        };
        result.or_else(|failure| self.end(cx, failure))
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
        let filled = self.fill(cx.now(), out, scratch)?;
        let wrote = self.flush(cx, out)?;
        let read = self.receive(cx, scratch, budget)?;
        Ok(begun || filled || wrote || read)
    }

    /// Nothing to do: whatever comes from the server now ends the connection, for it can answer no
    /// request of ours.
    fn rest(&mut self, cx: &mut Turn<'_>) -> Result<Next, Ended> {
        let idle_until = self.since + self.hub.config.pool.idle_for;
        let disturbed = cx.readable() && self.is_disturbed(cx);
        if disturbed || cx.now() >= idle_until || cx.stopping().is_some() {
            if let Stage::Ready(transport) = &mut self.stage
                && !disturbed
                && self.route.secure
                && let Err(error) = transport.close_write()
            {
                log::debug!("closing a connection: {error}");
            }
            return Err(Ended);
        }
        Ok(Next::Wait(Some(idle_until)))
    }

    /// Whether bytes, an error or the end have come on a connection at rest. It asks the transport
    /// whatever its readiness says: the loop may not have been turned for long.
    fn is_disturbed(&mut self, cx: &mut Turn<'_>) -> bool {
        let Stage::Ready(transport) = &mut self.stage else { return true };
        let mut probe = [0; 1];
        !matches!(cx.read(&mut **transport, &mut probe), Ok(Input::Blocked))
    }

    fn deadline(&self) -> Option<Instant> {
        self.exchange.as_ref()?.deadline(&self.hub.config.timeouts)
    }

    /// Gives the transfer up when its total time is over.
    fn check_total(&self, now: Instant) -> Result<(), Failure> {
        match &self.exchange {
            Some(exchange) if exchange.is_late(now) => Err(timeout(exchange.phase(), LATE)),
            _ => Ok(()),
        }
    }

    /// Gives the transfer up when it has waited too long, or is too slow.
    fn check_time(&mut self, now: Instant) -> Result<(), Failure> {
        self.check_total(now)?;
        let Some(exchange) = &mut self.exchange else { return Ok(()) };
        let timeouts = &self.hub.config.timeouts;
        if exchange.is_stuck(timeouts, now) {
            return Err(timeout(exchange.phase(), "nothing came for too long"));
        }
        match exchange.is_slow(timeouts, now) {
            Some((rate, over)) => {
                let message = format!("slower than {rate} bytes per second over {over:?}");
                Err(timeout(exchange.phase(), &message))
            }
            None => Ok(()),
        }
    }

    fn is_complete(&self) -> bool {
        self.exchange.as_ref().is_some_and(|exchange| {
            exchange.receiving == Receiving::Over && exchange.sending.is_over()
        })
    }
}

impl Task for Link {
    fn turn(&mut self, cx: &mut Turn<'_>) -> Next {
        let next = self.work(cx).unwrap_or(Next::Done);
        if next == Next::Done {
            self.settle(cx.now());
        }
        // A connection that became free, or a redirect, lets others begin.
        let hub = self.hub.clone();
        let now = cx.now();
        hub.dispatch(cx, now);
        next
    }
}

impl Link {
    /// Takes the connection out of the books, whatever it was doing.
    fn settle(&mut self, now: Instant) {
        self.stage = Stage::Gone;
        match std::mem::replace(&mut self.duty, Duty::None) {
            Duty::None => {}
            Duty::Idle(task) => match self.hub.take_order(task) {
                Some(Order::Carry(id)) => {
                    self.hub.release(self.place);
                    self.hub.requeue(id);
                }
                Some(Order::End) => {}
                None => self.hub.forget(self.place, task),
            },
            Duty::Active(id) => {
                self.hub.release(self.place);
                let message = "the connection was given up: code of the program panicked";
                let error = Error::new(ErrorKind::Cancelled, Phase::Content, message);
                self.hub.fail(id, error, now);
            }
        }
    }
}

impl Drop for Link {
    /// A turn that ended by a panic leaves the books as they were.
    fn drop(&mut self) {
        if self.duty != Duty::None {
            self.settle(self.since);
        }
    }
}

fn timeout(phase: Phase, message: &str) -> Failure {
    Failure::Final(Error::new(ErrorKind::Timeout, phase, message))
}

const LATE: &str = crate::hub::LATE;

/// Bytes read per turn before others have theirs.
const BUDGET: usize = 256 * 1024;

/// A connection that rested so long is asked for its state before it is used again.
const PROBE_AFTER: Duration = Duration::from_millis(100);
