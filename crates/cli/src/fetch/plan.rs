//! From options to a client's settings and its requests.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use avocet::client::{Config, Content, Request};
use avocet::cookies::{Format, Jar, JarFile, SharedJar};
use avocet::wire::RequestVersion;
use avocet::{Codings, CookieHook};
use http::Method;
use url::Url;

use super::args::Fetch;
use super::content::{self, Given};
use super::fields::fields;
use super::login;
use super::reasons::Reasons;
use super::referer::Referers;
use super::trace::Trace;
use super::way;
use crate::failure::Failure;
use crate::output;
use crate::target::with_scheme;

/// The jar of a run and where it is kept.
pub(crate) struct Cookies {
    pub(crate) jar: SharedJar,
    pub(crate) save: Option<JarFile>,
}

impl Cookies {
    /// Writes them where -c wants them.
    ///
    /// *Errors*: a file that cannot be written.
    pub(crate) fn save(&mut self, options: &Fetch) -> Result<(), Failure> {
        if let Some(file) = &mut self.save {
            return file
                .save_shared(&self.jar, SystemTime::now())
                .map_err(|error| Failure::failed(format_args!("cannot save cookies: {error}")));
        }
        if options.cookie_jar.is_none() {
            return Ok(());
        }
        let mut text = Vec::new();
        let jar = self.jar.snapshot();
        Format::Netscape.write(jar.in_order(), &[], &mut text).map_err(Failure::failed)?;
        output::exact(&output::for_stdout(&text))
    }
}

/// The settings of the client.
pub(crate) fn config(
    options: &Fetch,
    cookies: Option<&Cookies>,
    trace: Trace,
) -> Result<Config, Failure> {
    let mut config = Config::default();
    config.connector = Arc::new(way::dialer(options)?);
    config.proxies = way::proxies(options)?;
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
        // While nothing comes at all that is below any rate.
        config.timeouts.head = config.timeouts.head.min(over);
    }
    config.retry.most = options.retry;
    if let Some(seconds) = options.retry_delay {
        let pause = duration(seconds, "--retry-delay")?;
        (config.retry.first_pause, config.retry.longest_pause) = (pause, pause);
    }
    if options.compressed {
        config.decoding = Some(Arc::new(Codings::default()));
    }
    if let Some(login) = login::hook(options)? {
        config.hooks.push(login);
    }
    // A password in a URL waits for the challenge then, too.
    config.url_credentials = !options.digest && !options.anyauth;
    if let Some(referer) = options.referer.as_deref().filter(|text| text.ends_with(AUTO)) {
        config.hooks.push(Arc::new(Referers::after(referer.trim_end_matches(AUTO))));
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
        if path.is_empty() {
            continue;
        }
        let will_be_made = options.cookie_jar.as_deref() == Some(Path::new(path));
        if !will_be_made && !Path::new(path).exists() {
            log::warn!("there are no cookies: {path}: no such file");
        }
        let mut file = JarFile::new(path);
        file.load_if_there(&mut jar, now).map_err(|error| cannot(Path::new(path), &error))?;
    }
    if options.junk_session_cookies {
        jar.clear_session();
    }
    let jar_file = options.cookie_jar.as_ref().filter(|path| path.as_os_str() != "-");
    let mut save = jar_file.map(JarFile::new);
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
    let url = match &options.upload_file {
        Some(file) => with_file_name(&url, file)?,
        None => url,
    };
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

/// What -e has behind its URL for "and then the page that led there".
pub(super) const AUTO: &str = ";auto";

fn method(options: &Fetch, content: &Content) -> Result<Method, Failure> {
    if let Some(name) = &options.request {
        return Method::from_bytes(name.as_bytes())
            .map_err(|_| Failure::usage(format_args!("`{name}` is no method")));
    }
    let wanted = [options.head, options.upload_file.is_some(), has_data(options) && !options.get];
    if wanted.iter().filter(|wanted| **wanted).count() > 1 {
        return Err(Failure::usage("-I, -T and data want different methods; say one by -X"));
    }
    Ok(match content {
        _ if options.head => Method::HEAD,
        _ if options.upload_file.is_some() => Method::PUT,
        Content::Empty if options.get || !has_data(options) => Method::GET,
        _ => Method::POST,
    })
}

fn has_data(options: &Fetch) -> bool {
    let placed = [
        &options.data,
        &options.data_raw,
        &options.data_binary,
        &options.data_urlencode,
        &options.form,
        &options.form_string,
    ];
    !options.json.is_empty() || placed.iter().any(|data| !data.is_empty())
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

/// A folder's URL is completed by the name of the file that is sent there.
fn with_file_name(url: &str, file: &Path) -> Result<String, Failure> {
    let mut parsed = Url::parse(url)
        .map_err(|error| Failure::with_status(3, format_args!("`{url}`: {error}")))?;
    let name = file.file_name().filter(|name| *name != "-").map(|name| name.to_string_lossy());
    if let Some(name) = name
        && parsed.path().ends_with('/')
        && let Ok(mut parts) = parsed.path_segments_mut()
    {
        parts.pop_if_empty().push(&name);
    }
    Ok(parsed.into())
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
}
