//! From the path of a request to the path of a file.

use std::borrow::Cow;
use std::fmt;

/// A path below the root: decoded once, without empty and dot segments.
///
/// No segment is `.` or `..`, none holds a slash or NUL, and none is empty, so that what is left can
/// neither climb nor be read in two ways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FilePath<'a> {
    /// The segments with a slash between them, and one at the end where a folder is named. Empty
    /// for the root.
    bytes: Cow<'a, [u8]>,
}

/// Why a path names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InvalidPath {
    /// A `%` without two hexadecimal digits.
    Encoding,
    /// A NUL, which no name can hold.
    Nul,
    /// An encoded slash, which no name can hold either.
    Separator,
    /// More `..` than there are folders above.
    AboveRoot,
    /// Something that is not a path, such as `*`.
    NoPath,
}

impl<'a> FilePath<'a> {
    /// Decodes and splits the path of a request target.
    ///
    /// Dot segments are resolved after decoding, since `%2e` is a dot (RFC 3986 §6.2.2.2), and
    /// without a look at the disk. Several slashes count as one.
    pub(crate) fn parse(path: &'a str) -> Result<Self, InvalidPath> {
        let Some(relative) = path.as_bytes().strip_prefix(b"/") else {
            return Err(InvalidPath::NoPath);
        };
        if is_plain(relative) {
            return Ok(Self { bytes: Cow::Borrowed(relative) });
        }
        let mut clean = Vec::with_capacity(relative.len());
        let mut segment = Vec::new();
        for raw in relative.split(|&byte| byte == b'/') {
            if !clean.is_empty() && !clean.ends_with(b"/") {
                clean.push(b'/');
            }
            decode(raw, &mut segment)?;
            match segment.as_slice() {
                b"" | b"." => {}
                b".." => leave(&mut clean)?,
                name => clean.extend_from_slice(name),
            }
        }
        Ok(Self { bytes: Cow::Owned(clean) })
    }

    /// The path of the root.
    pub(crate) fn root() -> FilePath<'static> {
        FilePath { bytes: Cow::Borrowed(b"") }
    }

    /// A path of segments that are clean already; `None` if they are not.
    pub(crate) fn from_clean(bytes: Vec<u8>) -> Option<FilePath<'static>> {
        let segments = bytes.strip_suffix(b"/").unwrap_or(&bytes).split(|&byte| byte == b'/');
        let is_clean = |name: &[u8]| !matches!(name, b"" | b"." | b"..") && !name.contains(&0);
        let is_root = bytes.is_empty();
        (is_root || segments.into_iter().all(is_clean)).then_some(FilePath { bytes: bytes.into() })
    }

    /// The same for another thread.
    pub(crate) fn to_owned(&self) -> FilePath<'static> {
        FilePath { bytes: Cow::Owned(self.bytes.to_vec()) }
    }

    /// The path relative to the root, without a slash at either end.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.strip_suffix(b"/").unwrap_or(&self.bytes)
    }

    /// What tells this path from every other: its bytes, and the slash of a folder.
    pub(crate) fn key(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether it names a folder: it is the root, or ended in a slash or in a dot segment.
    pub(crate) fn is_folder(&self) -> bool {
        self.is_root() || self.bytes.ends_with(b"/")
    }

    /// Whether it is the root.
    pub(crate) fn is_root(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The last segment; nothing for the root.
    pub(crate) fn name(&self) -> &[u8] {
        self.segments().next_back().unwrap_or_default()
    }

    /// The segments from the root down.
    pub(crate) fn segments(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.bytes.split(|&byte| byte == b'/').filter(|segment| !segment.is_empty())
    }

    /// Whether a segment is hidden, that is, begins with a dot. `/.well-known` is not, because it
    /// was registered for being served (RFC 8615).
    pub(crate) fn is_hidden(&self) -> bool {
        self.segments().enumerate().any(|(depth, name)| Self::is_hidden_name(name, depth == 0))
    }

    /// Whether this name is hidden in its folder.
    pub(crate) fn is_hidden_name(name: &[u8], in_root: bool) -> bool {
        name.starts_with(b".") && !(in_root && name == b".well-known")
    }

    /// Whether this is the name of a file that is still being uploaded.
    pub(crate) fn is_draft_name(name: &[u8]) -> bool {
        name.starts_with(DRAFT.as_bytes())
    }

    /// The path of the folder that it is in; empty for what is in the root.
    pub(crate) fn parent(&self) -> &[u8] {
        let path = self.as_bytes();
        path.iter().rposition(|&byte| byte == b'/').map_or(b"", |slash| &path[..slash])
    }

    /// The path of a file in this folder.
    pub(crate) fn join(&self, name: &[u8]) -> Vec<u8> {
        let folder = self.as_bytes();
        let slash = if folder.is_empty() { &b""[..] } else { b"/" };
        [folder, slash, name].concat()
    }

    /// The path as a URL has it: from the root, ending in a slash where `is_folder`. It never begins
    /// with two slashes or with a slash and a backslash, which browsers take for another host.
    pub(crate) fn to_url(&self, is_folder: bool) -> String {
        let mut url = String::with_capacity(self.bytes.len() + 2);
        for segment in self.segments() {
            url.push('/');
            encode(segment, &mut url);
        }
        if is_folder || url.is_empty() {
            url.push('/');
        }
        url
    }
}

impl fmt::Display for InvalidPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Encoding => "The path has a % without two hexadecimal digits behind it.",
            Self::Nul => "The path holds an encoded NUL.",
            Self::Separator => "The path holds an encoded slash.",
            Self::AboveRoot => "The path leads above the root.",
            Self::NoPath => "The target has no path.",
        })
    }
}

/// Whether a path is clean as it stands: nothing encoded, no empty segment, none beginning with a
/// dot. Almost all paths are, and they are not copied.
fn is_plain(relative: &[u8]) -> bool {
    let mut at_start = true;
    relative.iter().all(|&byte| {
        let plain = match byte {
            b'%' => false,
            b'/' | b'.' => !at_start,
            _ => true,
        };
        at_start = byte == b'/';
        plain
    })
}

/// Goes up by one folder from a path that ends in a slash.
fn leave(clean: &mut Vec<u8>) -> Result<(), InvalidPath> {
    let inner = clean.strip_suffix(b"/").ok_or(InvalidPath::AboveRoot)?;
    let parent = inner.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
    clean.truncate(parent);
    Ok(())
}

/// Decodes one segment, once: a `%25` becomes a `%` and stays one.
fn decode(raw: &[u8], segment: &mut Vec<u8>) -> Result<(), InvalidPath> {
    segment.clear();
    let mut rest = raw;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            segment.push(byte);
            continue;
        }
        let [high, low, after @ ..] = rest else { return Err(InvalidPath::Encoding) };
        let (Some(high), Some(low)) = (digit(*high), digit(*low)) else {
            return Err(InvalidPath::Encoding);
        };
        rest = after;
        match high << 4 | low {
            0 => return Err(InvalidPath::Nul),
            b'/' => return Err(InvalidPath::Separator),
            decoded => segment.push(decoded),
        }
    }
    Ok(())
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Writes a segment for a URL. Every byte but the unreserved ones is encoded, so that no name, of
/// whatever bytes, can mean something else in a URL, in HTML or in a field (RFC 3986 §2.3).
pub(crate) fn encode(segment: &[u8], url: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in segment {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            url.push(char::from(byte));
        } else {
            url.push('%');
            url.push(char::from(DIGITS[usize::from(byte >> 4)]));
            url.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

/// How the names of files begin that are still being uploaded. They are never served.
pub(crate) const DRAFT: &str = ".avocet-upload-";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(path: &str) -> Result<(String, bool), InvalidPath> {
        FilePath::parse(path)
            .map(|path| (path.as_bytes().escape_ascii().to_string(), path.is_folder()))
    }

    fn clean(path: &str, is_folder: bool) -> Result<(String, bool), InvalidPath> {
        Ok((path.to_owned(), is_folder))
    }

    #[test]
    fn plain_paths_are_borrowed() {
        for path in ["/", "/a", "/a/b.txt", "/a/b/", "/a.b/..c/"] {
            let borrowed = matches!(FilePath::parse(path).unwrap().bytes, Cow::Borrowed(_));
            assert_eq!(borrowed, path != "/a.b/..c/", "{path}");
        }
        assert_eq!(parse("/"), clean("", true));
        assert_eq!(parse("/a/b.txt"), clean("a/b.txt", false));
        assert_eq!(parse("/a/b/"), clean("a/b", true));
    }

    #[test]
    fn segments_are_decoded_once() {
        assert_eq!(parse("/%66ile.txt"), clean("file.txt", false));
        assert_eq!(parse("/%2566ile.txt"), clean("%66ile.txt", false));
        assert_eq!(parse("/a+b%20c%3Fd"), clean("a+b c?d", false));
        assert_eq!(parse("/caf%c3%A9/%ff"), clean("caf\\xc3\\xa9/\\xff", false));
        assert_eq!(parse("/a%5cb"), clean("a\\\\b", false));
    }

    #[test]
    fn dots_and_empty_segments_are_resolved_after_decoding() {
        assert_eq!(parse("/a/../b"), clean("b", false));
        assert_eq!(parse("/a/%2e%2E/b/."), clean("b", true));
        assert_eq!(parse("//a///b//"), clean("a/b", true));
        assert_eq!(parse("/a/b/.."), clean("a", true));
        assert_eq!(parse("/a/.."), clean("", true));
        assert_eq!(parse("/.../..;/a"), clean(".../..;/a", false));
    }

    #[test]
    fn what_names_nothing() {
        for path in ["/%", "/a%2", "/%zz", "/%+1", "/a%"] {
            assert_eq!(parse(path), Err(InvalidPath::Encoding), "{path}");
        }
        assert_eq!(parse("/a%00.html"), Err(InvalidPath::Nul));
        assert_eq!(parse("/..%2fa"), Err(InvalidPath::Separator));
        for path in ["/..", "/a/../..", "/%2e%2e/a", "/a//../../b"] {
            assert_eq!(parse(path), Err(InvalidPath::AboveRoot), "{path}");
        }
        assert_eq!(parse("*"), Err(InvalidPath::NoPath));
    }

    #[test]
    fn hidden_names() {
        let hidden = |path| FilePath::parse(path).unwrap().is_hidden();
        assert!(hidden("/.git/config") && hidden("/a/.b") && hidden("/a/%2eb/c"));
        assert!(hidden("/a/.well-known/x") && hidden("/.well-known/.x"));
        assert!(!hidden("/.well-known/x") && !hidden("/a.b/c") && !hidden("/a/./b"));
    }

    #[test]
    fn parents() {
        let parent = |path| FilePath::parse(path).unwrap().parent().escape_ascii().to_string();
        assert_eq!([parent("/a"), parent("/a/"), parent("/")], ["", "", ""]);
        assert_eq!([parent("/a/b"), parent("/a/b/c/")], ["a", "a/b"]);
    }

    #[test]
    fn a_url_never_leads_to_another_host() {
        for path in ["//evil", "/%5cevil", "/./%5Cevil", "///evil//x", "/%2e//evil"] {
            let url = FilePath::parse(path).unwrap().to_url(true);
            assert!(!url.starts_with("//") && !url.contains('\\'), "{path} gives {url}");
        }
    }

    proptest! {
        #[test]
        fn any_path_is_refused_or_cannot_climb(path in "/([a.%/2eEfF5cC\\\\0]{0,24})") {
            if let Ok(path) = FilePath::parse(&path) {
                for segment in path.segments() {
                    prop_assert!(segment != b"." && segment != b"..");
                    prop_assert!(!segment.contains(&0) && !segment.contains(&b'/'));
                }
                let joined: Vec<&[u8]> = path.segments().collect();
                prop_assert_eq!(joined.join(&b'/'), path.as_bytes());
            }
        }

        #[test]
        fn a_url_leads_back_to_its_path(names in proptest::collection::vec(
            proptest::collection::vec(1_u8.., 1..6), 0..5), folder: bool)
        {
            let usable = |name: &Vec<u8>| !name.contains(&b'/') && name != b"." && name != b"..";
            prop_assume!(names.iter().all(usable));
            let mut bytes = names.join(&b'/');
            if folder && !names.is_empty() {
                bytes.push(b'/');
            }
            let path = FilePath { bytes: Cow::Owned(bytes) };
            let url = path.to_url(path.is_folder());
            prop_assert_eq!(FilePath::parse(&url), Ok(path));
        }
    }
}
