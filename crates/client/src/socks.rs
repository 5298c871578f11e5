//! SOCKS, versions 4, 4a and 5, as machines over bytes: they know no socket.
//!
//! Version 5 with `h` and version 4a tell the proxy names; without, it is told addresses.

mod v4;
mod v5;

use std::net::SocketAddr;

use crate::connect::Handshake;
use crate::error::{Error, ErrorKind, Phase};
use crate::proxy::{Proxy, ProxyKind};

/// Where a proxy is to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    Address(SocketAddr),
    Name(String, u16),
}

/// Asks a proxy of SOCKS for a connection.
pub(crate) enum Socks {
    V4(v4::Machine),
    V5(v5::Machine),
}

impl Socks {
    /// The conversation with a proxy of this kind.
    ///
    /// *Errors*: a name, password or destination that the version cannot tell the proxy.
    pub(crate) fn new(proxy: Proxy, destination: Destination) -> Result<Self, Error> {
        Ok(match proxy.kind {
            ProxyKind::Socks4 | ProxyKind::Socks4a => {
                Self::V4(v4::Machine::new(proxy, destination)?)
            }
            _ => Self::V5(v5::Machine::new(proxy, destination)?),
        })
    }
}

impl Handshake for Socks {
    fn step(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(usize, bool), Error> {
        match self {
            Self::V4(machine) => machine.step(input, out),
            Self::V5(machine) => machine.step(input, out),
        }
    }
}

fn refused(proxy: &Proxy, reason: &str) -> Error {
    let message = format!("the proxy {} port {}: {reason}", proxy.host, proxy.port);
    Error::new(ErrorKind::Proxy, Phase::Proxy, message)
}

fn unusable(what: &str) -> Error {
    Error::new(ErrorKind::Request, Phase::Proxy, what)
}
