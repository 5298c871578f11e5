//! What a client allows, how long it waits, and what it is put together from.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use avocet_wire::{FieldBuf, Leniency, Limits};
use http::StatusCode;

use crate::connect::{Connector, Dialer};
use crate::error::Error;
use crate::hook::Hook;
use crate::proxy::{ChooseProxy, NoProxy};
use crate::retry::Retry;

/// The settings of a client.
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// How long each phase may take.
    pub timeouts: Timeouts,
    /// How redirects are followed.
    pub redirects: Redirects,
    /// Fields of every request that does not bring its own.
    pub fields: FieldBuf,
    /// Whether user and password in a URL go out with its first request, by Basic. They do.
    pub url_credentials: bool,
    /// Limits on what is read.
    pub limits: Limits,
    /// What is forgiven to servers.
    pub leniency: Leniency,
    /// When a transfer is tried again.
    pub retry: Retry,
    /// Connections kept and used.
    pub pool: PoolLimits,
    /// Makes connections.
    pub connector: Arc<dyn Connector>,
    /// Chooses the proxies for a URL, first to last; none is a direct connection.
    pub proxies: Arc<dyn ChooseProxy>,
    /// Called on every hop, in their order.
    pub hooks: Vec<Arc<dyn Hook>>,
    /// Decodes content codings; `None` gives the bytes as they come.
    pub decoding: Option<Arc<dyn Decoding>>,
}

/// Time-outs; each is an error that names its phase.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// Looking up and connecting, a proxy's part included: 10 s.
    pub connect: Duration,
    /// The TLS handshake: 10 s.
    pub tls: Duration,
    /// From the request to the head of the response: 30 s.
    pub head: Duration,
    /// Between two arrivals of content, and between two departures: 30 s.
    pub between: Duration,
    /// The whole transfer, redirects included: none.
    pub total: Option<Duration>,
    /// How long content waits for 100 before it is sent anyway: 1 s.
    pub expect: Duration,
    /// The least rate of content in bytes per second and the time over which it is measured: none.
    /// A pause of the caller's does not count.
    pub least_rate: Option<(u64, Duration)>,
}

/// How redirects are followed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Redirects {
    /// At most so many; 0 gives every redirect to the caller. 10.
    pub most: u32,
    /// Whether https may lead to http. No.
    pub downgrade: bool,
    /// The statuses among 301, 302 and 303 after which POST stays POST, against the custom or, for
    /// 303, against its meaning. None.
    pub keep_post: Vec<StatusCode>,
    /// Whether passwords and cookies that the request itself brought follow to other origins. No: they
    /// are for the host that they were given for.
    pub trusted: bool,
}

/// Bounds on connections. A bound of 0 on those in use counts as 1.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolLimits {
    /// Connections in use per origin: 64.
    pub active_per_host: usize,
    /// Connections in use in all: 1,024.
    pub active: usize,
    /// Idle connections kept per origin: 64.
    pub idle_per_host: usize,
    /// Idle connections kept in all: 256. Beyond them the one that rests longest is closed.
    pub idle: usize,
    /// How long an idle connection is kept: 60 s.
    pub idle_for: Duration,
}

/// Content codings, which come from outside this crate.
pub trait Decoding: Send + Sync {
    /// The value of Accept-Encoding.
    fn accepts(&self) -> &str;

    /// A filter for content with these values of Content-Encoding; `None` if there is nothing to
    /// decode.
    ///
    /// *Errors*: a coding that is not known.
    fn filter(&self, codings: &[&[u8]]) -> Result<Option<Box<dyn Filter>>, String>;
}

/// Decodes content while it comes.
pub trait Filter {
    /// Takes coded bytes and gives decoded ones to `out`, in pieces of bounded size.
    ///
    /// *Errors*: damage, or a limit.
    fn push(
        &mut self,
        input: &[u8],
        out: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error>;

    /// The content has ended.
    ///
    /// *Errors*: when it was not complete.
    fn finish(&mut self, out: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error>;
}

impl Default for Config {
    fn default() -> Self {
        Self {
            timeouts: Timeouts::default(),
            redirects: Redirects::default(),
            fields: FieldBuf::new(),
            url_credentials: true,
            limits: Limits::client(),
            leniency: Leniency::client(),
            retry: Retry::default(),
            pool: PoolLimits::default(),
            connector: Arc::new(Dialer::new()),
            proxies: Arc::new(NoProxy),
            hooks: Vec::new(),
            decoding: None,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("timeouts", &self.timeouts)
            .field("redirects", &self.redirects)
            .field("retry", &self.retry)
            .field("pool", &self.pool)
            .field("hooks", &self.hooks.len())
            .finish_non_exhaustive()
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            tls: Duration::from_secs(10),
            head: Duration::from_secs(30),
            between: Duration::from_secs(30),
            total: None,
            expect: Duration::from_secs(1),
            least_rate: None,
        }
    }
}

impl Default for Redirects {
    fn default() -> Self {
        Self { most: 10, downgrade: false, keep_post: Vec::new(), trusted: false }
    }
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self {
            active_per_host: 64,
            active: 1024,
            idle_per_host: 64,
            idle: 256,
            idle_for: Duration::from_secs(60),
        }
    }
}
