//! Many transfers at once on one thread.

use std::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

use avocet_net::EventLoop;
use avocet_wire::{FieldBuf, OwnedResponseHead};
use bytes::Bytes;

use crate::config::Config;
use crate::connect::Route;
use crate::error::{Error, ErrorKind, Phase};
use crate::hub::Hub;
use crate::request::Request;
use crate::transfer::{Delivery, Receiver, Times, Transfer};

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
}

/// Names a transfer of one engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransferId(pub(crate) u64);

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
        Ok(Self { event_loop, hub: Rc::new(Hub::new(config)) })
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
        request: Request,
        delivery: Delivery,
    ) -> Result<TransferId, Error> {
        let now = Instant::now();
        let via = self.hub.config.proxies.choose(&request.url)?;
        let route = Rc::new(Route::of(&request.url, via)?);
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
        // What was started meanwhile is sent before the kernel is asked for news.
        self.event_loop.turn_ready(Instant::now());
        self.expire_queue();
        if self.hub.has_events() {
            return Ok(());
        }
        let limit = self
            .hub
            .queue_deadline()
            .map(|(_, deadline)| deadline.saturating_duration_since(Instant::now()));
        let wait = match (wait, limit) {
            (Some(wait), Some(limit)) => Some(wait.min(limit)),
            (wait, limit) => wait.or(limit),
        };
        self.event_loop.turn(wait).map_err(system)?;
        self.expire_queue();
        self.hub.dispatch(&mut self.event_loop, Instant::now());
        Ok(())
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
        let task = self.hub.with(id, |transfer| {
            transfer.paused = false;
            transfer.task
        });
        if let Some(task) = task.flatten() {
            self.event_loop.notify(task);
        }
    }

    /// Ends a transfer; no further event of it comes.
    pub fn cancel(&mut self, id: TransferId) {
        if let Some(task) = self.hub.remove(id).and_then(|transfer| transfer.task) {
            self.event_loop.notify(task);
        }
    }

    /// When things happened to a transfer so far.
    pub fn times(&self, id: TransferId) -> Option<Times> {
        self.hub.with(id, |transfer| transfer.times)
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
        if let Some(task) = self.hub.with(id, |transfer| transfer.task).flatten() {
            self.event_loop.notify(task);
        }
    }

    fn expire_queue(&mut self) {
        while let Some((id, deadline)) = self.hub.queue_deadline()
            && deadline <= Instant::now()
        {
            let late = "the transfer took longer than it may";
            self.hub.unqueue(id);
            self.hub.fail(id, Error::new(ErrorKind::Timeout, Phase::Queue, late));
        }
    }
}

fn system(error: std::io::Error) -> Error {
    Error::new(ErrorKind::System, Phase::Prepare, &error).caused_by(error)
}

impl fmt::Display for TransferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
