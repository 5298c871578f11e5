//! Virtual hosts: which site a request is for.

use std::sync::Arc;

use avocet::server::{Handler, Reply, Request};

use super::{Serve, Site};
use crate::failure::Failure;
use crate::settings::{HostPattern, Settings};

/// Sites by the host that a request names.
pub(super) struct Hosts {
    /// The best fits first.
    named: Vec<(HostPattern, Arc<dyn Handler>)>,
    /// For requests that name no host, or another one.
    other: Arc<dyn Handler>,
}

impl Hosts {
    /// The site itself, or with the virtual hosts of the settings around it.
    ///
    /// *Errors*: a host whose site cannot be served.
    pub(super) fn around(site: Site, settings: &Settings) -> Result<Arc<dyn Handler>, Failure> {
        let mut named = Vec::new();
        for section in settings.sites() {
            let told = |failure: Failure| {
                Failure::with_status(failure.status(), format_args!("{section}: {failure}"))
            };
            let serve: Serve = settings.parse(Some(section))?;
            let handler = serve.site().map_err(told)?.handler;
            named.extend(section.pattern().map(|pattern| (pattern, handler)));
        }
        if named.is_empty() {
            return Ok(site.handler);
        }
        named.sort_by(|(one, _), (other, _)| other.cmp(one));
        Ok(Arc::new(Self { named, other: site.handler }))
    }
}

impl Handler for Hosts {
    fn handle(&self, request: &Request<'_>, reply: Reply<'_>) {
        let found = request
            .head()
            .host()
            .and_then(|host| self.named.iter().find(|(pattern, _)| pattern.fits_authority(host)));
        found.map_or(&self.other, |(_, handler)| handler).handle(request, reply);
    }
}
