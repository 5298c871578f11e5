//! TLS of verbs that ask others.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use avocet::client::{Config, Dialer};
use avocet::https::{self, Hsts, OverTls};
use avocet::net::Secured;
use avocet::tls::{ClientSettings, ClientTls, ErrorKind, Pin, Roots, TlsError};
use clap::{ArgAction, Args};

use crate::failure::Failure;

/// Options about TLS, by curl's names.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "TLS")]
pub(crate) struct Secure {
    /// Check no certificate: whoever is on the way can read and change everything
    #[arg(short = 'k', long, action = ArgAction::SetTrue)]
    insecure: bool,
    /// Trust the authorities in FILE, and no others; otherwise those of the system, or of
    /// SSL_CERT_FILE and SSL_CERT_DIR
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,
    /// Trust the authorities in the files of DIR, and no others
    #[arg(long, value_name = "DIR")]
    capath: Option<PathBuf>,
    /// Refuse certificates that the revocation lists in FILE name, and those that none names
    #[arg(long, value_name = "FILE")]
    crlfile: Option<PathBuf>,
    /// Certificate for servers that ask for one, with its key unless --key names it
    #[arg(short = 'E', long, value_name = "FILE")]
    cert: Option<PathBuf>,
    /// Key for --cert
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Keys of which the server must have one, `sha256//BASE64;...`
    #[arg(long, alias = "pinnedpubkey", value_name = "PINS")]
    pin: Option<String>,
    /// At least TLS 1.2, which holds anyhow
    #[arg(long = "tlsv1.2", action = ArgAction::SetTrue)]
    tls12: bool,
    /// At least TLS 1.3
    #[arg(long = "tlsv1.3", action = ArgAction::SetTrue)]
    tls13: bool,
    /// At most this version
    #[arg(long, value_name = "VERSION", value_parser = ["1.2", "1.3", "default"])]
    tls_max: Option<String>,
    /// Trust these authorities for proxies of https
    #[arg(long, value_name = "FILE")]
    proxy_cacert: Option<PathBuf>,
    /// Check no certificate of a proxy
    #[arg(long, action = ArgAction::SetTrue)]
    proxy_insecure: bool,
}

/// What is remembered of hosts that want https, and where.
pub(crate) struct Remembered {
    hsts: Hsts,
    file: PathBuf,
}

impl Secure {
    /// Gives connections TLS. Files that are named are read at once, those of the system when they are
    /// needed.
    ///
    /// *Errors*: files that cannot be read or used, with curl's statuses.
    pub(crate) fn dialer(&self, dialer: Dialer) -> Result<Dialer, Failure> {
        Ok(dialer.secure(Arc::new(self.over_tls()?)))
    }

    /// The same for a client with nothing else to say about its connections.
    pub(crate) fn set(&self, config: &mut Config) -> Result<(), Failure> {
        config.connector = Arc::new(self.dialer(Dialer::new())?);
        Ok(())
    }

    /// Settings for connections with hosts.
    pub(crate) fn settings(&self) -> Result<ClientSettings, Failure> {
        let mut settings = https::client_settings(self.roots()).log_keys();
        if self.insecure {
            log::warn!(
                "no certificate is checked: anybody on the way can read and change everything"
            );
            settings = settings.dangerously_unchecked();
        }
        if let Some(file) = &self.crlfile {
            settings = settings.revoked(file);
        }
        if let Some(file) = &self.cert {
            settings = settings.credentials(file, self.key.clone());
        }
        if let Some(pins) = &self.pin {
            settings = settings.pins(Pin::list(pins).map_err(Failure::usage)?);
        }
        let only_12 = self.tls_max.as_deref() == Some("1.2");
        match (self.tls13, only_12) {
            (true, true) => {
                let message = "--tlsv1.3 and --tls-max 1.2 leave no version of TLS";
                return Err(Failure::usage(message));
            }
            (true, _) => settings = settings.only_1_3(),
            (_, true) => settings = settings.only_1_2(),
            _ => {}
        }
        Ok(settings)
    }

    fn roots(&self) -> Roots {
        match (&self.cacert, &self.capath) {
            (None, None) => Roots::system(),
            (file, folder) => {
                let roots = file.iter().fold(Roots::none(), |roots, file| roots.file(file));
                folder.iter().fold(roots, |roots, folder| roots.folder(folder))
            }
        }
    }

    fn over_tls(&self) -> Result<OverTls, Failure> {
        let settings = self.settings()?;
        let names_files = self.cacert.is_some() || self.capath.is_some() || self.cert.is_some();
        let hosts = if names_files || self.crlfile.is_some() {
            OverTls::new(open(settings)?)
        } else {
            OverTls::when_needed(settings)
        };
        let roots = match &self.proxy_cacert {
            Some(file) => Roots::none().file(file),
            None => self.roots(),
        };
        let mut settings = https::client_settings(roots).log_keys();
        if self.proxy_insecure {
            log::warn!("no certificate of a proxy is checked");
            settings = settings.dangerously_unchecked();
        }
        let proxies = match &self.proxy_cacert {
            Some(_) => OverTls::new(open(settings)?),
            None => OverTls::when_needed(settings),
        };
        Ok(hosts.for_proxies(proxies))
    }

    /// Whether other authorities than those of the system were named.
    pub(crate) fn names_roots(&self) -> bool {
        self.cacert.is_some() || self.capath.is_some()
    }
}

impl Remembered {
    /// *Errors*: a file that is there and cannot be read.
    pub(crate) fn read(file: &Path) -> Result<Self, Failure> {
        let hsts = Hsts::new();
        hsts.load(file)
            .map_err(|error| Failure::usage(format_args!("{}: {error}", file.display())))?;
        Ok(Self { hsts, file: file.to_owned() })
    }

    /// Lets a client obey, and learn where it checks what it hears.
    pub(crate) fn set(&self, config: &mut Config, secure: &Secure) {
        if secure.insecure {
            config.hooks.push(Arc::new(self.hsts.obeying()));
        } else {
            config.hooks.push(Arc::new(self.hsts.clone()));
        }
    }

    /// *Errors*: the file cannot be written.
    pub(crate) fn save(&self) -> Result<(), Failure> {
        self.hsts.save(&self.file).map_err(|error| {
            Failure::with_status(23, format_args!("cannot write {}: {error}", self.file.display()))
        })
    }
}

/// TLS of a client, or the failure that goes with curl's status.
pub(crate) fn open(settings: ClientSettings) -> Result<ClientTls, Failure> {
    ClientTls::open(settings).map_err(|error| {
        Failure::with_status(status(&error).unwrap_or(2), format_args!("TLS: {error}"))
    })
}

/// curl's status for a failure of TLS; `None` where that of the transfer says more.
pub(crate) fn status(error: &TlsError) -> Option<u8> {
    Some(match error.kind() {
        ErrorKind::Credentials => 58,
        ErrorKind::Roots => 77,
        ErrorKind::RevocationList => 82,
        ErrorKind::Distrusted(_) => 60,
        ErrorKind::Pin => 90,
        ErrorKind::ClientCertificate => 98,
        ErrorKind::Truncated => return None,
        _ => 35,
    })
}

/// What a handshake has made sure of, a line each.
pub(crate) fn facts(secured: &Secured) -> Vec<String> {
    let group = secured.group.as_deref().unwrap_or("the keys of an earlier session");
    let how = if secured.resumed { ", resumed" } else { "" };
    let mut lines = vec![format!("TLS: {}, {}, {group}{how}", secured.version, secured.cipher)];
    if let Some(protocol) = &secured.protocol {
        lines.push(format!("TLS: {protocol} inside"));
    }
    if let Some(peer) = &secured.peer {
        let checked = if peer.verified { "checked" } else { "NOT checked" };
        let names = peer.names.join(", ");
        lines.push(format!("certificate: {checked}; for {names}; {}", peer.subject));
        lines.push(format!("certificate: SHA-256 {}", peer.fingerprint));
    }
    lines
}
