//! The fields of a request.

use std::time::SystemTime;

use avocet::semantics::auth::basic::Login;
use avocet::semantics::dates;
use avocet::wire::FieldBuf;
use http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    IF_UNMODIFIED_SINCE, RANGE, REFERER, USER_AGENT,
};

use super::args::{Browser, Fetch};
use super::content;
use super::given::lines;
use super::referer::AUTO;
use super::wishes::Wishes;
use crate::failure::Failure;
use crate::target::AGENT;

/// The fields in the order in which curl sends them: identity first, then what the options ask for,
/// then the user's own; the user's replace and remove.
pub(super) fn fields(
    options: &Fetch,
    media_type: Option<&str>,
    offset: u64,
    fields: &mut FieldBuf,
) -> Result<(), Failure> {
    let own = lines(&options.header)?;
    let is_host = |line: &&String| {
        line.split_once(':').is_some_and(|(name, _)| name.eq_ignore_ascii_case("host"))
    };
    for line in own.iter().filter(is_host) {
        own_field(fields, line)?;
    }
    let mut push = |name: &HeaderName, value: &[u8]| push(fields, name.as_str(), value, Some(name));
    if let Some(user) = options.user.as_ref().filter(|_| !options.digest && !options.anyauth) {
        let (name, password) = user.split_once(':').unwrap_or((user, ""));
        let login = Login::new(name, password).map_err(Failure::usage)?;
        push(&AUTHORIZATION, login.to_field().as_bytes())?;
    }
    if let Some(token) = &options.oauth2_bearer {
        push(&AUTHORIZATION, format!("Bearer {token}").as_bytes())?;
    }
    if let Some(range) = &options.range {
        push(&RANGE, format!("bytes={range}").as_bytes())?;
    } else if offset > 0 {
        push(&RANGE, format!("bytes={offset}-").as_bytes())?;
    }
    match options.browser {
        Some(browser) => {
            for (name, value) in pose(browser) {
                push(&HeaderName::from_static(name), value.as_bytes())?;
            }
        }
        None => {
            let agent = options.user_agent.as_deref();
            match agent {
                Some("") => {}
                agent => push(&USER_AGENT, agent.unwrap_or(AGENT).as_bytes())?,
            }
            let accept = if options.sent.json.is_empty() { "*/*" } else { content::JSON };
            push(&ACCEPT, accept.as_bytes())?;
        }
    }
    let referer = options.referer.as_deref().filter(|text| !text.ends_with(AUTO));
    if let Some(referer) = referer {
        push(&REFERER, referer.as_bytes())?;
    }
    let cookies: Vec<&str> =
        options.cookie.iter().filter(|data| data.contains('=')).map(String::as_str).collect();
    if !cookies.is_empty() {
        push(&COOKIE, cookies.join("; ").as_bytes())?;
    }
    if let Some(condition) = &options.time_cond {
        let (name, date) = time_condition(condition)?;
        push(&name, &date)?;
    }
    if let Some(path) = &options.etag_compare {
        let tag = match std::fs::read_to_string(path) {
            Ok(tag) => tag,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                return Err(Failure::failed(format_args!("{}: {error}", path.display())));
            }
        };
        let tag = if tag.trim().is_empty() { "\"\"" } else { tag.trim() };
        push(&IF_NONE_MATCH, tag.as_bytes())?;
    }
    if let Some(media_type) = media_type {
        push(&CONTENT_TYPE, media_type.as_bytes())?;
    }
    for line in own.iter().filter(|line| !is_host(line)) {
        match bounded(line, media_type)? {
            Some(line) => own_field(fields, &line)?,
            None => own_field(fields, line)?,
        }
    }
    Ok(())
}

/// A type of several parts that the user wants for a form, with the boundary that only the form knows.
///
/// *Errors*: it has another one.
fn bounded(line: &str, media_type: Option<&str>) -> Result<Option<String>, Failure> {
    let Some((name, value)) = line.split_once(':') else { return Ok(None) };
    let boundary = media_type.and_then(|form| form.split_once("; boundary="));
    let value = value.trim().to_ascii_lowercase();
    let Some((_, boundary)) = boundary.filter(|_| {
        name.eq_ignore_ascii_case(CONTENT_TYPE.as_str()) && value.starts_with("multipart/")
    }) else {
        return Ok(None);
    };
    if value.contains("boundary=") {
        return Err(Failure::usage(format_args!("`{line}`: the form has a boundary of its own")));
    }
    Ok(Some(format!("{}; boundary={boundary}", line.trim_end())))
}

/// Lines of the user's; `@FILE` has one on each line.
pub(super) fn own_fields(fields: &mut FieldBuf, given: &[String]) -> Result<(), Failure> {
    lines(given)?.iter().try_for_each(|line| own_field(fields, line))
}

/// `Name: value` replaces what the program would send, `Name:` removes it, `Name;` sends it empty.
fn own_field(fields: &mut FieldBuf, line: &str) -> Result<(), Failure> {
    let (name, value) = match line.split_once(':') {
        Some((name, value)) => (name, Some(value.trim_matches([' ', '\t']))),
        None => match line.strip_suffix(';') {
            Some(name) => (name, None),
            None => {
                return Err(Failure::usage(format_args!("`{line}` is no field: use NAME: VALUE")));
            }
        },
    };
    let known = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| Failure::usage(format_args!("`{name}` is no name of a field")))?;
    if OURS.contains(&known) {
        fields.remove(&known);
    }
    match value {
        Some("") => Ok(()),
        // The connection writes these itself, from what the line was understood to ask for.
        Some(_) if Wishes::are_about(&known) => Ok(()),
        Some(value) => push(fields, name, value.as_bytes(), None),
        None => push(fields, name, b"", None),
    }
}

fn push(
    fields: &mut FieldBuf,
    name: &str,
    value: &[u8],
    known: Option<&HeaderName>,
) -> Result<(), Failure> {
    let pushed = match known {
        Some(known) => fields.push(known, value),
        None => fields.push_raw(name, value),
    };
    pushed.map_err(|error| Failure::usage(format_args!("the field {name}: {error}")))
}

/// The fields that the options make, which the user's own replace.
const OURS: [HeaderName; 10] = [
    USER_AGENT,
    ACCEPT,
    AUTHORIZATION,
    REFERER,
    COOKIE,
    RANGE,
    IF_MODIFIED_SINCE,
    IF_NONE_MATCH,
    CONTENT_TYPE,
    http::header::HOST,
];

/// What a browser sends for a page that was typed in, in its order.
fn pose(browser: Browser) -> Vec<(&'static str, &'static str)> {
    match browser {
        Browser::Firefox => vec![
            (
                "user-agent",
                "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
            ),
            ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
            ("accept-language", "en-US,en;q=0.5"),
            ("upgrade-insecure-requests", "1"),
            ("sec-fetch-dest", "document"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-site", "none"),
            ("sec-fetch-user", "?1"),
            ("priority", "u=0, i"),
        ],
        Browser::Chrome => vec![
            ("upgrade-insecure-requests", "1"),
            (
                "user-agent",
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/142.0.0.0 Safari/537.36",
            ),
            (
                "accept",
                "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,\
                 image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
            ),
            ("sec-fetch-site", "none"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-user", "?1"),
            ("sec-fetch-dest", "document"),
            ("accept-language", "en-US,en;q=0.9"),
        ],
    }
}

/// A date or the time of a file; a leading `-` asks for what was not modified since.
pub(super) fn time_condition(text: &str) -> Result<(HeaderName, [u8; 29]), Failure> {
    let (name, text) = match text.strip_prefix('-') {
        Some(rest) => (IF_UNMODIFIED_SINCE, rest),
        None => (IF_MODIFIED_SINCE, text),
    };
    let now = dates::seconds(SystemTime::now());
    let seconds = match dates::parse(text.as_bytes(), now) {
        Some(seconds) => seconds,
        None => {
            let time = std::fs::metadata(text).and_then(|metadata| metadata.modified());
            let neither = format!("`{text}` is neither a date nor a file");
            dates::seconds(time.map_err(|_| Failure::usage(neither))?)
        }
    };
    Ok((name, dates::format_imf(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_fields_replace_remove_and_empty() {
        let mut fields = FieldBuf::new();
        fields.push(&USER_AGENT, "mine").unwrap();
        own_field(&mut fields, "user-AGENT: other").unwrap();
        own_field(&mut fields, "X-Empty;").unwrap();
        own_field(&mut fields, "X-A:1").unwrap();
        own_field(&mut fields, "X-A: 2").unwrap();
        assert_eq!(fields.as_bytes(), b"user-AGENT: other\r\nX-Empty: \r\nX-A: 1\r\nX-A: 2\r\n");
        own_field(&mut fields, "User-Agent:").unwrap();
        assert!(!fields.contains(&USER_AGENT));
        assert!(own_field(&mut fields, "X: a\r\nY: b").is_err());
        assert!(own_field(&mut fields, "nothing").is_err());
    }
}
