//! A connection that is made in steps: an address is reached, then proxies are talked to and TLS is
//! put on, one over the other.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use avocet_net::{
    DialError, DialErrorKind, Dialing, Established, Input, Lookup, Outbox, Resolver, Transport,
    Turn,
};
use avocet_wire::FieldBuf;

use super::tunnel::Tunnel;
use super::{Connect, Route};
use crate::error::{Error, ErrorKind, Phase};
use crate::proxy::{Proxy, ProxyKind};
use crate::report::{DialAttempt, Dialed};
use crate::secure::{Peer, Secure};
use crate::socks::{Destination, Socks};

/// What is to be done once an address was reached.
pub(super) enum Step {
    /// TLS with this peer.
    Secure { secure: Arc<dyn Secure>, host: String, is_proxy: bool },
    /// A tunnel through a proxy of HTTP.
    Tunnel { proxy: Proxy, host: String, port: u16, fields: FieldBuf },
    /// A connection through a proxy of SOCKS.
    Socks { proxy: Proxy, host: String, port: u16 },
}

/// A conversation with a proxy, as a machine over bytes.
pub(crate) trait Handshake {
    /// Reads what has come: how much of it is done with and whether the proxy is. What is to be sent
    /// is put to `out`; the first call has no input.
    fn step(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(usize, bool), Error>;
}

/// A connection in the making.
pub(super) struct Chain {
    stage: Stage,
    dialing: Dialing,
    /// Whether a proxy comes first.
    through: bool,
    steps: VecDeque<Step>,
    resolver: Resolver,
}

enum Stage {
    Dialing,
    /// The name of the host is looked up here, since the proxy takes addresses only.
    Resolving(Box<dyn Transport>, Proxy, String, u16),
    Talking(Box<dyn Transport>, Talk),
    Securing(Box<dyn Transport>),
    /// Reached; the next step is due.
    Standing(Box<dyn Transport>),
    Over,
}

struct Talk {
    handshake: Box<dyn Handshake>,
    out: Outbox,
    input: Vec<u8>,
    begun: bool,
}

/// The steps of a route.
///
/// *Errors*: a step that needs TLS where there is none.
pub(super) fn plan(
    route: &Route,
    destination: &(String, u16),
    secure: Option<&Arc<dyn Secure>>,
    fields: &FieldBuf,
) -> Result<VecDeque<Step>, Error> {
    let mut steps = VecDeque::new();
    let with_tls = |host: &str, is_proxy| match secure {
        Some(secure) => {
            Ok(Step::Secure { secure: secure.clone(), host: host.to_owned(), is_proxy })
        }
        None => {
            let what = if is_proxy { "the proxy" } else { "the host" };
            let message = format!("{what} {host} wants TLS, which this client was not given");
            Err(Error::new(ErrorKind::Tls, Phase::Tls, message))
        }
    };
    for (index, proxy) in route.via.iter().enumerate() {
        if proxy.kind == ProxyKind::Https {
            steps.push_back(with_tls(&proxy.host, true)?);
        }
        let next = route.via.get(index + 1);
        let (host, port) = match next {
            Some(next) => (next.host.clone(), next.port),
            None => destination.clone(),
        };
        let proxy = proxy.clone();
        match proxy.kind {
            ProxyKind::Http | ProxyKind::Https => {
                if next.is_some() || !route.wants_absolute_form() {
                    steps.push_back(Step::Tunnel { proxy, host, port, fields: fields.clone() });
                }
            }
            _ => steps.push_back(Step::Socks { proxy, host, port }),
        }
    }
    if route.secure {
        steps.push_back(with_tls(&route.host, false)?);
    }
    Ok(steps)
}

impl Chain {
    pub(super) fn new(
        dialing: Dialing,
        through: bool,
        steps: VecDeque<Step>,
        resolver: Resolver,
    ) -> Self {
        Self { stage: Stage::Dialing, dialing, through, steps, resolver }
    }

    fn dial(&mut self, cx: &mut Turn<'_>) -> Result<Option<Stage>, Error> {
        match self.dialing.turn(cx) {
            avocet_net::Dialed::Pending => Ok(None),
            avocet_net::Dialed::Connected(transport) => Ok(Some(Stage::Standing(transport))),
            avocet_net::Dialed::Failed(error) => Err(self.undialed(error)),
        }
    }

    fn undialed(&self, error: DialError) -> Error {
        let kind = match error.kind() {
            DialErrorKind::Resolve | DialErrorKind::NoAddress => ErrorKind::Resolve,
            DialErrorKind::TimedOut => ErrorKind::Timeout,
            _ => ErrorKind::Connect,
        };
        let phase = match error.is_of_name() {
            _ if self.through => Phase::Proxy,
            true => Phase::Resolve,
            false => Phase::Connect,
        };
        Error::new(kind, phase, &error).caused_by(error)
    }

    /// Begins the next step; the transport itself when there is none.
    fn next(
        &mut self,
        transport: Box<dyn Transport>,
    ) -> Result<Result<Stage, Box<dyn Transport>>, Error> {
        Ok(Ok(match self.steps.pop_front() {
            None => return Ok(Err(transport)),
            Some(Step::Secure { secure, host, is_proxy }) => {
                Stage::Securing(secure.wrap(transport, &Peer { host: &host, is_proxy })?)
            }
            Some(Step::Tunnel { proxy, host, port, fields }) => {
                let tunnel = Tunnel::new(proxy, &host, port, fields)?;
                Stage::Talking(transport, Talk::new(tunnel))
            }
            Some(Step::Socks { proxy, host, port }) => match host.parse::<IpAddr>() {
                Ok(address) => {
                    let destination = Destination::Address(SocketAddr::new(address, port));
                    Stage::Talking(transport, Talk::new(Socks::new(proxy, destination)?))
                }
                Err(_) if proxy.kind.takes_names() => {
                    let destination = Destination::Name(host, port);
                    Stage::Talking(transport, Talk::new(Socks::new(proxy, destination)?))
                }
                Err(_) => Stage::Resolving(transport, proxy, host, port),
            },
        }))
    }

    /// The first address of a name that the proxy can be told.
    fn resolve(
        &self,
        proxy: &Proxy,
        host: &str,
        port: u16,
        cx: &Turn<'_>,
    ) -> Result<Option<SocketAddr>, Error> {
        let unknown =
            |message: &dyn std::fmt::Display| Error::new(ErrorKind::Resolve, Phase::Proxy, message);
        match self.resolver.resolve(host, port, cx.now(), &cx.notifier()) {
            Lookup::Pending => Ok(None),
            Lookup::Ready(Err(error)) => Err(unknown(&error).caused_by(error)),
            Lookup::Ready(Ok(found)) => {
                let only_v4 = proxy.kind == ProxyKind::Socks4;
                let mut addresses = found.with_port(port).into_iter();
                let address = addresses.find(|address| address.is_ipv4() || !only_v4);
                let none = format!("{host} has no address that the proxy can be told");
                address.map(Some).ok_or_else(|| unknown(&none))
            }
        }
    }
}

impl Connect for Chain {
    fn turn(&mut self, cx: &mut Turn<'_>) -> Result<Option<Box<dyn Transport>>, Error> {
        loop {
            self.stage = match std::mem::replace(&mut self.stage, Stage::Over) {
                Stage::Dialing => match self.dial(cx)? {
                    Some(stage) => stage,
                    None => {
                        self.stage = Stage::Dialing;
                        return Ok(None);
                    }
                },
                Stage::Standing(transport) => match self.next(transport)? {
                    Ok(stage) => stage,
                    Err(transport) => return Ok(Some(transport)),
                },
                Stage::Resolving(transport, proxy, host, port) => {
                    match self.resolve(&proxy, &host, port, cx)? {
                        Some(address) => {
                            let socks = Socks::new(proxy, Destination::Address(address))?;
                            Stage::Talking(transport, Talk::new(socks))
                        }
                        None => {
                            self.stage = Stage::Resolving(transport, proxy, host, port);
                            return Ok(None);
                        }
                    }
                }
                Stage::Talking(mut transport, mut talk) => {
                    if talk.turn(&mut *transport, cx)? {
                        Stage::Standing(transport)
                    } else {
                        self.stage = Stage::Talking(transport, talk);
                        return Ok(None);
                    }
                }
                Stage::Securing(mut transport) => match transport.establish() {
                    Ok(Established::Done) => Stage::Standing(transport),
                    Ok(Established::Pending) => {
                        self.stage = Stage::Securing(transport);
                        return Ok(None);
                    }
                    Err(error) => {
                        let failed = Error::new(ErrorKind::Tls, Phase::Tls, &error);
                        return Err(failed.caused_by(error));
                    }
                },
                Stage::Over => {
                    let message = "the connection was given up before";
                    return Err(Error::new(ErrorKind::Connect, Phase::Connect, message));
                }
            };
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match self.stage {
            Stage::Dialing => self.dialing.deadline(),
            _ => None,
        }
    }

    fn phase(&self) -> Phase {
        match &self.stage {
            Stage::Dialing if self.dialing.is_resolving() => Phase::Resolve,
            Stage::Dialing | Stage::Over => Phase::Connect,
            Stage::Resolving(..) | Stage::Talking(..) => Phase::Proxy,
            Stage::Securing(_) => Phase::Tls,
            Stage::Standing(_) => Phase::Connect,
        }
    }

    fn dialed(&self) -> Option<Dialed> {
        Some(Dialed {
            addresses: self.dialing.addresses().to_vec(),
            attempts: self.dialing.attempts().iter().map(DialAttempt::of).collect(),
            resolution: self.dialing.resolution(),
        })
    }
}

impl Talk {
    fn new(handshake: impl Handshake + 'static) -> Self {
        let handshake = Box::new(handshake);
        Self { handshake, out: Outbox::new(), input: Vec::new(), begun: false }
    }

    /// Carries the conversation on; whether it is over.
    fn turn(&mut self, transport: &mut dyn Transport, cx: &mut Turn<'_>) -> Result<bool, Error> {
        if !std::mem::replace(&mut self.begun, true) {
            self.step()?;
        }
        loop {
            if !self.out.is_empty() && cx.writable() {
                cx.write(transport, &mut self.out).map_err(broken)?;
            }
            if !cx.readable() {
                return Ok(false);
            }
            let mut room = [0; 1024];
            match cx.read(transport, &mut room).map_err(broken)? {
                Input::Blocked => return Ok(false),
                Input::Closed => {
                    return Err(broken(std::io::ErrorKind::UnexpectedEof.into()));
                }
                Input::Bytes(count) => self.input.extend_from_slice(&room[..count]),
            }
            if self.step()? {
                return Ok(true);
            }
        }
    }

    fn step(&mut self) -> Result<bool, Error> {
        let (handshake, input) = (&mut self.handshake, &self.input);
        let (used, done) = self.out.append(|out| handshake.step(input, out))?;
        self.input.drain(..used);
        // Neither side of what is to come speaks before it was spoken to.
        if done && !self.input.is_empty() {
            let message = "something came through the proxy before anything was asked";
            return Err(Error::new(ErrorKind::Proxy, Phase::Proxy, message));
        }
        Ok(done)
    }
}

fn broken(error: std::io::Error) -> Error {
    let message = match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "the proxy closed without an answer".to_owned(),
        _ => format!("the connection to the proxy failed: {error}"),
    };
    Error::new(ErrorKind::Proxy, Phase::Proxy, message).caused_by(error)
}

impl DialAttempt {
    fn of(attempt: &avocet_net::Attempt) -> Self {
        let result = match &attempt.outcome {
            avocet_net::Outcome::Connected => Some(Ok(())),
            avocet_net::Outcome::Failed(error) => Some(Err(error.to_string())),
            _ => None,
        };
        let (after, duration) = (attempt.after, attempt.duration);
        Self { address: attempt.address, after, duration, result }
    }
}
