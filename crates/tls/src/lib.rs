#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(all(feature = "issue", any(feature = "aws-lc", feature = "ring")))]
mod authority;
mod certificate;
mod client;
mod der;
mod describe;
mod error;
mod name_map;
mod oids;
mod pem;
mod pin;
mod provider;
mod roots;
mod server;
mod stamps;
mod summary;
mod transport;
mod verifier;
mod when;

#[cfg(all(feature = "issue", not(any(feature = "aws-lc", feature = "ring"))))]
compile_error!(
    "the feature `issue` makes keys, which takes the feature `aws-lc` or `ring` beside it"
);

#[cfg(all(feature = "issue", any(feature = "aws-lc", feature = "ring")))]
pub use authority::{Authority, Issued, Purpose};
pub use certificate::{Certificate, MalformedCertificate};
pub use client::{ClientSettings, ClientTls};
pub use error::{Distrust, ErrorKind, TlsError};
pub use pem::Credentials;
pub use pin::Pin;
pub use provider::Provider;
pub use roots::Roots;
pub use server::{ClientCertificates, ServerSettings, ServerTls};
pub use transport::TlsTransport;
