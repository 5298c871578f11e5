//! The fields of one hop, which an intermediary does not pass on.
//!
//! *Spec*: RFC 9110 §7.6.1.
//!
//! ```
//! use avocet_semantics::hop_by_hop::HopByHop;
//!
//! let fields = [("Connection", &b"close, X-Debug"[..]), ("X-Debug", b"1"), ("Accept", b"*/*")];
//! let hop = HopByHop::from_fields(fields).unwrap();
//! let kept: Vec<&str> = fields.iter().map(|(name, _)| *name).filter(|name| hop.keeps(name)).collect();
//! assert_eq!(kept, ["Accept"]);
//! ```

use crate::{Error, grammar, lists};

/// Which fields of a message end here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HopByHop<'v> {
    options: Vec<&'v str>,
}

impl<'v> HopByHop<'v> {
    /// Reads the Connection fields of a message.
    ///
    /// *Errors*: an option that is no token; more than 32 options; an option that names a field
    /// which the message means nothing without, such as Host, Content-Length, Cookie or
    /// Authorization. With such an option a client could make an intermediary drop what the one
    /// before it has relied on.
    pub fn from_fields(
        fields: impl IntoIterator<Item = (&'v str, &'v [u8])>,
    ) -> Result<Self, Error> {
        let mut options = Vec::new();
        let lines = fields.into_iter().filter(|(name, _)| name.eq_ignore_ascii_case("connection"));
        for option in lines.flat_map(|(_, value)| lists::elements(value)) {
            let token = std::str::from_utf8(option).ok().filter(|_| grammar::is_token(option));
            let token = token.ok_or(Error::Syntax { what: "connection option", at: 0 })?;
            if is_in(&PROTECTED, token) {
                return Err(Error::ProtectedField);
            }
            if options.len() == MAX_OPTIONS {
                return Err(Error::TooMany { what: "connection options", limit: MAX_OPTIONS });
            }
            options.push(token);
        }
        Ok(Self { options })
    }

    /// Whether a field of this name is passed on.
    pub fn keeps(&self, name: &str) -> bool {
        !is_hop_by_hop(name) && !self.has_option(name)
    }

    /// Whether the Connection field has an option, letter case aside.
    pub fn has_option(&self, option: &str) -> bool {
        self.options.iter().any(|known| known.eq_ignore_ascii_case(option))
    }
}

/// Whether a field of this name never leaves its hop, named by Connection or not.
///
/// Proxy-Authorization and Proxy-Authenticate are among them: this kit's proxy deals with them
/// itself and never shows a password to the origin.
pub fn is_hop_by_hop(name: &str) -> bool {
    is_in(&ALWAYS, name)
}

fn is_in(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

const ALWAYS: [&str; 11] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

/// Fields that carry framing, routing, identity or validity, and so cannot be meant for one hop.
const PROTECTED: [&str; 18] = [
    "authorization",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "host",
    "location",
    "range",
    "set-cookie",
    "transfer-encoding",
    "via",
    "www-authenticate",
    "x-forwarded-for",
];

const MAX_OPTIONS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(values: &[&'static str]) -> Result<HopByHop<'static>, Error> {
        HopByHop::from_fields(values.iter().map(|value| ("Connection", value.as_bytes())))
    }

    #[test]
    fn what_is_named_and_what_is_known_ends_here() {
        let hop = hop(&["Close, x-a", "X-B"]).unwrap();
        for name in ["Connection", "X-A", "x-b", "Keep-Alive", "TE", "proxy-authorization"] {
            assert!(!hop.keeps(name), "{name}");
        }
        for name in ["Host", "Content-Length", "X-C", "Via"] {
            assert!(hop.keeps(name), "{name}");
        }
        assert!(hop.has_option("close") && !hop.has_option("keep-alive"));
    }

    #[test]
    fn the_message_cannot_be_robbed_of_what_it_means() {
        for value in
            ["host", "close, Content-Length", "Cookie", "TRANSFER-ENCODING", "X-Forwarded-For"]
        {
            assert_eq!(hop(&[value]), Err(Error::ProtectedField), "{value}");
        }
    }

    /// CVE-2023-49606: a proxy freed its list of options while it removed what they name.
    #[test]
    fn connection_may_name_itself() {
        let hop = hop(&["connection"]).unwrap();
        assert!(!hop.keeps("connection") && hop.keeps("accept"));
    }

    #[test]
    fn broken_and_endless_lists_are_refused() {
        assert!(matches!(hop(&["a b"]), Err(Error::Syntax { .. })));
        assert!(matches!(hop(&["\"close\""]), Err(Error::Syntax { .. })));
        assert!(hop(&["a,,b, "]).is_ok());
        assert!(matches!(hop(&["a"; 33]), Err(Error::TooMany { limit: 32, .. })));
        assert!(hop(&["a"; 32]).is_ok());
    }
}
