//! What a server allows and how long it waits.

use std::time::Duration;

use avocet_wire::{FieldBuf, Limits};

use crate::error_page::ErrorPages;

/// The settings of a server, all with defaults that hold on the open internet.
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// Limits on heads, chunks and trailers.
    pub limits: Limits,
    /// How long each phase of a connection may take.
    pub timeouts: Timeouts,
    /// Request content that is read and thrown away after an answer that did not want it, so that
    /// the connection stays in step. 256 KiB; beyond it the connection is closed.
    pub drain: u64,
    /// The value of the Server field; `None` sends none.
    pub server_name: Option<String>,
    /// Fields that every response carries.
    pub common_fields: FieldBuf,
    /// The pages of error responses.
    pub error_pages: ErrorPages,
    /// Connections at a time, over all loops. `None` is the lesser of 10,000 and what the limit on
    /// descriptors leaves after 64.
    pub max_connections: Option<usize>,
    /// Connections of one client address at a time, over all loops; the first 64 bits of an IPv6
    /// address count as one. `None`, the default, is no limit. Beyond it a connection is answered
    /// 503 with Retry-After and closed.
    pub max_per_address: Option<usize>,
    /// Connections beyond this number are answered 503 with Retry-After and closed, which needs
    /// room below `max_connections`. `None`, the default, answers nobody so: at `max_connections`
    /// the server stops accepting until a tenth has ended, and clients wait.
    pub busy_from: Option<usize>,
}

/// Time-outs and least rates, each on by default. `Duration::MAX` turns a time-out off, and 0 a rate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// From the connection to its first byte: 10 s, then a close.
    pub first_byte: Duration,
    /// From the first byte of a head to its end: 20 s, and one second more for each 500 bytes
    /// received; then 408.
    pub head: Duration,
    /// What a head may take at most, however many bytes come: 40 s.
    pub head_most: Duration,
    /// Between two requests: 60 s, then a close.
    pub idle: Duration,
    /// Content may be slow at first: 20 s.
    pub content_grace: Duration,
    /// Bytes per second that content must reach after that: 500; below it 408.
    pub content_rate: u64,
    /// Without any progress in writing: 30 s, then a reset.
    pub write_progress: Duration,
    /// The span over which the rate of writing is measured: 60 s.
    pub write_window: Duration,
    /// Bytes per second that the peer must take over that span: 256, else a reset.
    pub write_rate: u64,
    /// Quiet while the rest of a request is read away before a close: 2 s.
    pub linger_quiet: Duration,
    /// Reading away in all: 10 s.
    pub linger_most: Duration,
    /// The handshake of a transport: 10 s.
    pub handshake: Duration,
}

impl Timeouts {
    /// No time-out and no least rate: for peers that are trusted, and for debugging.
    pub fn never() -> Self {
        let never = Duration::MAX;
        Self {
            first_byte: never,
            head: never,
            head_most: never,
            idle: never,
            content_grace: never,
            content_rate: 0,
            write_progress: never,
            write_window: never,
            write_rate: 0,
            linger_quiet: never,
            linger_most: never,
            handshake: never,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limits: Limits::server(),
            timeouts: Timeouts::default(),
            drain: 256 * 1024,
            server_name: Some("avocet".to_owned()),
            common_fields: FieldBuf::new(),
            error_pages: ErrorPages::default(),
            max_connections: None,
            max_per_address: None,
            busy_from: None,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            first_byte: Duration::from_secs(10),
            head: Duration::from_secs(20),
            head_most: Duration::from_secs(40),
            idle: Duration::from_secs(60),
            content_grace: Duration::from_secs(20),
            content_rate: 500,
            write_progress: Duration::from_secs(30),
            write_window: Duration::from_secs(60),
            write_rate: 256,
            linger_quiet: Duration::from_secs(2),
            linger_most: Duration::from_secs(10),
            handshake: Duration::from_secs(10),
        }
    }
}
