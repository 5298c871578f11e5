//! The connections of an engine by where they go, and the transfers that wait for one.
//!
//! This is bookkeeping alone: who opens a connection, gives it work or ends it is the hub.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::time::Instant;

use avocet_net::TaskId;

use crate::config::PoolLimits;
use crate::connect::Route;
use crate::ids::TransferId;

/// Which connections there are, and who waits for one.
///
/// Every place that may be able to go on stands in one of two lists: `ready` when something about it
/// has changed, `starved` when only the bound on all connections holds it back. A connection that
/// becomes free is offered to the starved first, so that a place with a long queue does not keep the
/// others waiting until it is empty.
pub(crate) struct Pool {
    limits: PoolLimits,
    places: Vec<Place>,
    vacant: Vec<PlaceId>,
    known: HashMap<Rc<Route>, PlaceId>,
    /// The last of them that was asked for.
    recent: Option<(Rc<Route>, PlaceId)>,
    ready: VecDeque<PlaceId>,
    starved: VecDeque<PlaceId>,
    active: usize,
    idle: usize,
}

/// Names a place; valid while a connection or a waiting transfer belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlaceId(u32);

/// The connections of one route.
struct Place {
    route: Option<Rc<Route>>,
    active: usize,
    /// The one that rests longest first.
    idle: Vec<Idle>,
    waiting: VecDeque<TransferId>,
    listed: bool,
}

struct Idle {
    task: TaskId,
    since: Instant,
}

/// A transfer whose turn it is, and how it gets its connection.
pub(crate) struct Grant {
    pub(crate) id: TransferId,
    pub(crate) place: PlaceId,
    pub(crate) route: Rc<Route>,
    /// The connection that rests; `None` for a new one.
    pub(crate) reuse: Option<TaskId>,
}

/// What becomes of a connection that has done its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parked {
    /// It rests.
    Kept,
    /// It rests, and this one, which has rested longest of all, has to end for it.
    KeptFor(TaskId),
    /// It has to end.
    Refused,
}

impl Pool {
    pub(crate) fn new(limits: PoolLimits) -> Self {
        Self {
            limits,
            places: Vec::new(),
            vacant: Vec::new(),
            known: HashMap::new(),
            recent: None,
            ready: VecDeque::new(),
            starved: VecDeque::new(),
            active: 0,
            idle: 0,
        }
    }

    /// A transfer waits for a connection, behind the others of its place or before them.
    pub(crate) fn enqueue(&mut self, route: &Rc<Route>, id: TransferId, first: bool) -> PlaceId {
        let place = match &self.recent {
            Some((recent, place)) if Rc::ptr_eq(recent, route) => *place,
            _ => self.find(route),
        };
        let waiting = &mut self.place(place).waiting;
        if first {
            waiting.push_front(id);
        } else {
            waiting.push_back(id);
        }
        self.list(place);
        place
    }

    /// A transfer waits no longer.
    pub(crate) fn withdraw(&mut self, place: PlaceId, id: TransferId) {
        let waiting = &mut self.place(place).waiting;
        if let Some(position) = waiting.iter().position(|waiting| *waiting == id) {
            waiting.remove(position);
        }
        self.list(place);
    }

    /// The next transfer that can have a connection within the limits. `may_reuse` says whether a
    /// transfer takes one that has been used.
    pub(crate) fn next(&mut self, may_reuse: impl Fn(TransferId) -> bool) -> Option<Grant> {
        while let Some(id) = self.ready.pop_front() {
            let (most, most_here) = (self.limits.active.max(1), self.limits.active_per_host.max(1));
            let full = self.active >= most;
            let place = &mut self.places[id.0 as usize];
            place.listed = false;
            let Some(&first) = place.waiting.front() else {
                self.tidy(id);
                continue;
            };
            if full {
                place.listed = true;
                self.starved.push_back(id);
                continue;
            }
            // The one that came last is the one most likely still alive.
            let reuse = if may_reuse(first) { place.idle.pop() } else { None };
            if reuse.is_none() && place.active >= most_here {
                continue;
            }
            let Some(route) = place.route.clone() else { continue };
            place.waiting.pop_front();
            place.active += 1;
            self.active += 1;
            self.idle -= usize::from(reuse.is_some());
            self.list(id);
            let reuse = reuse.map(|idle| idle.task);
            return Some(Grant { id: first, place: id, route, reuse });
        }
        None
    }

    /// A connection in use has done its work and could rest.
    pub(crate) fn park(&mut self, id: PlaceId, task: TaskId, now: Instant) -> Parked {
        self.release(id);
        let (most, most_here) = (self.limits.idle, self.limits.idle_per_host);
        let place = self.place(id);
        if most == 0 || place.idle.len() >= most_here {
            return Parked::Refused;
        }
        place.idle.push(Idle { task, since: now });
        self.idle += 1;
        if self.idle <= most {
            return Parked::Kept;
        }
        self.evict().map_or(Parked::Kept, Parked::KeptFor)
    }

    /// A connection in use has ended.
    pub(crate) fn release(&mut self, id: PlaceId) {
        self.active -= 1;
        self.place(id).active -= 1;
        if let Some(starved) = self.starved.pop_front() {
            self.ready.push_back(starved);
        }
        self.list(id);
    }

    /// A connection at rest has ended.
    pub(crate) fn forget(&mut self, id: PlaceId, task: TaskId) {
        let idle = &mut self.place(id).idle;
        let before = idle.len();
        idle.retain(|idle| idle.task != task);
        let gone = before - idle.len();
        self.idle -= gone;
        self.list(id);
    }

    /// The connections in use and at rest.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.active, self.idle)
    }

    /// Takes out the connection that has rested longest of all.
    fn evict(&mut self) -> Option<TaskId> {
        let oldest = |place: &Place| place.idle.first().map(|idle| idle.since);
        let with =
            self.places.iter().enumerate().filter_map(|(n, place)| Some((oldest(place)?, n)));
        let (_, number) = with.min()?;
        let task = self.places[number].idle.remove(0).task;
        self.idle -= 1;
        self.list(PlaceId(number as u32));
        Some(task)
    }

    fn find(&mut self, route: &Rc<Route>) -> PlaceId {
        let place = match self.known.get(route) {
            Some(place) => *place,
            None => self.add(route.clone()),
        };
        self.recent = Some((route.clone(), place));
        place
    }

    fn add(&mut self, route: Rc<Route>) -> PlaceId {
        let id = self.vacant.pop().unwrap_or_else(|| {
            self.places.push(Place::VACANT);
            PlaceId((self.places.len() - 1) as u32)
        });
        self.place(id).route = Some(route.clone());
        self.known.insert(route, id);
        id
    }

    fn list(&mut self, id: PlaceId) {
        let place = &mut self.places[id.0 as usize];
        if !place.listed {
            place.listed = true;
            self.ready.push_back(id);
        }
    }

    /// Forgets a place to which nothing belongs any more.
    fn tidy(&mut self, id: PlaceId) {
        let place = self.place(id);
        if place.active == 0
            && place.idle.is_empty()
            && !place.listed
            && let Some(route) = place.route.take()
        {
            self.known.remove(&route);
            self.recent.take_if(|(_, recent)| *recent == id);
            self.vacant.push(id);
        }
    }

    fn place(&mut self, id: PlaceId) -> &mut Place {
        &mut self.places[id.0 as usize]
    }
}

impl Place {
    const VACANT: Self =
        Self { route: None, active: 0, idle: Vec::new(), waiting: VecDeque::new(), listed: false };
}

#[cfg(test)]
mod tests;
