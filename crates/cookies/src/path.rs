//! Cookie paths (RFC 6265bis §5.1.4). Paths are octets as they stand in the URL: nothing is
//! decoded, nothing is normalized.

/// The path a cookie gets that names none: the request path up to its last slash.
pub fn default_path(uri_path: &[u8]) -> &[u8] {
    if uri_path.first() != Some(&b'/') {
        return b"/";
    }
    match uri_path.iter().rposition(|octet| *octet == b'/') {
        None | Some(0) => b"/",
        Some(last) => &uri_path[..last],
    }
}

/// Whether a request for `request_path` falls under `cookie_path`.
///
/// ```
/// use avocet_cookies::path_match;
/// assert!(path_match(b"/dir/file", b"/dir"));
/// assert!(!path_match(b"/directory", b"/dir"));
/// ```
pub fn path_match(request_path: &[u8], cookie_path: &[u8]) -> bool {
    let Some(rest) = request_path.strip_prefix(cookie_path) else { return false };
    rest.is_empty() || rest.first() == Some(&b'/') || cookie_path.last() == Some(&b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_paths() {
        for (path, want) in
            [("", "/"), ("x", "/"), ("/", "/"), ("/a", "/"), ("/a/", "/a"), ("/a/b/c", "/a/b")]
        {
            assert_eq!(default_path(path.as_bytes()), want.as_bytes(), "{path}");
        }
    }

    #[test]
    fn path_over_read_is_impossible() {
        // CVE-2025-9086 of curl read past the end where the stored path was a lone slash.
        assert!(path_match(b"/", b"/"));
        assert!(!path_match(b"", b"/"));
        assert!(!path_match(b"/a", b"/a/"));
        assert!(path_match(b"/a/", b"/a/"));
    }
}
