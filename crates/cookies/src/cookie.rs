//! A stored cookie.

use std::{fmt, time::SystemTime};

use crate::{octets::escape, time};

mod builder;

pub use self::builder::CookieBuilder;
pub(crate) use self::builder::check_prefixes;

/// Which cross-site requests a cookie goes out with (RFC 6265bis §5.6.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SameSite {
    /// With same-site requests only.
    Strict,
    /// Also when a link from another site is followed.
    Lax,
    /// With all; needs Secure.
    None,
    /// The server did not say; enforced as [`Lax`](Self::Lax).
    #[default]
    Default,
}

impl SameSite {
    /// The value by its name in any case; anything else is [`Default`](Self::Default).
    pub(crate) fn parse(value: &[u8]) -> Self {
        [Self::Strict, Self::Lax, Self::None]
            .into_iter()
            .find(|known| value.eq_ignore_ascii_case(known.as_str().as_bytes()))
            .unwrap_or_default()
    }

    /// The name as Set-Cookie has it; `Default` where there is no attribute.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "Strict",
            Self::Lax => "Lax",
            Self::None => "None",
            Self::Default => "Default",
        }
    }
}

/// Name and value of an attribute that the specification does not know.
type Extension = (Box<[u8]>, Box<[u8]>);

/// A cookie as a jar holds it (RFC 6265bis §5.7). Names, values and paths are octets, for servers
/// send more than ASCII and expect back what they sent.
///
/// `Debug` shows the length of the value instead of the value, which is often a credential.
#[derive(Clone, PartialEq, Eq)]
pub struct Cookie {
    pub(crate) name: Box<[u8]>,
    pub(crate) value: Box<[u8]>,
    pub(crate) domain: Box<str>,
    pub(crate) path: Box<[u8]>,
    pub(crate) host_only: bool,
    pub(crate) secure: bool,
    pub(crate) http_only: bool,
    pub(crate) same_site: SameSite,
    /// The schemeful site of the top level under which it was set, for partitioned cookies.
    pub(crate) partition: Option<Box<str>>,
    pub(crate) extensions: Vec<Extension>,
    /// Seconds since 1970; `None` for a session cookie.
    pub(crate) expires: Option<i64>,
    /// Microseconds since 1970.
    pub(crate) created: i64,
    /// Microseconds since 1970.
    pub(crate) accessed: i64,
    /// Its place in the order of creation, for cookies of one microsecond.
    pub(crate) order: u64,
}

impl Cookie {
    /// Begins a cookie that does not come from a Set-Cookie line; path `/`, for this host only,
    /// for the session.
    pub fn builder(
        name: impl Into<Vec<u8>>,
        value: impl Into<Vec<u8>>,
        domain: impl Into<String>,
    ) -> CookieBuilder {
        CookieBuilder::new(name.into(), value.into(), domain.into())
    }

    /// The name; empty where the server gave none.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// The value, quotation marks included.
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// The host, or the domain, it is for: lower case, no leading dot.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Whether it is for that host only and not for its sub-domains.
    pub fn is_host_only(&self) -> bool {
        self.host_only
    }

    /// The path under which it is sent.
    pub fn path(&self) -> &[u8] {
        &self.path
    }

    /// Whether only secure connections carry it.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether it is hidden from scripts.
    pub fn is_http_only(&self) -> bool {
        self.http_only
    }

    /// Which cross-site requests carry it.
    pub fn same_site(&self) -> SameSite {
        self.same_site
    }

    /// For a partitioned cookie the site of the top level that it belongs to, such as
    /// `https://example.com`.
    pub fn partition(&self) -> Option<&str> {
        self.partition.as_deref()
    }

    /// Attributes that the specification does not know, in the order of the line.
    pub fn extensions(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.extensions.iter().map(|(name, value)| (&**name, &**value))
    }

    /// When it expires; `None` for a session cookie.
    pub fn expires(&self) -> Option<SystemTime> {
        self.expires.map(time::from_seconds)
    }

    /// When it expires in seconds since 1970; `None` for a session cookie.
    pub fn expires_seconds(&self) -> Option<i64> {
        self.expires
    }

    /// When it was created; replacing a cookie keeps this time.
    pub fn created(&self) -> SystemTime {
        time::from_micros(self.created)
    }

    /// When it was last sent.
    pub fn last_accessed(&self) -> SystemTime {
        time::from_micros(self.accessed)
    }

    /// Whether it outlives the session.
    pub fn is_persistent(&self) -> bool {
        self.expires.is_some()
    }

    /// Whether its time is over at `now`.
    pub fn is_expired(&self, now: SystemTime) -> bool {
        self.expired_at(time::seconds(now))
    }

    pub(crate) fn expired_at(&self, now_seconds: i64) -> bool {
        self.expires.is_some_and(|expires| expires <= now_seconds)
    }

    /// The cookie as a Cookie field carries it: `name=value`, or the value alone where the name
    /// is empty.
    pub(crate) fn write_pair(&self, out: &mut Vec<u8>) {
        if !self.name.is_empty() {
            out.extend_from_slice(&self.name);
            out.push(b'=');
        }
        out.extend_from_slice(&self.value);
    }

    /// How many octets [`write_pair`](Self::write_pair) adds.
    pub(crate) fn pair_len(&self) -> usize {
        self.name.len() + usize::from(!self.name.is_empty()) + self.value.len()
    }

    /// Its place in a jar: cookies in one place replace each other. RFC 6265bis §5.7 step 23
    /// compares name, domain, host-only and path; the partition is part of it since partitions do
    /// not see each other.
    pub(crate) fn place(&self) -> Place<'_> {
        let Self { name, path, domain, host_only, partition, .. } = self;
        Place { name, path, domain, host_only: *host_only, partition: partition.as_deref() }
    }

    pub(crate) fn same_place(&self, other: &Self) -> bool {
        self.place() == other.place()
    }

    /// Whether both say the same apart from when they were created and used.
    pub(crate) fn same_content(&self, other: &Self) -> bool {
        self.same_place(other)
            && self.value == other.value
            && self.expires == other.expires
            && self.secure == other.secure
            && self.http_only == other.http_only
            && self.same_site == other.same_site
            && self.extensions == other.extensions
    }

    /// Whether both are one session cookie as far as a line of cookies.txt can tell.
    pub(crate) fn is_twin(&self, other: &Self) -> bool {
        self.expires.is_none()
            && self.same_place(other)
            && self.value == other.value
            && self.secure == other.secure
            && self.http_only == other.http_only
            && other.expires.is_none()
    }
}

/// What [`Cookie::place`] compares.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Place<'c> {
    name: &'c [u8],
    path: &'c [u8],
    domain: &'c str,
    host_only: bool,
    partition: Option<&'c str>,
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cookie")
            .field("name", &escape(&self.name))
            .field("value", &format_args!("[{} octets]", self.value.len()))
            .field("domain", &self.domain)
            .field("host_only", &self.host_only)
            .field("path", &escape(&self.path))
            .field("secure", &self.secure)
            .field("http_only", &self.http_only)
            .field("same_site", &self.same_site)
            .field("partition", &self.partition)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn debug_keeps_the_value_to_itself() {
        let cookie = Cookie::builder("sid", "hunter2", "example.com").build(UNIX_EPOCH).unwrap();
        let text = format!("{cookie:?}");
        assert!(text.contains("[7 octets]") && !text.contains("hunter2"), "{text}");
    }

    #[test]
    fn same_site_by_name() {
        assert_eq!(SameSite::parse(b"sTRICT"), SameSite::Strict);
        assert_eq!(SameSite::parse(b"none"), SameSite::None);
        assert_eq!(SameSite::parse(b"Default"), SameSite::Default);
        assert_eq!(SameSite::parse(b""), SameSite::Default);
    }
}
