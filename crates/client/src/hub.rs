//! What the connections of one engine share: the transfers, the pool, the events.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Instant;

use avocet_net::{EventLoop, Task, TaskId, Turn};
use avocet_wire::{FieldBuf, FieldTable, Framing, ResponseHead};
use url::Url;

use crate::agenda::Agenda;
use crate::config::Config;
use crate::connect::Route;
use crate::error::{Error, ErrorKind, Phase};
use crate::ids::{NumberMap, TransferId};
use crate::link::Link;
use crate::multi::TransferEvent;
use crate::pool::{Grant, Parked, PlaceId, Pool};
use crate::report::Report;
use crate::retry;
use crate::transfer::{After, Reaction, Seat, Transfer};

/// Shared by the engine and its connections, all on one thread.
///
/// Code of the user (hooks, receivers, filters) runs while the state is borrowed. It cannot reach this
/// hub, and what it breaks off by a panic is settled when the connection is dropped.
pub(crate) struct Hub {
    pub(crate) config: Config,
    pub(crate) table: RefCell<FieldTable>,
    pub(crate) fields: RefCell<FieldBuf>,
    /// The last that was asked for: most requests go where the one before went.
    route: RefCell<Option<Rc<Route>>>,
    state: RefCell<State>,
    /// Whether a transfer may be waiting for a connection that can be had now.
    undispatched: Cell<bool>,
    /// Whether something has come of a transfer since it was last asked.
    news: Cell<bool>,
}

struct State {
    transfers: NumberMap<TransferId, Box<Transfer>>,
    /// Transfers that have not ended.
    live: usize,
    events: VecDeque<(TransferId, TransferEvent)>,
    pool: Pool,
    agenda: Agenda,
    /// What connections at rest are to do.
    orders: NumberMap<TaskId, Order>,
    last_id: u64,
    /// That of the transfer whose end was told last.
    report: Option<(TransferId, Report)>,
    /// The memory of some that are over, for the next.
    #[expect(clippy::vec_box, reason = "the boxes move between here and the table")]
    spare: Vec<Box<Transfer>>,
}

/// What a connection at rest is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Carry this transfer.
    Carry(TransferId),
    /// End, to make room.
    End,
}

/// Who can add tasks to the loop.
pub(crate) trait Spawn {
    fn spawn(&mut self, task: Box<dyn Task>) -> TaskId;
    fn notify(&mut self, id: TaskId);
}

impl Spawn for Turn<'_> {
    fn spawn(&mut self, task: Box<dyn Task>) -> TaskId {
        Turn::spawn(self, task)
    }

    fn notify(&mut self, id: TaskId) {
        Turn::notify(self, id);
    }
}

impl Spawn for EventLoop {
    fn spawn(&mut self, task: Box<dyn Task>) -> TaskId {
        Self::spawn(self, task)
    }

    fn notify(&mut self, id: TaskId) {
        Self::notify(self, id);
    }
}

impl Hub {
    pub(crate) fn new(config: Config) -> Self {
        let table = RefCell::new(FieldTable::new(config.limits, config.leniency));
        let state = State {
            transfers: NumberMap::default(),
            live: 0,
            events: VecDeque::new(),
            pool: Pool::new(config.pool.clone()),
            agenda: Agenda::default(),
            orders: NumberMap::default(),
            last_id: 0,
            report: None,
            spare: Vec::new(),
        };
        Self {
            config,
            table,
            fields: RefCell::default(),
            route: RefCell::default(),
            state: RefCell::new(state),
            undispatched: Cell::new(false),
            news: Cell::new(false),
        }
    }

    /// The route to the host of a URL.
    pub(crate) fn route(&self, url: &Url) -> Result<Rc<Route>, Error> {
        let via = self.config.proxies.choose(url)?;
        let mut last = self.route.borrow_mut();
        match &*last {
            Some(route) if route.leads_to(url, &via) => Ok(route.clone()),
            _ => Ok(last.insert(Rc::new(Route::of(url, via)?)).clone()),
        }
    }

    /// Adds a transfer; it waits for a connection.
    pub(crate) fn add(&self, transfer: Transfer) -> TransferId {
        let mut state = self.state.borrow_mut();
        let transfer = match state.spare.pop() {
            Some(mut spare) => {
                *spare = transfer;
                spare
            }
            None => Box::new(transfer),
        };
        state.last_id += 1;
        state.live += 1;
        let id = TransferId(state.last_id);
        state.transfers.insert(id, transfer);
        state.enqueue(id, false);
        self.undispatched.set(true);
        id
    }

    /// Calls `with` with a transfer, if it is still there.
    pub(crate) fn with<R>(
        &self,
        id: TransferId,
        with: impl FnOnce(&mut Transfer) -> R,
    ) -> Option<R> {
        self.state.borrow_mut().transfers.get_mut(&id).map(|transfer| with(transfer))
    }

    /// Whether a transfer is still wanted.
    pub(crate) fn has(&self, id: TransferId) -> bool {
        self.state.borrow().transfers.contains_key(&id)
    }

    /// Gives transfers to connections as far as the limits allow.
    pub(crate) fn dispatch(self: &Rc<Self>, spawn: &mut dyn Spawn, now: Instant) {
        if !self.undispatched.replace(false) {
            return;
        }
        let state = &mut *self.state.borrow_mut();
        let State { transfers, pool, agenda, orders, .. } = state;
        while let Some(grant) =
            pool.next(|id| transfers.get(&id).is_some_and(|transfer| transfer.may_reuse()))
        {
            let Grant { id, place, route, reuse } = grant;
            let task = match reuse {
                Some(task) => {
                    orders.insert(task, Order::Carry(id));
                    spawn.notify(task);
                    task
                }
                None => spawn.spawn(Box::new(Link::new(self.clone(), route, place, id, now))),
            };
            if let Some(transfer) = transfers.get_mut(&id) {
                transfer.seat = Seat::Linked(task);
                transfer.report.times.assigned = Some(now);
                transfer.report.times.reused = reuse.is_some();
                if let Some(deadline) = transfer.deadline {
                    agenda.remove(deadline, id);
                }
            }
        }
    }

    /// What a connection at rest is to do now.
    pub(crate) fn take_order(&self, task: TaskId) -> Option<Order> {
        self.state.borrow_mut().orders.remove(&task)
    }

    /// A connection has done its work; false when it is not to rest. `spawn` wakes the one that has
    /// to end in its place.
    pub(crate) fn park(
        &self,
        place: PlaceId,
        task: TaskId,
        spawn: &mut dyn Spawn,
        now: Instant,
    ) -> bool {
        let mut state = self.state.borrow_mut();
        self.undispatched.set(true);
        match state.pool.park(place, task, now) {
            Parked::Kept => true,
            Parked::Refused => false,
            Parked::KeptFor(oldest) => {
                state.orders.insert(oldest, Order::End);
                spawn.notify(oldest);
                true
            }
        }
    }

    /// A connection that was in use has ended.
    pub(crate) fn release(&self, place: PlaceId) {
        self.state.borrow_mut().pool.release(place);
        self.undispatched.set(true);
    }

    /// A connection at rest has ended.
    pub(crate) fn forget(&self, place: PlaceId, task: TaskId) {
        self.state.borrow_mut().pool.forget(place, task);
        self.undispatched.set(true);
    }

    /// The connections in use and at rest.
    pub(crate) fn connections(&self) -> (usize, usize) {
        self.state.borrow().pool.counts()
    }

    pub(crate) fn on_head(
        &self,
        id: TransferId,
        head: &ResponseHead<'_>,
        framing: Framing,
        now: Instant,
    ) -> Option<Result<Reaction, Error>> {
        self.with_events(id, |transfer, emit| {
            transfer.on_head(&self.config, head, framing, now, emit)
        })
    }

    /// Content has come; whether more may come.
    pub(crate) fn on_data(&self, id: TransferId, bytes: &[u8]) -> Option<Result<bool, Error>> {
        self.with_events(id, |transfer, emit| {
            transfer.on_data(bytes, emit).map(|()| transfer.wants_data())
        })
    }

    /// The response has ended: the transfer with it, or the next hop begins.
    pub(crate) fn on_end(&self, id: TransferId, trailers: FieldBuf, now: Instant) {
        let ended = self
            .with_events(id, |transfer, emit| transfer.on_end(&self.config, trailers, now, emit));
        match ended {
            None => {}
            Some(Err(error)) => self.fail(id, error, now),
            Some(Ok(After::End)) => self.state.borrow_mut().finish(id),
            Some(Ok(After::Hop)) => self.requeue(id),
            Some(Ok(After::Later(at))) => self.state.borrow_mut().postpone(id, at),
        }
    }

    /// The transfer waits for a connection again, before all others.
    pub(crate) fn requeue(&self, id: TransferId) {
        self.state.borrow_mut().enqueue(id, true);
        self.undispatched.set(true);
    }

    /// The transfer has failed: for good, unless it is to be tried again.
    pub(crate) fn fail(&self, id: TransferId, error: Error, now: Instant) {
        let again = self
            .with(id, |transfer| retry::after_failure(transfer, &error, &self.config.retry, now));
        if let Some(Some(at)) = again {
            log::debug!("transfer {id} is tried again: {error}");
            self.state.borrow_mut().postpone(id, at);
            return;
        }
        self.with_events(id, |transfer, emit| transfer.on_failure(error, now, emit));
        self.state.borrow_mut().finish(id);
    }

    /// Takes a transfer out, whatever its state; the task it had.
    pub(crate) fn remove(&self, id: TransferId) -> Option<TaskId> {
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        let transfer = state.transfers.remove(&id)?;
        if transfer.queued_events > 0 {
            state.events.retain(|(of, _)| *of != id);
        }
        state.live -= usize::from(transfer.seat != Seat::Ended);
        if let Seat::Waiting(place) = transfer.seat {
            state.pool.withdraw(place, id);
            self.undispatched.set(true);
        }
        if let Some(at) = transfer.due() {
            state.agenda.remove(at, id);
        }
        let seat = transfer.seat;
        if seat == Seat::Ended {
            state.keep(transfer);
        }
        match seat {
            Seat::Linked(task) => Some(task),
            _ => None,
        }
    }

    /// The next event; content that it carries counts as taken. With it the task that may read on.
    pub(crate) fn next_event(&self) -> Option<(TransferId, TransferEvent, Option<TaskId>)> {
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        let (id, event) = state.events.pop_front()?;
        let mut resumed = None;
        if let Some(transfer) = state.transfers.get_mut(&id) {
            // Code of the user that panicked may have kept an event from being counted.
            transfer.queued_events = transfer.queued_events.saturating_sub(1);
            if let TransferEvent::Data(bytes) = &event {
                let stopped = !transfer.wants_data();
                transfer.backlog -= bytes.len();
                if let Seat::Linked(task) = transfer.seat
                    && stopped
                    && transfer.wants_data()
                {
                    resumed = Some(task);
                }
            }
            if transfer.seat == Seat::Ended && transfer.queued_events == 0 {
                // The record goes out by a swap, so that the memory can serve again.
                if let Some(mut ended) = state.transfers.remove(&id) {
                    match &mut state.report {
                        Some((last, report)) => {
                            *last = id;
                            std::mem::swap(report, &mut ended.report);
                        }
                        None => state.report = Some((id, ended.report.clone())),
                    }
                    state.keep(ended);
                }
            }
        }
        Some((id, event, resumed))
    }

    /// Looks at the record of a transfer that is known, or of the one whose end was told last.
    pub(crate) fn report<R>(&self, id: TransferId, look: impl FnOnce(&Report) -> R) -> Option<R> {
        let state = self.state.borrow();
        let live = state.transfers.get(&id).map(|transfer| &transfer.report);
        let last = state.report.iter().find(|(of, _)| *of == id).map(|(_, last)| last);
        live.or(last).map(look)
    }

    /// Whether there is something that the caller has not seen.
    pub(crate) fn has_news(&self) -> bool {
        self.news.get() || !self.state.borrow().events.is_empty()
    }

    /// The caller has looked at all transfers whose events he does not take from the queue.
    pub(crate) fn forget_news(&self) {
        self.news.set(false);
    }

    /// The transfers under way.
    pub(crate) fn len(&self) -> usize {
        self.state.borrow().live
    }

    /// When something is due for a transfer without a connection.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.state.borrow().agenda.next()
    }

    /// Does what is due for transfers without a connection.
    pub(crate) fn run_agenda(&self, now: Instant) {
        loop {
            let Some(id) = self.state.borrow_mut().agenda.take_due(now) else { return };
            let late = self.with(id, |transfer| {
                let late = transfer.deadline.is_some_and(|deadline| deadline <= now);
                (late, transfer.seat)
            });
            match late {
                None => {}
                Some((true, seat)) => {
                    if let Seat::Waiting(place) = seat {
                        self.state.borrow_mut().pool.withdraw(place, id);
                        self.undispatched.set(true);
                    }
                    self.with(id, |transfer| transfer.seat = Seat::Nowhere);
                    let error = Error::new(ErrorKind::Timeout, Phase::Queue, LATE);
                    self.fail(id, error, now);
                }
                Some((false, _)) => {
                    self.state.borrow_mut().enqueue(id, false);
                    self.undispatched.set(true);
                }
            }
        }
    }

    fn with_events<R>(
        &self,
        id: TransferId,
        with: impl FnOnce(&mut Transfer, &mut dyn FnMut(TransferEvent)) -> R,
    ) -> Option<R> {
        let State { transfers, events, .. } = &mut *self.state.borrow_mut();
        let transfer = transfers.get_mut(&id)?;
        let before = events.len();
        let result = with(transfer, &mut |event| events.push_back((id, event)));
        transfer.queued_events += events.len() - before;
        self.news.set(true);
        Some(result)
    }
}

impl State {
    fn enqueue(&mut self, id: TransferId, first: bool) {
        let Some(transfer) = self.transfers.get_mut(&id) else { return };
        transfer.seat = Seat::Waiting(self.pool.enqueue(&transfer.route, id, first));
        if let Some(deadline) = transfer.deadline {
            self.agenda.insert(deadline, id);
        }
    }

    /// The transfer is to go on at this instant, or to fail at its deadline if that comes first.
    fn postpone(&mut self, id: TransferId, at: Instant) {
        let Some(transfer) = self.transfers.get_mut(&id) else { return };
        let at = transfer.deadline.map_or(at, |deadline| deadline.min(at));
        transfer.seat = Seat::Delayed(at);
        self.agenda.insert(at, id);
    }

    /// Keeps the memory of a transfer that is over, without what it holds.
    fn keep(&mut self, mut transfer: Box<Transfer>) {
        transfer.empty();
        if self.spare.len() < SPARE {
            self.spare.push(transfer);
        }
    }

    /// The transfer has ended. It stays until its last event was taken; a blocking reader lets it
    /// go by himself.
    fn finish(&mut self, id: TransferId) {
        let Some(transfer) = self.transfers.get_mut(&id) else { return };
        transfer.finish();
        self.live -= 1;
    }
}

/// About 1 KiB each.
const SPARE: usize = 64;

pub(crate) const LATE: &str = "the transfer took longer than it may";
