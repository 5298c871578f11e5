//! What requests of every verb have in common.

use std::sync::Arc;

use avocet::client::Proxies;

use crate::failure::Failure;

/// The User-Agent field unless the user says another.
pub(crate) const AGENT: &str = concat!("avocet/", env!("CARGO_PKG_VERSION"));

/// The URL with the scheme that is assumed where none is given.
pub(crate) fn with_scheme(url: &str) -> String {
    if url.contains("://") { url.to_owned() } else { format!("http://{url}") }
}

/// The proxies that the environment names.
///
/// *Errors*: a variable that names none.
pub(crate) fn proxies() -> Result<Arc<Proxies>, Failure> {
    let proxies = Proxies::from_env();
    proxies
        .map(Arc::new)
        .map_err(|error| Failure::usage(format_args!("proxy: {}", error.message())))
}
