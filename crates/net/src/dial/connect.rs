//! Sockets that connect without waiting.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;
use socket2::{Domain, Protocol, SockAddr, Socket, TcpKeepalive, Type};

use crate::address::Address;
use crate::socket::SocketTransport;
use crate::transport::{PeerInfo, Transport};

/// Where our own end of a connection is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Local {
    /// The source address; addresses of the other family are then not tried.
    pub address: Option<IpAddr>,
    /// The network interface, by its name.
    pub interface: Option<String>,
    /// After how much silence the system asks whether the other end is still there, and how often then.
    /// `None` never asks.
    pub keepalive: Option<Duration>,
}

/// Begins a TCP connection; the transport's `establish` completes it. Small writes leave at once
/// (TCP_NODELAY).
///
/// *Errors*: those of the system that show at once, as when there is no route; `InvalidInput` when
/// the source address is of the other family.
pub fn connect_tcp(address: SocketAddr, local: &Local) -> io::Result<Box<dyn Transport>> {
    Ok(Box::new(begin_tcp(address, local)?))
}

/// Begins a connection to a socket in the file system.
///
/// *Errors*: `NotFound` and the like when nobody listens there; `WouldBlock` when the listener's queue
/// is full, and then no event will tell when it is not.
pub fn connect_unix(path: &Path) -> io::Result<Box<dyn Transport>> {
    Ok(Box::new(begin_unix(path)?))
}

pub(crate) fn begin_tcp(
    address: SocketAddr,
    local: &Local,
) -> io::Result<SocketTransport<mio::net::TcpStream>> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    if let Some(time) = local.keepalive {
        let keepalive = TcpKeepalive::new().with_time(time).with_interval(time);
        socket.set_tcp_keepalive(&keepalive)?;
    }
    if let Some(interface) = &local.interface {
        bind_interface(&socket, interface)?;
    }
    if let Some(source) = local.address {
        if source.is_ipv4() != address.is_ipv4() {
            let message = format!("the source address {source} is of the other family");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        socket.bind(&SocketAddr::new(source, 0).into())?;
    }
    begin(&socket, &address.into())?;
    let info = PeerInfo::new(Address::Ip(address), Address::Memory);
    let socket = mio::net::TcpStream::from_std(socket.into());
    Ok(SocketTransport::connecting(socket, info))
}

pub(crate) fn begin_unix(path: &Path) -> io::Result<SocketTransport<mio::net::UnixStream>> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    begin(&socket, &SockAddr::unix(path)?)?;
    let remote = Address::Unix(Some(Arc::from(path)));
    let info = PeerInfo::new(remote, Address::Unix(None));
    let socket = mio::net::UnixStream::from_std(socket.into());
    Ok(SocketTransport::connecting(socket, info))
}

fn begin(socket: &Socket, address: &SockAddr) -> io::Result<()> {
    match socket.connect(address) {
        // The connection goes on without us (connect(2) says so of EINTR too).
        Err(error) if is_under_way(&error) => Ok(()),
        result => result,
    }
}

fn is_under_way(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::INPROGRESS | Errno::INTR))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn bind_interface(socket: &Socket, interface: &str) -> io::Result<()> {
    let named = |error: io::Error| {
        io::Error::new(error.kind(), format!("cannot use the interface {interface}: {error}"))
    };
    socket.bind_device(Some(interface.as_bytes())).map_err(named)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn bind_interface(_: &Socket, _: &str) -> io::Result<()> {
    let message = "this system binds to addresses and not to interfaces";
    Err(io::Error::new(io::ErrorKind::Unsupported, message))
}
