//! Which paths are versions of one file.
//!
//! The pattern of a path serves twice. The client is told it, and says which dictionary it has when it
//! asks for a path that matches; and the server sends differences only between files of the same
//! pattern, so that nobody learns of a file by comparing it with one of his choice.

use crate::path::FilePath;

/// The value of Use-As-Dictionary for a file at this path; none for a path that could not be said
/// as a pattern without signs of its grammar.
///
/// *Bounds*: 255 bytes of path, [`STARS`] stars.
///
/// *Spec*: RFC 9842 §2.1. The unreserved characters of URLs, slashes and percent signs, of which paths
/// are made here, need no escaping, neither in a pattern nor in a string of a structured field.
pub(crate) fn field(at: &str, path: &FilePath<'_>) -> Option<String> {
    let url = [at, &path.to_url(path.is_folder())].concat();
    let is_plain = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/' | b'%')
    };
    if url.len() > LONGEST || !url.bytes().all(is_plain) {
        return None;
    }
    let (folder, name) = url.rsplit_once('/')?;
    let name = generalized(name).unwrap_or_else(|| name.to_owned());
    Some(format!("match=\"{folder}/{name}\""))
}

/// The name with a star for each part that tells one version from another; none where nothing does,
/// or where nothing else is left.
fn generalized(name: &str) -> Option<String> {
    // Digits of encoded bytes are no numbers.
    if name.contains('%') {
        return None;
    }
    let (stem, ending) = name.rfind('.').map_or((name, ""), |dot| name.split_at(dot));
    let mut pattern = String::new();
    let mut rest = stem;
    while !rest.is_empty() {
        let end = rest.find(SEPARATORS).unwrap_or(rest.len());
        let (part, behind) = rest.split_at(end);
        // Of several parts in a row, as in 1.2.3, one star stands for all.
        let continues =
            pattern.strip_suffix(SEPARATORS).is_some_and(|before| before.ends_with('*'));
        match is_version(part) {
            true if continues => {
                pattern.pop();
            }
            true => pattern.push('*'),
            false => pattern.push_str(part),
        }
        // A separator is one byte long.
        let (separator, next) = behind.split_at(behind.len().min(1));
        pattern.push_str(separator);
        rest = next;
    }
    let stars = pattern.bytes().filter(|&byte| byte == b'*').count();
    let names_something = pattern.bytes().any(|byte| byte.is_ascii_alphabetic());
    ((1..=STARS).contains(&stars) && names_something).then(|| pattern + ending)
}

/// Whether a part of a name is a number, a number behind a `v`, or a hash: six characters or more,
/// all of them hexadecimal or with a letter behind a digit, which names of people's choice rarely have.
fn is_version(part: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number(part) || part.strip_prefix(['v', 'V']).is_some_and(is_number) {
        return true;
    }
    let Some(digit) = part.find(|c: char| c.is_ascii_digit()) else { return false };
    let is_hex = part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let has_letter_behind = part[digit..].bytes().any(|byte| byte.is_ascii_alphabetic());
    part.len() >= LEAST_HASH && (is_hex || has_letter_behind)
}

const SEPARATORS: [char; 4] = ['.', '-', '_', '~'];

const LONGEST: usize = 255;

const STARS: usize = 4;

const LEAST_HASH: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> Option<String> {
        field("", &FilePath::parse(path).unwrap())
    }

    #[test]
    fn versions_of_a_file_have_one_pattern() {
        for (paths, pattern) in [
            (&["/app.js", "/app.js?", "//app.js"][..1], "/app.js"),
            (&["/js/app.3f2a9c1b.js", "/js/app.00c0ffee.js"], "/js/app.*.js"),
            (&["/assets/index-BxY7a9Qz.css", "/assets/index-Q1w2e3R4.css"], "/assets/index-*.css"),
            (&["/lib-1.2.3.min.js", "/lib-10.0.min.js", "/lib-v2.min.js"], "/lib-*.min.js"),
            (&["/main.v1.js", "/main.v22.js"], "/main.*.js"),
            (&["/2024-05-01_report.txt"], "/*_report.txt"),
            (&["/a.1/x.js"], "/a.1/x.js"),
            (&["/"], "/"),
            (&["/docs/"], "/docs/"),
            (&["/data-7"], "/data-*"),
        ] {
            for path in paths {
                assert_eq!(of(path), Some(format!("match=\"{pattern}\"")), "{path}");
            }
        }
    }

    #[test]
    fn what_names_nothing_else_or_too_much_stands_for_itself() {
        for path in [
            "/3f2a9c1b.js",
            "/1.2.3.js",
            "/jquery3.js",
            "/chapter12.html",
            "/es6.js",
            "/a-1-b-2-c-3-d-4-e-5.js",
            "/%C3%A4-1.js",
            "/.1",
        ] {
            assert_eq!(of(path), Some(format!("match=\"{path}\"")), "{path}");
        }
    }

    /// Nothing of a name gets into the field, or into the grammar of patterns, as anything but itself.
    #[test]
    fn signs_of_the_grammar_are_encoded_or_refused() {
        let field = |at| field(at, &FilePath::parse("/a\"b\\(c)*{d}:e+f.js").unwrap());
        assert_eq!(field("").unwrap(), "match=\"/a%22b%5C%28c%29%2A%7Bd%7D%3Ae%2Bf.js\"");
        for at in ["/a*", "/:id", "/(x)", "/{x}", "/a\"b", "/a\\b", "/a b", "/\u{fc}"] {
            assert_eq!(field(at), None, "{at}");
        }
        assert_eq!(of(&format!("/{}", "x".repeat(255))), None);
    }
}
