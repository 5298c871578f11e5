//! TLS of verbs that serve.

use std::io;
use std::path::PathBuf;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use avocet::https::{self, ToHttps};
use avocet::net::{Address, ListenAddress};
use avocet::server::{Config, Grace, Handle, Server};
use avocet::tls::{ClientCertificates, Credentials, Purpose, Roots, ServerSettings, ServerTls};
use clap::Args;
use http::header::STRICT_TRANSPORT_SECURITY;

use crate::certs;
use crate::failure::Failure;

/// Options about TLS.
#[derive(Args)]
#[command(next_help_heading = "TLS")]
pub(super) struct Secure {
    /// Serve https with the certificate and key in FILE (PEM), any number of times: clients get the
    /// one for the name they ask for, else the first. Files that change are read again within
    /// seconds, on SIGHUP at once
    #[arg(long, value_name = "FILE")]
    tls_pem: Vec<PathBuf>,
    /// The same with the certificate and its chain in FILE; the key is that of --tls-key
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Key for --tls-cert
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Serve https on this machine with a certificate for localhost, issued by an authority that is
    /// made where there is none; `avocet certs trust-hint` tells how programs come to trust it
    #[arg(long, conflicts_with_all = ["tls_pem", "tls_cert"])]
    tls_dev: bool,
    /// Let only clients in that have a certificate issued by one of those in FILE
    #[arg(long, value_name = "FILE")]
    tls_client_ca: Option<PathBuf>,
    /// Let clients in without one, too
    #[arg(long, requires = "tls_client_ca")]
    tls_client_optional: bool,
    /// Revocation list for the certificates of clients, any number of times
    #[arg(long, value_name = "FILE", requires = "tls_client_ca")]
    tls_client_crl: Vec<PathBuf>,
    /// Send who comes to this address over http to https, any number of times
    #[arg(long, value_name = "ADDRESS")]
    redirect_http: Vec<ListenAddress>,
    /// Tell browsers to come back by https only, for so many seconds: a year if none are said. It
    /// holds for the whole host and cannot be taken back before
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "31536000")]
    hsts: Option<u64>,
}

/// A small server that sends others to https, beside the one that speaks it.
pub(super) struct Redirecting {
    pub(super) addresses: Vec<Address>,
    handle: Handle,
    thread: JoinHandle<io::Result<()>>,
}

impl Secure {
    /// TLS, where it is wanted. Mistakes show here, before anything listens.
    pub(super) fn open(&self) -> Result<Option<ServerTls>, Failure> {
        let mut settings = https::server_settings();
        let mut wanted = false;
        if let Some(certificate) = &self.tls_cert {
            settings = settings.files(certificate, self.tls_key.clone());
            wanted = true;
        }
        for file in &self.tls_pem {
            settings = settings.files(file, None);
            wanted = true;
        }
        if self.tls_dev {
            settings = settings.credentials(for_this_machine()?);
            wanted = true;
        }
        if wanted {
            let settings = settings.clients(self.clients());
            return open(settings).map(Some);
        }
        for (given, option) in [
            (self.tls_client_ca.is_some(), "--tls-client-ca"),
            (!self.redirect_http.is_empty(), "--redirect-http"),
            (self.hsts.is_some(), "--hsts"),
        ] {
            if given {
                let message =
                    format!("{option} needs a certificate: --tls-pem, --tls-cert or --tls-dev");
                return Err(Failure::usage(message));
            }
        }
        Ok(None)
    }

    fn clients(&self) -> ClientCertificates {
        let Some(file) = &self.tls_client_ca else { return ClientCertificates::None };
        let (roots, revoked) = (Roots::none().file(file), self.tls_client_crl.clone());
        if self.tls_client_optional {
            ClientCertificates::Optional(roots, revoked)
        } else {
            ClientCertificates::Required(roots, revoked)
        }
    }

    /// Fields that every response carries.
    pub(super) fn add_fields(&self, config: &mut Config) -> Result<(), Failure> {
        let Some(seconds) = self.hsts else { return Ok(()) };
        let value = format!("max-age={seconds}");
        config.common_fields.push(&STRICT_TRANSPORT_SECURITY, value).map_err(Failure::usage)
    }

    /// Starts to send others to the first of these addresses. They are told nothing of HSTS, as RFC
    /// 6797 §7.2 wants it: "An HSTS Host MUST NOT include the STS header field in HTTP responses
    /// conveyed over non-secure transport."
    pub(super) fn redirecting(&self, to: &[Address]) -> Result<Option<Redirecting>, Failure> {
        if self.redirect_http.is_empty() {
            return Ok(None);
        }
        let port = to.iter().find_map(|address| match address {
            Address::Ip(address) => Some(address.port()),
            _ => None,
        });
        let port = port.ok_or_else(|| Failure::usage("--redirect-http: https has no port"))?;
        let server = Server::new(ToHttps::new(port)).workers(1);
        let server = self.redirect_http.iter().cloned().fold(server, Server::listen);
        let bound = server.bind().map_err(Failure::failed)?;
        let (addresses, handle) = (bound.addresses().to_vec(), bound.handle());
        let thread = thread::Builder::new()
            .name("to-https".into())
            .spawn(move || bound.run())
            .map_err(Failure::failed)?;
        Ok(Some(Redirecting { addresses, handle, thread }))
    }
}

impl Redirecting {
    /// Ends it, when the other server has ended.
    pub(super) fn stop(self) {
        self.handle.stop(Grace::NONE);
        match self.thread.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => log::warn!("the listener that redirects failed: {error}"),
            Err(_) => log::warn!("the listener that redirects panicked"),
        }
    }
}

/// Looks at the files of certificates from now on, and reads them again when they have changed: those
/// who renew certificates need not tell anybody.
pub(super) fn watch(tls: ServerTls) -> io::Result<()> {
    let watch = move || {
        loop {
            thread::sleep(LOOK_EVERY);
            match tls.reload_if_changed() {
                Ok(true) => log::info!("the certificates have changed and were read anew"),
                Ok(false) => {}
                Err(error) => log::error!("the old certificates stay in use: {error}"),
            }
        }
    };
    // It ends with the process; there is nothing that it could leave half done.
    thread::Builder::new().name("certificates".into()).spawn(watch).map(drop)
}

/// A certificate for the names by which this machine calls itself.
fn for_this_machine() -> Result<Credentials, Failure> {
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    let own = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let is_name =
        !own.is_empty() && own.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
    if is_name && own != "localhost" {
        names.push(own);
    }
    let issued = certs::authority(None)?.issue(&names, Purpose::Server);
    issued.and_then(|issued| issued.credentials()).map_err(Failure::failed)
}

/// How long a renewed certificate waits at most.
const LOOK_EVERY: Duration = Duration::from_secs(5);

fn open(settings: ServerSettings) -> Result<ServerTls, Failure> {
    ServerTls::open(settings).map_err(|error| Failure::usage(format_args!("TLS: {error}")))
}
