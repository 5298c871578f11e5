//! Taking connections: one at a time, within a limit, through every error.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mio::Interest;
use rustix::io::Errno;

use crate::address::{Address, Listener};
use crate::readiness::Readiness;
use crate::scheduler::Turn;
use crate::socket::SocketTransport;
use crate::task::{Next, Notifier, Task};
use crate::transport::{PeerInfo, Transport};

/// The task of a listener: makes a task of each connection.
///
/// *Bounds*: at the connection limit it stops accepting and goes on when a tenth of the connections
/// has ended. When the process is out of descriptors or memory it waits 100 ms, doubling up to 1 s,
/// and says so once a second; no error of accept ends it.
pub struct Acceptor<F> {
    socket: Socket,
    local: Address,
    count: ConnectionCount,
    make: F,
    registered: bool,
    back_off: Duration,
    retry_at: Option<Instant>,
    logged_at: Option<Instant>,
}

enum Socket {
    Tcp(mio::net::TcpListener),
    Unix(mio::net::UnixListener, #[expect(dead_code, reason = "removes the file")] UnixFile),
}

type UnixFile = Arc<crate::address::SocketFile>;

impl<F> Acceptor<F>
where
    F: FnMut(Box<dyn Transport>, ConnectionPermit, Instant) -> Box<dyn Task>,
{
    /// Accepts from `listener`; `make` turns a connection into its task at the given instant; the task
    /// keeps the permit as long as it lives.
    pub fn new(listener: Listener, count: ConnectionCount, make: F) -> io::Result<Self> {
        let local = listener.address()?;
        let socket = match listener {
            Listener::Tcp(listener) => Socket::Tcp(mio::net::TcpListener::from_std(listener)),
            Listener::Unix(listener, file) => {
                Socket::Unix(mio::net::UnixListener::from_std(listener), file)
            }
        };
        Ok(Self {
            socket,
            local,
            count,
            make,
            registered: false,
            back_off: FIRST_BACK_OFF,
            retry_at: None,
            logged_at: None,
        })
    }

    fn accept(&mut self) -> io::Result<Box<dyn Transport>> {
        let local = self.local.clone();
        Ok(match &self.socket {
            Socket::Tcp(listener) => {
                let (stream, remote) = listener.accept()?;
                let info = PeerInfo { remote: Address::Ip(remote), local };
                Box::new(SocketTransport::new(stream, info))
            }
            Socket::Unix(listener, _) => {
                let (stream, _) = listener.accept()?;
                let info = PeerInfo { remote: Address::Unix(None), local };
                Box::new(SocketTransport::new(stream, info))
            }
        })
    }

    /// Asks for events. A second registration makes the kernel tell again whether somebody waits,
    /// which costs a tenth of an accept that finds nobody.
    fn listen(&mut self, cx: &mut Turn<'_>) -> io::Result<()> {
        let source: &mut dyn mio::event::Source = match &mut self.socket {
            Socket::Tcp(listener) => listener,
            Socket::Unix(listener, _) => listener,
        };
        if self.registered {
            return cx.reregister_source(source, Interest::READABLE);
        }
        cx.register_source(source, Interest::READABLE)?;
        self.registered = true;
        Ok(())
    }

    fn failed(&mut self, error: &io::Error, now: Instant) -> Next {
        if self.logged_at.is_none_or(|at| now >= at + LOG_EVERY) {
            self.logged_at = Some(now);
            log::error!("cannot accept on {}: {error}; trying again", self.local);
        }
        let retry_at = now + self.back_off;
        self.back_off = (self.back_off * 2).min(LAST_BACK_OFF);
        self.retry_at = Some(retry_at);
        Next::Wait(Some(retry_at))
    }

    /// Accepts one connection; the answer is what to do when none was taken.
    fn step(&mut self, cx: &mut Turn<'_>) -> Result<(), Next> {
        let now = cx.now();
        if self.retry_at.is_some_and(|at| now < at) {
            return Err(Next::Wait(self.retry_at));
        }
        self.retry_at = None;
        let Some(permit) = self.count.acquire(|| cx.notifier()) else {
            return Err(Next::Wait(None));
        };
        match self.accept() {
            Ok(transport) => {
                self.back_off = FIRST_BACK_OFF;
                let task = (self.make)(transport, permit, now);
                cx.spawn(task);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                cx.clear(Readiness::READABLE);
                Err(Next::Wait(None))
            }
            // The connection is gone, not the listener.
            Err(error) if is_of_one_connection(&error) => Ok(()),
            Err(error) => Err(self.failed(&error, now)),
        }
    }
}

impl<F> Task for Acceptor<F>
where
    F: FnMut(Box<dyn Transport>, ConnectionPermit, Instant) -> Box<dyn Task>,
{
    fn turn(&mut self, cx: &mut Turn<'_>) -> Next {
        if !self.registered
            && let Err(error) = self.listen(cx)
        {
            return self.failed(&error, cx.now());
        }
        if let Some(stop) = cx.stopping() {
            // Connections that the kernel has completed already are not lost: they are taken first.
            while self.step(cx).is_ok() {}
            let done = cx.now() >= stop.accept_until;
            return if done { Next::Done } else { Next::Wait(Some(stop.accept_until)) };
        }
        if !cx.readable() && self.retry_at.is_none() {
            return Next::Wait(None);
        }
        if let Err(next) = self.step(cx) {
            return next;
        }
        match self.listen(cx) {
            Ok(()) => Next::Wait(None),
            Err(error) => self.failed(&error, cx.now()),
        }
    }
}

/// Counts the connections of all loops of a server against one limit.
#[derive(Clone)]
pub struct ConnectionCount(Arc<Count>);

struct Count {
    live: AtomicUsize,
    limit: usize,
    paused: AtomicBool,
    waiting: Mutex<Vec<Notifier>>,
}

/// The right to one connection, given back on drop.
pub struct ConnectionPermit(ConnectionCount);

impl ConnectionCount {
    /// At most `limit` connections at a time.
    pub fn new(limit: usize) -> Self {
        let (live, paused) = (AtomicUsize::new(0), AtomicBool::new(false));
        Self(Arc::new(Count { live, limit, paused, waiting: Mutex::new(Vec::new()) }))
    }

    /// The lesser of 10,000 and what the limit on descriptors leaves after 64 for files, logs and
    /// listeners.
    pub fn default_limit() -> usize {
        let descriptors = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let usable = descriptors.map_or(MOST, |most| most.saturating_sub(RESERVED));
        usize::try_from(usable.clamp(1, MOST)).unwrap_or(usize::MAX)
    }

    /// The connections that live now.
    pub fn live(&self) -> usize {
        self.0.live.load(Ordering::Relaxed)
    }

    /// A permit, or `None` at the limit; then the notifier is woken when there is room.
    fn acquire(&self, notifier: impl FnOnce() -> Notifier) -> Option<ConnectionPermit> {
        let count = &*self.0;
        if count.live.fetch_add(1, Ordering::AcqRel) < count.limit {
            return Some(ConnectionPermit(self.clone()));
        }
        count.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(notifier());
        count.paused.store(true, Ordering::Release);
        log::warn!("{} connections: not accepting more for now", count.limit);
        // After the note above, so that a connection that ends right now sees it.
        self.release();
        None
    }

    fn release(&self) {
        let count = &*self.0;
        let left = count.live.fetch_sub(1, Ordering::AcqRel).saturating_sub(1);
        if left <= count.limit - count.limit.div_ceil(10) && count.paused.load(Ordering::Acquire) {
            let mut waiting = count.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            count.paused.store(false, Ordering::Release);
            for notifier in waiting.drain(..) {
                notifier.ready(Readiness::READABLE);
            }
        }
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        self.0.release();
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

const FIRST_BACK_OFF: Duration = Duration::from_millis(100);
const LAST_BACK_OFF: Duration = Duration::from_secs(1);
const LOG_EVERY: Duration = Duration::from_secs(1);
const MOST: u64 = 10_000;
const RESERVED: u64 = 64;
