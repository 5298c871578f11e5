//! Patterns of paths in settings.

/// A pattern in which `*` stands for any characters, none included. With a slash in it, it is held
/// against the whole path from its first slash on, else against the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// The parts between the stars.
    parts: Vec<Vec<u8>>,
    is_of_path: bool,
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Self {
        let parts = text.split('*').map(|part| part.as_bytes().to_vec()).collect();
        Self { parts, is_of_path: text.contains('/') }
    }

    /// Whether a path below the root, without a slash before it, matches.
    pub(crate) fn matches(&self, path: &[u8]) -> bool {
        if self.is_of_path {
            return self.covers(&[b"/", path].concat());
        }
        self.covers(path.rsplit(|&byte| byte == b'/').next().unwrap_or(path))
    }

    fn covers(&self, text: &[u8]) -> bool {
        let [first, rest @ ..] = self.parts.as_slice() else { return false };
        let Some(mut text) = text.strip_prefix(first.as_slice()) else { return false };
        let [middle @ .., last] = rest else { return text.is_empty() };
        for part in middle {
            // The first place is as good as any: what is left is then the longest.
            let place = (0..=text.len()).find(|&place| text[place..].starts_with(part));
            let Some(place) = place else { return false };
            text = &text[place + part.len()..];
        }
        text.ends_with(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        let table = [
            ("*", "a/b.css", true),
            ("*.css", "a/b.css", true),
            ("*.css", "a.css/b", false),
            ("b.*", "a/b.css", true),
            ("/a/*", "a/b.css", true),
            ("/a/*", "b/a/c", false),
            ("/a", "a", true),
            ("/a", "a/b", false),
            ("a*b*c", "axxbyybzc", true),
            ("a*b*c", "ac", false),
            ("a*a", "a", false),
            ("app.*.js", "static/app.12ab.js", true),
            ("", "a", false),
        ];
        for (pattern, path, expected) in table {
            assert_eq!(
                Pattern::new(pattern).matches(path.as_bytes()),
                expected,
                "{pattern} {path}"
            );
        }
    }
}
