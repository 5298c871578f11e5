//! Two connections in memory with a network between them.

use std::collections::VecDeque;
use std::io;
use std::time::Instant;

use avocet_net::{MemoryTransport, Outbox, Segment, Transport};

use crate::network::Network;
use crate::random::Random;

/// Carries bytes between two transports whose other ends belong to a client and a server.
///
/// An end that is dropped with bytes unread, or that gets bytes afterwards, resets the connection,
/// as TCP does; what the other end has not read by then is lost.
pub(crate) struct Link {
    client: MemoryTransport,
    server: MemoryTransport,
    up: Lane,
    down: Lane,
    network: Network,
    random: Random,
}

/// One direction.
struct Lane {
    cargo: VecDeque<(Instant, Cargo)>,
    /// Bytes under way.
    load: usize,
    /// When the last piece arrives: none arrives before it.
    last: Instant,
    /// The sender's end, or a reset, is under way or has arrived.
    ended: bool,
}

enum Cargo {
    Bytes(Vec<u8>),
    End,
    Reset,
}

impl Link {
    /// Between a client and a server whose other ends are given.
    pub(crate) fn new(
        client: MemoryTransport,
        server: MemoryTransport,
        network: Network,
        random: Random,
        now: Instant,
    ) -> Self {
        let lane = || Lane { cargo: VecDeque::new(), load: 0, last: now, ended: false };
        Self { client, server, up: lane(), down: lane(), network, random }
    }

    /// Collects what was sent and delivers what has arrived; whether anything moved.
    pub(crate) fn pump(&mut self, now: Instant) -> bool {
        let (client, server, network) = (&mut self.client, &mut self.server, &self.network);
        let mut moved = self.up.collect(client, network, &mut self.random, now);
        moved |= self.down.collect(server, network, &mut self.random, now);
        moved |= self.up.deliver(server, &mut self.down, now);
        moved |= self.down.deliver(client, &mut self.up, now);
        moved
    }

    /// When the next piece arrives that is still under way.
    pub(crate) fn next(&self, now: Instant) -> Option<Instant> {
        let next = |lane: &Lane| lane.cargo.front().map(|(at, _)| *at).filter(|at| *at > now);
        [next(&self.up), next(&self.down)].into_iter().flatten().min()
    }

    /// Whether nothing can move any more.
    pub(crate) fn is_over(&self) -> bool {
        let over = |lane: &Lane| lane.ended && lane.cargo.is_empty();
        over(&self.up) && over(&self.down)
    }

    /// Breaks the connection at once, for both ends.
    pub(crate) fn reset(&mut self) {
        reset(&mut self.client);
        reset(&mut self.server);
        for lane in [&mut self.up, &mut self.down] {
            lane.cargo.clear();
            lane.ended = true;
        }
    }
}

impl Lane {
    fn collect(
        &mut self,
        from: &mut MemoryTransport,
        network: &Network,
        random: &mut Random,
        now: Instant,
    ) -> bool {
        let mut moved = false;
        while !self.ended && self.load < network.window {
            let room = network.window - self.load;
            let waiting = from.waiting();
            if waiting == 0 && !from.peer_ended() {
                break;
            }
            let size = random.size(network.piece.clone()).min(room).min(waiting.max(1));
            let mut piece = vec![0; size];
            let cargo = match from.read(&mut piece) {
                Ok(0) if from.peer_gone() && from.unread() > 0 => Cargo::Reset,
                Ok(0) => Cargo::End,
                Ok(count) => {
                    piece.truncate(count);
                    Cargo::Bytes(piece)
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => Cargo::Reset,
            };
            self.push(cargo, now + random.duration(&network.delay));
            moved = true;
        }
        moved
    }

    fn push(&mut self, cargo: Cargo, at: Instant) {
        match &cargo {
            Cargo::Bytes(bytes) => self.load += bytes.len(),
            Cargo::End | Cargo::Reset => self.ended = true,
        }
        self.last = self.last.max(at);
        self.cargo.push_back((self.last, cargo));
    }

    fn deliver(&mut self, to: &mut MemoryTransport, back: &mut Self, now: Instant) -> bool {
        let mut moved = false;
        while self.cargo.front().is_some_and(|(at, _)| *at <= now) {
            let Some((_, cargo)) = self.cargo.pop_front() else { break };
            match cargo {
                Cargo::Bytes(bytes) => {
                    let before = bytes.len();
                    let mut out = Outbox::new();
                    out.push(Segment::Owned(bytes));
                    match to.write(&mut out) {
                        Ok(true) => self.load -= before,
                        Ok(false) => {
                            let left = rest(&mut out);
                            self.load -= before - left.len();
                            moved |= left.len() < before;
                            self.cargo.push_front((now, Cargo::Bytes(left)));
                            return moved;
                        }
                        // Nobody is there to read it: the answer is a reset.
                        Err(_) => {
                            self.load -= before;
                            back.push(Cargo::Reset, now);
                        }
                    }
                }
                Cargo::End => to.close_write().expect("an end in memory can always be closed"),
                Cargo::Reset => reset(to),
            }
            moved = true;
        }
        moved
    }
}

fn reset(end: &mut MemoryTransport) {
    end.reset().expect("an end in memory can always be reset");
}

/// The bytes that were not taken.
fn rest(out: &mut Outbox) -> Vec<u8> {
    let mut left = Vec::new();
    while let Some(avocet_net::Front::Bytes(bytes)) = out.front() {
        let count = bytes.len();
        left.extend_from_slice(bytes);
        out.consume(count as u64);
    }
    left
}
