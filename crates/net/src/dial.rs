//! Making connections: names, addresses in parallel, sockets.

mod connect;
mod error;
mod race;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use self::connect::{Local, connect_tcp, connect_unix};
pub use self::error::{DialError, DialErrorKind};
pub use self::race::{Attempt, Outcome};

use self::error::Cause;
use self::race::{Race, Step};
use crate::readiness::Readiness;
use crate::resolver::{Lookup, Resolver};
use crate::socket::SocketTransport;
use crate::transport::{Established, Transport};
use crate::turn::Turn;

/// What to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A name, or the text of an address, and a port.
    Host(String, u16),
    /// An address.
    Address(SocketAddr),
    /// A socket in the file system.
    Unix(Arc<Path>),
}

/// The address families that may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Families {
    /// Both.
    #[default]
    Any,
    /// IPv4 alone.
    V4,
    /// IPv6 alone.
    V6,
}

/// How connections are made.
///
/// ```
/// use std::time::Duration;
///
/// use avocet_net::{DialOptions, Families};
///
/// let mut options = DialOptions::default();
/// assert_eq!(options.timeout, Duration::from_secs(10));
/// options.families = Families::V4;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialOptions {
    /// Where our own ends are to be.
    pub local: Local,
    /// The families that may be used.
    pub families: Families,
    /// How long an attempt runs before the next one begins beside it: 250 ms as RFC 8305 §5
    /// recommends, and between 10 ms and 2 s whatever is asked for.
    pub attempt_delay: Duration,
    /// How long everything may take, the name included: 10 s.
    pub timeout: Duration,
}

impl Default for DialOptions {
    fn default() -> Self {
        Self {
            local: Local::default(),
            families: Families::Any,
            attempt_delay: Duration::from_millis(250),
            timeout: Duration::from_secs(10),
        }
    }
}

/// A connection in the making, driven by the task that wants it.
///
/// The task turns it on each of its own turns, and at [`Dialing::deadline`]. It says
/// [`Dialed::Pending`] until it has a transport, which is established and registered with the task
/// then, or an error.
///
/// *Bounds*: 32 addresses, of which at most those run in parallel that fit the time-out.
pub struct Dialing {
    target: Target,
    options: DialOptions,
    resolver: Resolver,
    stage: Stage,
    begun: Option<Instant>,
    /// When a turn is wanted although nothing happens, before the time-out.
    next_at: Option<Instant>,
    resolution: Option<Duration>,
    addresses: Vec<SocketAddr>,
    /// The attempts of a race that is over.
    attempts: Vec<Attempt>,
}

/// What has come of it so far.
pub enum Dialed {
    /// An event, the deadline or the resolver will bring it on.
    Pending,
    /// The connection.
    Connected(Box<dyn Transport>),
    /// There is none.
    Failed(DialError),
}

enum Stage {
    Fresh,
    Resolving(String, u16),
    Racing(Race, Vec<(usize, Socket)>),
    Unix(Arc<Path>),
    Over,
}

type Socket = SocketTransport<mio::net::TcpStream>;
type Found = Result<Option<Box<dyn Transport>>, DialError>;

impl Dialing {
    /// A connection that the next turn begins.
    pub fn new(target: Target, options: DialOptions, resolver: Resolver) -> Self {
        Self {
            target,
            options,
            resolver,
            stage: Stage::Fresh,
            begun: None,
            next_at: None,
            resolution: None,
            addresses: Vec::new(),
            attempts: Vec::new(),
        }
    }

    /// Does what is possible now.
    pub fn turn(&mut self, cx: &mut Turn<'_>) -> Dialed {
        let now = cx.now();
        let begun = *self.begun.get_or_insert(now);
        self.next_at = None;
        let mut found = self.advance(cx, begun);
        if matches!(found, Ok(None)) && now.saturating_duration_since(begun) >= self.options.timeout
        {
            let resolving = self.is_resolving();
            found = Err(self.error(DialErrorKind::TimedOut, Cause::Time { resolving }));
        }
        match found {
            Ok(None) => Dialed::Pending,
            Ok(Some(transport)) => {
                self.end(now);
                Dialed::Connected(transport)
            }
            Err(error) => {
                self.end(now);
                Dialed::Failed(error)
            }
        }
    }

    /// When a turn is wanted although nothing happens; `None` before the first turn.
    pub fn deadline(&self) -> Option<Instant> {
        let end = self.begun? + self.options.timeout;
        Some(self.next_at.map_or(end, |next| next.min(end)))
    }

    /// Whether the name is still being looked up.
    pub fn is_resolving(&self) -> bool {
        matches!(self.stage, Stage::Resolving(..))
    }

    /// How long the name took; `None` if nobody had to be asked.
    pub fn resolution(&self) -> Option<Duration> {
        self.resolution
    }

    /// The addresses that may be tried, in the order of the system's preference.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The attempts, in the order in which they began.
    pub fn attempts(&self) -> &[Attempt] {
        match &self.stage {
            Stage::Racing(race, _) => race.attempts(),
            _ => &self.attempts,
        }
    }

    fn advance(&mut self, cx: &mut Turn<'_>, begun: Instant) -> Found {
        if matches!(self.stage, Stage::Fresh) {
            match self.target.clone() {
                Target::Host(host, port) => self.stage = Stage::Resolving(host, port),
                Target::Address(address) => self.begin_race(vec![address], begun, cx.now())?,
                Target::Unix(path) => self.stage = Stage::Unix(path),
            }
        }
        if let Stage::Resolving(host, port) = &self.stage {
            let (now, port) = (cx.now(), *port);
            let found = match self.resolver.resolve(host, port, now, &cx.notifier()) {
                Lookup::Pending => return Ok(None),
                Lookup::Ready(found) => found,
            };
            let taken = now.saturating_duration_since(begun);
            let found =
                found.map_err(|error| self.error(DialErrorKind::Resolve, Cause::Resolve(error)))?;
            self.resolution = (!found.known).then_some(taken);
            self.begin_race(found.with_port(port), begun, now)?;
        }
        match &mut self.stage {
            Stage::Racing(race, sockets) => {
                let (winner, lost) = run(race, sockets, &self.options.local, cx);
                if let Some(winner) = winner {
                    return self.take_winner(winner, cx).map(Some);
                }
                if lost {
                    return Err(self.error(DialErrorKind::Connect, Cause::Attempts));
                }
                if let Stage::Racing(race, _) = &mut self.stage
                    && let Step::Wait(next) = race.step(cx.now())
                {
                    self.next_at = next;
                }
                Ok(None)
            }
            Stage::Unix(path) => {
                let path = path.clone();
                self.connect_unix(&path, cx)
            }
            Stage::Fresh | Stage::Resolving(..) | Stage::Over => {
                Err(self.error(DialErrorKind::Connect, Cause::Over))
            }
        }
    }

    fn begin_race(
        &mut self,
        mut addresses: Vec<SocketAddr>,
        begun: Instant,
        now: Instant,
    ) -> Result<(), DialError> {
        let source = self.options.local.address;
        addresses.retain(|address| match self.options.families {
            Families::V4 if !address.is_ipv4() => false,
            Families::V6 if !address.is_ipv6() => false,
            _ => source.is_none_or(|source| source.is_ipv4() == address.is_ipv4()),
        });
        if addresses.is_empty() {
            return Err(self.error(DialErrorKind::NoAddress, Cause::Families));
        }
        let race = Race::new(&addresses, self.options.attempt_delay, begun, now);
        self.addresses = addresses;
        self.stage = Stage::Racing(race, Vec::new());
        Ok(())
    }

    fn take_winner(
        &mut self,
        mut winner: Socket,
        cx: &mut Turn<'_>,
    ) -> Result<Box<dyn Transport>, DialError> {
        if self.attempts().len() > 1 {
            // The attempts share the task's readiness: that another one was hung up on says nothing
            // about this one, whose own state the kernel now tells again.
            cx.clear(Readiness::READ_CLOSED);
            let again = winner.register_again(&cx.registration());
            again.map_err(|error| self.error(DialErrorKind::Connect, Cause::Io(error)))?;
        }
        Ok(Box::new(winner))
    }

    fn connect_unix(&mut self, path: &Path, cx: &mut Turn<'_>) -> Found {
        let connected = connect::begin_unix(path).and_then(|mut transport| {
            let established = transport.establish()?;
            cx.register(&mut transport)?;
            Ok((transport, established))
        });
        match connected {
            // A connection to a path is made at once or not at all.
            Ok((transport, Established::Done)) => Ok(Some(Box::new(transport))),
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                Err(self.error(DialErrorKind::Connect, Cause::Io(error)))
            }
            // The queue of the listener is full, and no event tells when it is not.
            Ok(_) | Err(_) => {
                self.next_at = Some(cx.now() + UNIX_RETRY);
                Ok(None)
            }
        }
    }

    fn end(&mut self, now: Instant) {
        if let Stage::Racing(mut race, _) = std::mem::replace(&mut self.stage, Stage::Over) {
            race.abandon(now);
            self.attempts = race.into_attempts();
        }
    }

    fn error(&self, kind: DialErrorKind, cause: Cause) -> DialError {
        DialError::new(kind, &self.target, self.options.timeout, self.attempts(), cause)
    }
}

/// Looks after the running attempts and begins those whose time has come. The winner, if there is
/// one, and whether all is lost.
fn run(
    race: &mut Race,
    sockets: &mut Vec<(usize, Socket)>,
    local: &Local,
    cx: &mut Turn<'_>,
) -> (Option<Socket>, bool) {
    let now = cx.now();
    let mut index = 0;
    while let Some((attempt, socket)) = sockets.get_mut(index) {
        let attempt = *attempt;
        match socket.establish() {
            Ok(Established::Pending) => index += 1,
            Ok(Established::Done) => {
                race.connected(attempt, now);
                return (Some(sockets.swap_remove(index).1), false);
            }
            Err(error) => {
                race.failed(attempt, error, now);
                sockets.swap_remove(index);
            }
        }
    }
    loop {
        match race.step(now) {
            Step::Wait(_) => return (None, false),
            Step::Lost => return (None, true),
            Step::Start(attempt, address) => {
                let begun = connect::begin_tcp(address, local).and_then(|mut socket| {
                    cx.register(&mut socket)?;
                    Ok(socket)
                });
                match begun {
                    Ok(socket) => sockets.push((attempt, socket)),
                    Err(error) => race.failed(attempt, error, now),
                }
            }
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host, port) => write!(f, "{} port {port}", host.escape_debug()),
            Self::Address(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// How long to wait for room in the queue of a listener on a path.
const UNIX_RETRY: Duration = Duration::from_millis(20);
