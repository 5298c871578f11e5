//! The file `.netrc`.

use std::fmt;
use std::path::Path;

use url::Url;

use super::{Credentials, Passwords};

/// Names and passwords by host, as a `.netrc` file has them.
///
/// | word | meaning |
/// |---|---|
/// | `machine HOST` | what follows is for this host |
/// | `default` | what follows is for hosts without an entry |
/// | `login NAME`, `password WORD` | what to log in with |
/// | `account WORD` | passed over |
/// | `macdef NAME` | passed over up to an empty line |
/// | `#` at the beginning of a line | a comment |
///
/// Words stand between blanks and line ends, or in quotes with `\"`, `\\`, `\n`, `\r` and `\t`.
///
/// Name and password come from one entry or not at all. An entry without either has nothing to
/// say; and for a name that the URL gives only an entry with that very name counts.
#[derive(Clone, Debug, Default)]
pub struct Netrc(Vec<Entry>);

/// A `.netrc` that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetrcError {
    /// The line, from 1 on; 0 if the file as a whole cannot be read.
    pub line: usize,
    message: String,
}

#[derive(Clone, Debug)]
struct Entry {
    /// `None` for the default.
    host: Option<String>,
    name: Option<String>,
    password: Option<String>,
}

impl Netrc {
    /// Reads a file.
    ///
    /// *Errors*: it is not there, not text, larger than 1 MiB, or not well formed. *Blocking*: reads
    /// the file.
    pub fn load(path: &Path) -> Result<Self, NetrcError> {
        let whole = |message: String| NetrcError { line: 0, message };
        let metadata = std::fs::metadata(path).map_err(|error| whole(error.to_string()))?;
        if metadata.len() > LARGEST {
            return Err(whole(format!("it is larger than {LARGEST} bytes")));
        }
        warn_of_readers(path, &metadata);
        let text = std::fs::read_to_string(path).map_err(|error| whole(error.to_string()))?;
        Self::parse(&text)
    }

    /// Reads a text.
    ///
    /// *Errors*: a word that has no place, or that is missing after another.
    pub fn parse(text: &str) -> Result<Self, NetrcError> {
        let mut words = Words { rest: text, line: 1, fresh: true };
        let mut entries: Vec<Entry> = Vec::new();
        while let Some(word) = words.next()? {
            let mut follows = || {
                let line = words.line;
                let missing = || NetrcError { line, message: format!("nothing follows `{word}`") };
                words.next()?.ok_or_else(missing)
            };
            let entry = |host| Entry { host, name: None, password: None };
            match word.as_str() {
                "machine" => entries.push(entry(Some(follows()?.to_ascii_lowercase()))),
                "default" => entries.push(entry(None)),
                "login" | "user" | "password" | "passwd" | "account" => {
                    let value = follows()?;
                    let Some(entry) = entries.last_mut() else {
                        let message = format!("`{word}` stands before the first machine");
                        return Err(NetrcError { line: words.line, message });
                    };
                    match word.as_str() {
                        "login" | "user" => entry.name = Some(value),
                        "password" | "passwd" => entry.password = Some(value),
                        _ => {}
                    }
                }
                "macdef" => {
                    follows()?;
                    words.skip_to_empty_line();
                }
                _ => {
                    let message = format!("`{}` is no word of a netrc", word.escape_debug());
                    return Err(NetrcError { line: words.line, message });
                }
            }
        }
        Ok(Self(entries))
    }

    /// What to log in with at a host, under this name if one is given.
    pub fn lookup(&self, host: &str, name: Option<&str>) -> Option<Credentials> {
        let is_named = |entry: &Entry| {
            entry.host.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(host))
        };
        // A host that has entries of its own never gets the default's password.
        let known = self.0.iter().any(is_named);
        let fits = |entry: &&Entry| if known { is_named(entry) } else { entry.host.is_none() };
        self.0.iter().filter(fits).find_map(|entry| match (&entry.name, &entry.password) {
            (Some(login), Some(password)) if name.is_none_or(|name| name == login) => {
                Some(Credentials::new(login, password))
            }
            _ => None,
        })
    }
}

impl Passwords for Netrc {
    fn find(&self, url: &Url, _realm: Option<&str>) -> Option<Credentials> {
        // A password in the URL is more than the file has to say.
        if url.password().is_some() {
            return None;
        }
        let written = match url.username() {
            "" => None,
            name => Some(percent_encoding::percent_decode_str(name).decode_utf8().ok()?),
        };
        self.lookup(url.host_str()?, written.as_deref())
    }
}

/// The words of a file.
struct Words<'t> {
    rest: &'t str,
    line: usize,
    /// Nothing of the line was read yet.
    fresh: bool,
}

impl Words<'_> {
    fn next(&mut self) -> Result<Option<String>, NetrcError> {
        loop {
            let Some(first) = self.rest.chars().next() else { return Ok(None) };
            match first {
                '\n' => {
                    self.line += 1;
                    self.fresh = true;
                    self.rest = &self.rest[1..];
                }
                '#' if self.fresh => {
                    self.rest = self.rest.find('\n').map_or("", |end| &self.rest[end..]);
                }
                c if c.is_whitespace() => self.rest = &self.rest[c.len_utf8()..],
                '"' => {
                    self.fresh = false;
                    return self.quoted().map(Some);
                }
                _ => {
                    self.fresh = false;
                    let end = self.rest.find(char::is_whitespace).unwrap_or(self.rest.len());
                    let (word, rest) = self.rest.split_at(end);
                    self.rest = rest;
                    return Ok(Some(word.to_owned()));
                }
            }
        }
    }

    fn quoted(&mut self) -> Result<String, NetrcError> {
        let mut word = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(word);
                }
                '\n' => break,
                '\\' => match chars.next().map(|(_, escaped)| escaped) {
                    Some('n') => word.push('\n'),
                    Some('r') => word.push('\r'),
                    Some('t') => word.push('\t'),
                    Some(escaped) => word.push(escaped),
                    None => break,
                },
                c => word.push(c),
            }
        }
        Err(NetrcError { line: self.line, message: "a quote is not closed".to_owned() })
    }

    fn skip_to_empty_line(&mut self) {
        while let Some((line, rest)) = self.rest.split_once('\n') {
            self.line += 1;
            self.fresh = true;
            self.rest = rest;
            // The first of them is what is left of the line of `macdef` itself.
            if rest.starts_with('\n') || rest.starts_with("\r\n") || rest.is_empty() {
                return;
            }
            debug_assert!(!line.contains('\n'));
        }
        self.rest = "";
    }
}

/// A file of passwords that others may read is worth a word.
#[cfg(unix)]
fn warn_of_readers(path: &Path, metadata: &std::fs::Metadata) {
    use std::os::unix::fs::PermissionsExt;
    if metadata.permissions().mode() & 0o077 != 0 {
        log::warn!("{} holds passwords and is open to others", path.display());
    }
}

#[cfg(not(unix))]
fn warn_of_readers(_: &Path, _: &std::fs::Metadata) {}

impl fmt::Display for NetrcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.message),
            line => write!(f, "line {line}: {}", self.message),
        }
    }
}

impl std::error::Error for NetrcError {}

const LARGEST: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, url: &str) -> Option<(String, String)> {
        let url = Url::parse(url).expect("a url");
        let netrc = Netrc::parse(text).expect("well formed");
        netrc.find(&url, None).map(|found| (found.name().to_owned(), found.password().to_owned()))
    }

    fn pair(name: &str, password: &str) -> Option<(String, String)> {
        Some((name.to_owned(), password.to_owned()))
    }

    const FILE: &str = "# mine\nmachine a.example login me password #word\n\
        machine B.example\n\tlogin \"the \\\"one\\\"\"\n\tpassword \"a b\\\\\"\n\
        macdef init\nmachine evil login x password y\n\n\
        machine c.example account z login first password one\n\
        machine c.example login second password two\n\
        default login anonymous password me@h\n";

    #[test]
    fn words_quotes_comments_and_macros() {
        assert_eq!(found(FILE, "http://a.example/"), pair("me", "#word"));
        assert_eq!(found(FILE, "https://b.example:8443/"), pair("the \"one\"", "a b\\"));
        assert_eq!(found(FILE, "http://c.example/"), pair("first", "one"));
        assert_eq!(found(FILE, "http://evil/"), pair("anonymous", "me@h"));
        assert_eq!(found("", "http://a.example/"), None);
    }

    /// CVE-2024-11053, CVE-2025-0167, CVE-2026-8926: half of one entry and half of another.
    #[test]
    fn security_netrc_name_and_password_come_from_one_entry() {
        let file = "machine a login me\nmachine b password word\nmachine c login me password word\n\
                    machine d\ndefault login anonymous password secret";
        for host in ["a", "b", "d"] {
            assert_eq!(found(file, &format!("http://{host}/")), None, "{host}");
        }
        assert_eq!(found(file, "http://c/"), pair("me", "word"));
        assert_eq!(found(file, "http://me@c/"), pair("me", "word"));
        assert_eq!(found(file, "http://other@c/"), None);
        assert_eq!(found(file, "http://other@e/"), None);
        assert_eq!(found(file, "http://me:given@c/"), None);
        assert_eq!(found(FILE, "http://second@c.example/"), pair("second", "two"));
        assert_eq!(found(FILE, "http://third@c.example/"), None);
    }

    #[test]
    fn what_is_no_netrc_names_its_line() {
        for (text, line) in [
            ("machine", 1),
            ("machine a\nlogin", 2),
            ("login me", 1),
            ("machine a\n\nlogni me", 3),
            ("machine a login \"me\n", 1),
        ] {
            assert_eq!(Netrc::parse(text).expect_err(text).line, line, "{text}");
        }
        assert!(Netrc::load(Path::new("/nonexistent/netrc")).is_err());
    }
}
