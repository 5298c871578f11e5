//! Asks for a file as fast as one core can and throws the content away.
//!
//! `file_load --port N --path /file [--method GET] [--fields "A: b|C: d"] [--status 200]
//! [--connections 64] [--secs 1] [--requests N]` prints `name=value` pairs on one line. Each response's
//! status and frame are checked; content of a known length is not even copied out of the kernel.
#![forbid(unsafe_code)]

use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use avocet_benches::any_response::{Brought, Expected, Reader};
use avocet_benches::command_line::Options;
use avocet_benches::histogram::Histogram;
use avocet_benches::sockets::{self, Input, Poll};

/// How long answers in flight are waited for after the end.
const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    match Plan::from_args().and_then(|plan| plan.run()) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("file_load: {reason}");
            ExitCode::FAILURE
        }
    }
}

struct Plan {
    port: u16,
    request: Vec<u8>,
    expected: Expected,
    connections: u64,
    time: Duration,
    requests: u64,
}

struct Connection {
    socket: OwnedFd,
    reader: Reader,
    sent: Instant,
    waits: bool,
}

impl Plan {
    fn from_args() -> Result<Self, String> {
        let mut options = Options::from_args()?;
        let port = options.required("port")?;
        let path: String = options.required("path")?;
        let method = options.optional::<String>("method")?.unwrap_or_else(|| "GET".to_owned());
        let fields = options.optional::<String>("fields")?.unwrap_or_default();
        let fields = fields.split('|').filter(|field| !field.is_empty());
        let fields: String = fields.map(|field| format!("{field}\r\n")).collect();
        let status = options.optional("status")?.unwrap_or(200);
        let plan = Self {
            port,
            request: format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{fields}\r\n")
                .into_bytes(),
            expected: Expected { status, bare: method == "HEAD" || status == 304 },
            connections: options.optional("connections")?.unwrap_or(64),
            time: Duration::from_secs_f64(options.optional("secs")?.unwrap_or(1.0)),
            requests: options.optional("requests")?.unwrap_or(u64::MAX),
        };
        options.finish()?;
        Ok(plan)
    }

    fn run(&self) -> Result<String, String> {
        let failed = |error: std::io::Error| error.to_string();
        let mut poll = Poll::new().map_err(failed)?;
        let mut connections = Vec::new();
        let (begun, mut asked, mut waiting) = (Instant::now(), 0, 0);
        for token in 0..self.connections.min(self.requests) {
            let socket = sockets::open(self.port).map_err(failed)?;
            poll.watch(&socket, token, true).map_err(failed)?;
            sockets::transmit(&socket, &self.request).map_err(failed)?;
            (asked, waiting) = (asked + 1, waiting + 1);
            let reader = Reader::default();
            connections.push(Connection { socket, reader, sent: Instant::now(), waits: true });
        }
        let (mut done, mut bytes) = (0, 0);
        let mut latency = Histogram::default();
        let mut room = vec![0; 1 << 20];
        let mut fault = None;
        while waiting > 0 && fault.is_none() && begun.elapsed() < self.time + PATIENCE {
            let turned = poll.turn(Some(Duration::from_millis(100)), |_, token| {
                let connection = &mut connections[token as usize];
                let brought = match connection.read(&mut room, self.expected) {
                    Ok(brought) => brought,
                    Err(reason) => {
                        fault.get_or_insert(reason);
                        return Ok(());
                    }
                };
                bytes += brought.content;
                if brought.ended == 0 {
                    return Ok(());
                }
                done += brought.ended;
                latency.record(connection.sent.elapsed());
                if asked < self.requests && begun.elapsed() < self.time {
                    asked += 1;
                    connection.sent = Instant::now();
                    sockets::transmit(&connection.socket, &self.request)?;
                } else {
                    connection.waits = false;
                    waiting -= 1;
                }
                Ok(())
            });
            if let Err(error) = turned {
                fault.get_or_insert_with(|| error.to_string());
            }
        }
        if let Some(reason) = &fault {
            eprintln!("file_load: {reason}");
        }
        let lost = connections.iter().filter(|connection| connection.waits).count();
        let micros = |share| latency.quantile(share).as_secs_f64() * 1e6;
        Ok(format!(
            "done={done} faults={lost} reopened=0 unclosed=0 secs={:.6} p50_us={:.1} p99_us={:.1} \
             bytes={bytes}",
            begun.elapsed().as_secs_f64(),
            micros(0.5),
            micros(0.99),
        ))
    }
}

impl Connection {
    /// Reads until nothing is there or a response has ended.
    fn read(&mut self, room: &mut [u8], expected: Expected) -> Result<Brought, String> {
        let mut all = Brought::default();
        loop {
            let unseen = usize::try_from(self.reader.unseen()).unwrap_or(usize::MAX);
            let most = room.len();
            let (input, brought) = if unseen > 0 {
                let input = sockets::discard(&self.socket, &mut room[..unseen.min(most)]);
                let input = input.map_err(|error| error.to_string())?;
                let Input::Bytes(len) = input else { return ended(input, all) };
                (len, self.reader.skip(len as u64))
            } else {
                let piece = &mut room[..HEAD_PIECE];
                let input = sockets::receive(&self.socket, piece);
                let input = input.map_err(|error| error.to_string())?;
                let Input::Bytes(len) = input else { return ended(input, all) };
                (len, self.reader.read(&piece[..len], expected)?)
            };
            all.ended += brought.ended;
            all.content += brought.content;
            if all.ended > 0 || (unseen == 0 && input < HEAD_PIECE) {
                return Ok(all);
            }
        }
    }
}

/// Enough for a head and a small file; what is longer is thrown away unseen.
const HEAD_PIECE: usize = 16 * 1024;

fn ended(input: Input, all: Brought) -> Result<Brought, String> {
    match input {
        Input::End => Err("the connection ended early".to_owned()),
        _ => Ok(all),
    }
}
