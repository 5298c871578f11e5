//! What a person is told when a verb is ready: what is served, to whom, and where.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use avocet::net::Address;

use crate::output;

/// Where a server is reached.
pub(crate) struct Reached {
    /// By a browser on this machine.
    pub(crate) url: String,
    /// By others, as far as it can be told.
    pub(crate) network_url: Option<String>,
}

impl Reached {
    pub(super) fn at(address: &Address, is_secure: bool) -> Self {
        let scheme = if is_secure { "https" } else { "http" };
        Self { url: url(address, scheme), network_url: network_url(address, scheme) }
    }
}

/// Tells that a verb is ready.
pub(super) fn announce(what: &str, address: &Address, is_secure: bool) {
    let whom = if is_public(address) { "the network" } else { "this machine" };
    let reached = Reached::at(address, is_secure);
    if is_secure {
        output::line(format_args!("Serving HTTPS Server on {address} ..."));
    }
    output::line(format_args!("{what} to {whom} on {}", reached.url));
    if let Some(url) = reached.network_url {
        output::line(format_args!("Others reach it by {url}"));
    }
}

/// The URL of an address, as a browser on this machine takes it.
fn url(address: &Address, scheme: &str) -> String {
    match address {
        Address::Ip(address) if address.ip().is_unspecified() => {
            format!("{scheme}://localhost:{}/", address.port())
        }
        Address::Ip(address) => format!("{scheme}://{address}/"),
        other => other.to_string(),
    }
}

/// The URL by which other machines reach an address of every interface, as far as it can be told.
fn network_url(address: &Address, scheme: &str) -> Option<String> {
    let Address::Ip(address) = address else { return None };
    if !address.ip().is_unspecified() {
        return is_public(&Address::Ip(*address)).then(|| format!("{scheme}://{address}/"));
    }
    let own = own_address()?;
    Some(format!("{scheme}://{}/", SocketAddr::new(own, address.port())))
}

fn is_public(address: &Address) -> bool {
    matches!(address, Address::Ip(address) if !address.ip().to_canonical().is_loopback())
}

/// The address from which this machine would send to others. Connecting a datagram socket sends
/// nothing; it makes the kernel choose.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // An address of RFC 5737, which is nobody's.
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let own = socket.local_addr().ok()?.ip();
    (!own.is_loopback() && !own.is_unspecified()).then_some(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reaches_an_address() {
        let ip = |text: &str| Address::Ip(text.parse().unwrap());
        for (text, public, shown) in [
            ("127.0.0.1:80", false, "http://127.0.0.1:80/"),
            ("[::1]:80", false, "http://[::1]:80/"),
            ("[::ffff:127.0.0.1]:80", false, "http://[::ffff:127.0.0.1]:80/"),
            ("[::]:80", true, "http://localhost:80/"),
            ("10.0.0.1:80", true, "http://10.0.0.1:80/"),
        ] {
            let address = ip(text);
            assert_eq!((is_public(&address), &*url(&address, "http")), (public, shown), "{text}");
        }
        assert_eq!(network_url(&ip("127.0.0.1:80"), "http"), None);
        assert_eq!(
            network_url(&ip("10.0.0.1:80"), "https").as_deref(),
            Some("https://10.0.0.1:80/")
        );
        assert!(!is_public(&Address::Unix(None)));
    }
}
