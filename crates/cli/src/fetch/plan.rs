//! From options to a client's settings and its requests.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use avocet::client::{Config, Content, Request};
use avocet::cookies::{Jar, JarFile, SharedJar};
use avocet::semantics::{auth::basic::Login, dates};
use avocet::wire::{FieldBuf, RequestVersion};
use avocet::{Codings, CookieHook};
use http::Method;
use http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    IF_UNMODIFIED_SINCE, RANGE, REFERER, USER_AGENT,
};

use super::args::{Browser, Fetch};
use super::content::{self, Given};
use super::reasons::Reasons;
use super::trace::Trace;
use super::way;
use crate::failure::Failure;
use crate::target::{AGENT, with_scheme};

/// The jar of a run and where it is kept.
pub(crate) struct Cookies {
    pub(crate) jar: SharedJar,
    pub(crate) save: Option<JarFile>,
}

/// The settings of the client.
pub(crate) fn config(
    options: &Fetch,
    cookies: Option<&Cookies>,
    trace: Trace,
) -> Result<Config, Failure> {
    let mut config = Config::default();
    config.connector = Arc::new(way::dialer(options)?);
    config.proxies = Arc::new(way::proxies(options)?);
    config.redirects.most = if options.location { options.max_redirs } else { 0 };
    // curl's users expect http from https to be followed where they asked for redirects.
    config.redirects.downgrade = true;
    if let Some(seconds) = options.connect_timeout {
        config.timeouts.connect = duration(seconds, "--connect-timeout")?;
    }
    if let Some(seconds) = options.max_time {
        config.timeouts.total = Some(duration(seconds, "--max-time")?);
    }
    if let Some(rate) = options.speed_limit {
        let over = Duration::from_secs(u64::from(options.speed_time.max(1)));
        config.timeouts.least_rate = Some((rate.get(), over));
    }
    config.retry.most = options.retry;
    if let Some(seconds) = options.retry_delay {
        let pause = duration(seconds, "--retry-delay")?;
        (config.retry.first_pause, config.retry.longest_pause) = (pause, pause);
    }
    if options.compressed {
        config.decoding = Some(Arc::new(Codings::default()));
    }
    if options.explain {
        let jar = cookies.map(|cookies| cookies.jar.clone());
        config.hooks.push(Arc::new(Reasons::new(jar)));
    }
    if let Some(cookies) = cookies {
        config.hooks.push(Arc::new(CookieHook::new(cookies.jar.clone())));
    }
    config.hooks.push(Arc::new(trace));
    config.pool.active = options.parallel_max.max(1);
    config.pool.active_per_host = options.parallel_max.max(1);
    Ok(config)
}

/// Reads the cookies of -b and finds where -c wants them. Data of `name=value` is sent as it is.
pub(crate) fn cookies(options: &Fetch) -> Result<Option<Cookies>, Failure> {
    let files: Vec<&String> = options.cookie.iter().filter(|data| !data.contains('=')).collect();
    if files.is_empty() && options.cookie_jar.is_none() {
        return Ok(None);
    }
    let mut jar = Jar::new();
    let now = SystemTime::now();
    let cannot = |path: &Path, error: &avocet::cookies::Error| {
        Failure::usage(format_args!("the cookies in {}: {error}", path.display()))
    };
    for path in files {
        // An empty name only switches cookies on, as with curl.
        if !path.is_empty() {
            let mut file = JarFile::new(path);
            file.load(&mut jar, now).map_err(|error| cannot(Path::new(path), &error))?;
        }
    }
    if options.junk_session_cookies {
        jar.clear_session();
    }
    let mut save = options.cookie_jar.as_ref().map(JarFile::new);
    if let Some(file) = &mut save {
        // What stands in the file stays there; a file that is none of cookies is found out now.
        let mut there = Jar::new();
        file.load_if_there(&mut there, now).map_err(|error| {
            cannot(options.cookie_jar.as_deref().unwrap_or_else(|| Path::new("")), &error)
        })?;
    }
    Ok(Some(Cookies { jar: SharedJar::new(jar), save }))
}

/// The request for one URL.
pub(crate) fn request(options: &Fetch, url: &str, offset: u64) -> Result<Request, Failure> {
    let Given { content, media_type, query } = content::given(options)?;
    let url = with_query(&with_scheme(url), query.as_deref());
    let method = method(options, &content)?;
    let mut request = Request::new(method, &url)
        .map_err(|error| Failure::with_status(3, error))?
        .with_content(content);
    fields(options, media_type.as_deref(), offset, request.fields_mut())?;
    let request_options = request.options_mut();
    request_options.decode = options.compressed;
    if options.http10 {
        request_options.version = RequestVersion::Http10;
    }
    Ok(request)
}

fn method(options: &Fetch, content: &Content) -> Result<Method, Failure> {
    if let Some(name) = &options.request {
        return Method::from_bytes(name.as_bytes())
            .map_err(|_| Failure::usage(format_args!("`{name}` is no method")));
    }
    Ok(match content {
        _ if options.head => Method::HEAD,
        _ if options.upload_file.is_some() => Method::PUT,
        Content::Empty if options.get || !has_data(options) => Method::GET,
        _ => Method::POST,
    })
}

fn has_data(options: &Fetch) -> bool {
    let data = [
        &options.data,
        &options.data_raw,
        &options.data_binary,
        &options.data_urlencode,
        &options.json,
        &options.form,
        &options.form_string,
    ];
    data.iter().any(|data| !data.is_empty())
}

/// The fields in the order in which curl sends them: identity first, then what the options ask for,
/// then the user's own; the user's replace and remove.
fn fields(
    options: &Fetch,
    media_type: Option<&str>,
    offset: u64,
    fields: &mut FieldBuf,
) -> Result<(), Failure> {
    let mut push = |name: &HeaderName, value: &[u8]| push(fields, name.as_str(), value, Some(name));
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
            let accept = if options.json.is_empty() { "*/*" } else { content::JSON };
            push(&ACCEPT, accept.as_bytes())?;
        }
    }
    if let Some(user) = &options.user {
        let (name, password) = user.split_once(':').unwrap_or((user, ""));
        let login = Login::new(name, password).map_err(Failure::usage)?;
        push(&AUTHORIZATION, login.to_field().as_bytes())?;
    }
    if let Some(referer) = &options.referer {
        push(&REFERER, referer.as_bytes())?;
    }
    let own: Vec<&str> =
        options.cookie.iter().filter(|data| data.contains('=')).map(String::as_str).collect();
    if !own.is_empty() {
        push(&COOKIE, own.join("; ").as_bytes())?;
    }
    if let Some(range) = &options.range {
        push(&RANGE, format!("bytes={range}").as_bytes())?;
    } else if offset > 0 {
        push(&RANGE, format!("bytes={offset}-").as_bytes())?;
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
    for line in &options.header {
        own_field(fields, line)?;
    }
    Ok(())
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
fn time_condition(text: &str) -> Result<(HeaderName, [u8; 29]), Failure> {
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

fn with_query(url: &str, query: Option<&str>) -> String {
    let Some(query) = query else { return url.to_owned() };
    let (rest, fragment) = match url.find('#') {
        Some(at) => url.split_at(at),
        None => (url, ""),
    };
    let mark = if rest.contains('?') { '&' } else { '?' };
    format!("{rest}{mark}{query}{fragment}")
}

fn duration(seconds: f64, option: &str) -> Result<Duration, Failure> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| Failure::usage(format_args!("{option} wants a number of seconds")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_goes_before_the_fragment_and_behind_another_query() {
        assert_eq!(with_query("http://h/p#f", Some("a=1")), "http://h/p?a=1#f");
        assert_eq!(with_query("http://h/?x", Some("a=1")), "http://h/?x&a=1");
    }

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
