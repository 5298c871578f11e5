//! TLS of servers: certificates, who may come, and how both are replaced while it runs.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use avocet_net::Transport;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, ServerSessionMemoryCache, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{Connection, ServerConfig, ServerConnection};

use crate::certificate::Certificate;
use crate::error::{ErrorKind, TlsError};
use crate::name_map::NameMap;
use crate::pem::{self, Credentials};
use crate::provider::Provider;
use crate::roots::Roots;
use crate::stamps::Stamps;
use crate::transport::{Setup, TlsTransport};
use crate::verifier::Noting;
use crate::when;

/// What a server needs for TLS.
///
/// Spoken are TLS 1.3 and 1.2, without early data, renegotiation and compression.
#[derive(Clone, Debug, Default)]
pub struct ServerSettings {
    certificates: Vec<Source>,
    clients: ClientCertificates,
    protocols: Vec<Vec<u8>>,
    to_plaintext: Vec<u8>,
    provider: Option<Provider>,
}

#[derive(Clone, Debug)]
enum Source {
    Files { certificates: PathBuf, key: Option<PathBuf> },
    Given(Credentials),
}

/// Whether clients have to prove who they are.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum ClientCertificates {
    /// Nobody is asked.
    #[default]
    None,
    /// Who has a certificate may show it; a wrong one is refused.
    Optional(Roots, Vec<PathBuf>),
    /// Nobody comes in without. The files hold revocation lists; with any, certificates whose state
    /// no list tells are refused.
    Required(Roots, Vec<PathBuf>),
}

/// TLS of a server, ready for connections. Clones share the certificates.
#[derive(Clone)]
pub struct ServerTls {
    settings: Arc<ServerSettings>,
    setup: Arc<Setup>,
    current: Arc<RwLock<Arc<ServerConfig>>>,
    /// The files as they were when they were last read.
    stamps: Arc<Mutex<Stamps>>,
}

impl ServerSettings {
    /// Nothing yet; at least one certificate is needed.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a certificate with its chain, and the key from the same file or another one. The first
    /// stands for every name that no other has.
    #[must_use]
    pub fn files(mut self, certificates: impl Into<PathBuf>, key: Option<PathBuf>) -> Self {
        self.certificates.push(Source::Files { certificates: certificates.into(), key });
        self
    }

    /// Adds a certificate that is at hand.
    #[must_use]
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.certificates.push(Source::Given(credentials));
        self
    }

    /// Asks clients for certificates.
    #[must_use]
    pub fn clients(mut self, clients: ClientCertificates) -> Self {
        self.clients = clients;
        self
    }

    /// What is spoken inside, best first. A client that names only others is refused; one that names
    /// none is not.
    #[must_use]
    pub fn protocols(mut self, names: &[&str]) -> Self {
        self.protocols = names.iter().map(|name| name.as_bytes().to_vec()).collect();
        self
    }

    /// What a client is told that does not speak TLS, as bytes of the protocol that it probably
    /// speaks. Nothing by default. It counts as refused all the same.
    #[must_use]
    pub fn to_plaintext(mut self, answer: impl Into<Vec<u8>>) -> Self {
        self.to_plaintext = answer.into();
        self
    }

    /// Other cryptography than the one compiled in.
    #[must_use]
    pub fn provider(mut self, provider: Provider) -> Self {
        self.provider = Some(provider);
        self
    }
}

impl ServerSettings {
    /// All files that were named.
    fn paths(&self) -> Vec<PathBuf> {
        let mut paths = Vec::new();
        for source in &self.certificates {
            if let Source::Files { certificates, key } = source {
                paths.push(certificates.clone());
                paths.extend(key.clone());
            }
        }
        match &self.clients {
            ClientCertificates::None => {}
            ClientCertificates::Optional(roots, revoked)
            | ClientCertificates::Required(roots, revoked) => {
                paths.extend(roots.paths().chain(revoked).cloned());
            }
        }
        paths
    }
}

impl ServerTls {
    /// Reads the files and puts everything together.
    ///
    /// *Errors*: what is missing, malformed or does not belong together, with the file's name.
    pub fn open(settings: ServerSettings) -> Result<Self, TlsError> {
        let provider = match &settings.provider {
            Some(provider) => provider.clone(),
            None => Provider::built_in()?,
        };
        // Before they are read: a change meanwhile is then seen as one.
        let stamps = Arc::new(Mutex::new(Stamps::of(&settings.paths())));
        let config = Arc::new(config(&settings, &provider, None)?);
        let to_plaintext = settings.to_plaintext.clone();
        let setup = Arc::new(Setup { provider, to_plaintext, verifies: true });
        let current = Arc::new(RwLock::new(config));
        Ok(Self { settings: Arc::new(settings), setup, current, stamps })
    }

    /// Reads all files again. Connections that stand go on with what they have.
    ///
    /// Sessions of before are resumed only if clients are not asked for certificates: a list may have
    /// come that revokes one.
    ///
    /// *Errors*: as for [`ServerTls::open`]; what was in use stays in use then.
    ///
    /// *Blocking*: on the files; not to be called on a loop's thread.
    pub fn reload(&self) -> Result<(), TlsError> {
        self.reload_if(|_, _| true).map(|_| ())
    }

    /// The same if a file has changed since all were last read; whether one had. What could not be used
    /// is not read again before it has changed again, so a pair of files that is replaced one after the
    /// other is taken when both are there.
    ///
    /// *Errors* and *Blocking*: as for [`ServerTls::reload`].
    pub fn reload_if_changed(&self) -> Result<bool, TlsError> {
        self.reload_if(|before, now| before != now)
    }

    /// One at a time: whoever began to read earlier must not put in place what is older.
    fn reload_if(&self, wanted: impl Fn(&Stamps, &Stamps) -> bool) -> Result<bool, TlsError> {
        let mut stamps = self.stamps.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Stamps::of(&self.settings.paths());
        if !wanted(&stamps, &now) {
            return Ok(false);
        }
        *stamps = now;
        let old = self.config();
        let new = config(&self.settings, &self.setup.provider, Some(&old))?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
        Ok(true)
    }

    /// TLS around an accepted transport.
    ///
    /// *Blocking*: on a lock that is held for a copy of one pointer only.
    pub fn wrap<T: Transport>(&self, transport: T) -> TlsTransport<T> {
        let conn = ServerConnection::new(self.config());
        let conn = conn.expect("one was made of every configuration before it came into use");
        TlsTransport::new(transport, Connection::Server(conn), self.setup.clone(), None)
    }

    fn config(&self) -> Arc<ServerConfig> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls").field("settings", &self.settings).finish_non_exhaustive()
    }
}

fn config(
    settings: &ServerSettings,
    provider: &Provider,
    old: Option<&ServerConfig>,
) -> Result<ServerConfig, TlsError> {
    let unfit = |error| TlsError::caused_by(ErrorKind::Settings, format!("{error}"), error);
    let names = Arc::new(names(settings, provider)?);
    let builder = ServerConfig::builder_with_provider(provider.crypto().clone())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(unfit)?;
    let builder = match verifier(&settings.clients, provider)? {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(names);
    config.alpn_protocols = settings.protocols.clone();
    config.send_tls13_tickets = TICKETS;
    config.max_early_data_size = 0;
    let asks = !matches!(settings.clients, ClientCertificates::None);
    match (old, provider.ticketer()?) {
        (Some(old), _) if !asks => {
            config.ticketer = old.ticketer.clone();
            config.session_storage = old.session_storage.clone();
        }
        (_, Some(ticketer)) => {
            config.ticketer = ticketer;
            config.session_storage = Arc::new(NoServerSessionStorage {});
        }
        (_, None) => config.session_storage = ServerSessionMemoryCache::new(SESSIONS),
    }
    ServerConnection::new(Arc::new(config.clone())).map_err(unfit)?;
    Ok(config)
}

fn names(settings: &ServerSettings, provider: &Provider) -> Result<NameMap, TlsError> {
    let mut map: Option<NameMap> = None;
    for source in &settings.certificates {
        let key = Arc::new(certified(source, provider)?);
        match &mut map {
            Some(map) => map.add(key),
            None => map = Some(NameMap::new(key)),
        }
    }
    let none = || TlsError::new(ErrorKind::Settings, "TLS needs a certificate and its key");
    map.ok_or_else(none)
}

fn certified(source: &Source, provider: &Provider) -> Result<CertifiedKey, TlsError> {
    let (credentials, from) = match source {
        Source::Given(credentials) => (credentials.clone(), "the certificate".to_owned()),
        Source::Files { certificates, key } => {
            let from = match key {
                Some(key) => format!("{}, {}", certificates.display(), key.display()),
                None => certificates.display().to_string(),
            };
            (Credentials::read(certificates, key.as_deref())?, from)
        }
    };
    let key = key_of(credentials, &from, provider)?;
    warn_of_time(&key, &from);
    Ok(key)
}

/// Makes a key ready that fits its certificate.
pub(crate) fn key_of(
    credentials: Credentials,
    from: &str,
    provider: &Provider,
) -> Result<CertifiedKey, TlsError> {
    let Credentials { chain, key } = credentials;
    let malformed = |what: String| TlsError::new(ErrorKind::Credentials, format!("{from}: {what}"));
    for certificate in &chain {
        let parsed = Certificate::parse(certificate);
        parsed.map_err(|error| malformed(error.to_string()))?;
    }
    CertifiedKey::from_der(chain, key, provider.crypto()).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            malformed("the key does not belong to the certificate".to_owned())
        }
        error => malformed(format!("unusable: {error}")),
    })
}

/// A certificate out of its time is used all the same: it may be that the clock is wrong, and clients
/// decide for themselves.
fn warn_of_time(key: &CertifiedKey, from: &str) {
    let first = key.cert.first().and_then(|der| Certificate::parse(der).ok());
    let Some(certificate) = first else { return };
    let (not_before, not_after) = certificate.validity();
    if when::now() > certificate.not_after {
        log::warn!("{from}: this certificate expired {not_after}");
    } else if when::now() < certificate.not_before {
        log::warn!("{from}: this certificate is not valid before {not_before}");
    }
}

fn verifier(
    clients: &ClientCertificates,
    provider: &Provider,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsError> {
    let (roots, revoked, required) = match clients {
        ClientCertificates::None => return Ok(None),
        ClientCertificates::Optional(roots, revoked) => (roots, revoked, false),
        ClientCertificates::Required(roots, revoked) => (roots, revoked, true),
    };
    let mut lists = Vec::new();
    for path in revoked {
        lists.extend(pem::revocation_lists(path)?);
    }
    let roots = Arc::new(roots.load()?);
    let crypto = provider.crypto().clone();
    let mut builder = WebPkiClientVerifier::builder_with_provider(roots, crypto).with_crls(lists);
    if !required {
        builder = builder.allow_unauthenticated();
    }
    let unfit = |error: rustls::server::VerifierBuilderError| {
        let kind = match error {
            rustls::server::VerifierBuilderError::InvalidCrl(_) => ErrorKind::RevocationList,
            _ => ErrorKind::Roots,
        };
        TlsError::new(kind, error.to_string())
    };
    let verifier = builder.build().map_err(unfit)?;
    Ok(Some(Arc::new(Noting(verifier))))
}

/// Tickets after a handshake: each connection brings what the next one needs.
const TICKETS: usize = 1;
/// Sessions in memory with a provider that seals no tickets.
const SESSIONS: usize = 1024;
