//! Connections that stay, with a fixed number of questions in flight on each.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use super::{Clock, Plan, Tally};
use crate::response::Responses;
use crate::sockets::{self, Input, Poll};

/// Room for the answers of a batch.
const BUFFER: usize = 65_536;

struct Connection {
    socket: OwnedFd,
    responses: Responses,
    buf: Vec<u8>,
    filled: usize,
    in_flight: usize,
    sent: Instant,
}

/// What a connection is after it was read.
enum State {
    /// Answers are due.
    Waiting,
    /// All answers came.
    Answered,
    /// It is of no use any more.
    Gone,
}

pub(super) fn run(plan: &Plan, depth: usize) -> io::Result<Tally> {
    let batch = plan.request().repeat(depth);
    let mut tally = Tally::default();
    let mut poll = Poll::new()?;
    let mut connections = (0..plan.connections)
        .map(|at| Connection::open(plan.port, &poll, at))
        .collect::<io::Result<Vec<_>>>()?;
    let clock = Clock::new(plan);
    let mut asked = 0;
    let may_ask = |asked: u64| asked + depth as u64 <= plan.requests;
    for connection in &mut connections {
        if may_ask(asked) {
            asked += depth as u64;
            connection.ask(&batch, depth, &mut tally);
        }
    }
    let mut open = connections.iter().filter(|connection| connection.in_flight > 0).count();
    let mut now = Instant::now();
    while open > 0 && clock.waits(now) {
        poll.turn(Some(Duration::from_millis(100)), |poll, token| {
            let connection = &mut connections[token as usize];
            match connection.read(&mut tally) {
                State::Waiting => return Ok(()),
                State::Answered => {}
                State::Gone => {
                    tally.reopened += 1;
                    *connection = Connection::open(plan.port, poll, token as usize)?;
                }
            }
            if may_ask(asked) && clock.asks(now) {
                if !plan.pause.is_zero() {
                    std::thread::sleep(plan.pause.saturating_sub(connection.sent.elapsed()));
                }
                asked += depth as u64;
                connection.ask(&batch, depth, &mut tally);
            } else {
                open -= 1;
            }
            Ok(())
        })?;
        now = Instant::now();
    }
    tally.elapsed = clock.start.elapsed();
    let lost: usize = connections.iter().map(|connection| connection.in_flight).sum();
    if lost > 0 {
        tally.fault(lost, "no answer came in time");
    }
    Ok(tally)
}

impl Connection {
    fn open(port: u16, poll: &Poll, at: usize) -> io::Result<Self> {
        let socket = sockets::open(port)?;
        poll.watch(&socket, at as u64, true)?;
        Ok(Self {
            socket,
            responses: Responses::default(),
            buf: vec![0; BUFFER],
            filled: 0,
            in_flight: 0,
            sent: Instant::now(),
        })
    }

    fn ask(&mut self, batch: &[u8], depth: usize, tally: &mut Tally) {
        self.sent = Instant::now();
        // The answers are due even if the send fails: reading then finds the connection gone.
        self.in_flight = depth;
        if let Err(error) = sockets::transmit(&self.socket, batch) {
            tally.fault(0, error);
        }
    }

    fn read(&mut self, tally: &mut Tally) -> State {
        loop {
            let room = self.buf.len() - self.filled;
            let len = match sockets::receive(&self.socket, &mut self.buf[self.filled..]) {
                Ok(Input::Bytes(len)) => len,
                Ok(Input::Nothing) => return State::Waiting,
                Ok(Input::End) => return self.gone(tally, "the connection ended early"),
                Err(error) => return self.gone(tally, error),
            };
            self.filled += len;
            if let Err(reason) = self.take_answers(tally) {
                return self.gone(tally, reason);
            }
            if self.in_flight == 0 {
                tally.latency.record(self.sent.elapsed());
                return State::Answered;
            }
            if len < room {
                return State::Waiting;
            }
        }
    }

    /// Takes whole answers out of the buffer.
    fn take_answers(&mut self, tally: &mut Tally) -> Result<(), String> {
        let mut start = 0;
        while start < self.filled {
            if self.in_flight == 0 {
                return Err("more was answered than asked".to_owned());
            }
            let Some(response) = self
                .responses
                .next(&self.buf[start..self.filled])
                .map_err(|fault| fault.to_string())?
            else {
                break;
            };
            start += response.len;
            self.in_flight -= 1;
            tally.done += 1;
        }
        self.buf.copy_within(start..self.filled, 0);
        self.filled -= start;
        Ok(())
    }

    fn gone(&mut self, tally: &mut Tally, reason: impl ToString) -> State {
        if self.in_flight > 0 {
            tally.fault(self.in_flight, reason);
        }
        self.in_flight = 0;
        State::Gone
    }
}
