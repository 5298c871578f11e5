//! TLS, which comes from outside this crate.

use avocet_net::Transport;

use crate::error::Error;

/// Puts TLS over connections.
pub trait Secure: Send + Sync {
    /// A transport that speaks TLS with a peer over another one, which is established and registered.
    /// Its own [`Transport::establish`] makes the handshake and checks who the peer is.
    ///
    /// *Errors*: the peer's name cannot be one of a certificate, or the settings do not fit.
    fn wrap(
        &self,
        transport: Box<dyn Transport>,
        peer: &Peer<'_>,
    ) -> Result<Box<dyn Transport>, Error>;
}

/// Whom TLS is spoken with.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Peer<'a> {
    /// Its name, or its address without brackets.
    pub host: &'a str,
    /// Whether it is a proxy on the way and not the host of the URL.
    pub is_proxy: bool,
}
