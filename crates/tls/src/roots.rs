//! Who is trusted to issue certificates.

use std::fs;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

use crate::error::{ErrorKind, TlsError};
use crate::pem;

/// Authorities whose certificates are accepted, and those below them.
#[derive(Clone, Debug, Default)]
pub struct Roots {
    system: bool,
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    given: Vec<CertificateDer<'static>>,
}

impl Roots {
    /// Nobody yet.
    pub fn none() -> Self {
        Self::default()
    }

    /// Those of the system; SSL_CERT_FILE and SSL_CERT_DIR take their place where they are set.
    #[cfg(feature = "native-roots")]
    pub fn system() -> Self {
        Self { system: true, ..Self::default() }
    }

    /// And those in a file, PEM or one in DER.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.files.push(path.into());
        self
    }

    /// And those in the files of a folder.
    #[must_use]
    pub fn folder(mut self, path: impl Into<PathBuf>) -> Self {
        self.folders.push(path.into());
        self
    }

    /// And this one, in DER.
    #[must_use]
    pub fn der(mut self, certificate: impl Into<Vec<u8>>) -> Self {
        self.given.push(CertificateDer::from(certificate.into()));
        self
    }

    /// The files and folders that were named.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.files.iter().chain(&self.folders)
    }

    /// *Errors*: [`ErrorKind::Roots`]: a file that cannot be read, or nobody in all of them.
    pub(crate) fn load(&self) -> Result<RootCertStore, TlsError> {
        let mut found = self.given.clone();
        for path in &self.files {
            found.extend(pem::certificates(path, ErrorKind::Roots)?);
        }
        for path in &self.folders {
            found.extend(in_folder(path)?);
        }
        let mut store = RootCertStore::empty();
        for certificate in found {
            let added = store.add(certificate);
            added.map_err(|error| {
                let message = format!("the certificate of an authority is unusable: {error}");
                TlsError::caused_by(ErrorKind::Roots, message, error)
            })?;
        }
        if self.system {
            add_system(&mut store)?;
        }
        if store.is_empty() {
            return Err(TlsError::new(ErrorKind::Roots, "no authority is trusted"));
        }
        Ok(store)
    }
}

fn in_folder(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |error: std::io::Error| {
        let message = format!("{}: {error}", path.display());
        TlsError::caused_by(ErrorKind::Roots, message, error)
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?.path();
        // Such folders hold revocation lists and notes beside certificates.
        match pem::certificates(&entry, ErrorKind::Roots) {
            Ok(certificates) => found.extend(certificates),
            Err(error) => log::debug!("{error}"),
        }
    }
    if found.is_empty() {
        let message = format!("{}: no certificate in any file", path.display());
        return Err(TlsError::new(ErrorKind::Roots, message));
    }
    Ok(found)
}

#[cfg(feature = "native-roots")]
fn add_system(store: &mut RootCertStore) -> Result<(), TlsError> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        log::warn!("certificates of authorities: {error}");
    }
    let (added, ignored) = store.add_parsable_certificates(found.certs);
    if ignored > 0 {
        log::debug!("{ignored} certificates of the system are unusable");
    }
    if added == 0 {
        let message = match found.errors.first() {
            Some(error) => format!("the authorities of the system cannot be read: {error}"),
            None => "the system has no certificates of authorities".to_owned(),
        };
        return Err(TlsError::new(ErrorKind::Roots, message));
    }
    Ok(())
}

#[cfg(not(feature = "native-roots"))]
fn add_system(_: &mut RootCertStore) -> Result<(), TlsError> {
    Ok(())
}
