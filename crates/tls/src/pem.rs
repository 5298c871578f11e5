//! Certificates, keys and revocation lists from files, PEM or DER.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};

use crate::certificate::Certificate;
use crate::error::{ErrorKind, TlsError};

/// A chain of certificates and the key of the first.
pub struct Credentials {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

impl Credentials {
    /// Reads certificates, the own one first, and the key: PEM, or one certificate and one key in DER.
    /// Without a file for the key it is looked for beside the certificates.
    ///
    /// A key that others may read is used, with a warning to the log.
    ///
    /// *Errors*: [`ErrorKind::Credentials`]: a file that cannot be read, or lacks what it should hold;
    /// a key with a password. *Bounds*: files of at most 1 MiB.
    pub fn read(certificates: &Path, key: Option<&Path>) -> Result<Self, TlsError> {
        let bytes = read(certificates, ErrorKind::Credentials)?;
        let chain = certificates_in(&bytes, certificates, ErrorKind::Credentials)?;
        let at = key.unwrap_or(certificates);
        let key = match key {
            None => key_in(&bytes, certificates)?,
            Some(path) => key_in(&read(path, ErrorKind::Credentials)?, path)?,
        };
        warn_of_readers(at);
        Ok(Self { chain, key })
    }

    /// Those in this text.
    ///
    /// *Errors*: as for [`Credentials::read`].
    pub fn of_pem(text: &[u8]) -> Result<Self, TlsError> {
        let here = Path::new("the text");
        let chain = certificates_in(text, here, ErrorKind::Credentials)?;
        Ok(Self { chain, key: key_in(text, here)? })
    }
}

impl Credentials {
    /// The certificates in this text, DER, whatever stands between them.
    ///
    /// *Errors*: [`ErrorKind::Credentials`]: there is none.
    pub fn certificates_of_pem(text: &[u8]) -> Result<Vec<Vec<u8>>, TlsError> {
        let found = certificates_in(text, Path::new("the text"), ErrorKind::Credentials)?;
        Ok(found.iter().map(|der| der.to_vec()).collect())
    }
}

impl Clone for Credentials {
    fn clone(&self) -> Self {
        Self { chain: self.chain.clone(), key: self.key.clone_key() }
    }
}

impl fmt::Debug for Credentials {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("certificates", &self.chain.len()).finish()
    }
}

/// The certificates in a file, at least one.
pub(crate) fn certificates(
    path: &Path,
    kind: ErrorKind,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    certificates_in(&read(path, kind)?, path, kind)
}

/// The revocation lists in a file, at least one.
pub(crate) fn revocation_lists(
    path: &Path,
) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    let kind = ErrorKind::RevocationList;
    let bytes = read(path, kind)?;
    if bytes.first() == Some(&DER) {
        return Ok(vec![bytes.into()]);
    }
    let lists: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(&bytes).collect();
    match lists {
        Ok(lists) if !lists.is_empty() => Ok(lists),
        Ok(_) => Err(lacks(path, "no revocation list", kind)),
        Err(error) => Err(lacks(path, &format!("bad PEM: {error}"), kind)),
    }
}

fn certificates_in(
    bytes: &[u8],
    path: &Path,
    kind: ErrorKind,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    if Certificate::parse(bytes).is_ok() {
        return Ok(vec![bytes.to_vec().into()]);
    }
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(lacks(path, "no certificate", kind)),
        Err(error) => Err(lacks(path, &format!("bad PEM: {error}"), kind)),
    }
}

fn key_in(bytes: &[u8], path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let kind = ErrorKind::Credentials;
    if bytes.first() == Some(&DER)
        && let Ok(key) = PrivateKeyDer::try_from(bytes.to_vec())
    {
        return Ok(key);
    }
    match PrivateKeyDer::from_pem_slice(bytes) {
        Ok(key) => Ok(key),
        Err(rustls::pki_types::pem::Error::NoItemsFound) if is_locked(bytes) => {
            Err(lacks(path, "a key with a password, which cannot be read", kind))
        }
        Err(rustls::pki_types::pem::Error::NoItemsFound) => {
            Err(lacks(path, "no private key", kind))
        }
        Err(error) => Err(lacks(path, &format!("bad PEM: {error}"), kind)),
    }
}

fn is_locked(bytes: &[u8]) -> bool {
    const MARK: &[u8] = b"-----BEGIN ENCRYPTED PRIVATE KEY-----";
    bytes.windows(MARK.len()).any(|window| window == MARK)
}

fn read(path: &Path, kind: ErrorKind) -> Result<Vec<u8>, TlsError> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
        Ok::<_, std::io::Error>(bytes)
    };
    match read() {
        Ok(bytes) if bytes.len() as u64 > LONGEST => {
            Err(lacks(path, "more than 1 MiB, which no such file has", kind))
        }
        Ok(bytes) => Ok(bytes),
        Err(error) => {
            let message = format!("{}: {error}", path.display());
            Err(TlsError::caused_by(kind, message, error))
        }
    }
}

/// A key that everybody on the machine can read is not secret; yet some keep it so on purpose, in a
/// container for instance.
fn warn_of_readers(path: &Path) {
    if let Ok(metadata) = path.metadata()
        && metadata.is_file()
        && metadata.mode() & 0o007 != 0
    {
        let path = path.display();
        log::warn!("{path}: other users of this machine can read this key; chmod 600 changes that");
    }
}

fn lacks(path: &Path, what: &str, kind: ErrorKind) -> TlsError {
    TlsError::new(kind, format!("{}: {what}", path.display()))
}

/// The first byte of everything in DER that is read here.
const DER: u8 = 0x30;
const LONGEST: u64 = 1024 * 1024;
