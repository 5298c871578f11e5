//! A scheduler on a kernel: mio's poll, and the way in from other threads.

use std::io;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token, Waker};

use crate::alarm::Alarm;
use crate::inlet::{Command, Inlet, Outlet, inlet};
use crate::readiness::Readiness;
use crate::scheduler::{Scheduler, Stop};
use crate::task::{Notifier, Task, TaskId};
use crate::turn::Turn;

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
    kernel: Option<Kernel>,
    events: Events,
    scheduler: Scheduler,
    inlet: Inlet,
    outlet: Outlet,
}

/// What a loop sleeps in, and what wakes it in time.
struct Kernel {
    poll: Poll,
    alarm: Alarm,
}

impl EventLoop {
    /// A loop that sleeps in the kernel.
    ///
    /// *Errors*: those of the kernel, which gives it three descriptors.
    pub fn new() -> io::Result<Self> {
        LoopSeed::new()?.start()
    }

    /// A loop without a kernel: its time is what [`EventLoop::turn_at`] is told, its transports are
    /// in memory.
    pub fn simulated(now: Instant) -> Self {
        let (inlet, outlet) = inlet(None);
        let scheduler = Scheduler::new(now, None, inlet.clone());
        Self { kernel: None, events: Events::with_capacity(1), scheduler, inlet, outlet }
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

    /// A handle that wakes one task of this loop.
    pub fn notifier(&self, id: TaskId) -> Notifier {
        Notifier::new(id, self.inlet.clone())
    }

    /// Asks for a turn of a task, from the loop's own thread.
    pub fn notify(&mut self, id: TaskId) {
        self.scheduler.notify(id, Readiness::NONE);
    }

    /// Turns the tasks that are queued or due, without asking the kernel for events.
    pub fn turn_ready(&mut self, now: Instant) {
        self.scheduler.turn(now);
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

    /// Sleeps until an event, a timer or `wait` has come, then turns the tasks concerned. It may
    /// return without any of them.
    ///
    /// *Errors*: `Unsupported` on a simulated loop; none that a peer or a signal could cause.
    ///
    /// *Blocking*: sleeps in the kernel, not longer than `wait`.
    pub fn turn(&mut self, wait: Option<Duration>) -> io::Result<()> {
        let Some(Kernel { poll, alarm }) = &mut self.kernel else {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "this loop has no kernel"));
        };
        let sleep = if self.scheduler.is_busy() || !self.outlet.may_sleep() {
            Some(Duration::ZERO)
        } else {
            // The clock is read now and not taken from the last turn, whose tasks may have taken
            // their time since: a deadline behind a slow turn must not wait for it twice.
            match (self.scheduler.alarm(), wait) {
                (Some(at), Some(wait)) => {
                    Some(at.saturating_duration_since(Instant::now()).min(wait))
                }
                (Some(at), None) => alarm.set(at)?,
                (None, wait) => wait,
            }
        };
        let polled = poll.poll(&mut self.events, sleep);
        let commands = self.outlet.woke();
        match polled {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            Err(_) => self.events.clear(),
            Ok(()) => {}
        }
        for event in &self.events {
            match event.token() {
                WAKE => {}
                ALARM => alarm.fired(),
                token => self.scheduler.notify(TaskId::of_token(token), Readiness::of_event(event)),
            }
        }
        if commands {
            self.take_commands();
        }
        self.scheduler.turn(Instant::now());
        Ok(())
    }

    /// One turn of a simulated loop at the given time; says how long it would sleep, `None` for
    /// ever.
    pub fn turn_at(&mut self, now: Instant) -> Option<Duration> {
        self.outlet.woke();
        self.take_commands();
        self.scheduler.turn(now);
        self.outlet.woke();
        self.take_commands();
        if self.outlet.has_rest() { Some(Duration::ZERO) } else { self.scheduler.sleep(now) }
    }

    /// Whether neither a task nor a command waits: until a timer, an event or another thread comes,
    /// a turn would do nothing.
    pub fn is_idle(&self) -> bool {
        !self.scheduler.is_busy() && !self.outlet.has_commands()
    }

    fn take_commands(&mut self) {
        let scheduler = &mut self.scheduler;
        self.outlet.take(|command| match command {
            Command::Notify(id, pending) => scheduler.notify(id, pending.take()),
            Command::Run(job) => scheduler.run(job),
            Command::Stop(stop) => scheduler.stop(stop),
        });
    }
}

/// A loop that has not begun: it can still be moved to its thread, while its handle is known
/// already.
pub struct LoopSeed {
    kernel: Kernel,
    inlet: Inlet,
    outlet: Outlet,
}

impl LoopSeed {
    /// Takes what the loop needs of the system.
    ///
    /// *Errors*: when the system has no descriptors for it.
    pub fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        let alarm = Alarm::new(poll.registry(), ALARM)?;
        let (inlet, outlet) = inlet(Some(waker));
        Ok(Self { kernel: Kernel { poll, alarm }, inlet, outlet })
    }

    /// The way in from other threads.
    pub fn handle(&self) -> LoopHandle {
        LoopHandle { inlet: self.inlet.clone() }
    }

    /// Begins the loop, on the thread that will turn it.
    ///
    /// *Errors*: when the system has no descriptor for it.
    pub fn start(self) -> io::Result<EventLoop> {
        let Self { kernel, inlet, outlet } = self;
        let registry = kernel.poll.registry().try_clone()?;
        let scheduler = Scheduler::new(Instant::now(), Some(registry), inlet.clone());
        let events = Events::with_capacity(EVENTS);
        Ok(EventLoop { kernel: Some(kernel), events, scheduler, inlet, outlet })
    }
}

/// A loop as other threads see it.
#[derive(Clone)]
pub struct LoopHandle {
    inlet: Inlet,
}

impl LoopHandle {
    /// Runs a closure on the loop's thread, to spawn tasks there. False when the loop has ended or
    /// the queue is full; the closure is then dropped.
    ///
    /// *Bounds*: 65,536 closures may wait; a loop takes up to 1,024 per turn.
    pub fn run(&self, job: impl FnOnce(&mut Turn<'_>) + Send + 'static) -> bool {
        self.inlet.run(Box::new(job))
    }

    /// Orders the loop to stop; a second order replaces the first. False when it has ended.
    pub fn stop(&self, stop: Stop) -> bool {
        self.inlet.stop(stop)
    }
}

const WAKE: Token = Token(usize::MAX);
const ALARM: Token = Token(usize::MAX - 1);
const EVENTS: usize = 1024;
