//! What every peer takes on its command line: `--port N --workers N`.
#![forbid(unsafe_code)]

use std::net::{Ipv4Addr, SocketAddr};

/// The answer's content.
pub const CONTENT: &str = "Hello, World!";

/// Connections that the kernel keeps ready, for all peers alike.
pub const BACKLOG: u32 = 4096;

/// The command line of a peer.
pub struct Options {
    /// Where it listens: always on loopback.
    pub address: SocketAddr,
    /// How many cores it may use.
    pub workers: usize,
}

impl Options {
    /// Reads the command line; a fault ends the program with status 2.
    pub fn from_args() -> Self {
        let mut port = None;
        let mut workers = 1;
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let value = words.next().and_then(|value| value.parse::<u16>().ok());
            match (word.as_str(), value) {
                ("--port", Some(value)) => port = Some(value),
                ("--workers", Some(value)) if value > 0 => workers = usize::from(value),
                _ => usage(&format!("cannot use {word:?}")),
            }
        }
        let Some(port) = port else { usage("--port is missing") };
        Self { address: (Ipv4Addr::LOCALHOST, port).into(), workers }
    }
}

fn usage(reason: &str) -> ! {
    eprintln!("{reason}\nusage: --port N [--workers N]");
    std::process::exit(2)
}
