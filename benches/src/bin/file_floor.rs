//! The floor of file servers: one core, one epoll instance, one file for whatever is asked.
//!
//! `file_floor --port N --file PATH --how head|memory|sendfile` answers with a canned head alone, with
//! the file from memory in the same send, or by sendfile(2) behind the head.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::process::ExitCode;

use avocet_benches::command_line::Options;
use avocet_benches::sockets::{self, Input, Poll};
use memchr::memmem;
use rustix::io::Errno;
use rustix::net::SendFlags;

/// The token of the listener; a connection's token is its descriptor.
const LISTENER: u64 = u64::MAX;
/// Bytes of a file in one call: more than any socket takes.
const SHARE: u64 = 1 << 30;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("file_floor: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// What is answered.
struct Answer {
    /// A head, or a head and a file.
    bytes: Vec<u8>,
    /// What follows by sendfile, and its length.
    file: Option<(File, u64)>,
}

struct Connection {
    socket: OwnedFd,
    /// The length of each request; 0 before the first one came.
    request: usize,
    pending: usize,
    /// Bytes of the file, or of what is in memory, that are to be sent yet.
    left: u64,
}

fn run() -> Result<(), String> {
    let mut options = Options::from_args()?;
    let port: u16 = options.required("port")?;
    let path: String = options.required("file")?;
    let how: String = options.required("how")?;
    options.finish()?;
    let answer = Answer::make(&PathBuf::from(path), &how)?;
    serve(port, &answer).map_err(|error| error.to_string())
}

impl Answer {
    fn make(path: &PathBuf, how: &str) -> Result<Self, String> {
        let failed = |error: io::Error| format!("cannot read {}: {error}", path.display());
        let file = File::open(path).map_err(failed)?;
        let len = file.metadata().map_err(failed)?.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\nServer: floor\r\nDate: Fri, 20 Nov 2026 08:00:00 GMT\r\n\
             Content-Type: text/html\r\nLast-Modified: Fri, 20 Nov 2026 08:00:00 GMT\r\n\
             ETag: \"1234567890abcdef\"\r\nAccept-Ranges: bytes\r\nContent-Length: {len}\r\n\r\n"
        );
        let mut bytes = head.into_bytes();
        let file = match how {
            "head" => None,
            "memory" => {
                bytes.extend(std::fs::read(path).map_err(failed)?);
                None
            }
            "sendfile" => Some((file, len)),
            _ => return Err(format!("there is no way {how:?}")),
        };
        Ok(Self { bytes, file })
    }
}

fn serve(port: u16, answer: &Answer) -> io::Result<()> {
    let listener = sockets::listener(port)?;
    let mut poll = Poll::new()?;
    poll.watch(&listener, LISTENER, false)?;
    let mut buf = vec![0; 16_384];
    let mut connections: Vec<Option<Connection>> = Vec::new();
    loop {
        poll.turn(None, |poll, token| {
            if token == LISTENER {
                while let Some(socket) = sockets::accept(&listener)? {
                    let at = socket.as_raw_fd() as usize;
                    poll.watch_both(&socket, at as u64)?;
                    if connections.len() <= at {
                        connections.resize_with(at + 1, || None);
                    }
                    connections[at] = Some(Connection { socket, request: 0, pending: 0, left: 0 });
                }
                return Ok(());
            }
            let slot = &mut connections[token as usize];
            if let Some(connection) = slot
                && !connection.turn(&mut buf, answer)
            {
                *slot = None;
            }
            Ok(())
        })?;
    }
}

impl Connection {
    /// Answers what came, or goes on with a file; false ends the connection.
    fn turn(&mut self, buf: &mut [u8], answer: &Answer) -> bool {
        loop {
            if self.left > 0 {
                // Either all is sent, and the read before it was short; or the socket is full.
                return self.send_rest(answer).is_ok();
            }
            let len = match sockets::receive(&self.socket, buf) {
                Ok(Input::Bytes(len)) => len,
                Ok(Input::Nothing) => return true,
                Ok(Input::End) | Err(_) => return false,
            };
            if self.request == 0 {
                let Some(end) = memmem::find(&buf[..len], b"\r\n\r\n") else { return false };
                self.request = end + 4;
            }
            self.pending += len;
            // Only one question is in flight on a connection.
            if self.pending < self.request {
                continue;
            }
            self.pending = 0;
            let sent = match &answer.file {
                None => {
                    self.left = answer.bytes.len() as u64;
                    self.send_rest(answer)
                }
                Some((_, len)) => {
                    self.left = *len;
                    sockets::transmit_more(&self.socket, &answer.bytes)
                }
            };
            if sent.is_err() {
                return false;
            }
            if self.left == 0 && len < buf.len() {
                return true;
            }
        }
    }

    /// Sends until all is sent or the socket is full.
    fn send_rest(&mut self, answer: &Answer) -> io::Result<()> {
        while self.left > 0 {
            let sent = match &answer.file {
                Some((file, len)) => {
                    let mut offset = len - self.left;
                    let most = usize::try_from(self.left.min(SHARE)).unwrap_or(usize::MAX);
                    rustix::fs::sendfile(&self.socket, file, Some(&mut offset), most)
                }
                None => {
                    let rest = &answer.bytes[answer.bytes.len() - self.left as usize..];
                    rustix::net::send(&self.socket, rest, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)
                }
            };
            match sent {
                Ok(sent) => self.left -= sent as u64,
                Err(Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
