//! Virtual hosts: which site a request is for.

use std::path::PathBuf;
use std::sync::Arc;

use avocet::server::{Handler, Reply, Request};

use super::{Serve, Site};
use crate::failure::Failure;
use crate::settings::{HostPattern, Settings};

/// All sites of a server.
pub(super) struct Hosts {
    pub(super) handler: Arc<dyn Handler>,
    /// The folders that they serve.
    pub(super) folders: Vec<PathBuf>,
}

impl Hosts {
    /// The site itself, with the virtual hosts of the settings around it.
    ///
    /// *Errors*: a host whose site cannot be served.
    pub(super) fn around(site: Site, settings: &Settings) -> Result<Self, Failure> {
        let mut folders: Vec<PathBuf> = site.folder.into_iter().collect();
        let mut named = Vec::new();
        for section in settings.sites() {
            let told = |failure: Failure| {
                Failure::with_status(failure.status(), format_args!("{section}: {failure}"))
            };
            let mut serve: Serve = settings.parse(Some(section))?;
            if let Some(name) = section.pattern().and_then(|pattern| pattern.names()) {
                serve.site.changing.know_as(name);
            }
            let Site { handler, folder, .. } = serve.site().map_err(told)?;
            folders.extend(folder);
            named.extend(section.pattern().map(|pattern| (pattern, handler)));
        }
        if named.is_empty() {
            return Ok(Self { handler: site.handler, folders });
        }
        named.sort_by(|(one, _), (other, _)| other.cmp(one));
        let handler = Arc::new(ByHost { named, other: site.handler });
        Ok(Self { handler, folders })
    }
}

/// Sites by the host that a request names.
struct ByHost {
    /// The best fits first.
    named: Vec<(HostPattern, Arc<dyn Handler>)>,
    /// For requests that name no host, or another one.
    other: Arc<dyn Handler>,
}

impl Handler for ByHost {
    fn handle(&self, request: &Request<'_>, reply: Reply<'_>) {
        let found = request
            .head()
            .host()
            .and_then(|host| self.named.iter().find(|(pattern, _)| pattern.fits_authority(host)));
        found.map_or(&self.other, |(_, handler)| handler).handle(request, reply);
    }
}
