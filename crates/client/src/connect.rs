//! Where a connection goes and who makes it.

use std::fmt;
use std::time::Instant;

use avocet_net::{Transport, Turn};
use http::StatusCode;
use url::Url;

use crate::error::{Error, ErrorKind, Phase};

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

/// A proxy.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Proxy {
    /// What it speaks.
    pub kind: ProxyKind,
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// User and password for it.
    pub credentials: Option<(String, String)>,
}

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProxyKind {
    /// HTTP: absolute-form for http, CONNECT for https.
    Http,
    /// HTTP over TLS.
    Https,
    /// SOCKS 4; the name is looked up here.
    Socks4,
    /// SOCKS 4 with the name looked up by the proxy.
    Socks4a,
    /// SOCKS 5; the name is looked up here.
    Socks5,
    /// SOCKS 5 with the name looked up by the proxy.
    Socks5h,
}

/// Makes connections.
pub trait Connector: Send + Sync {
    /// Begins a connection.
    fn connect(&self, route: &Route) -> Box<dyn Connect>;
}

/// A connection in the making.
pub trait Connect {
    /// Does what is possible now. The transport that comes out is established, and registered with
    /// the task whose turn this is.
    fn turn(&mut self, cx: &mut Turn<'_>) -> Result<Option<Box<dyn Transport>>, Error>;

    /// When a turn is wanted although nothing happens.
    fn deadline(&self) -> Option<Instant>;

    /// The phase it is in.
    fn phase(&self) -> Phase;
}

impl Route {
    /// The route to the host of a URL.
    ///
    /// *Errors*: a scheme other than http and https, or no host.
    pub fn of(url: &Url, via: Vec<Proxy>) -> Result<Self, Error> {
        let bad = |message: &str| Error::new(ErrorKind::Url, Phase::Prepare, message).about(url);
        let secure = match url.scheme() {
            "http" => false,
            "https" => true,
            other => return Err(bad(&format!("the scheme {other} is not spoken here"))),
        };
        let host = match url.host() {
            Some(url::Host::Domain(name)) if !name.is_empty() => name.to_owned(),
            Some(url::Host::Ipv4(address)) => address.to_string(),
            Some(url::Host::Ipv6(address)) => address.to_string(),
            _ => return Err(bad("there is no host in it")),
        };
        let port = url.port_or_known_default().ok_or_else(|| bad("there is no port in it"))?;
        Ok(Self { secure, host, port, via })
    }

    /// Whether requests name the whole URL: plain http through an HTTP proxy.
    pub fn wants_absolute_form(&self) -> bool {
        let last = self.via.last().map(|proxy| proxy.kind);
        !self.secure && matches!(last, Some(ProxyKind::Http | ProxyKind::Https))
    }
}

impl Proxy {
    /// The error of a proxy that asks for a password, or for another one.
    pub(crate) fn wants_password(&self) -> Error {
        let again = if self.credentials.is_some() { "another password" } else { "a password" };
        let message = format!("the proxy {} port {} wants {again}", self.host, self.port);
        Error::new(ErrorKind::Proxy, Phase::Proxy, message)
            .with_status(StatusCode::PROXY_AUTHENTICATION_REQUIRED)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = if self.credentials.is_some() { "***@" } else { "" };
        write!(f, "{:?}://{secret}{}:{}", self.kind, self.host, self.port)
    }
}
