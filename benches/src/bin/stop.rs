//! Asks without pause, sends SIGTERM to the server in the middle of it, and counts what became of
//! each question.
//!
//! `stop --port N --pid N [--connections 64] [--after-ms 200]` prints one line of `name=value` pairs:
//!
//! - `before`, `after`: whole answers to questions sent before and after the signal.
//! - `lost`: questions sent before the signal that got no answer.
//! - `cut`: answers that began and did not end, whenever they were asked for.
//! - `turned_away`: fresh connections that were opened after the signal and got no answer.
//! - `raced`: kept connections that the server closed while the next question was on its way.
//!
//! Half of the connections stay open for the next question, the others serve one each.
#![forbid(unsafe_code)]

use std::io;
use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use avocet_benches::command_line::Options;
use avocet_benches::response::{LONGEST_HEAD, Responses};
use avocet_benches::sockets::{self, Input, Poll};
use rustix::process::{Pid, Signal, kill_process};

/// How long the last answers are waited for.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Default)]
struct Tally {
    before: u64,
    after: u64,
    lost: u64,
    cut: u64,
    turned_away: u64,
    raced: u64,
}

struct Connection {
    socket: OwnedFd,
    stays: bool,
    responses: Responses,
    buf: Vec<u8>,
    filled: usize,
    /// Whether the question on its way was sent before the signal.
    early: bool,
    /// Whether a question has no answer yet.
    waiting: bool,
}

/// What to do with a connection after it was read.
enum Next {
    Wait,
    AskAgain,
    Reopen,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("stop: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let mut options = Options::from_args()?;
    let port = options.required("port")?;
    let pid = Pid::from_raw(options.required("pid")?).ok_or("--pid 0 is no process")?;
    let wanted: usize = options.optional("connections")?.unwrap_or(64);
    let after = Duration::from_millis(options.optional("after-ms")?.unwrap_or(200));
    options.finish()?;
    let tally = ask(port, pid, wanted, after).map_err(|error| error.to_string())?;
    println!(
        "before={} after={} lost={} cut={} turned_away={} raced={}",
        tally.before, tally.after, tally.lost, tally.cut, tally.turned_away, tally.raced
    );
    Ok(())
}

fn ask(port: u16, pid: Pid, wanted: usize, after: Duration) -> io::Result<Tally> {
    let mut tally = Tally::default();
    let mut poll = Poll::new()?;
    let mut signalled = false;
    let mut connections = Vec::new();
    for at in 0..wanted {
        let mut connection = Connection::open(port, &poll, at, at % 2 == 0)?;
        connection.ask(true);
        connections.push(Some(connection));
    }
    let begun = Instant::now();
    while connections.iter().any(Option::is_some) && begun.elapsed() < after + PATIENCE {
        if !signalled && begun.elapsed() >= after {
            signalled = true;
            kill_process(pid, Signal::TERM)?;
        }
        poll.turn(Some(Duration::from_millis(5)), |poll, token| {
            let slot = &mut connections[token as usize];
            let Some(connection) = slot else { return Ok(()) };
            match connection.read(&mut tally) {
                Next::Wait => {}
                Next::AskAgain => connection.ask(!signalled),
                Next::Reopen => {
                    let stays = connection.stays;
                    *slot = None;
                    match Connection::open(port, poll, token as usize, stays) {
                        Ok(mut connection) => {
                            connection.ask(!signalled);
                            *slot = Some(connection);
                        }
                        // That nobody listens any more is how it is to end.
                        Err(_) if signalled => {}
                        Err(error) => return Err(error),
                    }
                }
            }
            Ok(())
        })?;
    }
    for connection in connections.iter().flatten() {
        connection.gone(&mut tally);
    }
    Ok(tally)
}

impl Connection {
    fn open(port: u16, poll: &Poll, at: usize, stays: bool) -> io::Result<Self> {
        let socket = sockets::open(port)?;
        poll.watch(&socket, at as u64, true)?;
        Ok(Self {
            socket,
            stays,
            responses: Responses::default(),
            buf: vec![0; LONGEST_HEAD * 2],
            filled: 0,
            early: false,
            waiting: false,
        })
    }

    fn ask(&mut self, early: bool) {
        let request: &[u8] = if self.stays {
            b"GET /plaintext HTTP/1.1\r\nHost: localhost\r\n\r\n"
        } else {
            b"GET /plaintext HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        };
        // A question that cannot be sent did not reach the server, so nothing is lost with it; the
        // end of the connection is read next.
        self.waiting = sockets::transmit(&self.socket, request).is_ok();
        self.early = early;
    }

    fn read(&mut self, tally: &mut Tally) -> Next {
        loop {
            match sockets::receive(&self.socket, &mut self.buf[self.filled..]) {
                Ok(Input::Bytes(len)) => self.filled += len,
                Ok(Input::Nothing) => return Next::Wait,
                Ok(Input::End) | Err(_) => {
                    self.gone(tally);
                    return Next::Reopen;
                }
            }
            match self.responses.next(&self.buf[..self.filled]) {
                Ok(Some(response)) if response.len == self.filled => {
                    let answered = if self.early { &mut tally.before } else { &mut tally.after };
                    *answered += 1;
                    self.waiting = false;
                    self.filled = 0;
                    if self.stays && !response.closes {
                        return Next::AskAgain;
                    }
                }
                Ok(None) => {}
                Ok(Some(_)) | Err(_) => {
                    tally.cut += 1;
                    self.waiting = false;
                    return Next::Reopen;
                }
            }
        }
    }

    /// Counts what the end of the connection leaves open.
    fn gone(&self, tally: &mut Tally) {
        if self.filled > 0 {
            tally.cut += 1;
        } else if !self.waiting {
        } else if self.early {
            tally.lost += 1;
        } else if self.stays {
            tally.raced += 1;
        } else {
            tally.turned_away += 1;
        }
    }
}
