//! What requests of every verb have in common.

use std::borrow::Cow;
use std::sync::Arc;

use avocet::client::Proxies;

use crate::failure::Failure;

/// The User-Agent field unless the user says another.
pub(crate) const AGENT: &str = concat!("avocet/", env!("CARGO_PKG_VERSION"));

/// The URL with the scheme that is assumed where none is given.
pub(crate) fn with_scheme(url: &str) -> String {
    if url.contains("://") { url.to_owned() } else { format!("http://{url}") }
}

/// A URL as it was written, without a user and a password that stand in it.
pub(crate) fn without_login(url: &str) -> Cow<'_, str> {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    match url[start..end].rfind('@') {
        Some(at) => Cow::Owned([&url[..start], &url[start + at + 1..]].concat()),
        None => Cow::Borrowed(url),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_not_repeated() {
        for (url, shown) in [
            ("http://me:secret@h:80/a@b", "http://h:80/a@b"),
            ("me:sec@ret@h", "h"),
            ("http://h/?a=b@c", "http://h/?a=b@c"),
            ("http://me:s@h?x", "http://h?x"),
            ("", ""),
        ] {
            assert_eq!(without_login(url), shown);
        }
    }
}
