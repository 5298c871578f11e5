//! `cookies.txt`: domain, whether for sub-domains, path, whether Secure, expiry, name and value,
//! parted by tabs.

use std::time::SystemTime;

use super::{
    format::{Fault, Reading, host_in_file},
    lwp,
};
use crate::{
    cookie::{Cookie, CookieBuilder, SameSite},
    error::{Error, ErrorKind},
};

pub(super) fn read(text: &[u8], reading: &mut Reading, now: SystemTime) -> Result<(), Error> {
    let mut magic = false;
    let mut cookies = 0;
    // What a comment says of the cookie in the next line.
    let mut next_same_site = SameSite::Default;
    for (index, line) in text.split(|octet| *octet == b'\n').enumerate() {
        let end = line.iter().rposition(|octet| *octet != b'\r').map_or(0, |last| last + 1);
        let line = &line[..end];
        let same_site = std::mem::take(&mut next_same_site);
        if index == 0 && MAGIC.contains(&line) {
            magic = true;
        } else if line.trim_ascii().is_empty() || HEADER.contains(&line) {
        } else if let Some(value) = line.strip_prefix(SAME_SITE) {
            next_same_site = SameSite::parse(value);
            if next_same_site == SameSite::Default {
                reading.kept.push(line.to_vec());
            }
        } else if let Some(rest) = ours(line) {
            reading.take(index + 1, line, lwp::parse(rest, true), now)?;
        } else if line.starts_with(b"#") && !line.starts_with(HTTP_ONLY) {
            reading.kept.push(line.to_vec());
        } else {
            cookies += 1;
            let builder = parse(line).map(|builder| builder.same_site(same_site));
            // Comment and line are judged together, so they are kept together.
            let raw = match same_site {
                SameSite::Default => line.to_vec(),
                said => [SAME_SITE, said.as_str().as_bytes(), b"\n", line].concat(),
            };
            reading.take(index + 1, &raw, builder, now)?;
        }
    }
    // Without the first line only the lines themselves show what the file is.
    let strangers = reading.refused.iter().any(|(_, fault)| *fault == Fault::Syntax);
    let comments_only = cookies == 0 && !text.trim_ascii().is_empty();
    if !magic && (strangers || comments_only) {
        return Err(Error::new(ErrorKind::Foreign, "no cookie file in a known format"));
    }
    Ok(())
}

pub(super) fn write(
    cookies: &mut dyn Iterator<Item = &Cookie>,
    kept: &[Vec<u8>],
    out: &mut Vec<u8>,
) {
    for line in [MAGIC[0], HEADER[0], b""].into_iter().chain(kept.iter().map(Vec::as_slice)) {
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    for cookie in cookies {
        if !fits(cookie) {
            lwp::write_line(cookie, true, out);
            continue;
        }
        if cookie.same_site() != SameSite::Default {
            out.extend_from_slice(SAME_SITE);
            out.extend_from_slice(cookie.same_site().as_str().as_bytes());
            out.push(b'\n');
        }
        match cookie.expires_seconds() {
            Some(at) => write_line(cookie, &at.to_string(), out),
            None => write_session(cookie, out),
        }
    }
}

/// The end of the session is `0` for curl and wget, and an empty field for Python, which takes 0
/// for 1970. Neither understands the other's, and each passes over the line that it does not
/// understand; so both are written.
fn write_session(cookie: &Cookie, out: &mut Vec<u8>) {
    write_line(cookie, "0", out);
    // Old versions of curl join empty fields and would take the name for the expiry time; that
    // is harmless only where it is no number.
    let number = |octet: u8| octet.is_ascii_digit() || b"+- ".contains(&octet);
    if !cookie.name().first().is_some_and(|first| number(*first)) {
        write_line(cookie, "", out);
    }
}

fn write_line(cookie: &Cookie, expires: &str, out: &mut Vec<u8>) {
    if cookie.is_http_only() {
        out.extend_from_slice(HTTP_ONLY);
    }
    // Python wants the dot exactly where the second field says TRUE.
    let truth = |yes: bool| if yes { "TRUE" } else { "FALSE" };
    let subdomains = !cookie.is_host_only();
    if subdomains {
        out.push(b'.');
    }
    let fields = [
        cookie.domain().as_bytes(),
        truth(subdomains).as_bytes(),
        cookie.path(),
        truth(cookie.is_secure()).as_bytes(),
        expires.as_bytes(),
        cookie.name(),
        cookie.value(),
    ];
    out.extend_from_slice(&fields.join(&b'\t'));
    out.push(b'\n');
}

/// Whether a line can hold the cookie so that no program misreads it: a tab would forge a field,
/// what is not UTF-8 makes Python refuse the whole file, and curl takes the value of a cookie
/// without a name for its name.
fn fits(cookie: &Cookie) -> bool {
    let plain = |part: &[u8]| !part.contains(&b'\t') && std::str::from_utf8(part).is_ok();
    cookie.partition().is_none()
        && !cookie.name().is_empty()
        && plain(cookie.name())
        && plain(cookie.value())
        && plain(cookie.path())
}

fn parse(line: &[u8]) -> Result<CookieBuilder, Fault> {
    let (line, http_only) = match line.strip_prefix(HTTP_ONLY) {
        Some(rest) => (rest, true),
        None => (line, false),
    };
    let fields: Vec<&[u8]> = line.split(|octet| *octet == b'\t').collect();
    let (domain, subdomains, path, secure, expires, name, value) = match fields[..] {
        [domain, subdomains, path, secure, expires, name, value] => {
            (domain, subdomains, path, secure, expires, name, value)
        }
        // Editors that strip the ends of lines leave an empty value so.
        [domain, subdomains, path, secure, expires, name] => {
            (domain, subdomains, path, secure, expires, name, &b""[..])
        }
        _ => return Err(Fault::Syntax),
    };
    let host = std::str::from_utf8(domain).ok().and_then(host_in_file).ok_or(Fault::Syntax)?;
    Ok(Cookie::builder(name, value, host)
        .for_subdomains(truth(subdomains)?)
        .path(path)
        .secure(truth(secure)?)
        .http_only(http_only)
        .expires_seconds(expiry(expires)?))
}

fn truth(field: &[u8]) -> Result<bool, Fault> {
    match field {
        yes if yes.eq_ignore_ascii_case(b"TRUE") => Ok(true),
        no if no.eq_ignore_ascii_case(b"FALSE") => Ok(false),
        _ => Err(Fault::Syntax),
    }
}

/// Seconds since 1970, with a fraction in some tools' files; 0 or nothing for a session cookie.
fn expiry(field: &[u8]) -> Result<Option<i64>, Fault> {
    let text = std::str::from_utf8(field).map_err(|_| Fault::Syntax)?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
    let unsigned = whole.strip_prefix('-').unwrap_or(whole);
    if !digits(unsigned) || !digits(fraction) || (unsigned.is_empty() && !text.is_empty()) {
        return Err(Fault::Syntax);
    }
    let beyond = if whole.starts_with('-') { i64::MIN } else { i64::MAX };
    match text {
        "" | "0" => Ok(None),
        // Digits only, so what does not parse is too far away to matter.
        _ => Ok(Some(whole.parse().unwrap_or(beyond))),
    }
}

/// What follows the mark of a cookie that only this crate reads.
fn ours(line: &[u8]) -> Option<&[u8]> {
    line.strip_prefix(b"#")?.strip_prefix(lwp::FIELD)
}

const MAGIC: [&[u8]; 2] = [b"# Netscape HTTP Cookie File", b"# HTTP Cookie File"];
const HEADER: [&[u8]; 1] = [b"# Written by Avocet. A session cookie stands here twice: for curl and wget with expiry 0, for Python with none."];
const HTTP_ONLY: &[u8] = b"#HttpOnly_";
const SAME_SITE: &[u8] = b"# SameSite=";
