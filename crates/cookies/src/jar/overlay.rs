//! An insecure connection may not lay a cookie over a Secure one (RFC 6265bis §5.7 step 16).

use super::Jar;
use crate::{
    cookie::Cookie,
    host::{domain_match, is_public_suffix, site},
    path::path_match,
    receive::Request,
    verdict::Refusal,
};

impl Jar {
    pub(super) fn check_overlay(
        &self,
        cookie: &Cookie,
        request: &Request<'_>,
    ) -> Result<(), Refusal> {
        if cookie.secure || request.secure {
            return Ok(());
        }
        let overlaid = |held: &Cookie| {
            held.secure
                && held.name == cookie.name
                && path_match(&cookie.path, &held.path)
                && (domain_match(&held.domain, &cookie.domain)
                    || domain_match(&cookie.domain, &held.domain))
        };
        let overlays =
            |site: &str| self.sites.get(site).is_some_and(|cookies| cookies.iter().any(overlaid));
        if overlays(site(&cookie.domain)) || self.overlays_suffix(cookie, &overlaid) {
            return Err(Refusal::SecureOverlay);
        }
        Ok(())
    }

    /// A public suffix that is a host itself, such as `github.io`, domain-matches with the sites
    /// under it, and they are kept elsewhere.
    fn overlays_suffix(&self, cookie: &Cookie, overlaid: &dyn Fn(&Cookie) -> bool) -> bool {
        if is_public_suffix(&cookie.domain) {
            return self
                .sites
                .iter()
                .filter(|(site, _)| domain_match(site, &cookie.domain))
                .any(|(_, cookies)| cookies.iter().any(overlaid));
        }
        let mut above = site(&cookie.domain);
        while let Some((_, parent)) = above.split_once('.') {
            above = parent;
            if self.sites.get(above).is_some_and(|cookies| cookies.iter().any(overlaid)) {
                return true;
            }
        }
        false
    }
}
