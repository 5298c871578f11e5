//! The client's floor: what the kernel charges for asking and reading, with nothing else around it.
//!
//! `client_floor seq|par|dl URL N [CONCURRENCY]` takes what the example `drive` of the client takes, and
//! prints the bytes of content. All answers of a server have the length of its first one.
#![forbid(unsafe_code)]

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::process::ExitCode;

use avocet_benches::sockets::{self, Input, Poll};
use memchr::memmem;

/// What is read at a time: of several sizes the one with the least time per byte.
const PIECE: usize = 256 * 1024;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(total) => {
            println!("{total}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("client_floor: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<u64, String> {
    let [mode, url, count, rest @ ..] = arguments else {
        return Err("usage: client_floor seq|par|dl URL N [CONCURRENCY]".to_owned());
    };
    let count: u64 = count.parse().map_err(|_| format!("{count:?} is no number"))?;
    let target = Target::parse(url).ok_or_else(|| format!("{url:?} is no URL of http"))?;
    let most = rest.first().map_or(Ok(64), |most| most.parse());
    let most: u64 = most.map_err(|_| "CONCURRENCY is no number".to_owned())?;
    match mode.as_str() {
        "seq" => target.in_turn(count),
        "par" => target.at_once(count, most),
        "dl" => target.download(count),
        _ => return Err(format!("no mode {mode:?}")),
    }
    .map_err(|error| error.to_string())
}

struct Target {
    port: u16,
    request: Vec<u8>,
}

/// Where the first answer's content begins, and how long it is.
struct Answer {
    head: usize,
    content: u64,
}

impl Answer {
    /// Reads the head in `bytes`, once it is whole.
    fn find(bytes: &[u8]) -> Option<Self> {
        let head = memmem::find(bytes, b"\r\n\r\n")? + 4;
        let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
        let value = text.lines().find_map(|line| line.strip_prefix("content-length:"))?;
        Some(Self { head, content: value.trim().parse().ok()? })
    }

    fn len(&self) -> u64 {
        self.head as u64 + self.content
    }
}

impl Target {
    fn parse(url: &str) -> Option<Self> {
        let rest = url.strip_prefix("http://")?;
        let slash = rest.find('/')?;
        let (host, path) = rest.split_at(slash);
        let port = host.rsplit_once(':')?.1.parse().ok()?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n\r\n");
        Some(Self { port, request: request.into_bytes() })
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn in_turn(&self, count: u64) -> io::Result<u64> {
        let mut stream = self.connect()?;
        let mut buf = vec![0; PIECE];
        let (mut answer, mut total) = (None::<Answer>, 0);
        for _ in 0..count {
            stream.write_all(&self.request)?;
            let mut have = 0;
            while answer.as_ref().is_none_or(|answer| (have as u64) < answer.len()) {
                have += some(&mut stream, &mut buf[have..])?;
                answer = answer.or_else(|| Answer::find(&buf[..have]));
            }
            total += answer.as_ref().map_or(0, |answer| answer.content);
        }
        Ok(total)
    }

    /// One thread, an epoll instance, and a connection for each request in flight.
    fn at_once(&self, count: u64, most: u64) -> io::Result<u64> {
        let mut poll = Poll::new()?;
        let mut sockets: Vec<(OwnedFd, u64)> = Vec::new();
        let mut started = 0;
        for token in 0..most.min(count) {
            let socket = sockets::open(self.port)?;
            poll.watch(&socket, token, true)?;
            sockets::transmit(&socket, &self.request)?;
            sockets.push((socket, 0));
            started += 1;
        }
        let mut buf = vec![0; PIECE];
        let (mut answer, mut done) = (None::<Answer>, 0);
        while done < count {
            poll.turn(None, |_, token| {
                let (socket, have) = &mut sockets[token as usize];
                let Input::Bytes(len) = sockets::receive(socket, &mut buf)? else { return Ok(()) };
                *have += len as u64;
                let found = answer.take().or_else(|| Answer::find(&buf[..len]));
                if found.as_ref().is_some_and(|answer| *have >= answer.len()) {
                    (done, *have) = (done + 1, 0);
                    if started < count {
                        sockets::transmit(socket, &self.request)?;
                        started += 1;
                    }
                }
                answer = found;
                Ok(())
            })?;
        }
        Ok(done * answer.map_or(0, |answer| answer.content))
    }

    fn download(&self, count: u64) -> io::Result<u64> {
        let mut stream = self.connect()?;
        let mut buf = vec![0; PIECE];
        let mut total = 0;
        for _ in 0..count {
            stream.write_all(&self.request)?;
            let mut have = 0;
            let answer = loop {
                have += some(&mut stream, &mut buf[have..])?;
                if let Some(answer) = Answer::find(&buf[..have]) {
                    break answer;
                }
            };
            let mut left = answer.len() - have as u64;
            while left > 0 {
                left -= some(&mut stream, &mut buf)? as u64;
            }
            total += answer.content;
        }
        Ok(total)
    }
}

/// Reads once; the end is an error.
fn some(stream: &mut TcpStream, buf: &mut [u8]) -> io::Result<usize> {
    match stream.read(buf)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        len => Ok(len),
    }
}
