//! `avocet certs show`: what a server's certificates say and what is wrong with them.

use std::path::Path;
use std::sync::Arc;

use avocet::client::{Config, Dialer, RawConnection};
use avocet::https::OverTls;
use avocet::net::Secured;
use avocet::tls::{Certificate, ClientTls, Credentials};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use url::{Host, Url};

use crate::exit;
use crate::failure::Failure;
use crate::output::{self, printable};
use crate::secure::{self, Secure};
use crate::target;

/// Options of `certs show`.
#[derive(Args)]
pub(super) struct Show {
    /// Host, with a port if it is not 443, or a file of certificates (PEM or DER)
    #[arg(value_name = "HOST|FILE")]
    what: String,
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    #[command(flatten)]
    secure: Secure,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines
    Text,
    /// One JSON object
    Json,
}

/// What is shown.
struct Found {
    name: String,
    chain: Vec<Vec<u8>>,
    secured: Option<Secured>,
    problem: Option<String>,
}

impl Show {
    pub(super) fn run(&self) -> Result<(), Failure> {
        // What is refused is to be shown too, so the connection is made without checks, and the same
        // checks are made afterwards.
        if self.secure.names_roots() {
            secure::open(self.secure.settings()?)?;
        }
        let client = secure::open(self.secure.settings()?.dangerously_unchecked())?;
        let found = match Path::new(&self.what) {
            path if path.is_file() => {
                Found { name: self.what.clone(), chain: read(path)?, secured: None, problem: None }
            }
            _ => self.ask(&client)?,
        };
        match self.format {
            Format::Text => print(&found, &client)?,
            Format::Json => output::json(&json(&found, &client))?,
        }
        // The lines have said it.
        if found.problem.is_some() { Err(Failure::failed("").told()) } else { Ok(()) }
    }

    fn ask(&self, client: &ClientTls) -> Result<Found, Failure> {
        let text = match self.what.split_once("://") {
            Some((_, rest)) => format!("https://{rest}"),
            None => format!("https://{}", self.what),
        };
        let url = Url::parse(&text)
            .map_err(|error| Failure::with_status(3, format_args!("`{}`: {error}", self.what)))?;
        let host = match url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => return Err(Failure::usage(format_args!("`{}` names no host", self.what))),
        };
        let mut config = Config::default();
        config.proxies = target::proxies()?;
        let tls = OverTls::new(client.clone());
        config.connector = Arc::new(Dialer::new().secure(Arc::new(tls)));
        let failed = |error: avocet::client::Error| {
            Failure::with_status(exit::status(&error), format_args!("{error}"))
        };
        let mut connection = RawConnection::with_config(url.as_str(), config).map_err(failed)?;
        connection.connect().map_err(failed)?;
        let secured = connection.peer().and_then(|peer| peer.secured);
        let none = || Failure::with_status(35, format_args!("{host} shows no certificate"));
        let secured = secured.ok_or_else(none)?.as_ref().clone();
        let chain = secured.peer.as_ref().map(|peer| peer.chain.clone()).unwrap_or_default();
        let problem = client.check(&chain, &host).err().map(|error| error.to_string());
        Ok(Found { name: host, chain, secured: Some(secured), problem })
    }
}

fn read(path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let cannot = |error: &dyn std::fmt::Display| {
        Failure::with_status(58, format_args!("{}: {error}", path.display()))
    };
    let bytes = std::fs::read(path).map_err(|error| cannot(&error))?;
    if Certificate::parse(&bytes).is_ok() {
        return Ok(vec![bytes]);
    }
    Credentials::certificates_of_pem(&bytes).map_err(|error| cannot(&error))
}

fn print(found: &Found, client: &ClientTls) -> Result<(), Failure> {
    let line = |text: String| output::answer(printable(&text));
    if let Some(secured) = &found.secured {
        let group = secured.group.as_deref().unwrap_or("-");
        line(format!("{}: {}, {}, {group}", found.name, secured.version, secured.cipher))?;
    }
    for (place, der) in found.chain.iter().enumerate() {
        let Ok(certificate) = Certificate::parse(der) else {
            line(format!("{place}: not a certificate"))?;
            continue;
        };
        let (from, to) = certificate.validity();
        line(format!("{place}: {}", certificate.subject))?;
        line(format!("   issued by  {}", certificate.issuer))?;
        if !certificate.names.is_empty() {
            line(format!("   names      {}", certificate.names.join(", ")))?;
        }
        line(format!("   valid      {from} to {to}"))?;
        line(format!("   key        {}, signed with {}", certificate.key, certificate.signature))?;
        let mut uses = certificate.purposes.clone();
        if certificate.is_authority {
            uses.push("issuing others".to_owned());
        }
        if !uses.is_empty() {
            line(format!("   for        {}", uses.join(", ")))?;
        }
        line(format!("   serial     {}", certificate.serial))?;
        line(format!("   SHA-256    {}", client.fingerprint(der)))?;
        line(format!("   pin        {}", client.pin(&certificate.public_key)))?;
    }
    match (&found.problem, &found.secured) {
        (Some(problem), _) => line(format!("wrong: {problem}")),
        (None, Some(_)) => line("nothing is wrong with it".to_owned()),
        (None, None) => Ok(()),
    }
}

fn json(found: &Found, client: &ClientTls) -> Value {
    let certificates: Vec<Value> = found
        .chain
        .iter()
        .map(|der| match Certificate::parse(der) {
            Ok(certificate) => {
                let (from, to) = certificate.validity();
                json!({
                    "subject": certificate.subject,
                    "issuer": certificate.issuer,
                    "names": certificate.names,
                    "not_before": from,
                    "not_after": to,
                    "key": certificate.key,
                    "signature": certificate.signature,
                    "is_authority": certificate.is_authority,
                    "purposes": certificate.purposes,
                    "serial": certificate.serial,
                    "sha256": client.fingerprint(der),
                    "pin": client.pin(&certificate.public_key).to_string(),
                })
            }
            Err(error) => json!({ "error": error.to_string() }),
        })
        .collect();
    json!({
        "name": found.name,
        "version": found.secured.as_ref().map(|secured| secured.version),
        "cipher": found.secured.as_ref().map(|secured| secured.cipher.as_str()),
        "group": found.secured.as_ref().and_then(|secured| secured.group.as_deref()),
        "protocol": found.secured.as_ref().and_then(|secured| secured.protocol.as_deref()),
        "certificates": certificates,
        "problem": found.problem,
    })
}
