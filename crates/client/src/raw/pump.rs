//! A connection on a loop of its own, which is turned while somebody waits for it.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use avocet_net::{EventLoop, Input, Next, Outbox, PeerInfo, Task, TaskId, Transport, Turn};
use url::Url;

use crate::config::Config;
use crate::connect::{Connect, Route};
use crate::error::{Error, ErrorKind, Phase};

/// Moves bytes between a transport and two buffers.
pub(super) struct Pump {
    event_loop: EventLoop,
    task: TaskId,
    shared: Rc<RefCell<Shared>>,
}

/// What the caller and the task share.
struct Shared {
    out: Outbox,
    input: Vec<u8>,
    stage: Stage,
    /// The end of what the server sends, in order or not.
    ended: Option<io::Result<()>>,
    /// What made writing impossible.
    broken: Option<io::Error>,
    /// Bytes that were moved, in both directions.
    moved: u64,
}

enum Stage {
    Making(Box<dyn Connect>),
    Open(Box<dyn Transport>),
    Failed(Option<Error>),
}

struct Mover(Rc<RefCell<Shared>>);

impl Pump {
    /// A connection along a route.
    pub(super) fn connect(config: &Config, route: &Route, url: &Url) -> Result<Self, Error> {
        let mut event_loop = EventLoop::new().map_err(|error| {
            Error::new(ErrorKind::System, Phase::Prepare, &error).caused_by(error)
        })?;
        let shared = Rc::new(RefCell::new(Shared {
            out: Outbox::new(),
            input: Vec::new(),
            stage: Stage::Making(config.connector.connect(route)),
            ended: None,
            broken: None,
            moved: 0,
        }));
        let task = event_loop.spawn(Box::new(Mover(shared.clone())));
        let mut pump = Self { event_loop, task, shared };
        let made = pump.establish(config);
        made.map(|()| pump).map_err(|error| error.about(url))
    }

    pub(super) fn peer(&self) -> Option<PeerInfo> {
        match &self.shared.borrow().stage {
            Stage::Open(transport) => Some(transport.info().clone()),
            _ => None,
        }
    }

    fn establish(&mut self, config: &Config) -> Result<(), Error> {
        let timeouts = &config.timeouts;
        let mut limit = timeouts.connect;
        let mut until = Instant::now() + limit;
        let mut last = Phase::Resolve;
        loop {
            self.turn(until)?;
            let phase = match &mut self.shared.borrow_mut().stage {
                Stage::Open(_) => return Ok(()),
                Stage::Failed(error) => {
                    let gone = || Error::new(ErrorKind::Connect, Phase::Connect, "no connection");
                    return Err(error.take().unwrap_or_else(gone));
                }
                Stage::Making(connect) => connect.phase(),
            };
            if phase == Phase::Tls && last != phase {
                limit = timeouts.tls;
                until = Instant::now() + limit;
            }
            last = phase;
            if Instant::now() >= until {
                let message = format!("no connection within {limit:?}");
                return Err(Error::new(ErrorKind::Timeout, phase, message));
            }
        }
    }

    /// Writes bytes, all of them; nothing may stand still for longer than `patience`.
    pub(super) fn write(&mut self, bytes: &[u8], patience: Duration) -> Result<(), Error> {
        self.shared.borrow_mut().out.push_slice(bytes);
        let mut until = Instant::now() + patience;
        loop {
            let before = {
                let mut shared = self.shared.borrow_mut();
                if let Some(error) = shared.broken.take() {
                    let failed = Error::new(ErrorKind::Connection, Phase::Send, &error);
                    return Err(failed.caused_by(error));
                }
                if shared.out.is_empty() {
                    return Ok(());
                }
                shared.moved
            };
            self.turn(until)?;
            if self.shared.borrow().moved > before {
                until = Instant::now() + patience;
            } else if Instant::now() >= until {
                let message = "nothing was taken for too long";
                return Err(Error::new(ErrorKind::Timeout, Phase::Send, message));
            }
        }
    }

    /// Waits until there is more input than `seen` bytes; false when no more will come.
    pub(super) fn more(
        &mut self,
        seen: usize,
        phase: Phase,
        until: Instant,
    ) -> Result<bool, Error> {
        loop {
            {
                let mut shared = self.shared.borrow_mut();
                if shared.input.len() > seen {
                    return Ok(true);
                }
                match shared.ended.take() {
                    Some(Ok(())) => {
                        shared.ended = Some(Ok(()));
                        return Ok(false);
                    }
                    Some(Err(error)) => {
                        let failed = Error::new(ErrorKind::Connection, phase, &error);
                        return Err(failed.caused_by(error));
                    }
                    None => {}
                }
            }
            if Instant::now() >= until {
                let message = "nothing came for too long";
                return Err(Error::new(ErrorKind::Timeout, phase, message));
            }
            self.turn(until)?;
        }
    }

    /// Whether something has come although nothing was asked, or the end.
    pub(super) fn is_disturbed(&mut self) -> bool {
        let turned = self.turn(Instant::now());
        let shared = self.shared.borrow();
        turned.is_err() || !shared.input.is_empty() || shared.ended.is_some()
    }

    /// Looks at the input; `look` says how much of it is done with.
    pub(super) fn with_input<R>(&mut self, look: impl FnOnce(&[u8]) -> (usize, R)) -> R {
        let shared = &mut *self.shared.borrow_mut();
        let (used, result) = look(&shared.input);
        shared.input.drain(..used);
        result
    }

    fn turn(&mut self, until: Instant) -> Result<(), Error> {
        self.event_loop.notify(self.task);
        let wait = until.saturating_duration_since(Instant::now());
        // What can be done at once is, before the kernel is asked for news.
        let before = self.shared.borrow().moved;
        self.event_loop.turn_ready(Instant::now());
        if self.shared.borrow().moved > before {
            return Ok(());
        }
        self.event_loop
            .turn(Some(wait))
            .map_err(|error| Error::new(ErrorKind::System, Phase::Prepare, &error).caused_by(error))
    }
}

impl Task for Mover {
    fn turn(&mut self, cx: &mut Turn<'_>) -> Next {
        let shared = &mut *self.0.borrow_mut();
        if let Stage::Making(connect) = &mut shared.stage {
            let deadline = connect.deadline();
            match connect.turn(cx) {
                Ok(Some(transport)) => shared.stage = Stage::Open(transport),
                Ok(None) => return Next::Wait(deadline),
                Err(error) => {
                    shared.stage = Stage::Failed(Some(error));
                    return Next::Done;
                }
            }
        }
        let Shared { out, input, stage, ended, broken, moved } = shared;
        let Stage::Open(transport) = stage else { return Next::Done };
        if !out.is_empty() && cx.writable() {
            let before = out.len();
            if let Err(error) = cx.write(&mut **transport, out) {
                out.consume(out.len());
                *broken = Some(error);
            }
            *moved += before - out.len();
        }
        let mut scratch = cx.take_scratch();
        while cx.readable() && ended.is_none() && input.len() < MOST_INPUT {
            match cx.read(&mut **transport, &mut scratch) {
                Ok(Input::Blocked) => break,
                Ok(Input::Closed) => *ended = Some(Ok(())),
                Ok(Input::Bytes(count)) => {
                    *moved += count as u64;
                    input.extend_from_slice(&scratch[..count]);
                }
                Err(error) => *ended = Some(Err(error)),
            }
        }
        cx.put_scratch(scratch);
        Next::Wait(None)
    }
}

/// What is read ahead of the caller, and a head is kept in.
const MOST_INPUT: usize = 1024 * 1024;
