//! A scheduler on a kernel: mio's poll, and the way in from other threads.

use std::io;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token, Waker};

use crate::readiness::Readiness;
use crate::scheduler::{Scheduler, Stop, Turn};
use crate::task::{Command, Inlet, Task, TaskId};

/// One loop on one thread.
///
/// ```
/// use avocet_net::{EventLoop, Next, Task, Turn};
///
/// struct Hello;
///
/// impl Task for Hello {
///     fn turn(&mut self, _cx: &mut Turn<'_>) -> Next {
///         Next::Done
///     }
/// }
///
/// let mut event_loop = EventLoop::new()?;
/// event_loop.spawn(Box::new(Hello));
/// event_loop.turn(None)?;
/// assert!(event_loop.scheduler().is_empty());
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct EventLoop {
    poll: Option<Poll>,
    events: Events,
    scheduler: Scheduler,
    commands: Receiver<Command>,
    inlet: Inlet,
}

impl EventLoop {
    /// A loop that sleeps in the kernel.
    ///
    /// *Errors*: when the system has no descriptors for it.
    pub fn new() -> io::Result<Self> {
        LoopSeed::new()?.start()
    }

    /// A loop without a kernel: its time is what [`EventLoop::turn_at`] is told, its transports are
    /// in memory.
    pub fn simulated(now: Instant) -> Self {
        let (sender, commands) = channel();
        let inlet = Inlet::new(sender, None);
        let scheduler = Scheduler::new(now, None, inlet.clone());
        Self { poll: None, events: Events::with_capacity(1), scheduler, commands, inlet }
    }

    /// Adds a task.
    pub fn spawn(&mut self, task: Box<dyn Task>) -> TaskId {
        self.scheduler.spawn(task)
    }

    /// The tasks.
    pub fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    /// The way in from other threads.
    pub fn handle(&self) -> LoopHandle {
        LoopHandle { inlet: self.inlet.clone() }
    }

    /// Turns until a stop was ordered and has been carried out.
    ///
    /// *Blocking*: sleeps in the kernel.
    pub fn run(&mut self) -> io::Result<()> {
        while !self.scheduler.finished() {
            self.turn(None)?;
        }
        Ok(())
    }

    /// Sleeps until an event, a timer or `wait` has come, then turns the tasks concerned.
    pub fn turn(&mut self, wait: Option<Duration>) -> io::Result<()> {
        let Some(poll) = &mut self.poll else {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "this loop has no kernel"));
        };
        let sleep = match (self.scheduler.sleep(self.scheduler.now()), wait) {
            (Some(timer), Some(wait)) => Some(timer.min(wait)),
            (timer, wait) => timer.or(wait),
        };
        match poll.poll(&mut self.events, sleep) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            Err(_) => self.events.clear(),
            Ok(()) => {}
        }
        let mut woken = false;
        for event in &self.events {
            if event.token() == WAKE {
                woken = true;
            } else {
                let id = TaskId::of_token(event.token());
                self.scheduler.notify(id, Readiness::of_event(event));
            }
        }
        if woken {
            self.inlet.rearm();
            self.take_commands();
        }
        self.scheduler.turn(Instant::now());
        Ok(())
    }

    /// One turn of a simulated loop at the given time; says how long it would sleep.
    pub fn turn_at(&mut self, now: Instant) -> Option<Duration> {
        self.take_commands();
        self.scheduler.turn(now);
        self.take_commands();
        self.scheduler.sleep(now)
    }

    fn take_commands(&mut self) {
        while let Ok(command) = self.commands.try_recv() {
            match command {
                Command::Notify(id, bits) => self.scheduler.notify(id, bits),
                Command::Run(job) => self.scheduler.run(job),
                Command::Stop(stop) => self.scheduler.stop(stop),
            }
        }
    }
}

/// A loop that has not begun: it can still be moved to its thread, while its handle is known already.
pub struct LoopSeed {
    poll: Poll,
    commands: Receiver<Command>,
    inlet: Inlet,
}

impl LoopSeed {
    /// Takes what the loop needs of the system.
    ///
    /// *Errors*: when the system has no descriptors for it.
    pub fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        let (sender, commands) = channel();
        Ok(Self { poll, commands, inlet: Inlet::new(sender, Some(waker)) })
    }

    /// The way in from other threads.
    pub fn handle(&self) -> LoopHandle {
        LoopHandle { inlet: self.inlet.clone() }
    }

    /// Begins the loop, on the thread that will turn it.
    pub fn start(self) -> io::Result<EventLoop> {
        let Self { poll, commands, inlet } = self;
        let registry = poll.registry().try_clone()?;
        let scheduler = Scheduler::new(Instant::now(), Some(registry), inlet.clone());
        let events = Events::with_capacity(EVENTS);
        Ok(EventLoop { poll: Some(poll), events, scheduler, commands, inlet })
    }
}

/// A loop as other threads see it.
#[derive(Clone)]
pub struct LoopHandle {
    inlet: Inlet,
}

impl LoopHandle {
    /// Runs a closure on the loop's thread, to spawn tasks there. False when the loop has ended.
    pub fn run(&self, job: impl FnOnce(&mut Turn<'_>) + Send + 'static) -> bool {
        self.inlet.send(Command::Run(Box::new(job)))
    }

    /// Orders the loop to stop; a second order replaces the first. False when it has ended.
    pub fn stop(&self, stop: Stop) -> bool {
        self.inlet.send(Command::Stop(stop))
    }
}

const WAKE: Token = Token(usize::MAX);
const EVENTS: usize = 1024;
