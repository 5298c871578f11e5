//! Where the cryptography comes from.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::hash::HashAlgorithm;
use rustls::server::ProducesTickets;

use crate::error::{ErrorKind, TlsError};

/// Makes keys that seal tickets.
type Ticketer = fn() -> Result<Arc<dyn ProducesTickets>, rustls::Error>;

/// An implementation of the cryptography.
///
/// With the feature `aws-lc` there is one, which prefers X25519MLKEM768 for the exchange of keys: what
/// is recorded today stays secret from a quantum computer of tomorrow.
#[derive(Clone)]
pub struct Provider {
    crypto: Arc<CryptoProvider>,
    ticketer: Option<Ticketer>,
}

impl Provider {
    /// AWS-LC.
    #[cfg(feature = "aws-lc")]
    pub fn aws_lc() -> Self {
        let crypto = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        Self { crypto, ticketer: Some(rustls::crypto::aws_lc_rs::Ticketer::new) }
    }

    /// Any provider of rustls, and what makes its tickets; without it sessions are kept in memory,
    /// 1,024 of them.
    pub fn of_rustls(crypto: CryptoProvider, ticketer: Option<Ticketer>) -> Self {
        Self { crypto: Arc::new(crypto), ticketer }
    }

    /// The one that is compiled in.
    ///
    /// *Errors*: [`ErrorKind::Settings`]: none is.
    pub(crate) fn built_in() -> Result<Self, TlsError> {
        #[cfg(feature = "aws-lc")]
        return Ok(Self::aws_lc());
        #[cfg(not(feature = "aws-lc"))]
        Err(TlsError::new(ErrorKind::Settings, "no provider of cryptography is compiled in"))
    }

    pub(crate) fn crypto(&self) -> &Arc<CryptoProvider> {
        &self.crypto
    }

    pub(crate) fn ticketer(&self) -> Result<Option<Arc<dyn ProducesTickets>>, TlsError> {
        let Some(make) = self.ticketer else { return Ok(None) };
        let failed =
            |error| TlsError::new(ErrorKind::Settings, format!("no keys for tickets: {error}"));
        make().map(Some).map_err(failed)
    }

    /// The SHA-256 of these bytes; empty with a provider that lacks it.
    pub(crate) fn sha256(&self, bytes: &[u8]) -> Vec<u8> {
        let hashes = self.crypto.cipher_suites.iter().map(|suite| match suite {
            rustls::SupportedCipherSuite::Tls12(suite) => suite.common.hash_provider,
            rustls::SupportedCipherSuite::Tls13(suite) => suite.common.hash_provider,
        });
        let mut found = hashes.filter(|hash| hash.algorithm() == HashAlgorithm::SHA256);
        found.next().map_or_else(Vec::new, |hash| hash.hash(bytes).as_ref().to_vec())
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").finish_non_exhaustive()
    }
}
