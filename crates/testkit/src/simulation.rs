//! Loops, clients and a network under a clock that jumps.

use std::io;
use std::time::{Duration, Instant};

use avocet_net::{
    EventLoop, MemoryConnector, MemoryListener, MemoryTransport, Task, TaskId, memory_listener,
    memory_pair,
};

use crate::client::{Client, WeakClient};
use crate::link::Link;
use crate::network::Network;
use crate::random::Random;

/// A world of its own: event loops, connections and a clock that stands still while anything can
/// be done and jumps to the next timer or arrival when nothing can.
///
/// Everything that is left to chance (sizes, delays, the order of the loops) follows from the seed,
/// so a run with the same seed is the same run, as long as the tasks do not ask the real clock,
/// threads or hash maps for their order.
pub struct Simulation {
    start: Instant,
    now: Instant,
    random: Random,
    network: Network,
    loops: Vec<EventLoop>,
    links: Vec<Link>,
    clients: Vec<WeakClient>,
}

/// Where a simulated listener can be reached.
#[derive(Clone)]
pub struct Port(MemoryConnector);

impl Simulation {
    /// One loop and a rough network: pieces, delays and buffers of any size.
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let network = Network::rough(&mut random);
        Self::with_network(random, network)
    }

    /// One loop and a network that delivers everything at once.
    pub fn calm() -> Self {
        Self::with_network(Random::new(0), Network::calm())
    }

    /// One loop and the given network.
    pub fn with_network(random: Random, network: Network) -> Self {
        let now = Instant::now();
        let loops = vec![EventLoop::simulated(now)];
        let (links, clients) = (Vec::new(), Vec::new());
        Self { start: now, now, random, network, loops, links, clients }
    }

    /// Adds another loop; its number is the answer. The first has number 0.
    pub fn add_loop(&mut self) -> usize {
        self.loops.push(EventLoop::simulated(self.now));
        self.loops.len() - 1
    }

    /// The loop of that number.
    pub fn event_loop(&mut self, number: usize) -> &mut EventLoop {
        &mut self.loops[number]
    }

    /// Adds a task to loop 0.
    pub fn spawn(&mut self, task: Box<dyn Task>) -> TaskId {
        self.loops[0].spawn(task)
    }

    /// The source of chance, for the choices of a test.
    pub fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    /// The present instant.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// How much time has passed since the beginning.
    pub fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    /// A client and the transport of the server's side of its connection.
    pub fn connect(&mut self) -> (Client, MemoryTransport) {
        let (ours, theirs) = self.pair();
        (self.client(ours), theirs)
    }

    /// Both ends of a connection through the network: the client's first.
    pub fn pair(&mut self) -> (MemoryTransport, MemoryTransport) {
        let (server, far) = memory_pair(self.network.capacity);
        let client = self.link(far);
        (client, server)
    }

    /// A listener for an [`Acceptor`](avocet_net::Acceptor), and where it can be reached.
    pub fn listen(&mut self, backlog: usize) -> (MemoryListener, Port) {
        let (listener, connector) = memory_listener(backlog);
        (listener, Port(connector))
    }

    /// Connects to a listener.
    ///
    /// *Errors*: `ConnectionRefused` when it is gone, `WouldBlock` when its queue is full.
    pub fn dial(&mut self, port: &Port) -> io::Result<Client> {
        let far = port.0.connect(self.network.capacity)?;
        let ours = self.link(far);
        Ok(self.client(ours))
    }

    /// Breaks every connection at once, as when a cable is pulled.
    pub fn break_connections(&mut self) {
        self.links.iter_mut().for_each(Link::reset);
    }

    /// Does all that can be done without time passing.
    ///
    /// # Panics
    /// If that never ends: some task turns in a circle.
    pub fn work(&mut self) {
        for _ in 0..PASSES {
            if !self.pass() {
                return;
            }
        }
        panic!("tasks turn in a circle {:?} after the beginning", self.elapsed());
    }

    /// Works until nothing is under way in the network. Timers that run out before the last arrival
    /// do so; others are not waited for.
    pub fn settle(&mut self) {
        self.work();
        while let Some(arrival) = self.links.iter().filter_map(|link| link.next(self.now)).min() {
            self.now = self.timer().map_or(arrival, |timer| timer.min(arrival));
            self.work();
        }
    }

    /// Lets so much time pass, with everything that happens in it.
    pub fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.work();
        while let Some(next) = self.next().filter(|next| *next <= end) {
            self.now = next;
            self.work();
        }
        self.now = end;
        self.work();
    }

    /// Lets time pass until the condition holds; false if it does not within `limit`, or nothing
    /// can happen any more.
    pub fn run_until(&mut self, limit: Duration, mut holds: impl FnMut(&mut Self) -> bool) -> bool {
        let end = self.now + limit;
        loop {
            self.work();
            if holds(self) {
                return true;
            }
            match self.next().filter(|next| *next <= end) {
                Some(next) => self.now = next,
                None => return false,
            }
        }
    }

    /// When the next timer runs out or the next piece arrives; `None` when nothing will ever happen
    /// by itself.
    pub fn next(&self) -> Option<Instant> {
        let arrivals = self.links.iter().filter_map(|link| link.next(self.now));
        arrivals.chain(self.timer()).min()
    }

    fn timer(&self) -> Option<Instant> {
        let sleep = |event_loop: &EventLoop| event_loop.scheduler().sleep(self.now);
        // A loop whose stop has been carried out is not turned any more.
        let running = self.loops.iter().filter(|event_loop| !event_loop.scheduler().finished());
        running.filter_map(sleep).min().map(|sleep| self.now + sleep)
    }

    fn client(&mut self, transport: MemoryTransport) -> Client {
        let client = Client::new(transport);
        self.clients.push(client.downgrade());
        client
    }

    /// Puts the network before a connection's end; the answer is the client's end of it.
    fn link(&mut self, far: MemoryTransport) -> MemoryTransport {
        let (client, near) = memory_pair(self.network.capacity);
        let random = self.random.fork();
        self.links.push(Link::new(near, far, self.network.clone(), random, self.now));
        client
    }

    /// One look at everybody, in an order of chance; whether another one makes sense.
    fn pass(&mut self) -> bool {
        let mut order: Vec<usize> = (0..self.loops.len()).collect();
        self.random.shuffle(&mut order);
        for number in order {
            self.loops[number].turn_at(self.now);
        }
        // What the tasks have written is seen only by looking: the network is no task.
        let mut moved = false;
        for link in &mut self.links {
            moved |= link.pump(self.now);
        }
        self.links.retain(|link| !link.is_over());
        self.clients.retain(|client| match client.get() {
            Some(client) => {
                moved |= client.pump();
                true
            }
            None => false,
        });
        moved || self.loops.iter().any(|event_loop| !event_loop.is_idle())
    }
}

/// More passes than any test needs in which no time passes.
const PASSES: u32 = 1_000_000;
