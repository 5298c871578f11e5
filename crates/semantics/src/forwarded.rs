//! The Forwarded field: who asked, through whom, and for what.
//!
//! A sender can write into it what it likes. Only the elements that trusted proxies have added are
//! worth anything, and those are the last ones.
//!
//! *Spec*: RFC 7239.
//!
//! ```
//! use avocet_semantics::forwarded;
//!
//! let hops = forwarded::parse(br#"for=192.0.2.60;proto=http, for="[2001:db8::1]:4711""#).unwrap();
//! assert_eq!(hops[0].proto.as_deref(), Some("http"));
//! assert_eq!(hops[1].client.as_ref().unwrap().to_string(), "[2001:db8::1]:4711");
//! ```

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::Error;
use crate::grammar::{self, Cursor};
use crate::parameters::Value;

/// One hop on the way of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hop {
    /// `for`: who sent the request to this hop.
    pub client: Option<Node>,
    /// `by`: where this hop took the request.
    pub by: Option<Node>,
    /// The Host field that this hop received.
    pub host: Option<String>,
    /// The scheme that was used to reach this hop.
    pub proto: Option<String>,
}

/// One end of a hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its address or what stands for it.
    pub name: Name,
    /// Its port or what stands for it, empty where nothing does.
    pub port: Option<Port>,
}

/// An address or what stands for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// An address of version 4 or 6.
    Address(IpAddr),
    /// The sender does not know it.
    Unknown,
    /// A word that hides it; starts with an underscore.
    Hidden(String),
}

/// A port or a word that hides it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Port {
    /// The number.
    Number(u16),
    /// A word; starts with an underscore.
    Hidden(String),
}

/// Reads a Forwarded field, the hop nearest to the client first.
///
/// Extensions are checked and dropped.
///
/// *Errors*: broken grammar, a parameter twice in one hop, more than 64 hops. Whoever decides
/// something by this field must not go on with half of it.
pub fn parse(value: &[u8]) -> Result<Vec<Hop>, Error> {
    let mut cursor = Cursor::new(value);
    let mut hops = Vec::new();
    loop {
        cursor.take_while(|byte| matches!(byte, b' ' | b'\t' | b','));
        if cursor.is_done() {
            return Ok(hops);
        }
        if hops.len() == MAX_HOPS {
            return Err(Error::TooMany { what: "forwarding hops", limit: MAX_HOPS });
        }
        hops.push(hop(&mut cursor)?);
        if !cursor.is_done() && cursor.peek() != Some(b',') {
            return Err(cursor.error("forwarded field"));
        }
    }
}

impl Hop {
    /// Writes the hop as an element of the field; nothing where nothing is known.
    ///
    /// *Errors*: a control character in the host or the scheme.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let client = self.client.as_ref().map(Node::to_string);
        let by = self.by.as_ref().map(Node::to_string);
        let pairs = [("for", &client), ("by", &by), ("host", &self.host), ("proto", &self.proto)];
        let mut separator = "";
        for (name, value) in pairs {
            let Some(value) = value else { continue };
            out.extend_from_slice(separator.as_bytes());
            out.extend_from_slice(name.as_bytes());
            out.push(b'=');
            grammar::write_word(value.as_bytes(), out)?;
            separator = ";";
        }
        Ok(())
    }
}

impl Node {
    /// Reads a node identifier.
    ///
    /// *Spec*: RFC 7239 §6.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, after) = rest.split_once(']')?;
                let address: Ipv6Addr = address.parse().ok()?;
                let port = if after.is_empty() { None } else { Some(after.strip_prefix(':')?) };
                (Name::Address(address.into()), port)
            }
            None => {
                let (name, port) = text.split_once(':').map_or((text, None), |(n, p)| (n, Some(p)));
                (Name::parse(name)?, port)
            }
        };
        let port = match port {
            Some(port) => Some(Port::parse(port)?),
            None => None,
        };
        Some(Self { name, port })
    }
}

impl Name {
    fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("unknown") {
            return Some(Self::Unknown);
        }
        if is_hidden(text) {
            return Some(Self::Hidden(text.to_owned()));
        }
        let address: Ipv4Addr = text.parse().ok()?;
        Some(Self::Address(address.into()))
    }
}

impl Port {
    fn parse(text: &str) -> Option<Self> {
        if is_hidden(text) {
            return Some(Self::Hidden(text.to_owned()));
        }
        let is_number = text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| is_number).map(Self::Number)
    }
}

impl From<SocketAddr> for Node {
    fn from(address: SocketAddr) -> Self {
        Self { name: Name::Address(address.ip()), port: Some(Port::Number(address.port())) }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Name::Address(IpAddr::V4(address)) => write!(f, "{address}")?,
            Name::Address(IpAddr::V6(address)) => write!(f, "[{address}]")?,
            Name::Unknown => f.write_str("unknown")?,
            Name::Hidden(word) => f.write_str(word)?,
        }
        match &self.port {
            Some(Port::Number(port)) => write!(f, ":{port}"),
            Some(Port::Hidden(word)) => write!(f, ":{word}"),
            None => Ok(()),
        }
    }
}

/// Pairs between semicolons, up to a comma.
fn hop(cursor: &mut Cursor<'_>) -> Result<Hop, Error> {
    let mut hop = Hop::default();
    loop {
        cursor.skip_blanks();
        if let Some(name) = cursor.token() {
            if !cursor.eat(b'=') {
                return Err(cursor.error("forwarded pair"));
            }
            let value = Value::read(cursor).ok_or_else(|| cursor.error("forwarded value"))?;
            if !set(&mut hop, name, value) {
                return Err(cursor.error("forwarded value"));
            }
            cursor.skip_blanks();
        }
        if !cursor.eat(b';') {
            return Ok(hop);
        }
    }
}

/// `false` if the value does not fit or is there already.
fn set(hop: &mut Hop, name: &str, value: Value<'_>) -> bool {
    let Some(text) = value.text() else { return false };
    let node = |place: &mut Option<Node>| match Node::parse(&text) {
        Some(node) => place.replace(node).is_none(),
        None => false,
    };
    let word = |place: &mut Option<String>| place.replace(text.clone().into_owned()).is_none();
    match name {
        _ if name.eq_ignore_ascii_case("for") => node(&mut hop.client),
        _ if name.eq_ignore_ascii_case("by") => node(&mut hop.by),
        _ if name.eq_ignore_ascii_case("host") => word(&mut hop.host),
        _ if name.eq_ignore_ascii_case("proto") => word(&mut hop.proto),
        _ => true,
    }
}

fn is_hidden(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    text.len() > 1 && text.starts_with('_') && text.bytes().all(word)
}

const MAX_HOPS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 7239 §4.
    #[test]
    fn the_examples_of_the_specification() {
        let hops = parse(br#"for="_gazonk""#).unwrap();
        assert_eq!(hops[0].client.as_ref().unwrap().name, Name::Hidden("_gazonk".into()));
        let hops = parse(br#"For="[2001:db8:cafe::17]:4711""#).unwrap();
        assert_eq!(hops[0].client.as_ref().unwrap().port, Some(Port::Number(4_711)));
        let hops = parse(b"for=192.0.2.60;proto=http;by=203.0.113.43").unwrap();
        assert_eq!(hops[0].by.as_ref().unwrap().to_string(), "203.0.113.43");
        let hops = parse(b"for=192.0.2.43, for=198.51.100.17").unwrap();
        assert_eq!(hops.len(), 2);
    }

    #[test]
    fn nodes_are_written_as_they_were_read() {
        let nodes = [
            "192.0.2.1",
            "192.0.2.1:80",
            "[2001:db8::1]",
            "[2001:db8::1]:80",
            "unknown",
            "unknown:_p",
            "_hidden",
            "_hidden:65535",
        ];
        for text in nodes {
            assert_eq!(Node::parse(text).unwrap().to_string(), text);
        }
        let bad = [
            "",
            "a",
            "2001:db8::1",
            "[2001:db8::1",
            "[192.0.2.1]",
            "[::1]80",
            "[::1]:",
            "192.0.2.1:",
            "192.0.2.1:65536",
            "192.0.2.1:+80",
            "192.0.2.1:000080",
            "_",
            "_a b",
            "192.0.2.300",
            ":80",
        ];
        for text in bad {
            assert_eq!(Node::parse(text), None, "{text}");
        }
    }

    #[test]
    fn broken_fields_are_refused_whole() {
        let bad = [
            "for",
            "for=",
            "for=a",
            "for=192.0.2.1 proto=http",
            "for=192.0.2.1;for=192.0.2.2",
            "for=2001:db8::1",
            "for = 192.0.2.1",
            "x",
            "for=192.0.2.1, proto",
        ];
        for value in bad {
            assert!(parse(value.as_bytes()).is_err(), "{value}");
        }
        assert!(matches!(
            parse(vec!["for=unknown"; 65].join(",").as_bytes()),
            Err(Error::TooMany { limit: 64, .. })
        ));
        assert_eq!(parse(b"").unwrap(), []);
        assert_eq!(parse(b"secret=x;;proto=a").unwrap()[0].proto.as_deref(), Some("a"));
    }

    #[test]
    fn a_hop_is_written_and_read_again() {
        let address: SocketAddr = "[::1]:8080".parse().unwrap();
        let hop = Hop {
            client: Some(address.into()),
            host: Some("example.org:80".into()),
            proto: Some("https".into()),
            by: None,
        };
        let mut out = Vec::new();
        hop.write(&mut out).unwrap();
        assert_eq!(out, br#"for="[::1]:8080";host="example.org:80";proto=https"#);
        assert_eq!(parse(&out).unwrap(), [hop]);
    }
}
