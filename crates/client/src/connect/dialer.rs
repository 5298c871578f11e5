//! The connector that this crate brings along.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use avocet_net::{DialOptions, Dialing, Families, Local, Resolver, Target, Transport, Turn};
use avocet_wire::FieldBuf;

use super::chain::{Chain, plan};
use super::{Connect, Connector, Route};
use crate::authority;
use crate::error::{Error, ErrorKind, Phase};
use crate::secure::Secure;

/// Connects over TCP or to a path, through proxies, and with TLS where it was given.
///
/// Names are looked up on helper threads and remembered for a minute; several addresses race as RFC
/// 8305 says. Clones share that memory.
///
/// ```
/// use std::sync::Arc;
///
/// use avocet_client::{Config, Dialer};
///
/// let dialer = Dialer::new()
///     .resolve("example.org", Some(80), &["127.0.0.1".parse()?])
///     .source("127.0.0.1".parse()?);
/// let mut config = Config::default();
/// config.connector = Arc::new(dialer);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
///
/// *Bounds*: those of [`Resolver`] and [`Dialing`]. How long a connection may take is the client's
/// time-out.
#[derive(Clone)]
pub struct Dialer {
    options: DialOptions,
    resolver: Resolver,
    path: Option<Arc<Path>>,
    instead: Vec<ConnectTo>,
    secure: Option<Arc<dyn Secure>>,
    tunnel_fields: FieldBuf,
}

/// Sends connections for one host and port to another; what is empty or missing stands for any, or
/// for the same. The request and the name that TLS checks stay what they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectTo {
    /// The host of the URL.
    pub host: Option<String>,
    /// The port of the URL.
    pub port: Option<u16>,
    /// The host to connect to.
    pub to_host: Option<String>,
    /// The port to connect to.
    pub to_port: Option<u16>,
}

/// A connection that cannot even be tried.
struct Refused(Option<Error>);

impl Dialer {
    /// The plain one.
    pub fn new() -> Self {
        // The engine has the time-out, and it counts proxies in.
        let options = DialOptions { timeout: FOR_EVER, ..DialOptions::default() };
        Self {
            options,
            resolver: Resolver::new(),
            path: None,
            instead: Vec::new(),
            secure: None,
            tunnel_fields: FieldBuf::new(),
        }
    }

    /// Asks this resolver for names.
    #[must_use]
    pub fn resolver(mut self, resolver: Resolver) -> Self {
        self.resolver = resolver;
        self
    }

    /// Gives a name these addresses, on one port or on all, instead of asking anybody.
    #[must_use]
    pub fn resolve(self, host: &str, port: Option<u16>, addresses: &[IpAddr]) -> Self {
        self.resolver.set(host, port, addresses);
        self
    }

    /// Connects elsewhere for some hosts; the first that fits counts.
    #[must_use]
    pub fn connect_to(mut self, instead: ConnectTo) -> Self {
        self.instead.push(instead);
        self
    }

    /// Connects to a socket in the file system, whatever the host.
    #[must_use]
    pub fn path(mut self, path: impl Into<Arc<Path>>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Connects from this address.
    #[must_use]
    pub fn source(mut self, address: IpAddr) -> Self {
        self.options.local.address = Some(address);
        self
    }

    /// Where our own ends are to be: address, port, interface.
    #[must_use]
    pub fn local(mut self, local: Local) -> Self {
        self.options.local = local;
        self
    }

    /// Uses these address families.
    #[must_use]
    pub fn families(mut self, families: Families) -> Self {
        self.options.families = families;
        self
    }

    /// How long an attempt runs before the next address is tried beside it.
    #[must_use]
    pub fn attempt_delay(mut self, delay: Duration) -> Self {
        self.options.attempt_delay = delay;
        self
    }

    /// Speaks TLS by these means.
    #[must_use]
    pub fn secure(mut self, secure: Arc<dyn Secure>) -> Self {
        self.secure = Some(secure);
        self
    }

    /// Fields of the CONNECT requests that open tunnels.
    #[must_use]
    pub fn tunnel_fields(mut self, fields: FieldBuf) -> Self {
        self.tunnel_fields = fields;
        self
    }

    /// Where a connection for this host and port goes.
    fn destination(&self, host: &str, port: u16) -> (String, u16) {
        let fits = |instead: &&ConnectTo| {
            instead.host.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(host))
                && instead.port.is_none_or(|wanted| wanted == port)
        };
        match self.instead.iter().find(fits) {
            Some(instead) => (
                instead.to_host.clone().unwrap_or_else(|| host.to_owned()),
                instead.to_port.unwrap_or(port),
            ),
            None => (host.to_owned(), port),
        }
    }
}

impl Default for Dialer {
    fn default() -> Self {
        Self::new()
    }
}

impl Connector for Dialer {
    fn connect(&self, route: &Route) -> Box<dyn Connect> {
        let destination = self.destination(&route.host, route.port);
        let steps = match plan(route, &destination, self.secure.as_ref(), &self.tunnel_fields) {
            Ok(steps) => steps,
            Err(error) => return Box::new(Refused(Some(error))),
        };
        let first = match (route.via.first(), &self.path) {
            (_, Some(path)) => Target::Unix(path.clone()),
            (Some(proxy), None) => Target::Host(proxy.host.clone(), proxy.port),
            (None, None) => Target::Host(destination.0, destination.1),
        };
        let dialing = Dialing::new(first, self.options.clone(), self.resolver.clone());
        let through = !route.via.is_empty();
        Box::new(Chain::new(dialing, through, steps, self.resolver.clone()))
    }
}

impl Connect for Refused {
    fn turn(&mut self, _: &mut Turn<'_>) -> Result<Option<Box<dyn Transport>>, Error> {
        let again = || Error::new(ErrorKind::Connect, Phase::Prepare, "it was refused before");
        Err(self.0.take().unwrap_or_else(again))
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn phase(&self) -> Phase {
        self.0.as_ref().map_or(Phase::Prepare, Error::phase)
    }
}

impl ConnectTo {
    /// Reads `HOST1:PORT1:HOST2:PORT2`, any of which may be empty; IPv6 addresses stand in brackets.
    ///
    /// *Errors*: [`ErrorKind::Request`]: too few parts, or a port that is none.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut rest = text;
        let mut next = || {
            let end = match rest.strip_prefix('[') {
                Some(inside) => inside.find(']')? + 2,
                None => rest.find(':').unwrap_or(rest.len()),
            };
            let (part, after) = rest.split_at_checked(end)?;
            rest = after.strip_prefix(':').unwrap_or(after);
            Some(part.trim_start_matches('[').trim_end_matches(']').to_owned())
        };
        let parts = (next(), next(), next(), next());
        let bad = || {
            let message = format!("`{text}` is not HOST1:PORT1:HOST2:PORT2");
            Error::new(ErrorKind::Request, Phase::Prepare, message)
        };
        let (Some(host), Some(port), Some(to_host), Some(to_port)) = parts else {
            return Err(bad());
        };
        if !rest.is_empty() || text.matches(':').count() < 3 {
            return Err(bad());
        }
        let number = |digits: &str| match digits {
            "" => Ok(None),
            digits => authority::port(digits).map(Some).ok_or_else(bad),
        };
        let some = |host: String| Some(host).filter(|host| !host.is_empty());
        let (port, to_port) = (number(&port)?, number(&to_port)?);
        Ok(Self { host: some(host), port, to_host: some(to_host), to_port })
    }
}

/// Longer than anybody waits.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_places_as_people_write_them() {
        let parsed = |text| {
            let to = ConnectTo::parse(text).ok()?;
            Some((to.host, to.port, to.to_host, to.to_port))
        };
        let some = |host: &str| Some(host.to_owned());
        assert_eq!(parsed("a:80:b:81"), Some((some("a"), Some(80), some("b"), Some(81))));
        assert_eq!(parsed("::b:"), Some((None, None, some("b"), None)));
        assert_eq!(parsed("a::[::1]:8"), Some((some("a"), None, some("::1"), Some(8))));
        assert_eq!(parsed("[::2]:1:b:2"), Some((some("::2"), Some(1), some("b"), Some(2))));
        for bad in ["", "a:80:b", "a:80:b:81:82", "a:x:b:80", "a:80:[::1:80", "a:80:b:+1"] {
            assert_eq!(parsed(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_first_that_fits_says_where_to() {
        let to = |text| ConnectTo::parse(text).expect("it is well formed");
        let dialer = Dialer::new().connect_to(to("a:80:b:81")).connect_to(to("::c:"));
        let destination = |host: &str, port| {
            let (host, port) = dialer.destination(host, port);
            format!("{host}:{port}")
        };
        assert_eq!(destination("A", 80), "b:81");
        assert_eq!(destination("a", 443), "c:443");
    }
}
