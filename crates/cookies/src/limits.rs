//! How much a jar holds.

use std::time::Duration;

/// The bounds of a jar. What goes at a bound is said at each field; RFC 6265bis §5.7 gives the
/// order: expired cookies, then those without Secure of a crowded site, then others of a crowded
/// site, then any, and among equals the one that was used longest ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Cookies per site, 180. A site is a registrable domain: were sub-domains counted apart, one
    /// site could fill the jar and push all others out. Browsers count so too.
    pub per_site: usize,
    /// Cookies in all, 3,000.
    pub total: usize,
    /// Above how many cookies a site is crowded and gives first when the jar is full, 50.
    pub crowded: usize,
    /// Octets of a Cookie field, 32 KiB. Servers refuse requests with more, so that a site could
    /// lock visitors out of its neighbors by a flood of large cookies (CVE-2022-32205 of curl).
    /// Cookies that do not fit any more, in the order in which they are sent, stay behind.
    pub header: usize,
    /// The longest lifetime, 400 days. Expires and Max-Age are cut to it (RFC 6265bis §5.5).
    pub lifetime: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_site: 180,
            total: 3_000,
            crowded: 50,
            header: 32 * 1_024,
            lifetime: Duration::from_secs(400 * 24 * 60 * 60),
        }
    }
}

/// The most octets of a name and its value together (RFC 6265bis §5.6).
pub(crate) const MAX_PAIR: usize = 4_096;
/// The most octets of an attribute value (RFC 6265bis §5.6).
pub(crate) const MAX_ATTRIBUTE: usize = 1_024;
/// How many unknown attributes one cookie keeps, and of how many octets together.
pub(crate) const MAX_EXTENSIONS: usize = 16;
/// See [`MAX_EXTENSIONS`].
pub(crate) const MAX_EXTENSION_OCTETS: usize = 1_024;
/// The most octets of a path. An attribute has less; a default path comes from a URL, and one
/// that a redirect made longer than this would be kept once per cookie.
pub(crate) const MAX_PATH: usize = 8_192;
