//! Many transfers at once on one thread.

use std::rc::Rc;
use std::time::{Duration, Instant};

use avocet_net::{EventLoop, LoopHandle};
use avocet_wire::{FieldBuf, OwnedResponseHead};
use bytes::Bytes;

use crate::config::Config;
use crate::error::{Error, ErrorKind, Phase};
use crate::hub::Hub;
use crate::ids::TransferId;
use crate::report::{Report, Times};
use crate::request::Request;
use crate::transfer::{Delivery, Receiver, Seat, Transfer};

/// Runs transfers: start them, turn the engine, take the events.
///
/// ```no_run
/// use avocet_client::{Config, Multi, Request, TransferEvent};
///
/// let mut multi = Multi::new(Config::default())?;
/// for page in 1..=1000 {
///     multi.start(Request::get(&format!("http://localhost:8080/{page}"))?)?;
/// }
/// while multi.len() > 0 {
///     multi.turn(None)?;
///     while let Some((id, event)) = multi.next_event() {
///         match event {
///             TransferEvent::Head(head) => println!("{id}: {}", head.status()),
///             TransferEvent::Failed(error) => eprintln!("{id}: {error}"),
///             _ => {}
///         }
///     }
/// }
/// # Ok::<(), avocet_client::Error>(())
/// ```
///
/// *Bounds*: at most 64 connections per origin and 1,024 in all are in use, the other transfers wait
/// their turn; at most 256 KiB of content per transfer wait for the caller, then its connection is
/// not read any further.
pub struct Multi {
    event_loop: EventLoop,
    hub: Rc<Hub>,
    /// The time of a simulated engine.
    clock: Option<Instant>,
}

/// Wakes an engine from another thread.
#[derive(Clone)]
pub struct Waker(LoopHandle);

impl Waker {
    /// Lets [`Multi::turn`] return soon. False when the engine is gone.
    pub fn wake(&self) -> bool {
        self.0.run(|_| {})
    }
}

/// What happened to a transfer.
#[derive(Debug)]
#[non_exhaustive]
pub enum TransferEvent {
    /// The head of the response that is given to the caller, after redirects.
    Head(Box<OwnedResponseHead>),
    /// Some content, decoded unless that was not wanted.
    Data(Bytes),
    /// The end, with trailers. No event follows.
    End(FieldBuf),
    /// The transfer failed. No event follows.
    Failed(Error),
}

impl Multi {
    /// An engine with these settings.
    ///
    /// *Errors*: when the system has no descriptors for it.
    pub fn new(config: Config) -> Result<Self, Error> {
        let event_loop = EventLoop::new().map_err(system)?;
        Ok(Self { event_loop, hub: Rc::new(Hub::new(config)), clock: None })
    }

    /// An engine without a kernel, for tests: its time is what [`Multi::turn_at`] is told, and its
    /// connector has to make connections in memory.
    pub fn simulated(config: Config, now: Instant) -> Self {
        let event_loop = EventLoop::simulated(now);
        Self { event_loop, hub: Rc::new(Hub::new(config)), clock: Some(now) }
    }

    /// Starts a transfer; everything about it comes as events.
    ///
    /// *Errors*: a proxy setting that cannot be understood.
    pub fn start(&mut self, request: Request) -> Result<TransferId, Error> {
        self.begin(request, Delivery::Events)
    }

    /// Starts a transfer whose content goes to a receiver, where it lies and without a copy; head,
    /// end and failure come as events.
    ///
    /// *Errors*: a proxy setting that cannot be understood.
    pub fn start_into(
        &mut self,
        request: Request,
        receiver: Receiver,
    ) -> Result<TransferId, Error> {
        self.begin(request, Delivery::Receiver(receiver))
    }

    pub(crate) fn begin(
        &mut self,
        mut request: Request,
        delivery: Delivery,
    ) -> Result<TransferId, Error> {
        let now = self.now();
        self.hub.config.hooks.iter().for_each(|hook| hook.on_url(&mut request.url));
        let route = self.hub.route(&request.url)?;
        let transfer = Transfer::new(request, route, delivery, &self.hub.config, now);
        let id = self.hub.add(transfer);
        self.hub.dispatch(&mut self.event_loop, now);
        Ok(id)
    }

    /// Does what is possible, after having waited for it no longer than `wait`. Returns at once when
    /// events are there to be taken.
    ///
    /// *Blocking*: up to `wait`; `None` is without limit.
    ///
    /// *Errors*: the system's, of the loop itself; what befalls a transfer is an event.
    pub fn turn(&mut self, wait: Option<Duration>) -> Result<(), Error> {
        self.hub.forget_news();
        // What was started meanwhile is sent before the kernel is asked for news.
        self.event_loop.turn_ready(Instant::now());
        self.settle(Instant::now());
        if self.hub.has_news() {
            return Ok(());
        }
        let until = |due: Instant| due.saturating_duration_since(Instant::now());
        let wait = match (wait, self.hub.next_due().map(until)) {
            (Some(wait), Some(due)) => Some(wait.min(due)),
            (wait, due) => wait.or(due),
        };
        self.event_loop.turn(wait).map_err(system)?;
        self.settle(Instant::now());
        Ok(())
    }

    /// One turn of a simulated engine at the given time; says how long it would sleep, `None` for
    /// ever.
    pub fn turn_at(&mut self, now: Instant) -> Option<Duration> {
        self.clock = Some(now);
        self.settle(now);
        let sleep = self.event_loop.turn_at(now);
        self.settle(now);
        let due = self.hub.next_due().map(|due| due.saturating_duration_since(now));
        let busy = (!self.event_loop.is_idle()).then_some(Duration::ZERO);
        [sleep, due, busy].into_iter().flatten().min()
    }

    /// The next event, in the order in which they happened.
    pub fn next_event(&mut self) -> Option<(TransferId, TransferEvent)> {
        let (id, event, resumed) = self.hub.next_event()?;
        if let Some(task) = resumed {
            self.event_loop.notify(task);
        }
        Some((id, event))
    }

    /// Stops reading the content of a transfer until [`Multi::resume`]; its time-outs stand still
    /// meanwhile, the total one excepted.
    pub fn pause(&mut self, id: TransferId) {
        self.hub.with(id, |transfer| transfer.paused = true);
    }

    /// Reads on.
    pub fn resume(&mut self, id: TransferId) {
        self.hub.with(id, |transfer| transfer.paused = false);
        self.wake(id);
    }

    /// Ends a transfer; no further event of it comes.
    pub fn cancel(&mut self, id: TransferId) {
        if let Some(task) = self.hub.remove(id) {
            self.event_loop.notify(task);
        }
    }

    /// When things happened to a transfer so far; see [`Multi::report`].
    pub fn times(&self, id: TransferId) -> Option<Times> {
        self.hub.report(id, |report| report.times)
    }

    /// What is on record about a transfer that is under way, or about the one whose end was the last
    /// event that was taken.
    pub fn report(&self, id: TransferId) -> Option<Report> {
        self.hub.report(id, Report::clone)
    }

    /// The connections in use, and those at rest.
    pub fn connections(&self) -> (usize, usize) {
        self.hub.connections()
    }

    /// Wakes this engine from another thread.
    pub fn waker(&self) -> Waker {
        Waker(self.event_loop.handle())
    }

    /// The transfers that have not ended.
    pub fn len(&self) -> usize {
        self.hub.len()
    }

    /// Whether every transfer has ended.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn with<R>(
        &mut self,
        id: TransferId,
        with: impl FnOnce(&mut Transfer) -> R,
    ) -> Option<R> {
        self.hub.with(id, with)
    }

    /// Tells a transfer's connection that its content was taken.
    pub(crate) fn wake(&mut self, id: TransferId) {
        if let Some(Seat::Linked(task)) = self.hub.with(id, |transfer| transfer.seat) {
            self.event_loop.notify(task);
        }
    }

    /// Looks after the transfers that have no connection.
    fn settle(&mut self, now: Instant) {
        self.hub.run_agenda(now);
        self.hub.dispatch(&mut self.event_loop, now);
    }

    fn now(&self) -> Instant {
        self.clock.unwrap_or_else(Instant::now)
    }
}

fn system(error: std::io::Error) -> Error {
    Error::new(ErrorKind::System, Phase::Prepare, &error).caused_by(error)
}
