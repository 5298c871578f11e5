//! Values for Set-Cookie, held to the grammar that servers have to keep (RFC 6265bis §4.1).

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::quote::quote;
use crate::{
    cookie::SameSite,
    dates,
    host::canonical_host,
    limits::{MAX_ATTRIBUTE, MAX_PAIR},
    octets::{has_control, starts_with_ignore_case},
    time,
};

/// A value for a Set-Cookie field that every browser takes as it is meant.
///
/// ```
/// use std::time::Duration;
/// use avocet_cookies::{SameSite, server::SetCookie};
///
/// let cookie = SetCookie::builder("__Host-sid", "31d4d96e407aad42")
///     .path("/")
///     .secure(true)
///     .http_only(true)
///     .same_site(SameSite::Lax)
///     .max_age(Duration::from_secs(3600))
///     .build()?;
/// assert_eq!(
///     cookie.as_str(),
///     "__Host-sid=31d4d96e407aad42; HttpOnly; Max-Age=3600; Path=/; SameSite=Lax; Secure"
/// );
/// # Ok::<(), avocet_cookies::server::BuildError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetCookie(String);

impl SetCookie {
    /// Begins a cookie for the host and the folder of the request, for the session.
    pub fn builder(name: impl Into<String>, value: impl Into<String>) -> SetCookieBuilder {
        SetCookieBuilder {
            name: name.into(),
            value: value.into(),
            encoding: ValueEncoding::Plain,
            domain: None,
            path: None,
            max_age: None,
            expires: None,
            secure: false,
            http_only: false,
            same_site: SameSite::Default,
            partitioned: false,
        }
    }

    /// Begins the removal of a cookie. It removes only what has the same name, domain and path;
    /// a prefixed name or a Secure cookie needs `secure` again.
    pub fn removal(name: impl Into<String>) -> SetCookieBuilder {
        Self::builder(name, "").max_age(Duration::ZERO)
    }

    /// The value of the field.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SetCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<SetCookie> for String {
    fn from(cookie: SetCookie) -> Self {
        cookie.0
    }
}

/// How a value is written. A plain one has no space, comma, semicolon, quotation mark, backslash
/// nor anything beyond ASCII.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ValueEncoding {
    /// As it is.
    #[default]
    Plain,
    /// What cannot stand in a value becomes `%XX`, and so does the percent sign.
    Percent,
    /// In quotation marks with `\073` for odd octets, as Python's `http.cookies` writes and
    /// reads. Characters beyond U+00FF cannot be written.
    Quoted,
}

/// Why a Set-Cookie value cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BuildError {
    /// The name is no token (RFC 9110 §5.6.2).
    Name,
    /// The value holds what its encoding cannot write.
    Value,
    /// Name and value together exceed 4,096 octets.
    TooLong,
    /// The domain is no host name of two or more labels, or too long.
    Domain,
    /// The path does not begin with a slash, holds a semicolon or control characters, or exceeds
    /// 1,024 octets.
    Path,
    /// The lifetime exceeds what browsers keep, 400 days.
    Lifetime,
    /// `__Secure-` without Secure.
    SecurePrefix,
    /// `__Host-` without Secure and Path=/, or with Domain.
    HostPrefix,
    /// SameSite=None without Secure.
    NoneWithoutSecure,
    /// Partitioned without Secure.
    PartitionedWithoutSecure,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "the name of a cookie must be a token",
            Self::Value => "the value of a cookie holds characters that need another encoding",
            Self::TooLong => "name and value of a cookie exceed 4096 octets",
            Self::Domain => "the domain of a cookie must be a host name",
            Self::Path => "the path of a cookie must begin with a slash and fit in 1024 octets",
            Self::Lifetime => "the lifetime of a cookie exceeds 400 days",
            Self::SecurePrefix => "a cookie named __Secure- needs Secure",
            Self::HostPrefix => "a cookie named __Host- needs Secure, Path=/ and no Domain",
            Self::NoneWithoutSecure => "a cookie with SameSite=None needs Secure",
            Self::PartitionedWithoutSecure => "a partitioned cookie needs Secure",
        })
    }
}

impl std::error::Error for BuildError {}

/// A Set-Cookie value in the making; [`build`](Self::build) checks it.
#[derive(Clone, Debug)]
pub struct SetCookieBuilder {
    name: String,
    value: String,
    encoding: ValueEncoding,
    domain: Option<String>,
    path: Option<String>,
    max_age: Option<Duration>,
    expires: Option<i64>,
    secure: bool,
    http_only: bool,
    same_site: SameSite,
    partitioned: bool,
}

impl SetCookieBuilder {
    /// How the value is written.
    #[must_use]
    pub fn encoding(mut self, encoding: ValueEncoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// For a domain and all below it, not for the host only.
    #[must_use]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// The path under which it is sent.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// How long it lives, in whole seconds, 400 days at most; zero removes it.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// When it expires. Max-Age is the better way where clocks differ.
    #[must_use]
    pub fn expires(mut self, at: SystemTime) -> Self {
        self.expires = Some(time::seconds(at));
        self
    }

    /// For secure connections only.
    #[must_use]
    pub fn secure(mut self, yes: bool) -> Self {
        self.secure = yes;
        self
    }

    /// Hidden from scripts.
    #[must_use]
    pub fn http_only(mut self, yes: bool) -> Self {
        self.http_only = yes;
        self
    }

    /// Which cross-site requests carry it.
    #[must_use]
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self
    }

    /// Kept apart for each site of the top level.
    #[must_use]
    pub fn partitioned(mut self, yes: bool) -> Self {
        self.partitioned = yes;
        self
    }

    /// The value, if it is one that browsers take as it is meant.
    ///
    /// *Errors*: the rule it breaks, see [`BuildError`].
    pub fn build(self) -> Result<SetCookie, BuildError> {
        if self.name.is_empty() || !self.name.bytes().all(is_token) {
            return Err(BuildError::Name);
        }
        let value = match self.encoding {
            ValueEncoding::Plain => self.value.as_str().into(),
            ValueEncoding::Percent => utf8_percent_encode(&self.value, ESCAPED).into(),
            ValueEncoding::Quoted => quote(&self.value).ok_or(BuildError::Value)?,
        };
        let plain = self.encoding == ValueEncoding::Quoted || value.bytes().all(is_cookie_octet);
        if !plain {
            return Err(BuildError::Value);
        }
        if self.name.len() + value.len() > MAX_PAIR {
            return Err(BuildError::TooLong);
        }
        self.check()?;
        let mut out = format!("{}={value}", self.name);
        if let Some(domain) = &self.domain {
            out += &format!("; Domain={domain}");
        }
        if let Some(at) = self.expires {
            out += &format!("; Expires={}", dates::http(at));
        }
        if self.http_only {
            out += "; HttpOnly";
        }
        if let Some(age) = self.max_age {
            out += &format!("; Max-Age={}", age.as_secs());
        }
        if self.partitioned {
            out += "; Partitioned";
        }
        if let Some(path) = &self.path {
            out += &format!("; Path={path}");
        }
        if self.same_site != SameSite::Default {
            out += &format!("; SameSite={}", self.same_site.as_str());
        }
        if self.secure {
            out += "; Secure";
        }
        Ok(SetCookie(out))
    }

    fn check(&self) -> Result<(), BuildError> {
        if let Some(domain) = &self.domain {
            // One label is a public suffix, which browsers refuse.
            let canonical = canonical_host(domain).is_some_and(|host| host == *domain);
            if !canonical || !domain.contains('.') || domain.len() > MAX_ATTRIBUTE {
                return Err(BuildError::Domain);
            }
        }
        if let Some(path) = &self.path {
            let fits = path.starts_with('/') && path.len() <= MAX_ATTRIBUTE;
            if !fits || has_control(path.as_bytes()) || path.contains([';', '\t']) {
                return Err(BuildError::Path);
            }
        }
        if self.max_age.is_some_and(|age| age > LONGEST) {
            return Err(BuildError::Lifetime);
        }
        let begins = |prefix: &[u8]| starts_with_ignore_case(self.name.as_bytes(), prefix);
        if begins(b"__Secure-") && !self.secure {
            return Err(BuildError::SecurePrefix);
        }
        let fit = self.secure && self.domain.is_none() && self.path.as_deref() == Some("/");
        if begins(b"__Host-") && !fit {
            return Err(BuildError::HostPrefix);
        }
        if self.same_site == SameSite::None && !self.secure {
            return Err(BuildError::NoneWithoutSecure);
        }
        if self.partitioned && !self.secure {
            return Err(BuildError::PartitionedWithoutSecure);
        }
        Ok(())
    }
}

/// `tchar` of RFC 9110 §5.6.2.
fn is_token(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet)
}

/// `cookie-octet` of RFC 6265bis §4.1.1.
fn is_cookie_octet(octet: u8) -> bool {
    matches!(octet, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e)
}

/// What [`ValueEncoding::Percent`] escapes: all but cookie octets, and the percent sign.
const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b',').add(b';').add(b'\\').add(b'%');
/// RFC 6265bis §5.5.
const LONGEST: Duration = Duration::from_secs(400 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    fn error(builder: SetCookieBuilder) -> BuildError {
        builder.build().unwrap_err()
    }

    #[test]
    fn nothing_can_split_a_field_or_add_an_attribute() {
        let build = |name: &str, value: &str| SetCookie::builder(name, value);
        for bad in ["", "a b", "a=b", "a;b", "a\r\nb", "\u{e4}", "a\t", "\"a\""] {
            assert_eq!(error(build(bad, "1")), BuildError::Name, "{bad:?}");
        }
        for bad in ["a b", "a;b", "a,b", "a\"b", "a\\b", "a\r\nb", "\u{e4}", "\0", "\t"] {
            assert_eq!(error(build("a", bad)), BuildError::Value, "{bad:?}");
            for encoding in [ValueEncoding::Percent, ValueEncoding::Quoted] {
                let cookie = build("a", bad).encoding(encoding).build().unwrap();
                assert!(!cookie.as_str().contains([';', '\r', '\n', '\0', '\t']), "{cookie}");
            }
        }
        for bad in ["x", "", "/a;b", "/a\r\nX: y", "/\t"] {
            assert_eq!(error(build("a", "1").path(bad)), BuildError::Path, "{bad:?}");
        }
        for bad in
            ["", ".e.com", "com", "E.com", "e.com; Secure", "e.com;Secure", "e.com\r\n", "a b.com"]
        {
            assert_eq!(error(build("a", "1").domain(bad)), BuildError::Domain, "{bad:?}");
        }
    }

    #[test]
    fn rules_that_browsers_enforce() {
        let new = |name: &str| SetCookie::builder(name, "1");
        assert_eq!(error(new("__secure-a")), BuildError::SecurePrefix);
        assert_eq!(error(new("__Host-a").secure(true)), BuildError::HostPrefix);
        let host = || new("__HOST-a").secure(true).path("/");
        assert!(host().build().is_ok());
        assert_eq!(error(host().domain("e.com")), BuildError::HostPrefix);
        assert_eq!(error(new("a").same_site(SameSite::None)), BuildError::NoneWithoutSecure);
        assert_eq!(error(new("a").partitioned(true)), BuildError::PartitionedWithoutSecure);
        assert_eq!(error(new("a").max_age(LONGEST + Duration::from_secs(1))), BuildError::Lifetime);
        let long = SetCookie::builder("a", "v".repeat(4_096));
        assert_eq!(error(long), BuildError::TooLong);
    }

    #[test]
    fn all_attributes_and_the_removal() {
        let cookie = SetCookie::builder("a", "1")
            .domain("example.com")
            .path("/x")
            .max_age(Duration::from_secs(60))
            .expires(time::from_seconds(784_111_777))
            .secure(true)
            .http_only(true)
            .same_site(SameSite::Strict)
            .partitioned(true)
            .build()
            .unwrap();
        let want = "a=1; Domain=example.com; Expires=Sun, 06 Nov 1994 08:49:37 GMT; HttpOnly; \
                    Max-Age=60; Partitioned; Path=/x; SameSite=Strict; Secure";
        assert_eq!(String::from(cookie), want);
        let removal = SetCookie::removal("a").path("/x").build().unwrap();
        assert_eq!(removal.to_string(), "a=; Max-Age=0; Path=/x");
    }

    #[test]
    fn percent_signs_survive() {
        let cookie = SetCookie::builder("a", "100% \u{2603}").encoding(ValueEncoding::Percent);
        assert_eq!(cookie.build().unwrap().as_str(), "a=100%25%20%E2%98%83");
    }
}
