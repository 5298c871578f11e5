//! A loop under virtual time and clients in memory.

use std::time::{Duration, Instant};

use avocet_net::{EventLoop, MemoryTransport, Outbox, Stop, Transport, memory_pair};
use avocet_server::{Connections, Grace, Server, Totals};

use super::{Asked, Received};

/// A server in memory whose clock moves only when it is told to.
pub(crate) struct Simulated {
    event_loop: EventLoop,
    connections: Connections,
    begin: Instant,
    now: Instant,
}

impl Simulated {
    pub(crate) fn new(server: Server) -> Self {
        let now = Instant::now();
        let connections = server.connections().unwrap();
        Self { event_loop: EventLoop::simulated(now), connections, begin: now, now }
    }

    /// A connection with 64 KiB of room in each direction.
    pub(crate) fn connect(&mut self) -> Peer {
        self.connect_with_room(64 * 1024)
    }

    pub(crate) fn connect_with_room(&mut self, capacity: usize) -> Peer {
        let (peer, accepted) = memory_pair(capacity);
        self.accept(Box::new(accepted));
        Peer { transport: peer, received: Vec::new() }
    }

    pub(crate) fn accept(&mut self, transport: Box<dyn Transport>) {
        self.event_loop.spawn(self.connections.task(transport, None, self.now));
        self.turn();
    }

    /// Does everything that can be done now.
    pub(crate) fn turn(&mut self) {
        self.advance(Duration::ZERO);
    }

    /// Lets time pass, with all timers on the way.
    pub(crate) fn advance(&mut self, span: Duration) {
        let until = self.now + span;
        for _ in 0..MOST_TURNS {
            let sleep = self.event_loop.turn_at(self.now);
            let Some(sleep) = sleep.filter(|_| !self.finished()) else {
                self.now = until;
                return;
            };
            if self.now + sleep > until {
                self.now = until;
                return;
            }
            self.now += sleep;
        }
        panic!("the loop does not come to rest");
    }

    /// Time since the beginning.
    pub(crate) fn elapsed(&self) -> Duration {
        self.now - self.begin
    }

    pub(crate) fn totals(&self) -> Totals {
        self.connections.totals()
    }

    /// The number of connections on the loop.
    pub(crate) fn live(&self) -> usize {
        self.event_loop.scheduler().len()
    }

    pub(crate) fn stop(&mut self, grace: Grace) {
        let order = Stop {
            accept_until: self.now + grace.accept_for,
            idle_until: self.now + grace.idle_for,
            deadline: self.now + grace.deadline,
        };
        assert!(self.event_loop.handle().stop(order));
        self.turn();
    }

    /// Whether a stop has been carried out.
    pub(crate) fn finished(&self) -> bool {
        self.event_loop.scheduler().finished()
    }
}

/// The client's end of a connection in memory.
pub(crate) struct Peer {
    pub(crate) transport: MemoryTransport,
    received: Vec<u8>,
}

impl Peer {
    /// Sends; panics when there is no room for everything.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let sent = self.try_send(bytes.as_ref());
        assert_eq!(sent, bytes.as_ref().len(), "the server reads on");
    }

    /// Sends what there is room for; the number of bytes.
    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> usize {
        let mut out = Outbox::new();
        out.push_slice(bytes);
        match self.transport.write(&mut out) {
            Ok(_) => bytes.len() - usize::try_from(out.len()).unwrap(),
            Err(_) => 0,
        }
    }

    pub(crate) fn finish(&mut self) {
        self.transport.close_write().unwrap();
    }

    /// Takes at most so many bytes of what waits.
    pub(crate) fn take(&mut self, most: usize) -> usize {
        let mut buf = vec![0; most];
        match self.transport.read(&mut buf) {
            Ok(count) => {
                self.received.extend_from_slice(&buf[..count]);
                count
            }
            Err(_) => 0,
        }
    }

    /// The next response, if it has come whole.
    pub(crate) fn received(&mut self) -> Option<Received> {
        self.received_for(Asked::Other)
    }

    pub(crate) fn received_for(&mut self, asked: Asked) -> Option<Received> {
        while self.take(64 * 1024) > 0 {}
        let ended = self.transport.peer_ended() && self.transport.waiting() == 0;
        let (received, used) = Received::parse(&self.received, asked, ended)?;
        self.received.drain(..used);
        Some(received)
    }

    /// Everything that was received and not yet looked at.
    pub(crate) fn bytes(&mut self) -> Vec<u8> {
        while self.take(64 * 1024) > 0 {}
        std::mem::take(&mut self.received)
    }

    /// Whether the server has said that it sends nothing more.
    pub(crate) fn is_closed(&self) -> bool {
        self.transport.peer_ended()
    }

    /// Whether the server has let go of the connection.
    pub(crate) fn is_gone(&self) -> bool {
        self.transport.peer_gone()
    }
}

/// Far more turns than any test needs: a task that asks for turns for ever is found out.
const MOST_TURNS: u32 = 1_000_000;
