//! A whole server on real sockets, for tests of loops and listeners.

use std::io;
use std::net::SocketAddr;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use avocet_net::{
    Acceptor, Address, ConnectionCount, ListenAddress, LoopHandle, LoopSeed, Stop, Task, Transport,
};

use crate::echo::Echo;

/// An echo server on its own threads. Dropping it stops it and waits for its threads.
pub struct EchoServer {
    address: Address,
    count: ConnectionCount,
    handles: Vec<LoopHandle>,
    threads: Vec<JoinHandle<io::Result<Report>>>,
}

/// What one loop has done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Report {
    /// Turns of the loop.
    pub turns: u64,
    /// Turns that panicked.
    pub panics: u64,
    /// Tasks that were left at the end.
    pub left: usize,
}

impl EchoServer {
    /// Listens with one loop per worker and takes at most `limit` connections at a time.
    pub fn start(listen: &ListenAddress, workers: usize, limit: usize) -> Self {
        let listeners = listen.bind(workers).expect("an address to listen on");
        let address = listeners[0].address().expect("a listener has an address");
        let count = ConnectionCount::new(limit);
        let (mut handles, mut threads) = (Vec::new(), Vec::new());
        for listener in listeners {
            let seed = LoopSeed::new().expect("descriptors for a loop");
            handles.push(seed.handle());
            let count = count.clone();
            threads.push(thread::spawn(move || {
                let mut event_loop = seed.start()?;
                let make = |transport: Box<dyn Transport>, permit, _| {
                    Box::new(Echo::new(transport).with_permit(permit)) as Box<dyn Task>
                };
                event_loop.spawn(Box::new(Acceptor::new(listener, count, make)?));
                let mut report = Report::default();
                while !event_loop.scheduler().finished() {
                    event_loop.turn(None)?;
                    report.turns += 1;
                }
                report.panics = event_loop.scheduler().panics();
                report.left = event_loop.scheduler().len();
                Ok(report)
            }));
        }
        Self { address, count, handles, threads }
    }

    /// Where it listens.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Where it listens, for one that listens on TCP.
    pub fn tcp(&self) -> SocketAddr {
        match self.address {
            Address::Ip(address) => address,
            _ => panic!("{} is no TCP address", self.address),
        }
    }

    /// The connections that live.
    pub fn count(&self) -> &ConnectionCount {
        &self.count
    }

    /// Orders a stop that begins at once and gives the sessions so long.
    pub fn begin_stop(&self, grace: Duration) {
        let now = Instant::now();
        let stop = Stop { accept_until: now, idle_until: now, deadline: now + grace };
        for handle in &self.handles {
            handle.stop(stop);
        }
    }

    /// Waits until it has stopped; what each loop has done.
    ///
    /// # Panics
    /// If a loop failed.
    pub fn finish(mut self) -> Vec<Report> {
        self.join()
    }

    fn join(&mut self) -> Vec<Report> {
        let ended = self.threads.drain(..).map(|thread| thread.join().expect("a loop panicked"));
        ended.map(|report| report.expect("a loop failed")).collect()
    }
}

impl Drop for EchoServer {
    fn drop(&mut self) {
        self.begin_stop(Duration::ZERO);
        if !thread::panicking() {
            self.join();
        }
    }
}
