//! Checks of certificates: those of rustls, with the certificate kept for the error's sake, with
//! pins, or with none at all.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
};

use crate::describe::note_refused;
use crate::error::{ErrorKind, TlsError};
use crate::pin::Pin;
use crate::provider::Provider;

/// Checks of clients' certificates, which note the one that they refuse.
#[derive(Debug)]
pub(crate) struct Noting(pub(crate) Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for Noting {
    fn offer_client_auth(&self) -> bool {
        self.0.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.0.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.0.verify_client_cert(leaf, chain, now).inspect_err(|_| note_refused(leaf))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, leaf, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// Checks of servers' certificates.
pub(crate) struct Checks {
    /// The check of chain, time and name; `None` where the caller wants none.
    pub(crate) chain: Option<Arc<dyn ServerCertVerifier>>,
    /// One of these keys, if there are any.
    pub(crate) pins: Vec<Pin>,
    pub(crate) provider: Provider,
}

impl Checks {
    fn check_pins(&self, leaf: &CertificateDer<'_>) -> Result<(), Error> {
        if self.pins.is_empty() {
            return Ok(());
        }
        let parsed = ParsedCertificate::try_from(leaf)?;
        let key = parsed.subject_public_key_info();
        let pin = Pin::of_digest(self.provider.sha256(&key));
        if self.pins.contains(&pin) {
            return Ok(());
        }
        let message = format!("the server's key is {pin}, which is none of those that were pinned");
        let error = TlsError::new(ErrorKind::Pin, message);
        Err(CertificateError::Other(OtherError(Arc::new(error))).into())
    }
}

impl ServerCertVerifier for Checks {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(check) = &self.chain {
            let checked = check.verify_server_cert(leaf, chain, name, ocsp, now);
            checked.inspect_err(|_| note_refused(leaf))?;
        }
        self.check_pins(leaf)?;
        Ok(ServerCertVerified::assertion())
    }

    /// Also where the chain is not checked: the peer has to own the key of the certificate it shows.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.crypto().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, leaf, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.crypto().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, leaf, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.crypto().signature_verification_algorithms.supported_schemes()
    }
}

impl fmt::Debug for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chain = self.chain.is_some();
        f.debug_struct("Checks").field("chain", &chain).field("pins", &self.pins).finish()
    }
}
