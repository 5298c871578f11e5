//! What is on record about a transfer.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use avocet_net::PeerInfo;
use http::StatusCode;
use url::Url;

/// A response on the way to the last one.
#[derive(Clone, Debug)]
pub struct Past {
    /// The URL that was asked.
    pub url: Url,
    /// The status of its answer.
    pub status: StatusCode,
}

/// When things happened, for the last hop; `started` is that of the transfer.
///
/// On a connection that had been used before nothing happens between `assigned` and `sent`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Times {
    /// The transfer began.
    pub started: Instant,
    /// The hop was given a connection, a new one or one that was kept.
    pub assigned: Option<Instant>,
    /// The name was looked up.
    pub resolved: Option<Instant>,
    /// The first connection stood: to the host, or to the first proxy.
    pub reached: Option<Instant>,
    /// The connection was ready, proxies and TLS included.
    pub connected: Option<Instant>,
    /// Whether it had been used before.
    pub reused: bool,
    /// The request was written, content included.
    pub sent: Option<Instant>,
    /// The head of the response was complete.
    pub head: Option<Instant>,
    /// The end.
    pub ended: Option<Instant>,
}

/// How many bytes went over the wire, over all hops of a transfer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Heads of requests.
    pub sent_heads: u64,
    /// Content of requests with its framing, as far as it was given to the connection.
    pub sent_content: u64,
    /// Heads of responses, interim ones included.
    pub received_heads: u64,
    /// Content of responses with its framing, before it was decoded.
    pub received_content: u64,
}

/// What is on record about a transfer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// Where it goes, or came from, after redirects.
    pub url: Url,
    /// The redirects that led there, the first first.
    pub history: Vec<Past>,
    /// When things happened.
    pub times: Times,
    /// What went over the wire.
    pub traffic: Traffic,
    /// Connections that were opened for it.
    pub opened: u32,
    /// How often it was tried again after a failure or a status that allows it.
    pub retries: u32,
    /// How the last connection that was opened for it was reached.
    pub dialed: Option<Dialed>,
    /// Both ends of the last connection.
    pub peer: Option<PeerInfo>,
}

/// What was done to reach an address.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dialed {
    /// The addresses that could be tried, in the order of the system's preference.
    pub addresses: Vec<SocketAddr>,
    /// The attempts, in the order in which they began.
    pub attempts: Vec<DialAttempt>,
    /// How long the name took; `None` if nobody had to be asked.
    pub resolution: Option<Duration>,
}

/// An attempt to connect to one address.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DialAttempt {
    /// The address.
    pub address: SocketAddr,
    /// When it began, after the dialing had begun.
    pub after: Duration,
    /// How long it took.
    pub duration: Duration,
    /// What has come of it; `None` if another one was faster, or time ran out.
    pub result: Option<Result<(), String>>,
}

impl Report {
    pub(crate) fn starting(url: Url, started: Instant) -> Self {
        Self {
            url,
            history: Vec::new(),
            times: Times::starting(started),
            traffic: Traffic::default(),
            opened: 0,
            retries: 0,
            dialed: None,
            peer: None,
        }
    }

    /// The number of redirects that were followed.
    pub fn redirects(&self) -> u32 {
        u32::try_from(self.history.len()).unwrap_or(u32::MAX)
    }
}

impl Times {
    fn starting(started: Instant) -> Self {
        Self {
            started,
            assigned: None,
            resolved: None,
            reached: None,
            connected: None,
            reused: false,
            sent: None,
            head: None,
            ended: None,
        }
    }

    /// Forgets what belongs to one hop, before the next.
    pub(crate) fn next_hop(&mut self) {
        *self = Self::starting(self.started);
    }
}
