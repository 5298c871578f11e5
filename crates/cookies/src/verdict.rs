//! Why a cookie was accepted or refused, sent or withheld: one value per reason.

use std::fmt;

/// What became of an accepted cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Accepted {
    /// It is in the jar now.
    New,
    /// It took the place of one with the same name, domain, path and partition.
    Replaced,
    /// It had expired already, which removed the one it named.
    Deleted,
    /// It had expired already and named none that the jar holds.
    Expired,
}

impl fmt::Display for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::New => "stored",
            Self::Replaced => "stored, replacing an older one",
            Self::Deleted => "expired, so the stored one was deleted",
            Self::Expired => "expired already, nothing to delete",
        })
    }
}

/// Why a cookie was not stored. The order is that of the checks in RFC 6265bis §5.6 and §5.7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The URL has another scheme than http, https, ws or wss.
    Scheme,
    /// The URL has no host.
    NoHost,
    /// A control octet other than tab stands somewhere in the line.
    ControlOctet,
    /// A semicolon is inside, or an equals sign in the name: no Set-Cookie line can say that.
    Delimiter,
    /// Name and value together exceed 4,096 octets.
    TooLong,
    /// Name and value are both empty.
    Empty,
    /// The Domain attribute holds octets beyond ASCII.
    DomainNotAscii,
    /// The domain is not in the canonical form of a host name.
    InvalidDomain,
    /// The domain is a public suffix and not the host itself.
    PublicSuffix,
    /// The host does not lie in the domain.
    ForeignDomain,
    /// The path does not begin with a slash, holds control octets or exceeds 8,192 octets.
    InvalidPath,
    /// Secure, but the connection is not.
    InsecureOrigin,
    /// HttpOnly, but set by a script.
    HttpOnlyFromScript,
    /// A Secure cookie of this name stands in the way of one from an insecure connection.
    SecureOverlay,
    /// SameSite other than None in a response to a cross-site request that is no navigation.
    CrossSite,
    /// SameSite=None without Secure.
    NoneWithoutSecure,
    /// Partitioned without Secure.
    PartitionedWithoutSecure,
    /// A name that begins with `__Secure-` without Secure.
    SecurePrefix,
    /// A name that begins with `__Host-` without Secure, with Domain, or without Path=/.
    HostPrefix,
    /// No name, and a value that looks like a prefixed name.
    NamelessPrefix,
    /// A script may not replace an HttpOnly cookie.
    HttpOnlyOverwrite,
    /// The policy said no.
    Policy,
    /// The jar is full of cookies that outrank it.
    Full,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "cookies are for http, https, ws and wss only",
            Self::NoHost => "the URL has no host",
            Self::ControlOctet => "a control character is inside",
            Self::Delimiter => "a semicolon is inside, or an equals sign in the name",
            Self::TooLong => "name and value together are longer than 4096 octets",
            Self::Empty => "neither name nor value",
            Self::DomainNotAscii => "the Domain is not in ASCII",
            Self::InvalidDomain => "the domain is no canonical host name",
            Self::PublicSuffix => "the Domain is a public suffix",
            Self::ForeignDomain => "the host does not lie in the Domain",
            Self::InvalidPath => {
                "the path does not begin with a slash, holds control characters or is too long"
            }
            Self::InsecureOrigin => "Secure, but the connection is not secure",
            Self::HttpOnlyFromScript => "HttpOnly, but set by a script",
            Self::SecureOverlay => "an insecure connection may not overlay a Secure cookie",
            Self::CrossSite => "SameSite keeps it out of a cross-site request",
            Self::NoneWithoutSecure => "SameSite=None needs Secure",
            Self::PartitionedWithoutSecure => "Partitioned needs Secure",
            Self::SecurePrefix => "the prefix __Secure- needs Secure",
            Self::HostPrefix => "the prefix __Host- needs Secure, Path=/ and no Domain",
            Self::NamelessPrefix => "no name, and the value imitates a prefixed name",
            Self::HttpOnlyOverwrite => "a script may not replace an HttpOnly cookie",
            Self::Policy => "the policy refuses it",
            Self::Full => "the jar is full of cookies that outrank it",
        })
    }
}

impl std::error::Error for Refusal {}

/// Why a stored cookie is not sent with a request (RFC 6265bis §5.8.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Withheld {
    /// The URL has another scheme than http, https, ws or wss, or no host.
    Scheme,
    /// It is for one host only, and this is another.
    OtherHost,
    /// The host does not lie in its domain.
    OtherDomain,
    /// Its time is over.
    Expired,
    /// The path of the request does not fall under its path.
    OtherPath,
    /// Secure, but the connection is not.
    InsecureConnection,
    /// HttpOnly, but asked for by a script.
    HttpOnly,
    /// SameSite keeps it out of this cross-site request.
    CrossSite,
    /// Partitioned, and stored under another top-level site.
    OtherPartition,
    /// The policy said no.
    Policy,
    /// The cookies before it fill the Cookie field.
    NoRoom,
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "cookies are for http, https, ws and wss only",
            Self::OtherHost => "for one host only, and this is another",
            Self::OtherDomain => "the host does not lie in its domain",
            Self::Expired => "expired",
            Self::OtherPath => "the path of the request does not fall under its path",
            Self::InsecureConnection => "Secure, but the connection is not secure",
            Self::HttpOnly => "HttpOnly, but asked for by a script",
            Self::CrossSite => "SameSite keeps it out of a cross-site request",
            Self::OtherPartition => "partitioned under another top-level site",
            Self::Policy => "the policy withholds it",
            Self::NoRoom => "the cookies before it fill the Cookie field",
        })
    }
}

/// Something in a Set-Cookie line that took effect in another way than it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Note {
    /// An attribute value longer than 1,024 octets was ignored.
    AttributeTooLong,
    /// An Expires that is no date was ignored.
    BadExpires,
    /// A Max-Age that is no whole number was ignored.
    BadMaxAge,
    /// An empty Domain was ignored.
    EmptyDomain,
    /// A Path that does not begin with a slash stands for the default path.
    DefaultPath,
    /// A SameSite other than Strict, Lax and None counts as none given.
    UnknownSameSite,
    /// An attribute that the specification does not know was kept without effect.
    UnknownAttribute,
    /// An unknown attribute was dropped, since only 16 of 1,024 octets together are kept.
    AttributeDropped,
    /// The lifetime was cut to the limit (400 days).
    LifetimeCut,
    /// The Domain is a public suffix and the host itself: the cookie is for that host only.
    DomainIsSuffix,
    /// Max-Age is there, so Expires has no say.
    MaxAgeWins,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AttributeTooLong => "an attribute longer than 1024 octets was ignored",
            Self::BadExpires => "Expires is no date and was ignored",
            Self::BadMaxAge => "Max-Age is no whole number and was ignored",
            Self::EmptyDomain => "an empty Domain was ignored",
            Self::DefaultPath => "Path does not begin with a slash: the default path is taken",
            Self::UnknownSameSite => "SameSite is neither Strict, Lax nor None",
            Self::UnknownAttribute => "an unknown attribute has no effect",
            Self::AttributeDropped => "an unknown attribute was dropped",
            Self::LifetimeCut => "the lifetime was cut to the limit",
            Self::DomainIsSuffix => "the Domain is a public suffix: for this host only",
            Self::MaxAgeWins => "Max-Age is there, so Expires has no say",
        })
    }
}
