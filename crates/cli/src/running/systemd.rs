//! Sockets that a supervisor hands over, and what it is told (sd_listen_fds(3), sd_notify(3)).

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use avocet::net::Listener;
use listenfd::ListenFd;
use rustix::time::{ClockId, clock_gettime};

use crate::failure::Failure;

/// The sockets that were handed over; none without a supervisor.
///
/// *Errors*: one that does not listen to streams.
pub(super) fn sockets() -> Result<Vec<Listener>, Failure> {
    let mut handed = ListenFd::from_env();
    let mut sockets = Vec::new();
    for index in 0..handed.len() {
        let wrong = |error: io::Error| {
            Failure::failed(format_args!("socket {index} of the supervisor: {error}"))
        };
        let tcp = handed.take_tcp_listener(index);
        let listener = match tcp {
            Ok(Some(listener)) => Listener::adopt_tcp(listener),
            // It is there still when it is of another kind.
            _ => match handed.take_unix_listener(index).map_err(wrong)? {
                Some(listener) => Listener::adopt_unix(listener),
                None => continue,
            },
        };
        sockets.push(listener.map_err(wrong)?);
    }
    Ok(sockets)
}

/// Tells the supervisor how things stand; nothing happens without one.
pub(super) fn notify(state: &str) {
    let Some(name) = env::var_os("NOTIFY_SOCKET") else { return };
    if let Err(error) = send(&name, state) {
        log::warn!("cannot tell the supervisor {state}: {error}");
    }
}

/// Tells that settings are read, and when that began, by which an old message is known from a new one.
pub(super) fn notify_reloading() {
    let now = clock_gettime(ClockId::Monotonic);
    let microseconds = now.tv_sec * 1_000_000 + now.tv_nsec / 1000;
    notify(&format!("RELOADING=1\nMONOTONIC_USEC={microseconds}"));
}

/// The name is a path, or after an at sign one that stands in no file system.
fn send(name: &OsStr, state: &str) -> io::Result<()> {
    let address = match name.as_bytes().strip_prefix(b"@") {
        Some(name) => without_file(name)?,
        None => SocketAddr::from_pathname(name)?,
    };
    UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address).map(drop)
}

#[cfg(target_os = "linux")]
fn without_file(name: &[u8]) -> io::Result<SocketAddr> {
    <SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(name)
}

#[cfg(not(target_os = "linux"))]
fn without_file(_: &[u8]) -> io::Result<SocketAddr> {
    Err(io::ErrorKind::Unsupported.into())
}
