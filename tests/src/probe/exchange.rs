//! The steps of a case over a socket.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::case::{Case, Step};
use super::response::Response;
use super::suite::Settings;
use super::template::expand;

/// What came of a step.
#[derive(Debug)]
pub(super) struct Outcome {
    /// Whether the connection was still there to send it.
    pub(super) executed: bool,
    pub(super) response: Option<Response>,
    pub(super) state: State,
}

/// What the connection looked like after the answer was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Open,
    Closed,
    /// No head came in time.
    Silent,
    Broken,
}

impl State {
    pub(super) fn read(name: &str) -> Self {
        match name {
            "open" => Self::Open,
            "closed" => Self::Closed,
            "timeout" => Self::Silent,
            "error" => Self::Broken,
            _ => panic!("{name} is no state of a connection"),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Silent => "timeout",
            Self::Broken => "error",
        }
    }
}

/// Sends the steps of a case on one connection, each after the answer to the one before.
pub(super) fn exchange(
    case: &Case,
    address: SocketAddr,
    settings: &Settings,
) -> Result<Vec<Outcome>, String> {
    let stream = TcpStream::connect_timeout(&address, settings.timeout)
        .map_err(|error| format!("cannot connect: {error}"))?;
    stream.set_nodelay(true).map_err(|error| format!("cannot set an option: {error}"))?;
    let host = match address.port() {
        80 => address.ip().to_string(),
        _ => address.to_string(),
    };
    let mut connection = Connection { stream, settings };
    let mut outcomes: Vec<Outcome> = Vec::new();
    for step in &case.steps {
        let state = outcomes.last().map_or(State::Open, |last| last.state);
        if state != State::Open {
            outcomes.push(Outcome { executed: false, response: None, state });
            continue;
        }
        connection.send(step, &host, &outcomes);
        let (bytes, state) = connection.receive();
        outcomes.push(Outcome { executed: true, response: Response::read(&bytes), state });
    }
    Ok(outcomes)
}

struct Connection<'s> {
    stream: TcpStream,
    settings: &'s Settings,
}

impl Connection<'_> {
    /// Sends all parts, or as many as the peer takes: what it said before it closed is still read.
    fn send(&mut self, step: &Step, host: &str, before: &[Outcome]) {
        for (template, pause) in &step.parts {
            let bytes = expand(template, host, before);
            let sent = self
                .stream
                .set_write_timeout(Some(self.settings.timeout))
                .and_then(|()| self.stream.write_all(&bytes));
            if sent.is_err() {
                return;
            }
            if *pause > 0 {
                thread::sleep(Duration::from_millis(*pause));
                if self.is_closed() {
                    return;
                }
            }
        }
        if step.half_close {
            // A peer that has closed already is seen when its answer is read.
            let _ = self.stream.shutdown(Shutdown::Write);
        }
    }

    /// Reads up to the end of a head, waits for what belongs to it, and looks whether the peer
    /// has closed.
    fn receive(&mut self) -> (Vec<u8>, State) {
        let mut bytes = Vec::new();
        let end = Instant::now() + self.settings.timeout;
        while bytes.len() < MAX_ANSWER && !has_head(&bytes) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || self.stream.set_read_timeout(Some(left)).is_err() {
                return (bytes, State::Silent);
            }
            match self.read_some(&mut bytes) {
                Ok(0) => return (bytes, State::Closed),
                Ok(_) => {}
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => return (bytes, State::Silent),
                    ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
                        return (bytes, State::Closed);
                    }
                    _ => return (bytes, State::Broken),
                },
            }
        }
        thread::sleep(self.settings.settle);
        if self.stream.set_nonblocking(true).is_err() {
            return (bytes, State::Broken);
        }
        while bytes.len() < MAX_ANSWER {
            match self.read_some(&mut bytes) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return (bytes, State::Closed),
            }
        }
        thread::sleep(self.settings.settle / 2);
        (bytes, if self.is_closed() { State::Closed } else { State::Open })
    }

    fn read_some(&mut self, bytes: &mut Vec<u8>) -> std::io::Result<usize> {
        let mut scratch = [0; 4_096];
        let len = loop {
            match self.stream.read(&mut scratch) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        bytes.extend_from_slice(&scratch[..len]);
        Ok(len)
    }

    /// Whether the peer has closed or reset; bytes that wait mean that it has not yet. Leaves the
    /// socket blocking.
    fn is_closed(&self) -> bool {
        if self.stream.set_nonblocking(true).is_err() {
            return true;
        }
        let seen = self.stream.peek(&mut [0]);
        let blocking = self.stream.set_nonblocking(false);
        match seen {
            Ok(len) => len == 0,
            Err(error) => error.kind() != ErrorKind::WouldBlock || blocking.is_err(),
        }
    }
}

fn has_head(bytes: &[u8]) -> bool {
    bytes.windows(4).any(|window| window == b"\r\n\r\n")
}

/// As much of an answer as is looked at.
const MAX_ANSWER: usize = 65_536;
