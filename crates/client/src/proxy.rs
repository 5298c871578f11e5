//! Proxies, and which of them a URL goes through.

mod parse;
mod pattern;
mod rules;

use std::fmt;

use url::Url;

use crate::error::{Error, ErrorKind, Phase};

pub use pattern::HostPatterns;
pub use rules::Proxies;

/// A proxy.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Proxy {
    /// What it speaks.
    pub kind: ProxyKind,
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// User and password for it.
    pub credentials: Option<(String, String)>,
    /// Whether a proxy of HTTP is asked for a tunnel for plain http too, as it is for https.
    pub tunnel: bool,
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

/// Chooses proxies.
pub trait ChooseProxy: Send + Sync {
    /// The proxies for a URL, first to last.
    ///
    /// *Errors*: a setting that cannot be understood; the transfer is not made then.
    fn choose(&self, url: &Url) -> Result<Vec<Proxy>, Error>;
}

/// Direct connections only.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProxy;

impl ChooseProxy for NoProxy {
    fn choose(&self, _url: &Url) -> Result<Vec<Proxy>, Error> {
        Ok(Vec::new())
    }
}

impl Proxy {
    /// A proxy that wants no password.
    pub fn new(kind: ProxyKind, host: impl Into<String>, port: u16) -> Self {
        Self { kind, host: host.into(), port, credentials: None, tunnel: false }
    }

    /// The error of a proxy that asks for a password, or for another one.
    pub(crate) fn wants_password(&self) -> Error {
        let again = if self.credentials.is_some() { "another password" } else { "a password" };
        let message = format!("the proxy {} port {} wants {again}", self.host, self.port);
        Error::new(ErrorKind::Proxy, Phase::Proxy, message)
            .with_status(http::StatusCode::PROXY_AUTHENTICATION_REQUIRED)
    }
}

impl ProxyKind {
    /// Whether the proxy is told names and looks them up itself.
    pub(crate) fn takes_names(self) -> bool {
        !matches!(self, Self::Socks4 | Self::Socks5)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = if self.credentials.is_some() { "***@" } else { "" };
        write!(f, "{:?}://{secret}{}:{}", self.kind, self.host, self.port)
    }
}
