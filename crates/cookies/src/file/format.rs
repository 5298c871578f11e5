//! The formats of cookie files, and how one is told from another.

use std::time::SystemTime;

use super::{json, lwp, netscape};
use crate::{
    cookie::{Cookie, CookieBuilder},
    error::{Error, ErrorKind},
    host::canonical_host,
    verdict::Refusal,
};

/// A format of cookie files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// The `cookies.txt` of Netscape, curl, wget and Python's `MozillaCookieJar`: one cookie per
    /// line, fields parted by tabs.
    ///
    /// Lines have no place for SameSite, which is written as a comment before the cookie, nor
    /// for unknown attributes and the times of creation and use, which are lost. A cookie that
    /// no line can hold (a tab inside, no name, partitioned, not UTF-8) becomes a comment that
    /// other programs pass over.
    #[default]
    Netscape,
    /// `#LWP-Cookies-2.0` of libwww-perl and Python's `LWPCookieJar`. Only the times of creation
    /// and use are lost; a cookie that those programs would misread becomes a comment.
    Lwp,
    /// JSON: an array of objects as browser extensions export it. Playwright's object with
    /// `cookies` is read too. Nothing is lost.
    Json,
}

impl Format {
    /// The name by which a person picks it: `netscape`, `lwp` or `json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Netscape => "netscape",
            Self::Lwp => "lwp",
            Self::Json => "json",
        }
    }

    /// The format of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        [Self::Netscape, Self::Lwp, Self::Json].into_iter().find(|format| format.name() == name)
    }

    /// The format that `text` seems to be in. [`read`](Self::read) finds out whether it is.
    pub fn detect(text: &[u8]) -> Self {
        let text = without_mark(text).trim_ascii_start();
        if matches!(text.first(), Some(b'[' | b'{')) {
            Self::Json
        } else if text.starts_with(lwp::MAGIC) {
            Self::Lwp
        } else {
            Self::Netscape
        }
    }

    /// Reads a file. Expired cookies are left out; what cannot be a cookie is kept apart, so that
    /// writing the file again loses nothing.
    ///
    /// *Bounds*: 65,536 cookies.
    ///
    /// *Errors*: [`ErrorKind::Foreign`] where it is in another format or none,
    /// [`ErrorKind::TooLarge`], [`ErrorKind::Unsupported`] for JSON in a build without it.
    pub fn read(self, text: &[u8], now: SystemTime) -> Result<Reading, Error> {
        if text.starts_with(b"SQLite format 3\0") {
            return Err(Error::new(
                ErrorKind::Foreign,
                "a browser's database: it can be imported, not used as a cookie file",
            ));
        }
        let text = without_mark(text);
        let mut reading = Reading::default();
        match self {
            Self::Netscape => netscape::read(text, &mut reading, now)?,
            Self::Lwp => lwp::read(text, &mut reading, now)?,
            Self::Json => json::read(text, &mut reading, now)?,
        }
        Ok(reading)
    }

    /// Writes a file with these cookies, and what an earlier reading kept apart.
    ///
    /// *Errors*: [`ErrorKind::Unsupported`] for JSON in a build without it.
    pub fn write<'c>(
        self,
        cookies: impl IntoIterator<Item = &'c Cookie>,
        kept: &[Vec<u8>],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let mut cookies = cookies.into_iter();
        match self {
            Self::Netscape => netscape::write(&mut cookies, kept, out),
            Self::Lwp => lwp::write(&mut cookies, kept, out),
            Self::Json => json::write(&mut cookies, kept, out)?,
        }
        Ok(())
    }
}

/// What a file holds.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Reading {
    /// The cookies, in the order of the file.
    pub cookies: Vec<Cookie>,
    /// How many more there are that have expired.
    pub expired: usize,
    /// Lines or entries that are no cookies, such as comments, as they stand in the file.
    pub kept: Vec<Vec<u8>>,
    /// Which of them look like cookies and are none, by line (JSON: by entry) from 1, and why.
    pub refused: Vec<(usize, Fault)>,
    /// Whether the file holds other things beside cookies, as Playwright's does; writing it as a
    /// cookie file would lose them.
    pub more_than_cookies: bool,
}

/// Why an entry of a file is no cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// It does not have the fields that the format asks for.
    Syntax,
    /// It breaks a rule that holds for every cookie.
    Refused(Refusal),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Syntax => f.write_str("the fields of a cookie are not there"),
            Self::Refused(refusal) => refusal.fmt(f),
        }
    }
}

impl Reading {
    /// Takes in what line or entry `at`, written `raw`, turned out to be.
    pub(super) fn take(
        &mut self,
        at: usize,
        raw: &[u8],
        found: Result<CookieBuilder, Fault>,
        now: SystemTime,
    ) -> Result<(), Error> {
        match found.and_then(|builder| builder.build(now).map_err(Fault::Refused)) {
            Ok(cookie) if cookie.is_expired(now) => self.expired += 1,
            // A session cookie may stand there twice; see netscape::write.
            Ok(cookie) if self.cookies.last().is_some_and(|last| last.is_twin(&cookie)) => {}
            Ok(cookie) => self.cookies.push(cookie),
            Err(fault) => {
                self.refused.push((at, fault));
                self.kept.push(raw.to_vec());
            }
        }
        if self.cookies.len() > MAX_COOKIES {
            return Err(Error::new(ErrorKind::TooLarge, "more than 65536 cookies are inside"));
        }
        Ok(())
    }
}

/// The host that a file means. wget adds the port where it is not 80, and Python adds `.local` to
/// the one name that it would not take for a host name otherwise.
pub(super) fn host_in_file(domain: &str) -> Option<String> {
    let domain = domain.strip_prefix('.').unwrap_or(domain);
    let domain = match domain.split_once(':') {
        Some((host, port))
            if !port.is_empty() && port.bytes().all(|octet| octet.is_ascii_digit()) =>
        {
            host
        }
        _ => domain,
    };
    let host = canonical_host(domain)?;
    Some(if host == "localhost.local" { "localhost".to_owned() } else { host })
}

/// `text` without a byte order mark.
fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

const MAX_COOKIES: usize = 65_536;
