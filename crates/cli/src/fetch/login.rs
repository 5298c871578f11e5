//! Logging in: -u with --digest, and files of passwords.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use avocet::client::{Credentials, Hook, Login, Netrc, Vault};
use url::Url;

use super::args::Fetch;
use crate::failure::Failure;
use crate::target::with_scheme;

/// What answers the challenges of servers; `None` where -u by Basic is all there is, for which a
/// field is enough.
///
/// *Errors*: a file of passwords that cannot be read.
pub(super) fn hook(options: &Fetch) -> Result<Option<Arc<dyn Hook>>, Failure> {
    let login = if let Some(user) = &options.user {
        if !options.digest && !options.anyauth {
            return Ok(None);
        }
        Login::new(of_urls(options, user))
    } else if let Some(path) = netrc_path(options)? {
        let login = Login::new(netrc(&path, options)?);
        if options.anyauth { login } else { login.at_once() }
    } else if options.digest || options.anyauth {
        // What stands in URLs is found without being told.
        Login::new(Vault::new())
    } else {
        return Ok(None);
    };
    Ok(Some(Arc::new(if options.digest { login.without_basic() } else { login })))
}

/// The password is for the hosts of the URLs, wherever redirects lead.
fn of_urls(options: &Fetch, user: &str) -> Vault {
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let mut vault = Vault::new();
    for url in options.urls.iter().filter_map(|url| Url::parse(&with_scheme(url)).ok()) {
        if let Ok(root) = url.join("/") {
            vault.add(&root, None, Credentials::new(name, password));
        }
    }
    vault
}

fn netrc_path(options: &Fetch) -> Result<Option<PathBuf>, Failure> {
    if options.netrc_file.is_some() || !options.netrc {
        return Ok(options.netrc_file.clone());
    }
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
    let home = home.ok_or_else(|| Failure::usage("HOME does not say where .netrc lies"))?;
    Ok(Some(Path::new(&home).join(".netrc")))
}

fn netrc(path: &Path, options: &Fetch) -> Result<Netrc, Failure> {
    if options.netrc_file.is_none() && !path.exists() {
        log::warn!("there are no passwords: {}: no such file", path.display());
        return Ok(Netrc::default());
    }
    Netrc::load(path)
        .map_err(|error| Failure::with_status(26, format_args!("{}: {error}", path.display())))
}
