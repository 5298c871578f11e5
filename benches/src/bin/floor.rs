//! The floor: an epoll loop per core that answers canned bytes and reads nothing of what was asked.
//!
//! All requests of a connection have the length of its first one, which the load generator keeps to;
//! so the number of requests in a read is a division. Answers to one read leave in one send, and a
//! short read ends the turn, as in the best servers.
//!
//! `floor --port N [--workers N]`
#![forbid(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::ExitCode;

use avocet_benches::CONTENT;
use avocet_benches::command_line::Options;
use avocet_benches::sockets::{self, Input, Poll};
use memchr::memmem;

/// The most answers that leave in one send.
const BATCH: usize = 64;
/// The most connections that are taken in one turn.
const ACCEPTS: usize = 64;
/// The token of the listener; a connection's token is its descriptor.
const LISTENER: u64 = u64::MAX;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("floor: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let mut options = Options::from_args()?;
    let port = options.required("port")?;
    let workers = options.optional("workers")?.unwrap_or(1);
    options.finish()?;
    sockets::raise_descriptors();
    for _ in 1..workers {
        std::thread::spawn(move || serve(port));
    }
    serve(port).map_err(|error| error.to_string())
}

struct Connection {
    socket: OwnedFd,
    /// The length of each request; 0 before the first one came.
    request: usize,
    /// Bytes of a request that is not whole yet.
    pending: usize,
    /// Whether the requests ask for a close.
    closes: bool,
}

fn serve(port: u16) -> io::Result<()> {
    let listener = sockets::listener(port)?;
    let mut poll = Poll::new()?;
    poll.watch(&listener, LISTENER, false)?;
    let answer = answer();
    let answers = answer.repeat(BATCH);
    let mut buf = vec![0; 65_536];
    let mut connections: Vec<Option<Connection>> = Vec::new();
    loop {
        poll.turn(None, |poll, token| {
            if token == LISTENER {
                for _ in 0..ACCEPTS {
                    let Some(socket) = sockets::accept(&listener)? else { break };
                    let at = socket.as_raw_fd() as usize;
                    poll.watch(&socket, at as u64, true)?;
                    if connections.len() <= at {
                        connections.resize_with(at + 1, || None);
                    }
                    connections[at] =
                        Some(Connection { socket, request: 0, pending: 0, closes: false });
                }
                return Ok(());
            }
            let slot = &mut connections[token as usize];
            if let Some(connection) = slot
                && !connection.turn(&mut buf, &answers, answer.len())
            {
                *slot = None;
            }
            Ok(())
        })?;
    }
}

impl Connection {
    /// Answers what came; false ends the connection.
    fn turn(&mut self, buf: &mut [u8], answers: &[u8], answer: usize) -> bool {
        loop {
            let len = match sockets::receive(&self.socket, buf) {
                Ok(Input::Bytes(len)) => len,
                Ok(Input::Nothing) => return true,
                Ok(Input::End) | Err(_) => return false,
            };
            if self.request == 0 {
                let Some(end) = memmem::find(&buf[..len], b"\r\n\r\n") else { return false };
                self.request = end + 4;
                self.closes = memmem::find(&buf[..end], b"Connection: close").is_some();
            }
            self.pending += len;
            let mut due = self.pending / self.request;
            self.pending %= self.request;
            while due > 0 {
                let now = due.min(answers.len() / answer);
                if sockets::transmit(&self.socket, &answers[..now * answer]).is_err() {
                    return false;
                }
                due -= now;
            }
            if self.closes {
                return false;
            }
            if len < buf.len() {
                return true;
            }
        }
    }
}

/// As many bytes as the servers under test send.
fn answer() -> Vec<u8> {
    let mut answer = format!(
        "HTTP/1.1 200 OK\r\nServer: floor\r\nDate: Fri, 20 Nov 2026 08:00:00 GMT\r\n\
         Content-Type: text/plain\r\nContent-Length: {}\r\n\r\n",
        CONTENT.len()
    )
    .into_bytes();
    answer.extend_from_slice(CONTENT);
    answer
}
