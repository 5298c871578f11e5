//! Which section holds for a host.

use super::file::Section;

/// The section whose name fits best: one with the port before one without, the whole name before an
/// ending with a star, the longer ending before the shorter.
pub(super) fn best<'a>(
    sections: impl Iterator<Item = &'a Section>,
    host: &str,
    port: Option<u16>,
) -> Option<&'a Section> {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    sections
        .filter_map(|section| Some((rank(section.host()?, &host, port)?, section)))
        .max_by_key(|(rank, _)| *rank)
        .map(|(_, section)| section)
}

/// How well a pattern fits; `None` if it does not.
fn rank(pattern: &str, host: &str, port: Option<u16>) -> Option<(bool, bool, usize)> {
    let (name, wanted) = split(pattern);
    if wanted.is_some() && wanted != port {
        return None;
    }
    let name = name.to_ascii_lowercase();
    let fits = match name.strip_prefix('*') {
        Some(ending) => host.len() > ending.len() && host.ends_with(ending),
        None => host == name,
    };
    fits.then_some((wanted.is_some(), !name.starts_with('*'), name.len()))
}

/// A name and a port behind it; the colons of an address of IPv6 in brackets are none.
fn split(pattern: &str) -> (&str, Option<u16>) {
    match pattern.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => match port.parse() {
            Ok(port) => (name, Some(port)),
            Err(_) => (pattern, None),
        },
        _ => (pattern, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best_of(names: &[&str], host: &str, port: u16) -> Option<String> {
        let sections: Vec<Section> =
            names.iter().map(|name| Section::Host { host: (*name).to_owned() }).collect();
        best(sections.iter(), host, Some(port))?.host().map(str::to_owned)
    }

    #[test]
    fn the_nearest_name_holds() {
        let names = ["*.example.org", "*.a.example.org", "x.a.example.org", "example.org:8080"];
        let found = |host, port| best_of(&names, host, port);
        assert_eq!(found("x.a.example.org", 80).as_deref(), Some("x.a.example.org"));
        assert_eq!(found("y.a.example.org", 80).as_deref(), Some("*.a.example.org"));
        assert_eq!(found("Z.Example.org.", 80).as_deref(), Some("*.example.org"));
        assert_eq!(found("example.org", 80), None);
        assert_eq!(found("example.org", 8080).as_deref(), Some("example.org:8080"));
        assert_eq!(best_of(&["[::1]:81", "[::1]"], "[::1]", 81).as_deref(), Some("[::1]:81"));
        assert_eq!(best_of(&["[::1]:81", "[::1]"], "[::1]", 80).as_deref(), Some("[::1]"));
        assert_eq!(best_of(&["*"], "any", 1).as_deref(), Some("*"));
    }
}
