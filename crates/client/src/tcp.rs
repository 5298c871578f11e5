//! Plain connections: look the name up, connect.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use avocet_net::{Address, PeerInfo, Readiness, SocketTransport, Transport, Turn, WorkerPool};
use mio::Interest;
use mio::net::TcpStream;

use crate::connect::{Connect, Connector, Route};
use crate::error::{Error, ErrorKind, Phase};

/// Connects over TCP, without proxies and TLS.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpConnector;

/// A connection in the making.
struct Connecting {
    /// TLS is not spoken by this connector: what is meant to be secret must not go out in clear.
    secure: bool,
    host: String,
    port: u16,
    stage: Stage,
    last: Option<io::Error>,
}

enum Stage {
    Unresolved,
    Resolving(Arc<Mutex<Option<io::Result<Vec<SocketAddr>>>>>),
    Trying { rest: Vec<SocketAddr>, stream: Option<(TcpStream, SocketAddr)> },
}

impl Connector for TcpConnector {
    fn connect(&self, route: &Route) -> Box<dyn Connect> {
        let (host, port) = (route.host.clone(), route.port);
        Box::new(Connecting {
            secure: route.secure,
            host,
            port,
            stage: Stage::Unresolved,
            last: None,
        })
    }
}

impl Connecting {
    fn resolve(&self, cx: &Turn<'_>) -> Result<Stage, Error> {
        if let Ok(address) = self.host.parse::<IpAddr>() {
            let rest = vec![SocketAddr::new(address, self.port)];
            return Ok(Stage::Trying { rest, stream: None });
        }
        let found = Arc::new(Mutex::new(None));
        let (slot, notifier) = (found.clone(), cx.notifier());
        let (host, port) = (self.host.clone(), self.port);
        let queued = resolvers().execute(move || {
            let addresses = (host.as_str(), port).to_socket_addrs().map(Iterator::collect);
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(addresses);
            notifier.wake();
        });
        let busy = "too many names are being looked up";
        queued.map_err(|_| Error::new(ErrorKind::Resolve, Phase::Resolve, busy))?;
        Ok(Stage::Resolving(found))
    }

    fn unresolved(&self, error: &io::Error) -> Error {
        let message = format!("the host {} has no address: {error}", self.host);
        Error::new(ErrorKind::Resolve, Phase::Resolve, message)
    }

    fn refused(&mut self) -> Error {
        let (host, port) = (&self.host, self.port);
        match self.last.take() {
            Some(error) => {
                let message = format!("cannot connect to {host} port {port}: {error}");
                Error::new(ErrorKind::Connect, Phase::Connect, message).caused_by(error)
            }
            None => Error::new(
                ErrorKind::Resolve,
                Phase::Resolve,
                format_args!("the host {host} has no address"),
            ),
        }
    }
}

impl Connect for Connecting {
    fn turn(&mut self, cx: &mut Turn<'_>) -> Result<Option<Box<dyn Transport>>, Error> {
        if self.secure {
            let message =
                format!("the host {} wants TLS, which this client was not given", self.host);
            return Err(Error::new(ErrorKind::Tls, Phase::Tls, message));
        }
        loop {
            match &mut self.stage {
                Stage::Unresolved => self.stage = self.resolve(cx)?,
                Stage::Resolving(found) => {
                    let found = found.lock().unwrap_or_else(PoisonError::into_inner).take();
                    match found {
                        None => return Ok(None),
                        Some(Err(error)) => return Err(self.unresolved(&error)),
                        Some(Ok(mut rest)) => {
                            rest.reverse();
                            self.stage = Stage::Trying { rest, stream: None };
                        }
                    }
                }
                Stage::Trying { rest, stream } => {
                    let Some((mut open, address)) = stream.take() else {
                        let Some(address) = rest.pop() else { return Err(self.refused()) };
                        match begin(address, cx) {
                            Ok(open) => *stream = Some((open, address)),
                            Err(error) => self.last = Some(error),
                        }
                        return match &self.stage {
                            Stage::Trying { stream: Some(_), .. } => Ok(None),
                            _ => continue,
                        };
                    };
                    match connected(&open) {
                        Ok(true) => return finish(open, address).map(Some),
                        Ok(false) => {
                            cx.clear(Readiness::WRITABLE);
                            *stream = Some((open, address));
                            return Ok(None);
                        }
                        Err(error) => {
                            if let Err(error) = cx.deregister_source(&mut open) {
                                log::debug!("deregistering an attempt: {error}");
                            }
                            self.last = Some(error);
                        }
                    }
                }
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn phase(&self) -> Phase {
        match self.stage {
            Stage::Unresolved | Stage::Resolving(_) => Phase::Resolve,
            Stage::Trying { .. } => Phase::Connect,
        }
    }
}

fn begin(address: SocketAddr, cx: &mut Turn<'_>) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    cx.register_source(&mut stream, Interest::READABLE | Interest::WRITABLE)?;
    Ok(stream)
}

/// Whether the connection stands; an error when it failed.
fn connected(stream: &TcpStream) -> io::Result<bool> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    match stream.peer_addr() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
        Err(error) => Err(error),
    }
}

fn finish(stream: TcpStream, address: SocketAddr) -> Result<Box<dyn Transport>, Error> {
    let failed =
        |error: io::Error| Error::new(ErrorKind::Connect, Phase::Connect, &error).caused_by(error);
    stream.set_nodelay(true).map_err(failed)?;
    let local = Address::Ip(stream.local_addr().map_err(failed)?);
    let info = PeerInfo { remote: Address::Ip(address), local };
    Ok(Box::new(SocketTransport::new(stream, info)))
}

/// Threads that look names up, since the system's way of doing it blocks.
fn resolvers() -> &'static WorkerPool {
    static RESOLVERS: OnceLock<WorkerPool> = OnceLock::new();
    RESOLVERS.get_or_init(|| WorkerPool::with_bounds(8, 1024))
}
