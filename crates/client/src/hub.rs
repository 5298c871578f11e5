//! What the connections of one engine share: the transfers, the pool, the events.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::time::Instant;

use avocet_net::{EventLoop, Task, TaskId, Turn};
use avocet_wire::{FieldBuf, FieldTable, Fields, Framing, ResponseHead};

use crate::config::Config;
use crate::connect::Route;
use crate::error::Error;
use crate::link::Link;
use crate::multi::{TransferEvent, TransferId};
use crate::transfer::{Reaction, Transfer};

/// Shared by the engine and its connections, all on one thread.
pub(crate) struct Hub {
    pub(crate) config: Config,
    pub(crate) table: RefCell<FieldTable>,
    pub(crate) fields: RefCell<FieldBuf>,
    state: RefCell<State>,
    /// Whether a transfer may be waiting for a connection that can be had now.
    undispatched: Cell<bool>,
}

#[derive(Default)]
struct State {
    transfers: HashMap<TransferId, Box<Transfer>>,
    events: VecDeque<(TransferId, TransferEvent)>,
    queue: VecDeque<TransferId>,
    places: HashMap<Rc<Route>, Place>,
    /// Transfers given to connections that were idle.
    assigned: HashMap<TaskId, TransferId>,
    active: usize,
    last_id: u64,
}

/// The connections of one route.
#[derive(Default)]
struct Place {
    active: usize,
    idle: Vec<TaskId>,
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
        Self {
            config,
            table,
            fields: RefCell::default(),
            state: RefCell::default(),
            undispatched: Cell::new(false),
        }
    }

    /// Adds a transfer; it waits for a connection.
    pub(crate) fn add(&self, transfer: Transfer) -> TransferId {
        let mut state = self.state.borrow_mut();
        state.last_id += 1;
        let id = TransferId(state.last_id);
        state.transfers.insert(id, Box::new(transfer));
        state.queue.push_back(id);
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

    /// Gives transfers to connections as far as the limits allow.
    pub(crate) fn dispatch(self: &Rc<Self>, spawn: &mut dyn Spawn, now: Instant) {
        if !self.undispatched.replace(false) {
            return;
        }
        let mut state = self.state.borrow_mut();
        for _ in 0..state.queue.len() {
            let Some(id) = state.queue.pop_front() else { break };
            if !state.place(self, id, spawn, now) {
                state.queue.push_back(id);
            }
        }
    }

    /// The transfer that an idle connection was given.
    pub(crate) fn take_assigned(&self, task: TaskId) -> Option<TransferId> {
        self.state.borrow_mut().assigned.remove(&task)
    }

    /// A connection is free for the next transfer; false when it is not wanted.
    pub(crate) fn park(&self, route: &Rc<Route>, task: TaskId) -> bool {
        let mut state = self.state.borrow_mut();
        state.active -= 1;
        self.undispatched.set(true);
        let most = self.config.pool.idle_per_host;
        let place = state.places.entry(route.clone()).or_default();
        place.active -= 1;
        if place.idle.len() >= most {
            return false;
        }
        place.idle.push(task);
        true
    }

    /// A connection that was in use has ended.
    pub(crate) fn release(&self, route: &Rc<Route>) {
        let mut state = self.state.borrow_mut();
        state.active -= 1;
        self.undispatched.set(true);
        if let Some(place) = state.places.get_mut(route) {
            place.active -= 1;
            if place.active == 0 && place.idle.is_empty() {
                state.places.remove(route);
            }
        }
    }

    /// An idle connection has ended.
    pub(crate) fn forget(&self, route: &Rc<Route>, task: TaskId) {
        let mut state = self.state.borrow_mut();
        if let Some(place) = state.places.get_mut(route) {
            place.idle.retain(|idle| *idle != task);
            if place.active == 0 && place.idle.is_empty() {
                state.places.remove(route);
            }
        }
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

    pub(crate) fn on_data(&self, id: TransferId, bytes: &[u8]) -> Option<Result<(), Error>> {
        self.with_events(id, |transfer, emit| transfer.on_data(bytes, emit))
    }

    /// The response has ended: the transfer with it, or the next hop begins.
    pub(crate) fn on_end(&self, id: TransferId, trailers: Fields<'_>, now: Instant) {
        let ended = self.with_events(id, |transfer, emit| {
            transfer.task = None;
            if transfer.is_followed() {
                return transfer.take_follow(&self.config).map(|()| true);
            }
            transfer.on_end(trailers, now, emit).map(|()| false)
        });
        match ended {
            None => {}
            Some(Err(error)) => self.fail(id, error),
            Some(Ok(true)) => self.requeue(id),
            Some(Ok(false)) => self.finish(id),
        }
    }

    /// The transfer waits for a connection again, before all others.
    pub(crate) fn requeue(&self, id: TransferId) {
        self.state.borrow_mut().queue.push_front(id);
        self.undispatched.set(true);
    }

    /// The transfer has failed for good.
    pub(crate) fn fail(&self, id: TransferId, error: Error) {
        self.with_events(id, |transfer, emit| {
            transfer.task = None;
            transfer.on_failure(error, emit);
        });
        self.finish(id);
    }

    /// The transfer waits no longer.
    pub(crate) fn unqueue(&self, id: TransferId) {
        self.state.borrow_mut().queue.retain(|queued| *queued != id);
    }

    /// Takes a transfer out, whatever its state; the task it had.
    pub(crate) fn remove(&self, id: TransferId) -> Option<Box<Transfer>> {
        let mut state = self.state.borrow_mut();
        state.queue.retain(|queued| *queued != id);
        state.events.retain(|(of, _)| *of != id);
        state.transfers.remove(&id)
    }

    /// The next event; content that it carries counts as taken.
    pub(crate) fn next_event(&self) -> Option<(TransferId, TransferEvent, Option<TaskId>)> {
        let mut state = self.state.borrow_mut();
        let (id, event) = state.events.pop_front()?;
        let mut resumed = None;
        if let TransferEvent::Data(bytes) = &event
            && let Some(transfer) = state.transfers.get_mut(&id)
        {
            let stopped = !transfer.wants_data();
            transfer.backlog -= bytes.len();
            resumed = transfer.task.filter(|_| stopped && transfer.wants_data());
        }
        Some((id, event, resumed))
    }

    pub(crate) fn has_events(&self) -> bool {
        !self.state.borrow().events.is_empty()
    }

    /// The transfers under way.
    pub(crate) fn len(&self) -> usize {
        self.state.borrow().transfers.len()
    }

    /// The earliest total time-out of the transfers that wait for a connection.
    pub(crate) fn queue_deadline(&self) -> Option<(TransferId, Instant)> {
        let state = self.state.borrow();
        let deadline = |id: &TransferId| Some((*id, state.transfers.get(id)?.deadline?));
        state.queue.iter().filter_map(deadline).min_by_key(|(_, deadline)| *deadline)
    }

    /// A blocking reader takes the rest itself; others are done.
    fn finish(&self, id: TransferId) {
        let mut state = self.state.borrow_mut();
        let keep = state.transfers.get_mut(&id).is_some_and(|transfer| transfer.inbox().is_some());
        if !keep {
            state.transfers.remove(&id);
        }
    }

    fn with_events<R>(
        &self,
        id: TransferId,
        with: impl FnOnce(&mut Transfer, &mut dyn FnMut(TransferEvent)) -> R,
    ) -> Option<R> {
        let State { transfers, events, .. } = &mut *self.state.borrow_mut();
        let transfer = transfers.get_mut(&id)?;
        Some(with(transfer, &mut |event| events.push_back((id, event))))
    }
}

impl State {
    /// Finds a connection for a transfer; false when it has to wait.
    fn place(
        &mut self,
        hub: &Rc<Hub>,
        id: TransferId,
        spawn: &mut dyn Spawn,
        now: Instant,
    ) -> bool {
        let Some(transfer) = self.transfers.get_mut(&id) else { return true };
        let place = self.places.entry(transfer.route.clone()).or_default();
        if !transfer.options.fresh_connection && !transfer.replayed {
            // The last one in is the one most likely still alive.
            if let Some(task) = place.idle.pop() {
                place.active += 1;
                self.active += 1;
                transfer.task = Some(task);
                transfer.times.assigned = Some(now);
                transfer.times.reused = true;
                self.assigned.insert(task, id);
                spawn.notify(task);
                return true;
            }
        }
        let limits = &hub.config.pool;
        if place.active >= limits.active_per_host || self.active >= limits.active {
            return false;
        }
        place.active += 1;
        self.active += 1;
        transfer.times.assigned = Some(now);
        transfer.times.reused = false;
        let link = Link::new(hub.clone(), transfer.route.clone(), id, now);
        transfer.task = Some(spawn.spawn(Box::new(link)));
        true
    }
}
