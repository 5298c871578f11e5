//! What requests of every verb have in common.

/// The User-Agent field unless the user says another.
pub(crate) const AGENT: &str = concat!("avocet/", env!("CARGO_PKG_VERSION"));

/// The URL with the scheme that is assumed where none is given.
pub(crate) fn with_scheme(url: &str) -> String {
    if url.contains("://") { url.to_owned() } else { format!("http://{url}") }
}
