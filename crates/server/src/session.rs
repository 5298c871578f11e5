//! One connection: reading, stepping the machine, answering, writing, waiting.

mod answer;
mod clock;
mod step;

use std::io;
use std::rc::Rc;
use std::time::Instant;

use avocet_net::{Established, Input, Next, Outbox, PeerInfo, Readiness, Task, Transport, Turn};
use avocet_wire::{Connection, Server};

use crate::connections::Permits;
use crate::exchange::Exchange;
use crate::response::Response;
use crate::worker::Worker;
use clock::Clock;
use step::Budget;

/// The task of a connection.
///
/// ```text
///           +-> Fresh/Idle --bytes--> Head --complete--> exchange --+
///           |                                                       |
///           +-------------------- next cycle -----------------------+
///   any --error or last response--> Closing --flushed--> Lingering --quiet--> gone
///                                          \-- nothing unread --------------> gone
/// ```
pub(crate) struct Session {
    transport: Option<Box<dyn Transport>>,
    conn: Connection<Server>,
    worker: Rc<Worker>,
    /// Bytes that were read and not yet stepped over; empty, and nothing allocated, at rest.
    input: Vec<u8>,
    pending: Option<Box<Pending>>,
    exchange: Option<Box<Exchange>>,
    upgraded: Option<Box<dyn Task>>,
    clock: Clock,
    state: State,
    _permits: Permits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    stage: Stage,
    registered: bool,
    /// The peer has ended its side.
    read_ended: bool,
    /// The unread input may hold a whole event: stepping stopped for another reason than need.
    unstepped: bool,
    /// Content that lasts until the end of the connection is incomplete, so that the end must be a
    /// reset.
    cut_off: bool,
    /// There is no room for this client, who is told so and no more.
    refused: bool,
    /// The end of our side has not left yet.
    unsaid: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The transport is not ready yet.
    Establishing,
    Open,
    /// The response that leaves HTTP is going out; another protocol follows.
    Switching,
    /// Nothing more is read as HTTP; what is queued goes out, then the connection ends.
    Closing,
    /// All is written; what the client still sends is read away, so that a reset does not destroy
    /// the response before the client has read it (RFC 9112 §9.6).
    Lingering {
        read: u32,
    },
}

/// Output that the transport has not taken yet, and since when it takes none.
struct Pending {
    outbox: Outbox,
    stall: clock::Stall,
}

/// The connection is over and the task with it.
struct Ended;

/// Output beyond which no further request is read: a client that pipelines and does not read stops
/// itself.
pub(crate) const HIGH_WATER: u64 = 64 * 1024;

impl Session {
    pub(crate) fn new(
        transport: Box<dyn Transport>,
        worker: Rc<Worker>,
        permits: Permits,
        refused: bool,
        now: Instant,
    ) -> Self {
        worker.counters.connections.add(1);
        Self {
            transport: Some(transport),
            conn: Connection::<Server>::new(),
            worker,
            input: Vec::new(),
            pending: None,
            exchange: None,
            upgraded: None,
            clock: Clock::new(now),
            state: State {
                stage: Stage::Establishing,
                registered: false,
                read_ended: false,
                unstepped: false,
                cut_off: false,
                refused,
                unsaid: false,
            },
            _permits: permits,
        }
    }

    fn work(&mut self, cx: &mut Turn<'_>) -> Result<Next, Ended> {
        if self.state.stage == Stage::Establishing && !self.establish(cx)? {
            let mut nothing = Outbox::new();
            if self.is_late(cx, None, &nothing) {
                self.time_out(cx, &mut nothing)?;
            }
            return self.rest(cx, false);
        }
        let (mut out, mut stall) = match self.pending.take() {
            Some(pending) => (pending.outbox, Some(pending.stall)),
            None => (cx.take_outbox(), None),
        };
        let mut scratch = cx.take_scratch();
        let mut budget = Budget::new();
        let result = self.run(cx, &mut out, &mut stall, &mut scratch, &mut budget);
        cx.put_scratch(scratch);
        if out.is_empty() {
            cx.put_outbox(out);
        } else {
            let stall = stall.unwrap_or_else(|| clock::Stall::new(cx.now()));
            self.pending = Some(Box::new(Pending { outbox: out, stall }));
        }
        result?;
        if self.upgraded.is_some() {
            return Ok(Next::Again);
        }
        let more = self.state.unstepped || cx.readable() || self.exchange.is_some();
        self.rest(cx, budget.is_spent() && more)
    }

    /// Steps and writes until neither gets any further, or the budget is spent. The deadline is
    /// looked at after the work, so that bytes that came in time are not late.
    fn run(
        &mut self,
        cx: &mut Turn<'_>,
        out: &mut Outbox,
        stall: &mut Option<clock::Stall>,
        scratch: &mut [u8],
        budget: &mut Budget,
    ) -> Result<(), Ended> {
        loop {
            let advanced = self.advance(cx, out, scratch, budget)?;
            let wrote = self.flush(cx, out, stall)?;
            budget.wrote(wrote);
            if self.upgraded.is_some() || budget.is_spent() {
                return Ok(());
            }
            if self.is_at_rest(cx, out) {
                return Ok(());
            }
            if advanced || wrote > 0 {
                continue;
            }
            if !self.is_late(cx, stall.as_ref(), out) {
                return Ok(());
            }
            self.check_writing(stall, cx.now())?;
            if self.is_late(cx, stall.as_ref(), out) {
                self.time_out(cx, out)?;
            }
        }
    }

    /// Whether only the peer or the clock can bring this any further, as between most requests:
    /// another pass would find nothing. What is late by then shows when its deadline fires.
    fn is_at_rest(&self, cx: &Turn<'_>, out: &Outbox) -> bool {
        self.state.stage == Stage::Open
            && !self.state.unstepped
            && !self.state.read_ended
            && !self.state.refused
            && self.exchange.is_none()
            && self.clock.is_fresh(cx.now())
            && out.is_empty()
            && !cx.readable()
    }

    /// One pass of stepping; false when nothing changed.
    fn advance(
        &mut self,
        cx: &mut Turn<'_>,
        out: &mut Outbox,
        scratch: &mut [u8],
        budget: &mut Budget,
    ) -> Result<bool, Ended> {
        let mut advanced = false;
        loop {
            let step = match self.state.stage {
                Stage::Open => self.step_open(cx, out, scratch, budget)?,
                Stage::Lingering { .. } => self.linger(cx, scratch)?,
                Stage::Establishing | Stage::Closing | Stage::Switching => false,
            };
            if !step {
                return Ok(advanced);
            }
            advanced = true;
        }
    }

    fn step_open(
        &mut self,
        cx: &mut Turn<'_>,
        out: &mut Outbox,
        scratch: &mut [u8],
        budget: &mut Budget,
    ) -> Result<bool, Ended> {
        if self.state.refused {
            self.state.refused = false;
            self.worker.counters.refused.add(1);
            self.answer_for_library(cx, out, Response::busy());
            return Ok(true);
        }
        if self.exchange.is_some() && self.drive_exchange(cx, out) {
            return Ok(true);
        }
        if self.upgraded.is_some() || budget.is_spent() {
            return Ok(false);
        }
        let has_input = self.state.unstepped && !self.input.is_empty();
        let wanted = self.wants_input(cx, out, has_input);
        if let Some(exchange) = &mut self.exchange {
            exchange.note_wanted(wanted, cx.now());
        }
        if !wanted {
            return Ok(false);
        }
        if self.state.unstepped {
            let input = std::mem::take(&mut self.input);
            let used = self.step_input(cx, out, &input, budget);
            self.keep_rest(input, used);
            return Ok(true);
        }
        if self.state.read_ended {
            return Ok(self.read_end(cx, out));
        }
        if !cx.readable() {
            return Ok(false);
        }
        match self.read(cx, scratch)? {
            Input::Bytes(count) => {
                budget.read(count);
                self.worker.counters.bytes_in.add(count as u64);
                let fresh = &scratch[..count];
                if self.input.is_empty() {
                    let used = self.step_input(cx, out, fresh, budget);
                    if used < count {
                        self.input.extend_from_slice(&fresh[used..]);
                    }
                } else {
                    let mut input = std::mem::take(&mut self.input);
                    input.extend_from_slice(fresh);
                    let used = self.step_input(cx, out, &input, budget);
                    self.keep_rest(input, used);
                }
                Ok(true)
            }
            Input::Blocked => Ok(false),
            Input::Closed => {
                self.state.read_ended = true;
                Ok(true)
            }
        }
    }

    /// Keeps what was not stepped over. An emptied buffer is given back to the allocator: a
    /// connection at rest owns none.
    fn keep_rest(&mut self, mut input: Vec<u8>, used: usize) {
        if used == input.len() {
            input = Vec::new();
        } else {
            input.drain(..used);
        }
        debug_assert!(self.input.is_empty(), "only one step works on the input at a time");
        self.input = input;
    }

    /// The peer has ended its side and all it sent was stepped over.
    fn read_end(&mut self, cx: &mut Turn<'_>, out: &mut Outbox) -> bool {
        if self.conn.reading_done() {
            // The last request is being answered; the end is looked at again after that.
            return false;
        }
        match self.conn.read_eof() {
            Ok(_) => self.close(),
            Err(error) => self.refuse(cx, out, &error),
        }
        true
    }

    /// Reads away what the client sends behind the last response.
    fn linger(&mut self, cx: &mut Turn<'_>, scratch: &mut [u8]) -> Result<bool, Ended> {
        if self.state.unsaid {
            self.say_end()?;
            if !self.state.unsaid && self.is_all_read(cx) {
                return Err(Ended);
            }
        }
        if !cx.readable() || self.state.read_ended {
            return Ok(false);
        }
        let count = match self.read(cx, scratch)? {
            Input::Bytes(count) => count,
            Input::Blocked => return Ok(false),
            Input::Closed if self.state.unsaid => {
                self.state.read_ended = true;
                return Ok(false);
            }
            Input::Closed => return Err(Ended),
        };
        let Stage::Lingering { read } = &mut self.state.stage else { return Ok(false) };
        *read = read.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        if u64::from(*read) > self.worker.shared.config.drain {
            return Err(Ended);
        }
        self.clock.touch(cx.now());
        Ok(true)
    }

    fn read(&mut self, cx: &mut Turn<'_>, scratch: &mut [u8]) -> Result<Input, Ended> {
        let Some(transport) = &mut self.transport else { return Err(Ended) };
        match cx.read(&mut **transport, scratch) {
            // RFC 9112 §9.8: "Servers SHOULD be prepared to receive an incomplete close from the
            // client, since the client can often locate the end of server data." What a request
            // lacks shows by its own framing.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Input::Closed),
            result => result.map_err(|error| self.lost("reading from", &error)),
        }
    }

    /// Writes what the transport takes; how much it took.
    fn flush(
        &mut self,
        cx: &mut Turn<'_>,
        out: &mut Outbox,
        stall: &mut Option<clock::Stall>,
    ) -> Result<u64, Ended> {
        let mut count = 0;
        if !out.is_empty() && cx.writable() {
            let Some(transport) = &mut self.transport else { return Err(Ended) };
            let before = out.len();
            let written = cx.write(&mut **transport, out);
            count = before - out.len();
            self.worker.counters.bytes_out.add(count);
            if let Err(error) = written {
                return Err(self.lost("writing to", &error));
            }
            match stall {
                // Only now the client has what it waited for, and time for another request.
                _ if out.is_empty() => {
                    if stall.take().is_some() {
                        self.clock.has_left(cx.now());
                    }
                }
                Some(stall) => stall.wrote(count, cx.now()),
                None => *stall = Some(clock::Stall::new(cx.now())),
            }
        }
        match self.state.stage {
            Stage::Closing if out.is_empty() || self.state.cut_off => self.finish_close(cx)?,
            Stage::Switching if out.is_empty() => self.switch(cx)?,
            _ => {}
        }
        Ok(count)
    }

    /// All is written: ends at once when the client can have nothing left to send.
    fn finish_close(&mut self, cx: &mut Turn<'_>) -> Result<(), Ended> {
        if self.state.cut_off {
            return Err(Ended);
        }
        let all_read = self.is_all_read(cx);
        // A close says the end by itself, but not where TLS has an alert for it.
        if !all_read || self.peer().secured.is_some() {
            self.say_end()?;
        }
        if all_read && !self.state.unsaid {
            return Err(Ended);
        }
        self.input = Vec::new();
        self.state.stage = Stage::Lingering { read: 0 };
        self.clock.linger(cx.now());
        Ok(())
    }

    /// Whether the client can have nothing left to send that would be read.
    fn is_all_read(&self, cx: &Turn<'_>) -> bool {
        let read = self.conn.reading_done() && self.input.is_empty() && !cx.readable();
        read || self.state.read_ended
    }

    /// Ends our side, as soon as the transport has room for what it says then.
    fn say_end(&mut self) -> Result<(), Ended> {
        let Some(transport) = &mut self.transport else { return Err(Ended) };
        self.state.unsaid = match transport.close_write() {
            Ok(()) => false,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => true,
            Err(error) => return Err(self.lost("closing", &error)),
        };
        Ok(())
    }

    /// Stops reading requests; the connection ends when the output has left.
    fn close(&mut self) {
        self.state.stage = Stage::Closing;
        self.state.unstepped = false;
    }

    fn establish(&mut self, cx: &mut Turn<'_>) -> Result<bool, Ended> {
        let Some(transport) = &mut self.transport else { return Err(Ended) };
        match transport.establish() {
            Ok(Established::Done) => {
                self.state.stage = Stage::Open;
                self.clock.opened(cx.now());
                // A first request may have come together with the end of a handshake.
                cx.look_into(&**transport);
                Ok(true)
            }
            Ok(Established::Pending) => {
                cx.clear(Readiness::READABLE);
                Ok(false)
            }
            Err(error) => Err(self.lost("establishing", &error)),
        }
    }

    /// Connects with the loop's events where that was not needed before, and says how long to wait.
    fn rest(&mut self, cx: &mut Turn<'_>, again: bool) -> Result<Next, Ended> {
        if again {
            return Ok(Next::Again);
        }
        self.register(cx)?;
        let deadline = self.deadline(self.pending.as_ref().map(|pending| &pending.stall), cx);
        Ok(Next::Wait(deadline))
    }

    fn register(&mut self, cx: &mut Turn<'_>) -> Result<(), Ended> {
        if !self.state.registered {
            let Some(transport) = &mut self.transport else { return Err(Ended) };
            if let Err(error) = cx.register(&mut **transport) {
                return Err(self.lost("registering", &error));
            }
            self.state.registered = true;
        }
        Ok(())
    }

    /// The connection failed: an everyday matter, told only to those who ask for details.
    fn lost(&mut self, what: &str, error: &io::Error) -> Ended {
        log::debug!("{what} {}: {error}", self.peer().remote);
        Ended
    }

    fn peer(&self) -> &PeerInfo {
        match &self.transport {
            Some(transport) => transport.info(),
            None => &NOWHERE,
        }
    }
}

impl Task for Session {
    fn turn(&mut self, cx: &mut Turn<'_>) -> Next {
        if let Some(task) = &mut self.upgraded {
            return task.turn(cx);
        }
        match self.work(cx) {
            Ok(next) => next,
            Err(Ended) => {
                self.give_up(cx.now());
                Next::Done
            }
        }
    }
}

impl Drop for Session {
    /// The loop drops what a stop's deadline or a panic leaves behind; that too is told to the log
    /// and seen by the client.
    fn drop(&mut self) {
        self.worker.counters.ended.add(1);
        if self.exchange.is_some() || self.pending.is_some() {
            self.give_up(Instant::now());
        }
    }
}

/// The ends of a connection that was handed on.
static NOWHERE: PeerInfo =
    PeerInfo::new(avocet_net::Address::Unix(None), avocet_net::Address::Unix(None));
