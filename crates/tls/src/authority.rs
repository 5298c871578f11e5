//! Certificates for development: an authority of one's own, and certificates that sign themselves.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::ServerName;

use crate::certificate::{Certificate, hex};
use crate::error::{ErrorKind, TlsError};
use crate::pem::Credentials;
use crate::provider::Provider;
use crate::when;

/// An authority for one person or machine, whose certificates are trusted by nobody else.
///
/// It is kept in a folder that only its owner may enter, as `ca.pem` for others to trust and
/// `ca-key.pem`, which can make certificates for any host and must not leave the machine.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
    path: PathBuf,
}

/// A certificate that was just made, with its key.
#[derive(Clone)]
#[non_exhaustive]
pub struct Issued {
    /// The certificate and what is above it, but for the root; PEM.
    pub certificate: String,
    /// Its key, PEM.
    pub key: String,
}

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Purpose {
    /// A server with these names and addresses.
    Server,
    /// A client; the first name is the subject's.
    Client,
}

impl Authority {
    /// The authority in a folder; made where there is none, together with the folder.
    ///
    /// *Errors*: [`ErrorKind::Credentials`]: the folder or a file in it cannot be read or written, or
    /// others may read the key; half of it is missing.
    pub fn open_or_make(folder: &Path) -> Result<Self, TlsError> {
        match Self::open(folder) {
            Ok(Some(authority)) => Ok(authority),
            Ok(None) => {
                Self::make(folder)?;
                let none = || failed(folder, "the authority that was just made is gone");
                Self::open(folder)?.ok_or_else(none)
            }
            Err(error) => Err(error),
        }
    }

    /// The authority in a folder; `None` where there is none.
    ///
    /// *Errors*: as for [`Authority::open_or_make`].
    pub fn open(folder: &Path) -> Result<Option<Self>, TlsError> {
        let (path, key_path) = (folder.join(CERTIFICATE), folder.join(KEY));
        let metadata = match fs::metadata(&key_path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.exists() => {
                return Ok(None);
            }
            metadata => metadata.map_err(|error| failed(&key_path, &error))?,
        };
        if metadata.mode() & 0o077 != 0 {
            let advice = "others may read the key of this authority; chmod 600 it, or better make \
                          another one";
            return Err(failed(&key_path, advice));
        }
        let certificate = fs::read_to_string(&path).map_err(|error| failed(&path, &error))?;
        let text = fs::read_to_string(&key_path).map_err(|error| failed(&key_path, &error))?;
        let key = KeyPair::from_pem(&text).map_err(|error| failed(&key_path, &error))?;
        let name = name(&key)?;
        let params = root(&name).map_err(|error| failed(&key_path, &error))?;
        let known = Credentials::of_pem(format!("{certificate}{text}").as_bytes())?;
        let shown = known.chain.first().and_then(|der| Certificate::parse(der).ok());
        if shown.is_none_or(|shown| !shown.subject.ends_with(&name)) {
            return Err(failed(&path, "the certificate is not that of the key beside it"));
        }
        Ok(Some(Self { issuer: Issuer::new(params, key), certificate, path }))
    }

    fn make(folder: &Path) -> Result<(), TlsError> {
        let cannot = |path: &Path, error: io::Error| failed(path, &error);
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| cannot(folder, error))?;
        let key = KeyPair::generate().map_err(|error| failed(folder, &error))?;
        let name = name(&key)?;
        let certificate = root(&name).and_then(|params| params.self_signed(&key));
        let certificate = certificate.map_err(|error| failed(folder, &error))?;
        // The key comes first: without the certificate it is an authority that is not complete, and
        // with the certificate alone there would seem to be one.
        let key_path = folder.join(KEY);
        write_new(&key_path, &key.serialize_pem(), 0o600)
            .map_err(|error| cannot(&key_path, error))?;
        let path = folder.join(CERTIFICATE);
        write_new(&path, &certificate.pem(), 0o644).map_err(|error| cannot(&path, error))
    }

    /// Its certificate, PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// The file of its certificate.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a certificate for these names and addresses, valid from yesterday for 397 days: more is
    /// refused by browsers.
    ///
    /// *Errors*: [`ErrorKind::Settings`]: no name, or one that no certificate can be for.
    pub fn issue(&self, names: &[String], purpose: Purpose) -> Result<Issued, TlsError> {
        let key = KeyPair::generate().map_err(|error| unfit(&error))?;
        let mut params = leaf(names, purpose, LEAF_DAYS)?;
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer).map_err(|error| unfit(&error))?;
        Ok(Issued { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

impl Issued {
    /// A certificate for a server that is signed by itself and valid for so many days: whoever is to
    /// trust it has to have it.
    ///
    /// *Errors*: as for [`Authority::issue`].
    pub fn self_signed(names: &[String], days: u32) -> Result<Self, TlsError> {
        let key = KeyPair::generate().map_err(|error| unfit(&error))?;
        let mut params = leaf(names, Purpose::Server, i64::from(days))?;
        params.is_ca = IsCa::ExplicitNoCa;
        let certificate = params.self_signed(&key).map_err(|error| unfit(&error))?;
        Ok(Self { certificate: certificate.pem(), key: key.serialize_pem() })
    }

    /// For a server or client of this process.
    ///
    /// *Errors*: none for what was made here.
    pub fn credentials(&self) -> Result<Credentials, TlsError> {
        Credentials::of_pem(format!("{}{}", self.key, self.certificate).as_bytes())
    }

    /// Writes both to a file that only its owner may read, key first; one that is there is replaced.
    ///
    /// *Errors*: the file cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let text = format!("{}{}", self.key, self.certificate);
        // A device, or the end of a pipe, keeps its place.
        if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
            return fs::write(path, text);
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", std::process::id()));
        let beside = path.with_file_name(name);
        let written = write_new(&beside, &text, 0o600);
        let written = written.and_then(|()| fs::rename(&beside, path));
        if written.is_err() {
            drop(fs::remove_file(&beside));
        }
        written
    }
}

/// What the certificate of an authority of this name says.
fn root(name: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Avocet development");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    valid(&mut params, ROOT_DAYS);
    Ok(params)
}

/// The name of an authority, which follows from its key.
fn name(key: &KeyPair) -> Result<String, TlsError> {
    let digest = Provider::built_in()?.sha256(key.public_key_raw());
    Ok(format!("Avocet development CA {}", hex(&digest[..digest.len().min(4)])))
}

fn leaf(names: &[String], purpose: Purpose, days: i64) -> Result<CertificateParams, TlsError> {
    let none = || TlsError::new(ErrorKind::Settings, "a certificate needs a name");
    let first = names.first().ok_or_else(none)?;
    let cannot = |name: &str| format!("no certificate can be for `{name}`");
    let alternative = match purpose {
        Purpose::Server => {
            for name in names {
                let whole = name.strip_prefix("*.").unwrap_or(name);
                if ServerName::try_from(whole).is_err() {
                    return Err(TlsError::new(ErrorKind::Settings, cannot(name)));
                }
            }
            names.to_vec()
        }
        // What clients are called need not be the name of a host.
        Purpose::Client => Vec::new(),
    };
    let mut params = CertificateParams::new(alternative).map_err(|error| {
        TlsError::caused_by(ErrorKind::Settings, cannot(&names.join(", ")), error)
    })?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, first.as_str());
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![match purpose {
        Purpose::Server => ExtendedKeyUsagePurpose::ServerAuth,
        Purpose::Client => ExtendedKeyUsagePurpose::ClientAuth,
    }];
    valid(&mut params, days);
    Ok(params)
}

/// From yesterday on, for clocks that are behind.
fn valid(params: &mut CertificateParams, days: i64) {
    let date = |seconds: i64| {
        let (year, month, day) = when::date(seconds);
        let year = i32::try_from(year).unwrap_or(9999);
        date_time_ymd(year, u8::try_from(month).unwrap_or(1), u8::try_from(day).unwrap_or(1))
    };
    params.not_before = date(when::now() - when::DAY);
    params.not_after = date(when::now() + (days - 1) * when::DAY);
}

fn write_new(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn failed(path: &Path, error: &(impl std::fmt::Display + ?Sized)) -> TlsError {
    TlsError::new(ErrorKind::Credentials, format!("{}: {error}", path.display()))
}

fn unfit(error: &rcgen::Error) -> TlsError {
    TlsError::new(ErrorKind::Settings, format!("the certificate cannot be made: {error}"))
}

const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca-key.pem";
/// Ten years.
const ROOT_DAYS: i64 = 3650;
/// What browsers take at most is 398 days.
const LEAF_DAYS: i64 = 397;
