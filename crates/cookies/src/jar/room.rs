//! Which cookie goes when the jar is full (RFC 6265bis §5.7, "remove excess cookies").

use std::time::SystemTime;

use super::Jar;
use crate::cookie::Cookie;

impl Jar {
    /// Evicts until the limits hold after a cookie with this `order` came to `site`. `false`
    /// means that the newcomer itself had the least claim to stay.
    pub(super) fn make_room(&mut self, site: &str, order: u64, now: SystemTime) -> bool {
        let mut stayed = true;
        // Expired cookies of this site went when the newcomer was looked at.
        while self.sites.get(site).is_some_and(|cookies| cookies.len() > self.limits.per_site) {
            stayed &= self.evict_from(site) != Some(order);
        }
        if self.len > self.limits.total {
            self.clear_expired(now);
        }
        while self.len > self.limits.total {
            let Some(site) = self.site_to_give() else { break };
            stayed &= self.evict_from(&site) != Some(order);
        }
        stayed
    }

    /// The site that holds the next cookie to go when the whole jar is over its limit.
    fn site_to_give(&self) -> Option<Box<str>> {
        let worst_of = |cookies: &[Cookie]| {
            let crowded = cookies.len() > self.limits.crowded;
            let claim = move |cookie: &Cookie| {
                let rank = match (crowded, cookie.secure) {
                    (true, false) => 0,
                    (true, true) => 1,
                    (false, _) => 2,
                };
                (rank, cookie.accessed, cookie.order)
            };
            cookies.iter().map(claim).min()
        };
        let (site, _) = self.sites.iter().min_by_key(|(_, cookies)| worst_of(cookies))?;
        Some(site.clone())
    }

    /// Removes the cookie of `site` with the least claim: without Secure before with, then the
    /// one that was used longest ago. Answers its `order`.
    fn evict_from(&mut self, site: &str) -> Option<u64> {
        let cookies = self.sites.get_mut(site)?;
        let crowded = cookies.len() > self.limits.crowded;
        let claims = cookies.iter().enumerate();
        let (at, _) = claims
            .min_by_key(|(_, cookie)| (crowded && cookie.secure, cookie.accessed, cookie.order))?;
        let order = cookies.swap_remove(at).order;
        self.len -= 1;
        if cookies.is_empty() {
            self.sites.remove(site);
        }
        Some(order)
    }
}
