//! Addresses of names: helper threads that ask the system, and a small memory of what it said.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::error::Error;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::pool::WorkerPool;
use crate::task::Notifier;

/// Looks names up without blocking the loop. Clones share threads and memory.
///
/// Addresses need no look-up, and `localhost` and the names below it are this machine (RFC 6761
/// §6.3). Names are compared without regard to case and to a dot at their end.
///
/// *Bounds*: 8 threads, 256 names that wait for them, 256 names that are remembered: 60 s with their
/// addresses, 5 s if they have none. 32 addresses of a name are kept. With all places taken the oldest
/// known name goes; with all taken by names that wait a look-up is answered with an error.
#[derive(Clone)]
pub struct Resolver(Arc<Shared>);

/// Where a look-up stands.
#[derive(Clone, Debug)]
pub enum Lookup {
    /// It is over.
    Ready(Result<Addresses, ResolveError>),
    /// The notifier is woken when it is; ask again then.
    Pending,
}

/// The addresses of a name.
#[derive(Clone, Debug)]
pub struct Addresses {
    list: Arc<[SocketAddr]>,
    /// Nobody had to be asked.
    pub known: bool,
}

/// A name without addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolveError {
    host: Arc<str>,
    reason: Arc<str>,
}

struct Shared {
    known: Mutex<HashMap<Arc<str>, Entry>>,
    overrides: Mutex<Overrides>,
    pool: WorkerPool,
    lookup: Box<LookUp>,
}

type LookUp = dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync;
/// By name, and by port or for all of them.
type Overrides = HashMap<(Arc<str>, Option<u16>), Arc<[SocketAddr]>>;
type Known = Result<Arc<[SocketAddr]>, ResolveError>;

enum Entry {
    /// Somebody asks the system; these wait.
    Asked(Vec<Notifier>),
    /// The answer, and until when it holds: from when it was first read on, since the threads that
    /// ask have no clock but the real one.
    Answered { answer: Known, until: Option<Instant> },
}

impl Addresses {
    /// The addresses with this port, in the order of the system's preference.
    pub fn with_port(&self, port: u16) -> Vec<SocketAddr> {
        let mut list = self.list.to_vec();
        list.iter_mut().for_each(|address| address.set_port(port));
        list
    }
}

impl Resolver {
    /// Asks the system (getaddrinfo).
    pub fn new() -> Self {
        Self::with_lookup(|host| Ok((host, 0).to_socket_addrs()?.collect()))
    }

    /// Asks `lookup`, which may block; the ports of its addresses do not matter.
    pub fn with_lookup(
        lookup: impl Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Shared {
            known: Mutex::default(),
            overrides: Mutex::default(),
            pool: WorkerPool::with_bounds(THREADS, WAITING),
            lookup: Box::new(lookup),
        }))
    }

    /// Gives a name these addresses from now on, on one port or on all, instead of asking anybody.
    pub fn set(&self, host: &str, port: Option<u16>, addresses: &[IpAddr]) {
        let list = addresses.iter().map(|address| SocketAddr::new(*address, 0)).collect();
        lock(&self.0.overrides).insert((key(host), port), list);
    }

    /// The addresses of a name or of the text of an address, for connections to `port`.
    ///
    /// *Errors*: no such name; the system's reason; too many names that wait; a name that is none.
    pub fn resolve(&self, host: &str, port: u16, now: Instant, waiter: &Notifier) -> Lookup {
        if let Some(list) = self.without_asking(host, port) {
            return Lookup::Ready(Ok(Addresses { list, known: true }));
        }
        if host.is_empty() || host.len() > LONGEST || host.contains(|c: char| c <= ' ') {
            return Lookup::Ready(Err(ResolveError::new(host, "this is no name of a host")));
        }
        self.look_up(key(host), now, waiter)
    }

    fn without_asking(&self, host: &str, port: u16) -> Option<Arc<[SocketAddr]>> {
        let host = key(host);
        let overrides = lock(&self.0.overrides);
        for port in [Some(port), None] {
            if let Some(list) = overrides.get(&(host.clone(), port)) {
                return Some(list.clone());
            }
        }
        if let Ok(address) = host.parse::<IpAddr>() {
            return Some(Arc::from([SocketAddr::new(address, 0)]));
        }
        if &*host == "localhost" || host.ends_with(".localhost") {
            let here = [IpAddr::V6(Ipv6Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::LOCALHOST)];
            return Some(Arc::from(here.map(|address| SocketAddr::new(address, 0))));
        }
        None
    }

    fn look_up(&self, host: Arc<str>, now: Instant, waiter: &Notifier) -> Lookup {
        let mut known = lock(&self.0.known);
        match known.get_mut(&host) {
            Some(Entry::Asked(waiters)) => {
                if !waiters.iter().any(|other| other.is_same(waiter)) {
                    waiters.push(waiter.clone());
                }
                return Lookup::Pending;
            }
            Some(Entry::Answered { answer, until }) => {
                let first = until.is_none();
                let holds = *until.get_or_insert_with(|| now + lifetime(answer));
                if now < holds {
                    let answer = answer.clone();
                    return Lookup::Ready(answer.map(|list| Addresses { list, known: !first }));
                }
            }
            None => {}
        }
        if !make_room(&mut known, &host, now) {
            return Lookup::Ready(Err(ResolveError::new(&host, BUSY)));
        }
        let (shared, asked) = (self.0.clone(), host.clone());
        if self.0.pool.execute(move || shared.ask(&asked)).is_err() {
            return Lookup::Ready(Err(ResolveError::new(&host, BUSY)));
        }
        known.insert(host, Entry::Asked(vec![waiter.clone()]));
        Lookup::Pending
    }
}

impl Default for Resolver {
    fn default() -> Self {
        Self::new()
    }
}

impl Shared {
    /// On a thread of the pool.
    fn ask(&self, host: &Arc<str>) {
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| (self.lookup)(host)));
        let answer = match found {
            Ok(Ok(mut list)) if !list.is_empty() => {
                list.truncate(ADDRESSES);
                Ok(Arc::from(list))
            }
            Ok(Ok(_)) => Err(ResolveError::new(host, "it has no address")),
            Ok(Err(error)) => Err(ResolveError::new(host, &reason(&error))),
            Err(_) => Err(ResolveError::new(host, "looking it up failed")),
        };
        let entry = Entry::Answered { answer, until: None };
        let before = match lock(&self.known).entry(host.clone()) {
            Slot::Occupied(mut slot) => Some(slot.insert(entry)),
            Slot::Vacant(_) => None,
        };
        if let Some(Entry::Asked(waiters)) = before {
            for waiter in waiters {
                waiter.wake();
            }
        }
    }
}

impl ResolveError {
    fn new(host: &str, reason: &str) -> Self {
        Self { host: Arc::from(host), reason: Arc::from(reason) }
    }
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot find the host {}: {}", self.host.escape_debug(), self.reason)
    }
}

impl Error for ResolveError {}

/// The system's reason without the words that it puts before each.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let words = "failed to lookup address information: ";
    text.strip_prefix(words).unwrap_or(&text).to_owned()
}

/// Names are compared in lower case, without the dot that makes them absolute and without the
/// brackets of an address.
fn key(host: &str) -> Arc<str> {
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let inner = inner.strip_suffix('.').unwrap_or(inner);
    Arc::from(inner.to_ascii_lowercase())
}

fn lifetime(answer: &Known) -> Duration {
    if answer.is_ok() { KEPT } else { KEPT_WITHOUT }
}

/// Makes room for one more name: what has run out goes, and if nothing has, the oldest answer. False
/// when all places are taken by names that wait.
fn make_room(known: &mut HashMap<Arc<str>, Entry>, host: &str, now: Instant) -> bool {
    if known.len() < NAMES || known.contains_key(host) {
        return true;
    }
    let runs_out = |entry: &Entry| match entry {
        Entry::Asked(_) => None,
        Entry::Answered { until, .. } => Some(until.unwrap_or(now + KEPT)),
    };
    known.retain(|_, entry| runs_out(entry).is_none_or(|until| until > now));
    if known.len() < NAMES {
        return true;
    }
    let answered = known.iter().filter_map(|(host, entry)| Some((runs_out(entry)?, host.clone())));
    let Some((_, oldest)) = answered.min_by_key(|(until, _)| *until) else { return false };
    known.remove(&oldest);
    true
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const THREADS: usize = 8;
const WAITING: usize = 256;
const NAMES: usize = 256;
const ADDRESSES: usize = 32;
/// The longest name of the domain name system, as text.
const LONGEST: usize = 253;
const KEPT: Duration = Duration::from_secs(60);
const KEPT_WITHOUT: Duration = Duration::from_secs(5);
const BUSY: &str = "too many names are being looked up";

#[cfg(test)]
mod tests;
