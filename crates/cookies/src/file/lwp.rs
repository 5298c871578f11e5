//! `#LWP-Cookies-2.0`: one `Set-Cookie3:` line per cookie.

use std::time::SystemTime;

use super::{
    format::{Fault, Reading, host_in_file},
    words::{self, Word, Writer, is_name},
};
use crate::{
    cookie::{Cookie, CookieBuilder, SameSite},
    dates,
    error::{Error, ErrorKind},
};

pub(super) fn read(text: &[u8], reading: &mut Reading, now: SystemTime) -> Result<(), Error> {
    let mut lines = text.split(|octet| *octet == b'\n').enumerate();
    let first = lines.next().map(|(_, line)| line.trim_ascii()).unwrap_or_default();
    if !first.starts_with(MAGIC) && !text.is_empty() {
        return Err(Error::new(ErrorKind::Foreign, "no LWP cookie file"));
    }
    for (index, line) in lines {
        let line = line.trim_ascii_end();
        let (line, ours) = match line.strip_prefix(b"#") {
            Some(rest) if rest.starts_with(FIELD) => (rest, true),
            _ => (line, false),
        };
        match line.strip_prefix(FIELD) {
            Some(rest) => {
                let found = parse(rest, ours);
                let raw = if ours { [b"#", line].concat() } else { line.to_vec() };
                reading.take(index + 1, &raw, found, now)?;
            }
            None if line.is_empty() => {}
            None => reading.kept.push(line.to_vec()),
        }
    }
    Ok(())
}

pub(super) fn write(
    cookies: &mut dyn Iterator<Item = &Cookie>,
    kept: &[Vec<u8>],
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(b"2.0\n");
    for line in kept {
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    for cookie in cookies {
        let extensions = cookie.extensions();
        let mut parts = [cookie.name(), cookie.value(), cookie.path()]
            .into_iter()
            .chain(cookie.extensions().map(|(_, value)| value));
        let readable = cookie.partition().is_none()
            && is_name(if cookie.name().is_empty() { cookie.value() } else { cookie.name() })
            && extensions.map(|(name, _)| name).all(|name| is_name(name) && !is_known(name))
            && parts.all(|part| std::str::from_utf8(part).is_ok());
        write_line(cookie, !readable, out);
    }
}

/// One line; as a comment in `ours` that only this crate reads, and that holds any cookie.
pub(super) fn write_line(cookie: &Cookie, ours: bool, out: &mut Vec<u8>) {
    if ours {
        out.push(b'#');
    }
    out.extend_from_slice(FIELD);
    out.push(b' ');
    let mut line = Writer::new(out, ours);
    if cookie.name().is_empty() && !ours {
        line.lone(cookie.value());
    } else {
        line.pair(cookie.name(), cookie.value());
    }
    line.pair(b"path", cookie.path());
    // Python knows this host by that name; `host_in_file` takes it back.
    let host = match cookie.domain() {
        "localhost" if !ours => "localhost.local",
        host => host,
    };
    let domain = if cookie.is_host_only() { host.to_owned() } else { format!(".{host}") };
    line.pair(b"domain", domain.as_bytes());
    line.flag("path_spec");
    if !cookie.is_host_only() {
        line.flag("domain_dot");
    }
    if cookie.is_secure() {
        line.flag("secure");
    }
    match cookie.expires_seconds() {
        Some(at) => line.pair(b"expires", dates::iso(at).as_bytes()),
        None => line.flag("discard"),
    }
    for (name, value) in cookie.extensions() {
        if ours {
            line.pair(&[EXTENSION, name].concat(), value);
        } else {
            line.pair(name, value);
        }
    }
    if cookie.is_http_only() {
        line.pair(b"HttpOnly", b"None");
    }
    if let Some(site) = cookie.partition() {
        line.pair(b"Partition", site.as_bytes());
    }
    if cookie.same_site() != SameSite::Default {
        line.pair(b"SameSite", cookie.same_site().as_str().as_bytes());
    }
    line.pair(b"version", b"0");
    out.push(b'\n');
}

/// Reads what follows `Set-Cookie3:`.
pub(super) fn parse(line: &[u8], ours: bool) -> Result<CookieBuilder, Fault> {
    let mut words = words::split(line, ours).ok_or(Fault::Syntax)?.into_iter();
    let (name, value) = match words.next().ok_or(Fault::Syntax)? {
        (name, Some(value)) => (name, value),
        // A lone word is the value of a cookie without a name.
        (value, None) => (Vec::new(), value),
    };
    let attributes: Vec<Word> = words.collect();
    let find = |wanted: &str| {
        let mut found = attributes.iter().filter(|(name, _)| is(name, wanted));
        found.next_back().map(|(_, value)| value.as_deref().unwrap_or_default())
    };
    let text = |octets| std::str::from_utf8(octets).map_err(|_| Fault::Syntax);
    let domain = text(find("domain").ok_or(Fault::Syntax)?)?;
    let host = host_in_file(domain).ok_or(Fault::Syntax)?;
    let mut builder = Cookie::builder(name, value, host)
        .for_subdomains(domain.starts_with('.'))
        .path(find("path").ok_or(Fault::Syntax)?)
        .secure(find("secure").is_some())
        .http_only(find("httponly").is_some())
        .same_site(find("samesite").map(SameSite::parse).unwrap_or_default())
        .partition(find("partition").map(text).transpose()?);
    if find("discard").is_none() {
        let read = |date| dates::parse_iso(date).or_else(|| dates::cookie(date));
        builder = builder.expires_seconds(find("expires").and_then(read));
    }
    for (name, value) in attributes.iter().filter(|(name, _)| !is_known(name)) {
        let name = name.strip_prefix(EXTENSION).filter(|_| ours).unwrap_or(name);
        builder = builder.extension(name, value.as_deref().unwrap_or_default());
    }
    Ok(builder)
}

fn is(name: &[u8], wanted: &str) -> bool {
    name.eq_ignore_ascii_case(wanted.as_bytes())
}

/// Whether an attribute has a meaning of its own in these files.
fn is_known(name: &[u8]) -> bool {
    const KNOWN: [&str; 12] = [
        "path",
        "domain",
        "path_spec",
        "port_spec",
        "domain_dot",
        "secure",
        "expires",
        "discard",
        "version",
        "httponly",
        "samesite",
        "partition",
    ];
    KNOWN.iter().any(|known| is(name, known))
}

/// What marks an unknown attribute in a line of ours, whose name could be one of [`is_known`].
const EXTENSION: &[u8] = b".";
/// How the first line begins; a version follows.
pub(super) const MAGIC: &[u8] = b"#LWP-Cookies-";
/// How the line of a cookie begins.
pub(super) const FIELD: &[u8] = b"Set-Cookie3:";
