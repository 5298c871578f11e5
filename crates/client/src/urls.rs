//! URLs, read by one parser for everything, and more strictly than browsers read them.
//!
//! The parser of the URL standard forgives much: it drops tabs and line ends, takes a backslash for
//! a slash and any number of slashes for two. Where two programs forgive differently they see
//! different hosts in one text, so what is forgiven around the host is refused here.

use url::{ParseError, Url};

/// Reads a URL that a person or a program gives.
///
/// *Errors*: why it is none.
pub(crate) fn parse(text: &str) -> Result<Url, String> {
    check_controls(text)?;
    if text.starts_with(' ') || text.ends_with(' ') {
        return Err("it has blanks around it".to_owned());
    }
    let Some((_, rest)) = text.split_once("://") else {
        // What has a scheme but no host, and what has no scheme at all, is named by the parser.
        return Url::parse(text).map_err(named).and_then(|_| Err("there is no `//`".to_owned()));
    };
    check_authority(rest)?;
    Url::parse(text).map_err(named)
}

/// Reads the reference of a redirect, as seen from where it was found.
///
/// *Errors*: why it is none.
pub(crate) fn join(base: &Url, reference: &str) -> Result<Url, String> {
    check_controls(reference)?;
    let before_query = reference.split(['?', '#']).next().unwrap_or_default();
    if before_query.contains('\\') {
        return Err("it holds a backslash, which some read as a slash".to_owned());
    }
    if let Some(rest) = reference.strip_prefix("//") {
        check_authority(rest)?;
    } else if let Some((scheme, rest)) = before_query.split_once("://")
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    {
        check_authority(rest)?;
    }
    base.join(reference).map_err(named)
}

fn check_controls(text: &str) -> Result<(), String> {
    match text.bytes().find(u8::is_ascii_control) {
        Some(found) => {
            Err(format!("it holds the control character {}", char::from(found).escape_debug()))
        }
        None => Ok(()),
    }
}

/// Checks what stands between the slashes and the path.
fn check_authority(rest: &str) -> Result<(), String> {
    let (mut empty, mut signs) = (true, 0);
    for byte in rest.bytes() {
        match byte {
            b'/' | b'?' | b'#' => break,
            b' ' | b'\\' => {
                return Err("a blank or a backslash stands before the path".to_owned());
            }
            byte => signs += u32::from(byte == b'@'),
        }
        empty = false;
    }
    match (empty, signs) {
        (true, _) => Err("there is no host in it".to_owned()),
        (false, 0 | 1) => Ok(()),
        (false, _) => Err("more than one `@` stands before the path".to_owned()),
    }
}

fn named(error: ParseError) -> String {
    match error {
        ParseError::RelativeUrlWithoutBase => "it has no scheme".to_owned(),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> Option<String> {
        parse(text).ok().and_then(|url| url.host_str().map(str::to_owned))
    }

    /// CVE-2016-8624, CVE-2022-27780 and their like: texts in which two parsers see two hosts.
    #[test]
    fn security_url_parsing_hosts_that_parsers_disagree_about() {
        for text in [
            "http://good\\@evil/",
            "http://good\\.evil/",
            "http:\\\\evil/",
            "http://good@evil@other/",
            "http://go od/",
            "http://good /",
            "http:evil",
            "http:/evil",
            "http:///evil",
            "http://",
            "http://?evil",
            "http://ev\til/",
            "http://evil\n",
            "http://evil/\r\nX: y",
            " http://evil/",
            "http://evil/ ",
            "http://e%2Fvil/",
            "http://evil:65536/",
            "http://evil:+80/",
            "http://[::1/",
            "evil",
            "//evil/",
            "",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn hosts_in_their_one_spelling() {
        assert_eq!(host("http://good#@evil/").as_deref(), Some("good"));
        assert_eq!(host("http://good?@evil/").as_deref(), Some("good"));
        assert_eq!(host("http://me:word@Good:80/").as_deref(), Some("good"));
        assert_eq!(host("http://127.1/").as_deref(), Some("127.0.0.1"));
        assert_eq!(host("http://b\u{fc}cher.example/").as_deref(), Some("xn--bcher-kva.example"));
        assert_eq!(host("http://h/a b").as_deref(), Some("h"));
    }

    #[test]
    fn references_of_redirects() {
        let base = parse("http://h/a/b?c").expect("a url");
        let to = |reference: &str| join(&base, reference).map(String::from);
        assert_eq!(to("d?e f").as_deref(), Ok("http://h/a/d?e%20f"));
        assert_eq!(to("/d?x=http://y z/").as_deref(), Ok("http://h/d?x=http://y%20z/"));
        assert_eq!(to("//other/").as_deref(), Ok("http://other/"));
        assert_eq!(to("https://other/").as_deref(), Ok("https://other/"));
        assert_eq!(to("?q=\\").as_deref(), Ok("http://h/a/b?q=\\"));
        for bad in
            ["/\\evil", "\\\\evil", "//good\\@evil/", "http://a@b@c/", "//", "/\tx", "http:///x"]
        {
            assert!(to(bad).is_err(), "{bad}");
        }
    }
}
