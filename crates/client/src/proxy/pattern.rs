//! Lists of hosts as the variable `no_proxy` holds them.

use std::net::IpAddr;

use url::{Host, Url};

use crate::authority;

/// A list of hosts, separated by commas or blanks.
///
/// | entry | hosts |
/// |---|---|
/// | `*` | all |
/// | `example.org`, `.example.org` | it and the names below it |
/// | `192.0.2.1`, `2001:db8::1` | this address |
/// | `192.0.2.0/24`, `2001:db8::/32` | the addresses of this network |
/// | each with `:80`, IPv6 in brackets | on this port alone |
///
/// Names are compared without regard to case and to a dot at their end. An entry that can be none of
/// these is passed over, as curl does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostPatterns(Vec<(Pattern, Option<u16>)>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    All,
    /// In lower case, without dots at its ends.
    Name(String),
    Network(IpAddr, u8),
}

impl HostPatterns {
    /// Reads a list.
    pub fn parse(list: &str) -> Self {
        let entries = list.split([',', ' ', '\t']).filter(|entry| !entry.is_empty());
        Self(entries.filter_map(entry).collect())
    }

    /// Whether the list holds the host of a URL.
    pub fn contains(&self, url: &Url) -> bool {
        let port = url.port_or_known_default();
        self.0.iter().any(|(pattern, only)| {
            only.is_none_or(|only| Some(only) == port)
                && match url.host() {
                    Some(Host::Domain(name)) => pattern.contains_name(name),
                    Some(Host::Ipv4(address)) => pattern.contains_address(address.into()),
                    Some(Host::Ipv6(address)) => pattern.contains_address(address.into()),
                    None => false,
                }
        })
    }
}

fn entry(text: &str) -> Option<(Pattern, Option<u16>)> {
    if text == "*" {
        return Some((Pattern::All, None));
    }
    if let Some((address, bits)) = text.split_once('/') {
        let address: IpAddr = address.trim_matches(['[', ']']).parse().ok()?;
        let bits = bits.parse().ok().filter(|bits| *bits <= width(address))?;
        return Some((Pattern::Network(address, bits), None));
    }
    let (host, port) = authority::split(text)?;
    if let Ok(address) = host.parse::<IpAddr>() {
        return Some((Pattern::Network(address, width(address)), port));
    }
    let name = host.trim_matches('.').to_ascii_lowercase();
    (!name.is_empty()).then_some((Pattern::Name(name), port))
}

impl Pattern {
    fn contains_name(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Name(suffix) => {
                // Hosts of URLs are in lower case.
                let name = name.strip_suffix('.').unwrap_or(name);
                let rest = name.strip_suffix(suffix.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            Self::Network(..) => false,
        }
    }

    fn contains_address(&self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::All, _) => true,
            (Self::Network(IpAddr::V4(network), bits), IpAddr::V4(address)) => {
                let shift = u32::from(32 - bits);
                let differing = network.to_bits() ^ address.to_bits();
                differing.checked_shr(shift).unwrap_or(0) == 0
            }
            (Self::Network(IpAddr::V6(network), bits), IpAddr::V6(address)) => {
                let shift = u32::from(128 - bits);
                let differing = network.to_bits() ^ address.to_bits();
                differing.checked_shr(shift).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(list: &str, host: &str) -> bool {
        let url = Url::parse(&format!("http://{host}/")).expect("a host");
        HostPatterns::parse(list).contains(&url)
    }

    #[test]
    fn names_and_what_is_below_them() {
        for list in
            ["example.org", ".example.org", "EXAMPLE.org.", "a, example.org", "a example.org"]
        {
            assert!(contains(list, "example.org"), "{list}");
            assert!(contains(list, "www.Example.org"), "{list}");
            assert!(contains(list, "example.org."), "{list}");
            assert!(!contains(list, "badexample.org"), "{list}");
            assert!(!contains(list, "example.org.evil"), "{list}");
        }
        assert!(contains("*", "anything") && contains("*", "127.0.0.1") && contains("*", "[::1]"));
        assert!(!contains("", "example.org") && !contains("*.org", "example.org"));
    }

    #[test]
    fn addresses_and_networks() {
        for (list, host, expected) in [
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("192.168.0.0/16", "192.168.77.1", true),
            ("192.168.0.0/16", "192.169.0.1", false),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("10.0.0.1/32", "10.0.0.1", true),
            ("10.0.0.1/32", "10.0.0.2", false),
            ("::1", "[::1]", true),
            ("[::1]", "[::1]", true),
            ("2001:db8::/32", "[2001:db8:1::5]", true),
            ("2001:db8::/32", "[2001:db9::5]", false),
            ("::/0", "[2001:db9::5]", true),
            ("::/0", "1.2.3.4", false),
            ("10.0.0.0/33", "10.0.0.0", false),
            ("1", "127.0.0.1", false),
            ("0.0.1", "127.0.0.1", false),
        ] {
            assert_eq!(contains(list, host), expected, "{list} {host}");
        }
    }

    #[test]
    fn ports_narrow_an_entry() {
        assert!(contains("example.org:8080", "example.org:8080"));
        assert!(!contains("example.org:8080", "example.org"));
        assert!(contains("example.org:80", "example.org"));
        assert!(contains("[::1]:8080", "[::1]:8080") && !contains("[::1]:8080", "[::1]"));
        assert!(contains("127.0.0.1:1", "127.0.0.1:1") && !contains("127.0.0.1:1", "127.0.0.1:2"));
    }
}
