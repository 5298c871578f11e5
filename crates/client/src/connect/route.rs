//! The way to a host.

use url::Url;

use crate::error::{Error, ErrorKind, Phase};
use crate::proxy::{Proxy, ProxyKind};

/// What a connection is for. Connections are shared only between equal routes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Route {
    /// Whether TLS is spoken with the host.
    pub secure: bool,
    /// The host, a name or an address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Proxies on the way, first to last.
    pub via: Vec<Proxy>,
}

impl Route {
    /// The route to the host of a URL.
    ///
    /// *Errors*: a scheme other than http and https, or no host.
    pub fn of(url: &Url, via: Vec<Proxy>) -> Result<Self, Error> {
        let (secure, host, port) = place(url)?;
        Ok(Self { secure, host: host.to_owned(), port, via })
    }

    /// Whether this is the route to the host of a URL.
    pub(crate) fn leads_to(&self, url: &Url, via: &[Proxy]) -> bool {
        place(url).is_ok_and(|place| place == (self.secure, self.host.as_str(), self.port))
            && self.via == via
    }

    /// Whether requests name the whole URL: plain http whose last proxy is one of HTTP and does not
    /// tunnel.
    pub fn wants_absolute_form(&self) -> bool {
        !self.secure
            && self.via.last().is_some_and(|proxy| {
                !proxy.tunnel && matches!(proxy.kind, ProxyKind::Http | ProxyKind::Https)
            })
    }
}

/// Whether TLS is wanted, the host without brackets, and the port.
///
/// *Errors*: a scheme other than http and https, or no host.
pub(crate) fn place(url: &Url) -> Result<(bool, &str, u16), Error> {
    let bad = |message: &str| Error::new(ErrorKind::Url, Phase::Prepare, message).about(url);
    let secure = match url.scheme() {
        "http" => false,
        "https" => true,
        other => return Err(bad(&format!("the scheme {other} is not spoken here"))),
    };
    let host = url.host_str().unwrap_or_default();
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if host.is_empty() {
        return Err(bad("there is no host in it"));
    }
    let port = url.port_or_known_default().ok_or_else(|| bad("there is no port in it"))?;
    Ok((secure, host, port))
}
