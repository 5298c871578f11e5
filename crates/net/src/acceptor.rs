//! Taking connections: as many as wait, within a limit, through every error.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use rustix::io::Errno;

use crate::address::Listener;
use crate::count::{ConnectionCount, ConnectionPermit};
use crate::incoming::{Incoming, SocketIncoming};
use crate::readiness::Readiness;
use crate::task::{Next, Task};
use crate::transport::Transport;
use crate::turn::Turn;

/// The task of a listener: makes a task of each connection.
///
/// It ends when the loop is stopped, after it has taken what the kernel had completed by then.
///
/// *Bounds*: 64 connections per turn; then the other tasks have theirs. At the connection limit it
/// stops accepting and goes on when a tenth of the connections has ended. When the process is out
/// of descriptors or memory it waits 100 ms, doubling up to 1 s, and says so once a second; no error
/// of accept ends it, and no panic in `make`.
pub struct Acceptor<F> {
    incoming: Box<dyn Incoming>,
    count: ConnectionCount,
    make: F,
    registered: bool,
    /// Errors of single connections in a row.
    faults: u32,
    back_off: Duration,
    retry_at: Option<Instant>,
    logged_at: Option<Instant>,
}

impl<F> Acceptor<F>
where
    F: FnMut(Box<dyn Transport>, ConnectionPermit, Instant) -> Box<dyn Task>,
{
    /// Accepts from `listener`; `make` turns a connection into its task at the given instant; the
    /// task keeps the permit as long as it lives.
    pub fn new(listener: Listener, count: ConnectionCount, make: F) -> io::Result<Self> {
        Ok(Self::with_incoming(Box::new(SocketIncoming::new(listener)?), count, make))
    }

    /// Accepts from any source of connections.
    pub fn with_incoming(incoming: Box<dyn Incoming>, count: ConnectionCount, make: F) -> Self {
        Self {
            incoming,
            count,
            make,
            registered: false,
            faults: 0,
            back_off: FIRST_BACK_OFF,
            retry_at: None,
            logged_at: None,
        }
    }

    /// Takes connections while some wait; true when there may be more.
    fn accept(&mut self, cx: &mut Turn<'_>) -> bool {
        for _ in 0..PER_TURN {
            // The readable bit stays: whoever ends the pause wakes this task.
            let Some(permit) = self.count.acquire(|| cx.notifier()) else { return false };
            match self.incoming.accept() {
                Ok(transport) => {
                    self.faults = 0;
                    self.back_off = FIRST_BACK_OFF;
                    self.spawn(cx, transport, permit);
                    if !self.incoming.waits() {
                        cx.clear(Readiness::READABLE);
                        return false;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    cx.clear(Readiness::READABLE);
                    return false;
                }
                Err(error) if is_of_one_connection(&error) && self.faults < MOST_FAULTS => {
                    log::debug!("a connection to {} failed: {error}", self.incoming.local());
                    self.faults += 1;
                }
                Err(error) => {
                    self.failed(&error, cx.now());
                    return false;
                }
            }
        }
        true
    }

    fn spawn(
        &mut self,
        cx: &mut Turn<'_>,
        transport: Box<dyn Transport>,
        permit: ConnectionPermit,
    ) {
        let now = cx.now();
        match catch_unwind(AssertUnwindSafe(|| (self.make)(transport, permit, now))) {
            Ok(task) => drop(cx.spawn(task)),
            Err(_) => log::error!("making the task of a connection panicked; it is closed"),
        }
    }

    fn failed(&mut self, error: &io::Error, now: Instant) {
        if self.logged_at.is_none_or(|at| now.saturating_duration_since(at) >= LOG_EVERY) {
            self.logged_at = Some(now);
            log::error!("cannot accept on {}: {error}; trying again", self.incoming.local());
        }
        self.retry_at = Some(now + self.back_off);
        self.back_off = (self.back_off * 2).min(LAST_BACK_OFF);
    }

    /// Whether accepting makes sense now.
    fn may_accept(&mut self, cx: &mut Turn<'_>) -> bool {
        let now = cx.now();
        if self.retry_at.is_some_and(|at| now < at) {
            return false;
        }
        self.retry_at = None;
        if !self.registered {
            if let Err(error) = self.incoming.register(&cx.registration()) {
                self.failed(&error, now);
                return false;
            }
            self.registered = true;
        }
        // Connections that the kernel has completed before a stop are not lost: they are looked for
        // although no event has told of them yet.
        cx.readable() || cx.stopping().is_some()
    }
}

impl<F> Task for Acceptor<F>
where
    F: FnMut(Box<dyn Transport>, ConnectionPermit, Instant) -> Box<dyn Task>,
{
    fn turn(&mut self, cx: &mut Turn<'_>) -> Next {
        if self.may_accept(cx) && self.accept(cx) {
            return Next::Again;
        }
        let Some(stop) = cx.stopping() else { return Next::Wait(self.retry_at) };
        if cx.now() < stop.accept_until {
            let until = stop.accept_until;
            return Next::Wait(Some(self.retry_at.map_or(until, |at| at.min(until))));
        }
        if self.registered
            && let Err(error) = self.incoming.deregister(&cx.registration())
        {
            log::debug!("cannot deregister {}: {error}", self.incoming.local());
        }
        Next::Done
    }
}

/// Errors that concern the connection that was to be accepted: the peer left, or the network under
/// it failed (accept(2) lists them).
fn is_of_one_connection(error: &io::Error) -> bool {
    let Some(errno) = Errno::from_io_error(error) else { return false };
    matches!(
        errno,
        Errno::CONNABORTED
            | Errno::INTR
            | Errno::PROTO
            | Errno::NETDOWN
            | Errno::NOPROTOOPT
            | Errno::HOSTDOWN
            | Errno::HOSTUNREACH
            | Errno::NETUNREACH
            | Errno::CONNRESET
            | Errno::TIMEDOUT
    )
}

/// Connections taken in one turn. Under a burst one per turn would leave the queue of the kernel to
/// overflow while the loop looks after others; all at once would make those others wait.
const PER_TURN: usize = 64;
/// More failed connections in a row than this are a failure of the listener.
const MOST_FAULTS: u32 = 16;
const FIRST_BACK_OFF: Duration = Duration::from_millis(100);
const LAST_BACK_OFF: Duration = Duration::from_secs(1);
const LOG_EVERY: Duration = Duration::from_secs(1);
