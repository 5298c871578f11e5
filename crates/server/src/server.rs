//! Loops, listeners and the way to stop them.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use avocet_net::{
    Acceptor, Address, BindError, ConnectionCount, ListenAddress, Listener, LoopHandle, LoopSeed,
    Stop, Transport,
};
use avocet_wire::InvalidField;

use crate::access_log::AccessLog;
use crate::config::Config;
use crate::connections::{Connections, Wrap};
use crate::counters::{Counters, Totals};
use crate::handler::Handler;
use crate::worker::Shared;

/// A server that is being set up.
///
/// ```no_run
/// use avocet_server::{Response, Server, respond};
///
/// let server = Server::new(respond(|_| Response::text("Hello from server!\n")))
///     .listen("127.0.0.1:8080".parse()?)
///     .bind()?;
/// println!("serving on {}", server.addresses()[0]);
/// server.run()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Server {
    handler: Arc<dyn Handler>,
    addresses: Vec<ListenAddress>,
    adopted: Vec<Listener>,
    workers: usize,
    config: Config,
    access_log: Option<Arc<dyn AccessLog>>,
    wrap: Option<Wrap>,
}

/// A server that listens.
pub struct Bound {
    addresses: Vec<Address>,
    loops: Vec<(LoopSeed, Vec<Listener>)>,
    shared: Arc<Shared>,
    wrap: Option<Wrap>,
    handle: Handle,
}

/// Stops a server and reads its counters, from any thread.
#[derive(Clone)]
pub struct Handle {
    loops: Vec<LoopHandle>,
    counters: Vec<Arc<Counters>>,
    count: ConnectionCount,
}

/// How a server stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grace {
    /// How long it goes on accepting, for load balancers that are slow to notice. Nothing by
    /// default; connections that the kernel has completed are always taken.
    pub accept_for: Duration,
    /// How long connections may wait for a request to be complete: 500 ms by default.
    pub idle_for: Duration,
    /// When what is still under way is cut off: 30 s by default.
    pub deadline: Duration,
}

impl Server {
    /// A server with this handler, on no address yet, with one loop per core.
    pub fn new(handler: impl Handler + 'static) -> Self {
        Self {
            handler: Arc::new(handler),
            addresses: Vec::new(),
            adopted: Vec::new(),
            workers: thread::available_parallelism().map_or(1, usize::from),
            config: Config::default(),
            access_log: None,
            wrap: None,
        }
    }

    /// Adds an address to listen on.
    #[must_use]
    pub fn listen(mut self, address: ListenAddress) -> Self {
        self.addresses.push(address);
        self
    }

    /// Adds a socket that listens already. Its connections are shared by all loops.
    #[must_use]
    pub fn adopt(mut self, listener: Listener) -> Self {
        self.adopted.push(listener);
        self
    }

    /// The number of loops, each a thread; at least one.
    #[must_use]
    pub fn workers(mut self, count: usize) -> Self {
        self.workers = count.max(1);
        self
    }

    /// Other settings.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Tells every exchange to this log.
    #[must_use]
    pub fn access_log(mut self, log: Arc<dyn AccessLog>) -> Self {
        self.access_log = Some(log);
        self
    }

    /// Puts a transport around each accepted one, on the loop's thread. Its handshake has
    /// [`Timeouts::handshake`](crate::Timeouts::handshake).
    #[must_use]
    pub fn wrap(
        mut self,
        wrap: impl Fn(Box<dyn Transport>) -> Box<dyn Transport> + Send + Sync + 'static,
    ) -> Self {
        self.wrap = Some(Arc::new(wrap));
        self
    }

    /// Sessions for connections that the caller brings, on a loop of the caller's: one call for each
    /// loop. Addresses, the number of loops and the number of connections have no meaning then, and
    /// each call counts client addresses for itself.
    ///
    /// *Errors*: a server name that is no valid field value.
    pub fn connections(&self) -> Result<Connections, InvalidField> {
        let log = self.access_log.clone();
        let shared = Shared::new(self.handler.clone(), self.config.clone(), log)?;
        Ok(Connections::new(Arc::new(shared), Arc::default(), self.wrap.clone()))
    }

    /// Listens. Without an address it is any free port of 127.0.0.1.
    ///
    /// *Errors*: the address that cannot be had, and why; or no descriptors for the loops.
    pub fn bind(mut self) -> Result<Bound, BindError> {
        if self.addresses.is_empty() && self.adopted.is_empty() {
            self.addresses.push(ListenAddress::loopback(0));
        }
        let failed = |address: &ListenAddress, source| BindError::new(address.clone(), source);
        let none = ListenAddress::loopback(0);
        let first = self.addresses.first().unwrap_or(&none);
        let limit = self.config.max_connections.unwrap_or_else(ConnectionCount::default_limit);
        let shared = Shared::new(self.handler, self.config, self.access_log)
            .map_err(|error| failed(first, io::Error::new(io::ErrorKind::InvalidInput, error)))?;
        let mut loops = Vec::with_capacity(self.workers);
        for _ in 0..self.workers {
            let event_loop = LoopSeed::new().map_err(|error| failed(first, error))?;
            loops.push((event_loop, Vec::new()));
        }
        let mut addresses = Vec::new();
        for listener in self.adopted {
            addresses.push(listener.address().map_err(|error| failed(first, error))?);
            for (_, own) in &mut loops {
                own.push(listener.try_clone().map_err(|error| failed(first, error))?);
            }
        }
        for address in &self.addresses {
            let listeners = address.bind(self.workers)?;
            let bound = listeners.first().map(Listener::address);
            addresses.extend(bound.transpose().map_err(|error| failed(address, error))?);
            for ((_, own), listener) in loops.iter_mut().zip(listeners) {
                own.push(listener);
            }
        }
        let handle = Handle {
            loops: loops.iter().map(|(event_loop, _)| event_loop.handle()).collect(),
            counters: loops.iter().map(|_| Arc::default()).collect(),
            count: ConnectionCount::new(limit),
        };
        Ok(Bound { addresses, loops, shared: Arc::new(shared), wrap: self.wrap, handle })
    }
}

impl Bound {
    /// The real addresses, in the order in which they were given.
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// Stops the server and reads its counters.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Serves until it is stopped.
    ///
    /// *Blocking*: the last loop runs on the caller's thread, the others on threads of their own.
    ///
    /// *Errors*: a loop that failed; the others are stopped then.
    pub fn run(self) -> io::Result<()> {
        let Self { mut loops, shared, wrap, handle, .. } = self;
        let last = loops.pop();
        let mut threads = Vec::with_capacity(loops.len());
        for (index, (event_loop, listeners)) in loops.into_iter().enumerate() {
            let run = Run::new(&shared, wrap.clone(), &handle, index);
            let thread = thread::Builder::new()
                .name(format!("loop-{index}"))
                .spawn(move || run.run(event_loop, listeners));
            match thread {
                Ok(thread) => threads.push(thread),
                Err(error) => {
                    handle.stop(Grace::NONE);
                    return Err(error);
                }
            }
        }
        let mut result = Ok(());
        if let Some((event_loop, listeners)) = last {
            let run = Run::new(&shared, wrap, &handle, threads.len());
            result = run.run(event_loop, listeners);
        }
        for thread in threads {
            let ended = thread.join().unwrap_or_else(|_| Err(io::Error::other("a loop panicked")));
            result = result.and(ended);
        }
        result
    }
}

/// What one loop's thread needs.
struct Run {
    shared: Arc<Shared>,
    wrap: Option<Wrap>,
    handle: Handle,
    index: usize,
}

impl Run {
    fn new(shared: &Arc<Shared>, wrap: Option<Wrap>, handle: &Handle, index: usize) -> Self {
        Self { shared: shared.clone(), wrap, handle: handle.clone(), index }
    }

    fn run(self, seed: LoopSeed, listeners: Vec<Listener>) -> io::Result<()> {
        let mut event_loop = seed.start()?;
        let counters = self.handle.counters[self.index].clone();
        let busy_from = self.shared.config.busy_from;
        let connections = Connections::new(self.shared, counters, self.wrap);
        for listener in listeners {
            let (connections, count) = (connections.clone(), self.handle.count.clone());
            let make = move |transport, permit, now| {
                if busy_from.is_some_and(|most| count.live() > most) {
                    connections.refuse(transport, Some(permit), now)
                } else {
                    connections.task(transport, Some(permit), now)
                }
            };
            let acceptor = Acceptor::new(listener, self.handle.count.clone(), make)?;
            event_loop.spawn(Box::new(acceptor));
        }
        let result = event_loop.run();
        if result.is_err() {
            self.handle.stop(Grace::NONE);
        }
        result
    }
}

impl Handle {
    /// Orders every loop to stop, and returns; a second order replaces the first.
    ///
    /// Listeners take what the kernel has completed and close. Whatever is under way is finished, its
    /// response says `Connection: close`. Connections without a request end after
    /// [`Grace::idle_for`], everything at [`Grace::deadline`]. [`Bound::run`] returns then.
    pub fn stop(&self, grace: Grace) {
        let now = Instant::now();
        // A century is for ever, and fits into what the clock can say.
        let later = |span: Duration| now + span.min(CENTURY);
        let stop = Stop {
            accept_until: later(grace.accept_for),
            idle_until: later(grace.accept_for.max(grace.idle_for)),
            deadline: later(grace.deadline),
        };
        for event_loop in &self.loops {
            // A loop that has ended already needs no order.
            event_loop.stop(stop);
        }
    }

    /// The counters of all loops, added up; those of one loop may be a moment apart.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for counters in &self.counters {
            counters.add_to(&mut totals);
        }
        totals
    }
}

impl Grace {
    /// Ends at once.
    pub const NONE: Self =
        Self { accept_for: Duration::ZERO, idle_for: Duration::ZERO, deadline: Duration::ZERO };
}

impl Default for Grace {
    fn default() -> Self {
        Self {
            accept_for: Duration::ZERO,
            idle_for: Duration::from_millis(500),
            deadline: Duration::from_secs(30),
        }
    }
}

const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
