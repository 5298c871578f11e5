//! Hosts and authorities (RFC 3986 §3.2, RFC 9110 §4.2 and §7.2).

use std::net::Ipv6Addr;

use crate::bytes::{decimal, is_reg_name, plain_name_len};

/// What may follow the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Port {
    /// `[ ":" *DIGIT ]`, as in `Host`.
    Optional,
    /// `":" 1*DIGIT`, at least 1, as in the target of CONNECT.
    Required,
}

/// Whether `bytes` is `uri-host [ ":" port ]` with a host that is not empty and a port of at most 65535.
///
/// User information is refused: RFC 9110 §4.2.4 asks recipients to treat it as an error.
#[inline]
pub(crate) fn is_authority(bytes: &[u8], port: Port) -> bool {
    let plain = plain_name_len(bytes);
    match bytes.get(plain..) {
        Some(rest @ ([] | [b':', ..])) if plain > 0 => is_port(rest, port),
        _ => is_odd_authority(bytes, port),
    }
}

/// The same for hosts with brackets or escapes, and for what is no host.
#[cold]
fn is_odd_authority(bytes: &[u8], port: Port) -> bool {
    let host = match bytes.first() {
        Some(b'[') => match bytes.iter().position(|&byte| byte == b']') {
            Some(end) if is_ip_literal(bytes.get(1..end).unwrap_or_default()) => end + 1,
            _ => return false,
        },
        _ => bytes.iter().position(|&byte| !is_reg_name(byte)).unwrap_or(bytes.len()),
    };
    let (Some(name), Some(rest)) = (bytes.get(..host), bytes.get(host..)) else { return false };
    !name.is_empty() && has_whole_escapes(name) && is_port(rest, port)
}

#[inline]
fn is_port(bytes: &[u8], port: Port) -> bool {
    match bytes {
        [] | [b':'] => port == Port::Optional,
        // Numbers of as many digits as the largest port compare like their text.
        [b':', digits @ ..] if digits.len() <= LARGEST_PORT.len() && port == Port::Optional => {
            let is_small = digits.len() < LARGEST_PORT.len() || matches!(digits, [b'0'..=b'5', ..]);
            digits.iter().all(u8::is_ascii_digit) && (is_small || digits <= LARGEST_PORT)
        }
        [b':', digits @ ..] => decimal(digits)
            .is_some_and(|number| number <= 65535 && (number > 0 || port == Port::Optional)),
        _ => false,
    }
}

const LARGEST_PORT: &[u8] = b"65535";

/// RFC 3986 §2.1: `pct-encoded = "%" HEXDIG HEXDIG`.
fn has_whole_escapes(name: &[u8]) -> bool {
    let mut rest = name.iter();
    while let Some(byte) = rest.next() {
        if *byte == b'%' {
            let mut digits = rest.by_ref().take(2);
            let whole = (0..2).all(|_| digits.next().is_some_and(u8::is_ascii_hexdigit));
            if !whole {
                return false;
            }
        }
    }
    true
}

/// The inside of brackets: an IPv6 address without zone, or the address of a later version.
fn is_ip_literal(bytes: &[u8]) -> bool {
    if let [b'v' | b'V', future @ ..] = bytes {
        let Some(dot) = future.iter().position(|&byte| byte == b'.') else { return false };
        let (Some(version), Some(address)) = (future.get(..dot), future.get(dot + 1..)) else {
            return false;
        };
        return !version.is_empty()
            && version.iter().all(u8::is_ascii_hexdigit)
            && !address.is_empty()
            && address.iter().all(|&byte| byte != b'%' && (byte == b':' || is_reg_name(byte)));
    }
    std::str::from_utf8(bytes).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_with_and_without_port() {
        for good in [
            "example.com",
            "example.com:80",
            "example.com:",
            "example.com:65535",
            "example.com:65500",
            "example.com:59999",
            "example.com:00001",
            "127.0.0.1:8080",
            "0.0.0.0=5000",
            "a_b",
            "[::1]",
            "[::1]:8080",
            "[2001:db8::1.2.3.4]",
            "[v1.fe80:a+en1]",
            "%C3%A9.example",
            "xn--caf-dma.example",
        ] {
            assert!(is_authority(good.as_bytes(), Port::Optional), "{good}");
        }
        for bad in [
            "",
            ":80",
            "a:b",
            "u@a",
            "a/b",
            "a,b",
            "a, b",
            "a b",
            "a?b",
            "a#b",
            "a\\b",
            "[::1",
            "::1",
            "[::1]x",
            "[]",
            "[::1%25eth0]",
            "[v.a]",
            "[vg.a]",
            "[v1.]",
            "a:65536",
            "a:66000",
            "a:99999",
            "a:000001x",
            "a:6553a",
            "a:+80",
            "a:80:80",
            "%",
            "%4",
            "%4g",
            "a%",
            "caf\u{e9}",
            "a\"b",
            "<a>",
        ] {
            assert!(!is_authority(bad.as_bytes(), Port::Optional), "{bad}");
        }
    }

    #[test]
    fn connect_needs_a_port() {
        assert!(is_authority(b"example.com:443", Port::Required));
        for bad in ["example.com", "example.com:", "example.com:0", "example.com:83979"] {
            assert!(!is_authority(bad.as_bytes(), Port::Required), "{bad}");
        }
    }
}
