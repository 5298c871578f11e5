//! Names of hosts in settings.

use super::file::Section;

/// A name, or an ending with a star before it, with a port or for any. They are ordered by how well
/// they fit: one with a port is greater than one without, a whole name than an ending, a longer ending
/// than a shorter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HostPattern {
    port: Option<u16>,
    is_whole: bool,
    len: usize,
    /// Without the star, in lower case.
    name: String,
}

impl HostPattern {
    pub(super) fn new(text: &str) -> Self {
        let (name, port) = split(text);
        let is_whole = !name.starts_with('*');
        let name = name.trim_start_matches('*').to_ascii_lowercase();
        Self { port, is_whole, len: name.len(), name }
    }

    /// Whether a host is meant, in any case and with a dot at its end or none.
    pub(crate) fn fits(&self, host: &str, port: Option<u16>) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host).as_bytes();
        let name = self.name.as_bytes();
        let start = host.len().saturating_sub(name.len());
        let fits = match self.is_whole {
            true => host.len() == name.len(),
            false => host.len() > name.len(),
        };
        fits && host[start..].eq_ignore_ascii_case(name)
            && (self.port.is_none() || self.port == port)
    }

    /// The names that it stands for: one, or all below one with a star first; `None` where they could be
    /// anybody's.
    pub(crate) fn names(&self) -> Option<String> {
        match (self.is_whole, self.name.starts_with('.')) {
            (true, _) => Some(self.name.clone()),
            (false, true) => Some(format!("*{}", self.name)),
            (false, false) => None,
        }
    }

    /// Whether what stands in Host is meant.
    pub(crate) fn fits_authority(&self, authority: &str) -> bool {
        let (host, port) = split(authority);
        self.fits(host, port)
    }
}

/// The section whose name fits best.
pub(super) fn best<'a>(
    sections: impl Iterator<Item = &'a Section>,
    host: &str,
    port: Option<u16>,
) -> Option<&'a Section> {
    sections
        .filter_map(|section| Some((section.pattern()?, section)))
        .filter(|(pattern, _)| pattern.fits(host, port))
        .max_by(|(one, _), (other, _)| one.cmp(other))
        .map(|(_, section)| section)
}

/// A name and a port behind it; the colons of an address of IPv6 in brackets are none.
fn split(text: &str) -> (&str, Option<u16>) {
    match text.rsplit_once(':') {
        Some((name, port)) => match port.parse() {
            Ok(port) => (name, Some(port)),
            Err(_) => (text, None),
        },
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stand_for_names_of_somebody() {
        for (pattern, names) in [
            ("A.example:80", Some("a.example")),
            ("*.example", Some("*.example")),
            ("*", None),
            ("*ample", None),
        ] {
            assert_eq!(HostPattern::new(pattern).names().as_deref(), names, "{pattern}");
        }
    }

    fn best_of(names: &[&str], host: &str, port: u16) -> Option<String> {
        let section = |name: &&str| Section::Host { host: (*name).to_owned() };
        let sections: Vec<Section> = names.iter().map(section).collect();
        match best(sections.iter(), host, Some(port))? {
            Section::Host { host } => Some(host.clone()),
            _ => None,
        }
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

    #[test]
    fn what_stands_in_host() {
        let pattern = HostPattern::new("A.example");
        assert!(pattern.fits_authority("a.EXAMPLE") && pattern.fits_authority("a.example:80"));
        assert!(!pattern.fits_authority("b.a.example") && !pattern.fits_authority(""));
        assert!(HostPattern::new("[::1]").fits_authority("[::1]:80"));
        assert!(!HostPattern::new("*.x").fits_authority("x"));
    }
}
