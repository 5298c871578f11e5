//! Hosts with ports, as people write them in settings.

/// Splits `host`, `host:port`, `[v6]`, `[v6]:port` and a bare IPv6 address. The host comes without its
/// brackets and may be empty; `None` when the port is no number or a bracket is not closed.
pub(crate) fn split(text: &str) -> Option<(&str, Option<u16>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        return match after.strip_prefix(':') {
            Some(digits) => Some((host, Some(port(digits)?))),
            None => after.is_empty().then_some((host, None)),
        };
    }
    match text.rsplit_once(':') {
        // More than one colon without brackets is an address and not a host with a port.
        Some((host, _)) if host.contains(':') => Some((text, None)),
        Some((host, digits)) => Some((host, Some(port(digits)?))),
        None => Some((text, None)),
    }
}

/// Digits only: the standard library would take `+80` too.
pub(crate) fn port(digits: &str) -> Option<u16> {
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_come_apart() {
        for (text, expected) in [
            ("h", Some(("h", None))),
            ("h:80", Some(("h", Some(80)))),
            (":80", Some(("", Some(80)))),
            ("[::1]", Some(("::1", None))),
            ("[::1]:8080", Some(("::1", Some(8080)))),
            ("::1", Some(("::1", None))),
            ("fe80::1:80", Some(("fe80::1:80", None))),
            ("h:", None),
            ("h:+80", None),
            ("h:65536", None),
            ("[::1", None),
            ("[::1]x", None),
            ("[::1]:", None),
        ] {
            assert_eq!(split(text), expected, "{text}");
        }
    }
}
