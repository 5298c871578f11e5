//! TLS of clients: whom to trust, who one is, what is remembered.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use avocet_net::Transport;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, Connection, KeyLogFile, SupportedProtocolVersion};

use crate::describe::{Role, describe};
use crate::error::{ErrorKind, TlsError};
use crate::pem::{self, Credentials};
use crate::pin::Pin;
use crate::provider::Provider;
use crate::roots::Roots;
use crate::server::key_of;
use crate::transport::{Setup, TlsTransport};
use crate::verifier::Checks;

/// What a client needs for TLS.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    roots: Roots,
    revoked: Vec<PathBuf>,
    credentials: Option<(PathBuf, Option<PathBuf>)>,
    pins: Vec<Pin>,
    protocols: Vec<Vec<u8>>,
    unchecked: bool,
    only_13: bool,
    only_12: bool,
    log_keys: bool,
    provider: Option<Provider>,
}

/// TLS of a client, ready for connections. Clones share the memory of sessions: 256 of them.
#[derive(Clone)]
pub struct ClientTls {
    config: Arc<ClientConfig>,
    setup: Arc<Setup>,
    settings: Arc<ClientSettings>,
    /// The checks of certificates. Where connections go without they are made when somebody asks for
    /// one: the system has some hundred roots, and to read them takes longer than a request.
    checks: Arc<OnceLock<Result<Arc<Checks>, TlsError>>>,
}

impl ClientSettings {
    /// Trusts these.
    pub fn new(roots: Roots) -> Self {
        Self {
            roots,
            revoked: Vec::new(),
            credentials: None,
            pins: Vec::new(),
            protocols: Vec::new(),
            unchecked: false,
            only_13: false,
            only_12: false,
            log_keys: false,
            provider: None,
        }
    }

    /// Refuses certificates that stand in the revocation lists of this file, and those of which no
    /// list says anything.
    #[must_use]
    pub fn revoked(mut self, path: impl Into<PathBuf>) -> Self {
        self.revoked.push(path.into());
        self
    }

    /// Who one is, for servers that ask; the key from the same file or another one.
    #[must_use]
    pub fn credentials(mut self, certificates: impl Into<PathBuf>, key: Option<PathBuf>) -> Self {
        self.credentials = Some((certificates.into(), key));
        self
    }

    /// Servers must have one of these keys, in addition to all other checks.
    #[must_use]
    pub fn pins(mut self, pins: Vec<Pin>) -> Self {
        self.pins = pins;
        self
    }

    /// What is to be spoken inside, best first.
    #[must_use]
    pub fn protocols(mut self, names: &[&str]) -> Self {
        self.protocols = names.iter().map(|name| name.as_bytes().to_vec()).collect();
        self
    }

    /// Checks no certificate: whoever is on the way can be the server, and read and change everything.
    /// Pins still count. A program should shout when it does this.
    #[must_use]
    pub fn dangerously_unchecked(mut self) -> Self {
        self.unchecked = true;
        self
    }

    /// Speaks TLS 1.3 only.
    #[must_use]
    pub fn only_1_3(mut self) -> Self {
        (self.only_13, self.only_12) = (true, false);
        self
    }

    /// Speaks TLS 1.2 only.
    #[must_use]
    pub fn only_1_2(mut self) -> Self {
        (self.only_13, self.only_12) = (false, true);
        self
    }

    /// Appends the secrets of every connection to the file that SSLKEYLOGFILE names, if it names one:
    /// whoever has that file can read the recorded connections.
    #[must_use]
    pub fn log_keys(mut self) -> Self {
        self.log_keys = true;
        self
    }

    /// Other cryptography than the one compiled in.
    #[must_use]
    pub fn provider(mut self, provider: Provider) -> Self {
        self.provider = Some(provider);
        self
    }
}

impl ClientTls {
    /// Reads the files and puts everything together.
    ///
    /// *Errors*: what is missing, malformed or does not belong together, with the file's name. Where
    /// nothing is checked no roots are needed, and none are read.
    pub fn open(settings: ClientSettings) -> Result<Self, TlsError> {
        let provider = match &settings.provider {
            Some(provider) => provider.clone(),
            None => Provider::built_in()?,
        };
        let checks = OnceLock::new();
        let in_use = if settings.unchecked {
            let pins = settings.pins.clone();
            Arc::new(Checks { chain: None, pins, provider: provider.clone() })
        } else {
            let made = made_checks(&settings, &provider)?;
            checks.get_or_init(|| Ok(made.clone()));
            made
        };
        let config = config(&settings, &provider, in_use)?;
        let setup = Setup { provider, to_plaintext: Vec::new(), verifies: !settings.unchecked };
        Ok(Self {
            config: Arc::new(config),
            setup: Arc::new(setup),
            settings: Arc::new(settings),
            checks: Arc::new(checks),
        })
    }

    /// TLS with this host, a name or an address without brackets, around a transport.
    ///
    /// *Errors*: [`ErrorKind::Settings`]: a host that no certificate can be for.
    pub fn wrap<T: Transport>(
        &self,
        transport: T,
        host: &str,
    ) -> Result<TlsTransport<T>, TlsError> {
        let name = server_name(host)?;
        let conn = ClientConnection::new(self.config.clone(), name)
            .map_err(|error| describe(error, Role::Client { name: host }, false))?;
        let conn = Connection::Client(conn);
        Ok(TlsTransport::new(transport, conn, self.setup.clone(), Some(host.into())))
    }

    /// Checks a chain of certificates, DER and the own one first, as a connection with this host
    /// would, also if this client connects without.
    ///
    /// *Errors*: why it would be refused; with a client that connects without checks also why there can
    /// be none, as for [`ClientTls::open`].
    ///
    /// *Blocking*: such a client reads the files of roots and revocation lists with the first call.
    pub fn check(&self, chain: &[Vec<u8>], host: &str) -> Result<(), TlsError> {
        let name = server_name(host)?;
        let chain: Vec<_> = chain.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
        let none = || TlsError::new(ErrorKind::Protocol, format!("{host} shows no certificate"));
        let (leaf, others) = chain.split_first().ok_or_else(none)?;
        let make = || made_checks(&self.settings, &self.setup.provider);
        let checks = self.checks.get_or_init(make).as_ref().map_err(TlsError::clone)?;
        let checked = checks.verify_server_cert(leaf, others, &name, &[], UnixTime::now());
        checked.map(|_| ()).map_err(|error| describe(error, Role::Client { name: host }, false))
    }

    /// The pin of a public key as it stands in a certificate.
    pub fn pin(&self, public_key: &[u8]) -> Pin {
        Pin::of_digest(self.setup.provider.sha256(public_key))
    }

    /// The SHA-256 of these bytes in hexadecimal: what certificates are known by.
    pub fn fingerprint(&self, der: &[u8]) -> String {
        crate::certificate::hex(&self.setup.provider.sha256(der))
    }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTls").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// A dot at the end says that a name is complete; certificates have none.
fn server_name(host: &str) -> Result<ServerName<'static>, TlsError> {
    let bare = host.strip_suffix('.').unwrap_or(host);
    ServerName::try_from(bare.to_owned()).map_err(|error| {
        let message = format!("no certificate can be for `{host}`");
        TlsError::caused_by(ErrorKind::Settings, message, error)
    })
}

/// The checks that the settings ask for, if they do not ask for none.
fn made_checks(settings: &ClientSettings, provider: &Provider) -> Result<Arc<Checks>, TlsError> {
    let mut lists = Vec::new();
    for path in &settings.revoked {
        lists.extend(pem::revocation_lists(path)?);
    }
    let roots = Arc::new(settings.roots.load()?);
    let crypto = provider.crypto().clone();
    let built = WebPkiServerVerifier::builder_with_provider(roots, crypto).with_crls(lists).build();
    let verifier = built.map_err(|error| {
        let kind = match error {
            rustls::server::VerifierBuilderError::InvalidCrl(_) => ErrorKind::RevocationList,
            _ => ErrorKind::Roots,
        };
        TlsError::new(kind, error.to_string())
    })?;
    let pins = settings.pins.clone();
    Ok(Arc::new(Checks { chain: Some(verifier), pins, provider: provider.clone() }))
}

fn config(
    settings: &ClientSettings,
    provider: &Provider,
    checks: Arc<Checks>,
) -> Result<ClientConfig, TlsError> {
    let unfit = |error| TlsError::caused_by(ErrorKind::Settings, format!("{error}"), error);
    let versions: &[&SupportedProtocolVersion] = match (settings.only_12, settings.only_13) {
        (true, _) => &[&rustls::version::TLS12],
        (_, true) => &[&rustls::version::TLS13],
        _ => &[&rustls::version::TLS13, &rustls::version::TLS12],
    };
    let builder = ClientConfig::builder_with_provider(provider.crypto().clone())
        .with_protocol_versions(versions)
        .map_err(unfit)?
        .dangerous()
        .with_custom_certificate_verifier(checks);
    let mut config = match &settings.credentials {
        None => builder.with_no_client_auth(),
        Some((certificates, key)) => {
            let from = certificates.display().to_string();
            let credentials = Credentials::read(certificates, key.as_deref())?;
            let key = key_of(credentials, &from, provider)?;
            let resolver = rustls::sign::SingleCertAndKey::from(key);
            builder.with_client_cert_resolver(Arc::new(resolver))
        }
    };
    config.alpn_protocols = settings.protocols.clone();
    if settings.log_keys {
        config.key_log = Arc::new(KeyLogFile::new());
    }
    Ok(config)
}
