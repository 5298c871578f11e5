//! Where a server listens and where a connection comes from.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};

/// One end of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// An internet address and port.
    Ip(SocketAddr),
    /// A path in the file system; peers mostly have none.
    Unix(Option<Arc<Path>>),
    /// An end in memory.
    Memory,
}

/// An address to listen on, as a person writes it.
///
/// | text | meaning |
/// |---|---|
/// | `8080` | port 8080 on 127.0.0.1 |
/// | `:8080` | port 8080 on every interface, IPv6 and IPv4 |
/// | `127.0.0.1:0` | any free port |
/// | `[::1]:80`, `localhost:80` | as they say |
/// | `unix:/path` | a socket in the file system |
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddress {
    /// A host and port.
    Tcp {
        /// A name or address; empty is every interface.
        host: String,
        /// 0 is any free one.
        port: u16,
    },
    /// A path in the file system.
    Unix(PathBuf),
}

/// A socket that listens, blocking or not as [`crate::Acceptor`] needs it.
pub enum Listener {
    /// TCP.
    Tcp(std::net::TcpListener),
    /// A path; the file is removed when the last of the listeners is dropped.
    Unix(UnixListener, Arc<SocketFile>),
}

/// The file of a unix socket, removed on drop if it is still the one that was made here: a
/// successor may have put its own in its place.
pub struct SocketFile {
    path: PathBuf,
    /// Device and number of the file.
    identity: (u64, u64),
}

/// A text that is no address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseListenError(String);

/// An address that could not be listened on.
#[derive(Debug)]
pub struct BindError {
    address: ListenAddress,
    source: io::Error,
}

impl ListenAddress {
    /// The given port of 127.0.0.1.
    pub fn loopback(port: u16) -> Self {
        Self::Tcp { host: Ipv4Addr::LOCALHOST.to_string(), port }
    }

    /// The given port of every interface.
    pub fn public(port: u16) -> Self {
        Self::Tcp { host: String::new(), port }
    }

    /// Listens, with `count` sockets that share the connections (SO_REUSEPORT for TCP, one socket
    /// several times for a path), each with a queue of 1,024 connections.
    ///
    /// A port that another program holds is an error even if that program would share it: only the
    /// sockets of this call share.
    ///
    /// *Blocking*: looks a host name up.
    pub fn bind(&self, count: usize) -> Result<Vec<Listener>, BindError> {
        let bound = match self {
            Self::Tcp { host, port } => bind_tcp(host, *port, count),
            Self::Unix(path) => bind_unix(path, count),
        };
        bound.map_err(|source| BindError { address: self.clone(), source })
    }
}

impl Listener {
    /// A socket that listens already, as a supervisor hands it over.
    ///
    /// *Errors*: those of the system.
    pub fn adopt_tcp(listener: std::net::TcpListener) -> io::Result<Self> {
        SockRef::from(&listener).set_tcp_nodelay(true)?;
        listener.set_nonblocking(true)?;
        Ok(Self::Tcp(listener))
    }

    /// The same with a path, which stays when the server ends: it is its maker's.
    ///
    /// *Errors*: those of the system.
    pub fn adopt_unix(listener: UnixListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let path = listener.local_addr()?.as_pathname().map(Path::to_owned).unwrap_or_default();
        Ok(Self::Unix(listener, Arc::new(SocketFile { path, identity: NOBODYS })))
    }

    /// Another one for the same queue of connections.
    ///
    /// *Errors*: no descriptor is left.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Tcp(listener) => Self::Tcp(listener.try_clone()?),
            Self::Unix(listener, file) => Self::Unix(listener.try_clone()?, file.clone()),
        })
    }

    /// The real address, with the port that was chosen where 0 was asked for.
    pub fn address(&self) -> io::Result<Address> {
        Ok(match self {
            Self::Tcp(listener) => Address::Ip(listener.local_addr()?),
            Self::Unix(_, file) => Address::Unix(Some(Arc::from(file.path.as_path()))),
        })
    }
}

impl BindError {
    /// Something else that kept a server from listening on this address.
    pub fn new(address: ListenAddress, source: io::Error) -> Self {
        Self { address, source }
    }

    /// The kind of the system's error: `AddrInUse`, `PermissionDenied` and so on.
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }
}

impl FromStr for ListenAddress {
    type Err = ParseListenError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || ParseListenError(text.to_owned());
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.is_empty() { Err(bad()) } else { Ok(Self::Unix(path.into())) };
        }
        if let Some(port) = port_of(text) {
            return Ok(Self::loopback(port));
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(bad)?;
        let port = port_of(port).ok_or_else(bad)?;
        let host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(inner) if inner.parse::<Ipv6Addr>().is_ok() => inner,
            Some(_) => return Err(bad()),
            None if host.contains([':', '[', ']', '/', ' ']) => return Err(bad()),
            None => host,
        };
        Ok(Self::Tcp { host: host.to_owned(), port })
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Unix(Some(path)) => write!(f, "unix:{}", path.display()),
            Self::Unix(None) => f.write_str("unix:"),
            Self::Memory => f.write_str("memory"),
        }
    }
}

impl fmt::Display for ParseListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no address to listen on: use PORT, :PORT, HOST:PORT, [IPV6]:PORT or unix:PATH",
            self.0
        )
    }
}

impl Error for ParseListenError {}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot listen on {}: ", self.address)?;
        match self.source.kind() {
            io::ErrorKind::AddrInUse => f.write_str("another program listens there already"),
            io::ErrorKind::PermissionDenied => f.write_str("permission denied"),
            io::ErrorKind::AddrNotAvailable => f.write_str("this machine has no such address"),
            _ => self.source.fmt(f),
        }
    }
}

impl Error for BindError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

impl SocketFile {
    fn new(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), identity: identity(path)? })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if !identity(&self.path).is_ok_and(|identity| identity == self.identity) {
            return;
        }
        if let Err(error) = std::fs::remove_file(&self.path) {
            log::warn!("cannot remove {}: {error}", self.path.display());
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let file = std::fs::symlink_metadata(path)?;
    Ok((file.dev(), file.ino()))
}

/// Digits only: the standard library would take `+80` too.
fn port_of(text: &str) -> Option<u16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn bind_tcp(host: &str, port: u16, count: usize) -> io::Result<Vec<Listener>> {
    let mut address = match host {
        "" => SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port),
        _ => (host, port).to_socket_addrs()?.next().ok_or(io::ErrorKind::AddrNotAvailable)?,
    };
    let mut listeners = Vec::with_capacity(count.max(1));
    for index in 0..count.max(1) {
        let bound = bind_one(address, index, count);
        let listener = match bound {
            // A machine without IPv6 still has every interface it has.
            Err(_) if host.is_empty() && index == 0 && address.is_ipv6() => {
                address = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port);
                bind_one(address, index, count)?
            }
            bound => bound?,
        };
        address = listener.local_addr()?;
        listeners.push(Listener::Tcp(listener));
    }
    Ok(listeners)
}

fn bind_one(address: SocketAddr, index: usize, count: usize) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    // The first socket takes the port for itself, so that a port held elsewhere is noticed, and
    // opens it for the others afterwards.
    if index > 0 {
        socket.set_reuse_port(true)?;
    }
    socket.bind(&address.into())?;
    if index == 0 && count > 1 {
        socket.set_reuse_port(true)?;
    }
    // Accepted sockets inherit this from their listener, which saves a call for each.
    socket.set_tcp_nodelay(true)?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn bind_unix(path: &Path, count: usize) -> io::Result<Vec<Listener>> {
    let listener = match bind_path(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_stale(path)? => {
            std::fs::remove_file(path)?;
            bind_path(path)?
        }
        bound => bound?,
    };
    let file = Arc::new(SocketFile::new(path)?);
    let mut listeners = Vec::with_capacity(count.max(1));
    for _ in 1..count {
        listeners.push(Listener::Unix(listener.try_clone()?, file.clone()));
    }
    listeners.push(Listener::Unix(listener, file));
    Ok(listeners)
}

fn bind_path(path: &Path) -> io::Result<UnixListener> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// A socket file that nobody listens on is left over from a program that was killed.
fn is_stale(path: &Path) -> io::Result<bool> {
    if !std::fs::symlink_metadata(path)?.file_type().is_socket() {
        return Ok(false);
    }
    let refused = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    Ok(UnixStream::connect(path).as_ref().err().is_some_and(refused))
}

const BACKLOG: i32 = 1024;

/// No file has this identity.
const NOBODYS: (u64, u64) = (0, 0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_was_handed_over_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let handed = Listener::adopt_unix(UnixListener::bind(&path).unwrap()).unwrap();
        let clone = handed.try_clone().unwrap();
        assert_eq!(clone.address().unwrap(), Address::Unix(Some(Arc::from(path.as_path()))));
        drop((handed, clone));
        assert!(path.exists());
        let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = tcp.local_addr().unwrap();
        let handed = Listener::adopt_tcp(tcp).unwrap();
        assert_eq!(handed.try_clone().unwrap().address().unwrap(), Address::Ip(address));
    }

    fn parsed(text: &str) -> Result<String, String> {
        text.parse::<ListenAddress>().map(|a| a.to_string()).map_err(|e| e.to_string())
    }

    #[test]
    fn addresses_as_people_write_them() {
        assert_eq!(parsed("8080").unwrap(), "127.0.0.1:8080");
        assert_eq!(parsed(":8080").unwrap(), ":8080");
        assert_eq!(parsed("[::1]:80").unwrap(), "[::1]:80");
        assert_eq!(parsed("localhost:1").unwrap(), "localhost:1");
        assert_eq!(parsed("unix:/tmp/a b").unwrap(), "unix:/tmp/a b");
        for bad in [
            "",
            "x",
            "unix:",
            "1:2:3",
            "+80",
            ":+80",
            "[::1",
            "[x]:1",
            "h:70000",
            "a b:1",
            "http://h:1",
        ] {
            assert!(parsed(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn several_sockets_share_a_port_that_nobody_else_gets() {
        let listeners = ListenAddress::loopback(0).bind(3).unwrap();
        let addresses: Vec<_> = listeners.iter().map(|l| l.address().unwrap()).collect();
        assert_eq!(addresses[0], addresses[1]);
        assert_eq!(addresses[0], addresses[2]);
        let Address::Ip(address) = addresses[0] else { panic!("not TCP") };
        for count in [1, 2] {
            let error = ListenAddress::loopback(address.port()).bind(count).err().unwrap();
            assert_eq!(error.kind(), io::ErrorKind::AddrInUse, "{count} sockets");
        }
    }

    #[test]
    fn a_socket_file_is_taken_over_only_when_it_is_dead() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let address = ListenAddress::Unix(path.clone());
        let held = address.bind(2).unwrap();
        assert_eq!(address.bind(1).err().unwrap().kind(), io::ErrorKind::AddrInUse);
        drop(held);
        assert!(!path.exists());
        drop(UnixListener::bind(&path).unwrap());
        let old = address.bind(1).unwrap();
        assert_eq!(old.len(), 1);
        std::fs::remove_file(&path).unwrap();
        let new = address.bind(1).unwrap();
        drop(old);
        assert!(path.exists(), "the file of the successor stays");
        drop(new);
        std::fs::write(&path, "kept").unwrap();
        assert!(address.bind(1).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"kept");
    }
}
