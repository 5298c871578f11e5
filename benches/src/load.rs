//! Asking as fast as one core can.

mod fresh;
mod steady;

use std::io;
use std::time::{Duration, Instant};

use crate::histogram::Histogram;

/// How the questions are spread over connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Connections stay; each has `depth` questions in flight, sent and answered as one batch.
    Steady {
        /// Questions in one batch.
        depth: usize,
    },
    /// Each question has a connection of its own and asks for its close.
    Fresh,
}

/// What to ask, how, and for how long.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The port on loopback.
    pub port: u16,
    /// The target of each request.
    pub path: String,
    /// Connections at once.
    pub connections: usize,
    /// How they are used.
    pub mode: Mode,
    /// When to stop asking; what is in flight then is still waited for.
    pub time: Duration,
    /// How many questions at most.
    pub requests: u64,
    /// At least so long from the start of one batch to the start of the next on a connection.
    pub pause: Duration,
}

/// What came of it.
#[derive(Default)]
pub struct Tally {
    /// Whole and right answers.
    pub done: u64,
    /// Questions that got no answer, or a wrong one.
    pub faults: u64,
    /// What was wrong the first time.
    pub first_fault: Option<String>,
    /// Connections that the server closed between two questions.
    pub reopened: u64,
    /// Answers after which the server left the connection open though a close was asked for.
    pub unclosed: u64,
    /// From the first question to the last answer.
    pub elapsed: Duration,
    /// From sending a batch to having its last answer.
    pub latency: Histogram,
}

impl Tally {
    fn fault(&mut self, count: usize, reason: impl ToString) {
        self.faults += count as u64;
        self.first_fault.get_or_insert_with(|| reason.to_string());
    }
}

/// How long answers in flight are waited for after the end.
const PATIENCE: Duration = Duration::from_secs(2);

impl Plan {
    /// Asks until the plan is fulfilled.
    ///
    /// # Errors
    ///
    /// Nothing listens, or the kernel refuses what every connection needs.
    pub fn run(&self) -> io::Result<Tally> {
        match self.mode {
            Mode::Steady { depth } => steady::run(self, depth),
            Mode::Fresh => fresh::run(self),
        }
    }

    /// A request as it goes on the wire.
    fn request(&self) -> Vec<u8> {
        let close = if self.mode == Mode::Fresh { "Connection: close\r\n" } else { "" };
        format!("GET {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n{close}\r\n", self.path, self.port)
            .into_bytes()
    }
}

/// When to stop asking and when to stop waiting.
struct Clock {
    start: Instant,
    end: Instant,
}

impl Clock {
    fn new(plan: &Plan) -> Self {
        let start = Instant::now();
        Self { start, end: start + plan.time }
    }

    fn asks(&self, now: Instant) -> bool {
        now < self.end
    }

    fn waits(&self, now: Instant) -> bool {
        now < self.end + PATIENCE
    }
}
