//! Logging in: -u with --digest, and files of passwords.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use avocet::client::{Credentials, Error, Hook, Hop, Login, Netrc, Passwords, Vault, Verdict};
use avocet::wire::{FieldBuf, ResponseHead};
use url::Url;

use super::args::Fetch;
use crate::failure::Failure;

/// What answers the challenges of servers; `None` where -u by Basic is all there is, for which a
/// field is enough.
///
/// *Errors*: a file of passwords that cannot be read.
pub(super) fn hook(options: &Fetch) -> Result<Option<Arc<dyn Hook>>, Failure> {
    let login = if let Some(user) = &options.user {
        if !options.digest && !options.anyauth {
            return Ok(None);
        }
        let (name, password) = user.split_once(':').unwrap_or((user, ""));
        let login = Login::new(ForAll(Credentials::new(name, password)));
        let login = if options.digest { login.without_basic() } else { login };
        let everywhere = options.follow.location_trusted;
        return Ok(Some(if everywhere { Arc::new(login) } else { Arc::new(AtFirst(login)) }));
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

/// One password for whoever asks.
struct ForAll(Credentials);

impl Passwords for ForAll {
    fn find(&self, _: &Url, _: Option<&str>) -> Option<Credentials> {
        Some(self.0.clone())
    }
}

/// A login for the hosts of the URLs that were given, not for those that redirects lead to.
struct AtFirst(Login);

impl AtFirst {
    fn is_there(hop: &Hop<'_>) -> bool {
        hop.url.origin() == hop.first.origin()
    }
}

impl Hook for AtFirst {
    fn on_request(&self, hop: &Hop<'_>, fields: &mut FieldBuf) -> Result<(), Error> {
        if Self::is_there(hop) { self.0.on_request(hop, fields) } else { Ok(()) }
    }

    fn on_response(&self, hop: &Hop<'_>, head: &ResponseHead<'_>) -> Verdict {
        if Self::is_there(hop) { self.0.on_response(hop, head) } else { Verdict::Proceed }
    }
}

fn netrc_path(options: &Fetch) -> Result<Option<PathBuf>, Failure> {
    let wanted = options.netrc || options.netrc_optional;
    if options.netrc_file.is_some() || !wanted {
        return Ok(options.netrc_file.clone());
    }
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
    let home = home.ok_or_else(|| Failure::usage("HOME does not say where .netrc lies"))?;
    Ok(Some(Path::new(&home).join(".netrc")))
}

fn netrc(path: &Path, options: &Fetch) -> Result<Netrc, Failure> {
    let may_be_missing = options.netrc_file.is_none() || options.netrc_optional;
    if may_be_missing && !path.exists() {
        if !options.netrc_optional {
            log::warn!("there are no passwords: {}: no such file", path.display());
        }
        return Ok(Netrc::default());
    }
    Netrc::load(path)
        .map_err(|error| Failure::with_status(26, format_args!("{}: {error}", path.display())))
}
