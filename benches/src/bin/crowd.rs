//! Many connections that do little, held until standard input ends.
//!
//! `crowd --port N --connections N [--kind silent|idle|head|content] [--every-ms 1000]` prints
//! `ready=N` once all are there, or as many as the server takes, and `held=N` with what became of them at the end.
//!
//! - `silent` connects and sends nothing.
//! - `idle` asks once, reads the answer and stays.
//! - `head` sends a head that never ends, a byte every `--every-ms`.
//! - `content` announces a megabyte and sends it as slowly.
#![forbid(unsafe_code)]

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use avocet_benches::command_line::Options;
use avocet_benches::response::{LONGEST_HEAD, Responses};
use avocet_benches::sockets::{self, Input};

/// In how many parts of an interval the bytes are spread: a burst of many would be felt by whoever
/// measures beside the crowd, and it is not the burst that is to be measured.
const SLICES: usize = 2000;
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Silent,
    Idle,
    Head,
    Content,
}

impl Kind {
    /// What is sent at first.
    fn opening(self) -> &'static [u8] {
        match self {
            Self::Silent => b"",
            Self::Idle => b"GET /plaintext HTTP/1.1\r\nHost: localhost\r\n\r\n",
            Self::Head => b"GET /plaintext HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
            Self::Content => {
                b"POST /plaintext HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"
            }
        }
    }

    fn dribbles(self) -> bool {
        matches!(self, Self::Head | Self::Content)
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("crowd: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let mut options = Options::from_args()?;
    let port = options.required("port")?;
    let wanted: usize = options.required("connections")?;
    let every = Duration::from_millis(options.optional("every-ms")?.unwrap_or(1000));
    let kind = match options.optional::<String>("kind")?.as_deref() {
        Some("silent") => Kind::Silent,
        None | Some("idle") => Kind::Idle,
        Some("head") => Kind::Head,
        Some("content") => Kind::Content,
        Some(other) => return Err(format!("there is no kind {other:?}")),
    };
    options.finish()?;
    sockets::raise_descriptors();
    let failed = |error: io::Error| error.to_string();
    let mut sockets = Vec::with_capacity(wanted);
    let mut buf = vec![0; LONGEST_HEAD * 2];
    while sockets.len() < wanted {
        match join(port, kind, &mut buf) {
            Ok(socket) => sockets.push(socket),
            Err(reason) => {
                // A server with a bound has reached it: what it did take is held.
                eprintln!("crowd: {} of {wanted} are there: {reason}", sockets.len());
                break;
            }
        }
    }
    println!("ready={}", sockets.len());
    io::stdout().flush().map_err(failed)?;
    let over = end_of_input();
    let mut refused = 0;
    let mut turn = Instant::now();
    'holding: loop {
        for slice in 0..SLICES {
            if over.load(Ordering::Relaxed) {
                break 'holding;
            }
            if kind.dribbles() {
                for socket in sockets.iter().skip(slice).step_by(SLICES) {
                    refused += usize::from(sockets::transmit(socket, b"a").is_err());
                }
            }
            turn += every / SLICES as u32;
            thread::sleep(turn.saturating_duration_since(Instant::now()));
        }
    }
    report(&sockets, &mut buf, refused);
    Ok(())
}

/// Opens one connection as far as its kind goes.
fn join(port: u16, kind: Kind, buf: &mut [u8]) -> Result<OwnedFd, String> {
    let socket = sockets::open(port).map_err(|error| error.to_string())?;
    if kind != Kind::Silent {
        sockets::transmit(&socket, kind.opening()).map_err(|error| error.to_string())?;
    }
    if kind == Kind::Idle {
        await_answer(&socket, buf)?;
    }
    Ok(socket)
}

/// Waits for one whole answer.
fn await_answer(socket: &OwnedFd, buf: &mut [u8]) -> Result<(), String> {
    let mut responses = Responses::default();
    let mut filled = 0;
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        match sockets::receive(socket, &mut buf[filled..]).map_err(|error| error.to_string())? {
            Input::Bytes(len) => filled += len,
            Input::Nothing => thread::sleep(Duration::from_micros(20)),
            Input::End => return Err("the connection ended before the answer".to_owned()),
        }
        if responses.next(&buf[..filled]).map_err(|fault| fault.to_string())?.is_some() {
            return Ok(());
        }
    }
    Err("no answer came in time".to_owned())
}

/// A flag that is set when standard input ends.
fn end_of_input() -> Arc<AtomicBool> {
    let over = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&over);
    thread::spawn(move || {
        // An error ends the wait as well as the end does.
        let _ended = io::stdin().read_to_end(&mut Vec::new());
        flag.store(true, Ordering::Relaxed);
    });
    over
}

/// Says how many are still open, how many the server closed, and how many it answered first.
fn report(sockets: &[OwnedFd], buf: &mut [u8], refused: usize) {
    let (mut held, mut closed, mut answered) = (0, 0, 0);
    for socket in sockets {
        let mut input = sockets::receive(socket, buf);
        if matches!(input, Ok(Input::Bytes(_))) {
            answered += 1;
            input = sockets::receive(socket, buf);
        }
        match input {
            Ok(Input::Nothing) => held += 1,
            _ => closed += 1,
        }
    }
    println!("held={held} closed={closed} answered={answered} refused={refused}");
}
