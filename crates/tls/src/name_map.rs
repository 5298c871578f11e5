//! Which certificate a client gets: by the name that it asks for.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::certificate::Certificate;

/// Certificates by the names in them. Whoever asks for no name, or for one that nobody has, gets the
/// first: it is the client who decides whether that will do.
pub(crate) struct NameMap {
    first: Arc<CertifiedKey>,
    names: HashMap<String, Arc<CertifiedKey>>,
}

impl NameMap {
    pub(crate) fn new(first: Arc<CertifiedKey>) -> Self {
        let mut map = Self { first: first.clone(), names: HashMap::new() };
        map.add(first);
        map
    }

    /// Adds a certificate for the names that none has yet.
    pub(crate) fn add(&mut self, key: Arc<CertifiedKey>) {
        let certificate = key.cert.first().and_then(|der| Certificate::parse(der).ok());
        for name in certificate.map(|certificate| certificate.names).unwrap_or_default() {
            self.names.entry(name.to_ascii_lowercase()).or_insert_with(|| key.clone());
        }
    }

    /// RFC 9525 §6.3: a wildcard stands for the whole left-most label.
    fn find(&self, name: &str) -> &Arc<CertifiedKey> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let exact = self.names.get(&name);
        let wild =
            || name.split_once('.').and_then(|(_, rest)| self.names.get(&format!("*.{rest}")));
        exact.or_else(wild).unwrap_or(&self.first)
    }
}

impl ResolvesServerCert for NameMap {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(match hello.server_name() {
            Some(name) => self.find(name).clone(),
            None => self.first.clone(),
        })
    }
}

impl fmt::Debug for NameMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NameMap").field("names", &self.names.keys()).finish()
    }
}
