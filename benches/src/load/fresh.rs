//! A connection for each question, which the server is asked to close.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use super::{Clock, Plan, Tally};
use crate::response::{LONGEST_HEAD, Responses};
use crate::sockets::{self, Input, Poll};

struct Connection {
    socket: OwnedFd,
    buf: Vec<u8>,
    filled: usize,
    opened: Instant,
    answered: bool,
}

pub(super) fn run(plan: &Plan) -> io::Result<Tally> {
    let request = plan.request();
    let mut tally = Tally::default();
    let mut poll = Poll::new()?;
    let clock = Clock::new(plan);
    let mut asked = 0;
    let mut connections = Vec::new();
    for at in 0..plan.connections {
        if asked < plan.requests {
            asked += 1;
            connections.push(Some(Connection::ask(plan.port, &request, &poll, at)?));
        }
    }
    let mut open = connections.len();
    let mut now = Instant::now();
    while open > 0 && clock.waits(now) {
        poll.turn(Some(Duration::from_millis(100)), |poll, token| {
            let slot = &mut connections[token as usize];
            let Some(connection) = slot else { return Ok(()) };
            if !connection.read(&mut tally) {
                return Ok(());
            }
            // The old descriptor is closed first, so that its number serves again.
            *slot = None;
            if asked < plan.requests && clock.asks(now) {
                asked += 1;
                *slot = Some(Connection::ask(plan.port, &request, poll, token as usize)?);
            } else {
                open -= 1;
            }
            Ok(())
        })?;
        now = Instant::now();
    }
    tally.elapsed = clock.start.elapsed();
    for connection in connections.iter().flatten() {
        if connection.answered {
            tally.unclosed += 1;
        } else {
            tally.fault(1, "no answer came in time");
        }
    }
    Ok(tally)
}

impl Connection {
    fn ask(port: u16, request: &[u8], poll: &Poll, at: usize) -> io::Result<Self> {
        let opened = Instant::now();
        let socket = sockets::open(port)?;
        sockets::transmit(&socket, request)?;
        poll.watch(&socket, at as u64, true)?;
        Ok(Self { socket, buf: vec![0; LONGEST_HEAD * 2], filled: 0, opened, answered: false })
    }

    /// Reads on; true once the server has closed.
    fn read(&mut self, tally: &mut Tally) -> bool {
        loop {
            match sockets::receive(&self.socket, &mut self.buf[self.filled..]) {
                Ok(Input::Bytes(len)) => self.filled += len,
                Ok(Input::Nothing) => return false,
                Ok(Input::End) => {
                    if !self.answered {
                        tally.fault(1, "the connection ended before the answer");
                    }
                    return true;
                }
                Err(error) => {
                    if !self.answered {
                        tally.fault(1, error);
                    }
                    return true;
                }
            }
            if self.answered {
                tally.fault(1, "more was answered than asked");
                return true;
            }
            match Responses::default().next(&self.buf[..self.filled]) {
                Ok(None) => {}
                Ok(Some(response)) if response.len == self.filled => {
                    self.answered = true;
                    tally.done += 1;
                    tally.latency.record(self.opened.elapsed());
                }
                Ok(Some(_)) => {
                    tally.fault(1, "more was answered than asked");
                    return true;
                }
                Err(fault) => {
                    tally.fault(1, fault);
                    return true;
                }
            }
        }
    }
}
