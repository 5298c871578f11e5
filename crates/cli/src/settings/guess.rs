//! What a misspelt word may have meant.

/// The name that is nearest to a word, if any is near; of equally near ones the first.
pub(super) fn near<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase().replace('_', "-");
    let near = names.into_iter().filter_map(|name| {
        let distance =
            strsim::damerau_levenshtein(&word, &name.to_ascii_lowercase().replace('_', "-"));
        // A third of the letters may be wrong.
        (distance * 3 <= word.chars().count().max(3)).then_some((distance, name))
    });
    near.min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// The same as the end of a message.
pub(super) fn hint<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    near(word, names).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_near_is_guessed() {
        let names = ["listen", "listing", "header", "cors"];
        assert_eq!(near("lisen", names), Some("listen"));
        assert_eq!(near("Header", names), Some("header"));
        assert_eq!(near("heeders", names), Some("header"));
        assert_eq!(near("core", names), Some("cors"));
        assert_eq!(near("workers", names), None);
        assert_eq!(near("x", names), None);
        assert_eq!(hint("crs", names), "; did you mean `cors`?");
    }
}
