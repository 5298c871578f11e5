//! `avocet certs`: certificates for development, and a look at those of others.

mod show;

use std::path::{Path, PathBuf};

use avocet::tls::{Authority, Certificate, Credentials, Issued, Purpose};
use clap::{Args, Subcommand};

use crate::failure::Failure;
use crate::output;

/// Make certificates for development, and look at those of others
#[derive(Args)]
#[command(
    after_help = "Exit status: 0 done, 1 something is wrong with a certificate that was shown, \
    2 usage, 6 host not found, 7 no connection, 35 no TLS, 58 a file that cannot be used, 77 \
    authorities that cannot be read"
)]
pub(crate) struct Certs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make an authority for this machine, where there is none, and tell where it is
    Ca(Place),
    /// Make a certificate that this authority has issued, and its key
    Issue {
        /// Names and addresses it is for; of a client, what it is called
        #[arg(value_name = "NAME", required = true)]
        names: Vec<String>,
        /// File for both; by default the first name and .pem
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// For a client, not for a server
        #[arg(long)]
        client: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Tell how other programs come to trust this authority
    TrustHint(Place),
    /// Make a certificate that is signed by itself, and its key
    SelfSigned {
        /// Names and addresses it is for
        #[arg(value_name = "NAME", required = true)]
        names: Vec<String>,
        /// File for both
        #[arg(short, long, value_name = "FILE", default_value = "server.pem")]
        output: PathBuf,
        /// How long it is valid
        #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: u32,
    },
    /// Show the certificates of a server, or of a file: names, dates, and what is wrong with them
    Show(Box<show::Show>),
}

/// Where the authority is kept.
#[derive(Args)]
pub(crate) struct Place {
    /// Folder of the authority, instead of avocet/ca below ~/.local/share
    #[arg(long = "dir", value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl Certs {
    pub(crate) fn run(self, quiet: bool) -> Result<(), Failure> {
        match self.verb {
            Verb::Ca(place) => {
                let authority = authority(place.folder.as_deref())?;
                if !quiet {
                    let (file, subject) = (authority.path().display(), subject(&authority));
                    output::answer(format_args!("{subject}: {file}"))?;
                }
                Ok(())
            }
            Verb::Issue { names, output, client, place } => {
                let purpose = if client { Purpose::Client } else { Purpose::Server };
                let authority = authority(place.folder.as_deref())?;
                let issued = authority.issue(&names, purpose).map_err(Failure::usage)?;
                let default = || PathBuf::from(format!("{}.pem", file_name(&names[0])));
                write(&issued, &output.unwrap_or_else(default), quiet)
            }
            Verb::TrustHint(place) => trust_hint(&authority(place.folder.as_deref())?),
            Verb::SelfSigned { names, output, days } => {
                let issued = Issued::self_signed(&names, days).map_err(Failure::usage)?;
                write(&issued, &output, quiet)
            }
            Verb::Show(show) => show.run(),
        }
    }
}

/// The authority in a folder, or in the person's own; made where there is none.
pub(crate) fn authority(folder: Option<&Path>) -> Result<Authority, Failure> {
    let folder = match folder {
        Some(folder) => folder.to_owned(),
        None => own_folder()?,
    };
    let is_new = !folder.join("ca.pem").exists();
    let authority = Authority::open_or_make(&folder)
        .map_err(|error| Failure::with_status(58, format_args!("the authority: {error}")))?;
    if is_new {
        log::warn!("an authority was made in {}; nobody trusts it yet", folder.display());
    }
    Ok(authority)
}

/// By the XDG base directory specification; what is relative there is to be left aside.
fn own_folder() -> Result<PathBuf, Failure> {
    let folder = |name: &str| {
        let value = std::env::var_os(name).map(PathBuf::from);
        value.filter(|path| path.is_absolute())
    };
    let data = folder("XDG_DATA_HOME")
        .or_else(|| folder("HOME").map(|home| home.join(".local/share")))
        .ok_or_else(|| Failure::usage("there is no home folder for the authority; say --dir"))?;
    Ok(data.join("avocet/ca"))
}

fn subject(authority: &Authority) -> String {
    // The certificate was read by the same eyes when the authority was opened.
    let known = pem_certificates(authority.certificate().as_bytes());
    known.first().map(|known| known.subject.clone()).unwrap_or_default()
}

fn pem_certificates(text: &[u8]) -> Vec<Certificate> {
    let certificates = Credentials::certificates_of_pem(text).unwrap_or_default();
    certificates.iter().filter_map(|der| Certificate::parse(der).ok()).collect()
}

fn write(issued: &Issued, path: &Path, quiet: bool) -> Result<(), Failure> {
    issued.write(path).map_err(|error| {
        Failure::with_status(23, format_args!("cannot write {}: {error}", path.display()))
    })?;
    if !quiet {
        let known = pem_certificates(issued.certificate.as_bytes());
        let until = known.first().map(|known| known.validity().1).unwrap_or_default();
        output::answer(format_args!("{}: certificate and key, until {until}", path.display()))?;
    }
    Ok(())
}

/// A name as part of a file's: a wildcard or an address is none.
fn file_name(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || "-._".contains(c) { c } else { '_' }).collect()
}

fn trust_hint(authority: &Authority) -> Result<(), Failure> {
    let (file, subject) = (authority.path().display().to_string(), subject(authority));
    for line in [
        format!("# {subject}"),
        "# Whoever has the key beside it can pose as any host to those who trust it. Undo it when done."
            .to_owned(),
        format!("avocet fetch --cacert {file} URL"),
        format!("curl --cacert {file} URL"),
        format!("export SSL_CERT_FILE={file}   # OpenSSL, Python, avocet: instead of the system's"),
        format!("export NODE_EXTRA_CA_CERTS={file}"),
        format!("sudo cp {file} /usr/local/share/ca-certificates/avocet.crt && sudo update-ca-certificates   # Debian"),
        format!("sudo cp {file} /etc/pki/ca-trust/source/anchors/ && sudo update-ca-trust   # Fedora"),
        format!("certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n '{subject}' -i {file}   # Chromium"),
        format!("# Firefox: Settings, Privacy & Security, View Certificates, Authorities, Import {file}"),
    ] {
        output::answer(line)?;
    }
    Ok(())
}
