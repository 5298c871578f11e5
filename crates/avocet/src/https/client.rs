//! Clients of https.

use std::sync::{Arc, OnceLock};

use avocet_client::{Config, Dialer, Error, ErrorKind, Peer, Phase, Secure};
use avocet_net::Transport;
use avocet_tls::{ClientSettings, ClientTls, Roots, TlsError};

/// Settings for https: HTTP/1.1 inside.
pub fn client_settings(roots: Roots) -> ClientSettings {
    ClientSettings::new(roots).protocols(super::PROTOCOLS)
}

/// The default settings of a client, with https by the roots of the system, which are read when they
/// are first needed.
///
/// ```no_run
/// use avocet::client::Client;
///
/// let client = Client::with_config(avocet::https::config());
/// println!("{}", client.get("https://localhost:4443/").send()?.status());
/// # Ok::<(), avocet::client::Error>(())
/// ```
pub fn config() -> Config {
    let mut config = Config::default();
    let tls = OverTls::when_needed(client_settings(Roots::system()));
    config.connector = Arc::new(Dialer::new().secure(Arc::new(tls)));
    config
}

/// TLS for the connections of a client; for [`Dialer::secure`].
#[derive(Debug)]
pub struct OverTls {
    settings: Option<ClientSettings>,
    opened: OnceLock<Result<ClientTls, TlsError>>,
    proxies: Option<Box<Self>>,
}

impl OverTls {
    /// By these means.
    pub fn new(tls: ClientTls) -> Self {
        Self { settings: None, opened: OnceLock::from(Ok(tls)), proxies: None }
    }

    /// By these settings, whose files are read at the first connection that needs them.
    ///
    /// *Blocking*: that connection waits for it, and the loop with it.
    pub fn when_needed(settings: ClientSettings) -> Self {
        Self { settings: Some(settings), opened: OnceLock::new(), proxies: None }
    }

    /// The same with other means for proxies of https: whom hosts are to trust, and which key they
    /// must have, is nothing to them.
    #[must_use]
    pub fn for_proxies(mut self, proxies: Self) -> Self {
        self.proxies = Some(Box::new(proxies));
        self
    }

    fn tls(&self) -> Result<&ClientTls, Error> {
        let open = || {
            let settings = self.settings.clone();
            ClientTls::open(settings.unwrap_or_else(|| client_settings(Roots::system())))
        };
        self.opened.get_or_init(open).as_ref().map_err(failed)
    }
}

impl Secure for OverTls {
    fn wrap(
        &self,
        transport: Box<dyn Transport>,
        peer: &Peer<'_>,
    ) -> Result<Box<dyn Transport>, Error> {
        if let (Some(proxies), true) = (&self.proxies, peer.is_proxy) {
            return proxies.wrap(transport, peer);
        }
        let wrapped = self.tls()?.wrap(transport, peer.host);
        Ok(Box::new(wrapped.map_err(|error| failed(&error))?))
    }
}

fn failed(error: &TlsError) -> Error {
    Error::new(ErrorKind::Tls, Phase::Tls, error).caused_by(error.clone())
}
