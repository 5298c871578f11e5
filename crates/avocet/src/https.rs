//! HTTP over TLS: what puts `tls` under the server and the client, which know nothing of it.

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "client")]
mod hsts;
#[cfg(feature = "server")]
mod server;

#[cfg(feature = "client")]
pub use client::{OverTls, client_settings, config};
#[cfg(feature = "client")]
pub use hsts::Hsts;
#[cfg(feature = "server")]
pub use server::{ToHttps, secure, server_settings};

/// What is spoken inside TLS (RFC 7301).
const PROTOCOLS: &[&str] = &["http/1.1"];
