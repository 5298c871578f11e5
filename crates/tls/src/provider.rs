//! Where the cryptography comes from.

#[cfg(feature = "graviola")]
mod graviola;

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
/// | feature | provider | keys that resist quantum computers | where |
/// |---|---|---|---|
/// | `aws-lc` | AWS-LC, `Provider::aws_lc` | X25519MLKEM768, preferred | wherever there is a compiler for C |
/// | `graviola` | Graviola, `Provider::graviola` | X25519MLKEM768, preferred | Rust 1.89, x86-64 and AArch64 with newer instructions |
/// | `ring` | ring, `Provider::ring` | none | wherever there is a compiler for C |
///
/// With several features settings that name no provider take the first of these that works on this
/// machine: [`Provider::built_in`].
#[derive(Clone)]
pub struct Provider {
    name: &'static str,
    crypto: Arc<CryptoProvider>,
    ticketer: Option<Ticketer>,
}

/// Those that are compiled in, the best first.
const BUILT_IN: &[fn() -> Result<Provider, TlsError>] = &[
    #[cfg(feature = "aws-lc")]
    || Ok(Provider::aws_lc()),
    #[cfg(feature = "graviola")]
    Provider::graviola,
    #[cfg(feature = "ring")]
    || Ok(Provider::ring()),
];

impl Provider {
    /// AWS-LC.
    ///
    /// It prefers X25519MLKEM768 for the exchange of keys: what is recorded today stays secret from a
    /// quantum computer of tomorrow.
    #[cfg(feature = "aws-lc")]
    pub fn aws_lc() -> Self {
        let crypto = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        Self { name: "AWS-LC", crypto, ticketer: Some(rustls::crypto::aws_lc_rs::Ticketer::new) }
    }

    /// Graviola, in Rust and assembler. It prefers X25519MLKEM768 as well.
    ///
    /// *Errors*: [`ErrorKind::Settings`]: this processor lacks instructions that it needs. On x86-64
    /// those are AES, PCLMULQDQ, BMI1, BMI2, ADX, AVX and AVX2, and on AArch64 Neon, AES, PMULL and
    /// SHA-2; for other processors it has no code.
    #[cfg(feature = "graviola")]
    pub fn graviola() -> Result<Self, TlsError> {
        graviola::provider()
    }

    /// ring.
    ///
    /// It has no exchange of keys that resists quantum computers: what is recorded today may be read
    /// by one of tomorrow.
    #[cfg(feature = "ring")]
    pub fn ring() -> Self {
        let crypto = Arc::new(rustls::crypto::ring::default_provider());
        Self { name: "ring", crypto, ticketer: Some(rustls::crypto::ring::Ticketer::new) }
    }

    /// Any provider of rustls, and what makes its tickets; without it sessions are kept in memory,
    /// 1,024 of them.
    pub fn of_rustls(crypto: CryptoProvider, ticketer: Option<Ticketer>) -> Self {
        Self { name: "of the caller", crypto: Arc::new(crypto), ticketer }
    }

    /// The one that settings take which name none: of those that are compiled in the first that this
    /// machine can run, in the order AWS-LC, Graviola, ring.
    ///
    /// *Errors*: [`ErrorKind::Settings`]: none is compiled in, or this machine can run none of them.
    pub fn built_in() -> Result<Self, TlsError> {
        let none = "no provider of cryptography is compiled in";
        let mut error = TlsError::new(ErrorKind::Settings, none);
        for make in BUILT_IN {
            match make() {
                Ok(provider) => return Ok(provider),
                Err(unable) => error = unable,
            }
            log::info!("{error}");
        }
        Err(error)
    }

    /// The groups for the exchange of keys, best first, by the names that
    /// [`Secured::group`](avocet_net::Secured::group) has for them. What resists quantum computers has
    /// MLKEM in its name.
    pub fn groups(&self) -> Vec<String> {
        self.crypto.kx_groups.iter().map(|group| format!("{:?}", group.name())).collect()
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
        f.debug_struct("Provider").field("name", &self.name).finish_non_exhaustive()
    }
}
