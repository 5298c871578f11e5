//! From options to a client's settings and its requests.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use avocet::client::{Config, Request};
use avocet::cookies::{ErrorKind, Format, Jar, JarFile, SharedJar};
use avocet::wire::RequestVersion;
use avocet::{Codings, CookieHook};
use http::Method;
use url::Url;

use super::Part;
use super::args::{Fetch, Sent};
use super::content;
use super::cookie_heads;
use super::fields::fields;
use super::login;
use super::protocols;
use super::reasons::Reasons;
use super::referer::{AUTO, Referers};
use super::targets::Target;
use super::trace::Trace;
use super::way;
use super::wishes::Wishes;
use crate::amount::Limit;
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
        let Some(path) = &options.cookie_jar else { return Ok(()) };
        let mut text = Vec::new();
        let jar = self.jar.snapshot();
        Format::Netscape.write(jar.in_order(), &[], &mut text).map_err(Failure::failed)?;
        if path.as_os_str() == "-" {
            return output::exact(&output::for_stdout(&text));
        }
        std::fs::write(path, text).map_err(|error| {
            Failure::failed(format_args!("cannot save cookies: {}: {error}", path.display()))
        })
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
    protocols::follow(options, &mut config)?;
    if let Some(seconds) = options.patience.connect_timeout.filter(|seconds| *seconds != 0.0) {
        config.timeouts.connect = duration(seconds, "--connect-timeout")?;
    }
    if let Some(seconds) = options.patience.max_time.filter(|seconds| *seconds != 0.0) {
        config.timeouts.total = Some(duration(seconds, "--max-time")?);
    }
    if let Some(rate) = options.patience.speed_limit.and_then(Limit::get) {
        let over = Duration::from_secs(u64::from(options.patience.speed_time.max(1)));
        config.timeouts.least_rate = Some((rate.get(), over));
        // While nothing comes at all that is below any rate.
        config.timeouts.head = config.timeouts.head.min(over);
    }
    config.retry.most = options.patience.retry;
    if let Some(seconds) = options.patience.retry_delay {
        config.retry.fixed_pause = Some(duration(seconds, "--retry-delay")?);
    }
    if let Some(seconds) = options.patience.retry_max_time {
        config.retry.within = Some(duration(seconds, "--retry-max-time")?);
    }
    config.retry.always = options.patience.retry_all_errors;
    if let Some(seconds) = options.patience.expect100_timeout {
        config.timeouts.expect = duration(seconds, "--expect100-timeout")?;
    }
    if options.compressed {
        config.decoding = Some(Arc::new(Codings::default()));
    }
    if let Some(fields) = way::ForProxy::new(options)? {
        config.hooks.push(Arc::new(fields));
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
/// Heads in a file are taken for those of the first URL's host.
pub(crate) fn cookies(options: &Fetch, first: Option<&Url>) -> Result<Option<Cookies>, Failure> {
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
        let path = Path::new(path);
        match file.load_if_there(&mut jar, now) {
            Err(error) if error.kind() == ErrorKind::Foreign => {
                let heads = first.map(|url| cookie_heads::take(&mut jar, path, url, now));
                if !heads.transpose().is_ok_and(|any| any == Some(true)) {
                    return Err(cannot(path, &error));
                }
            }
            Err(error) => return Err(cannot(path, &error)),
            Ok(_) => {}
        }
    }
    if options.junk_session_cookies {
        jar.clear_session();
    }
    let jar_file = options.cookie_jar.as_ref().filter(|path| is_jar(path));
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

/// Whether cookies are kept in a file: a device as `/dev/null` takes them and gives none.
fn is_jar(path: &Path) -> bool {
    path.as_os_str() != "-" && std::fs::metadata(path).map_or(true, |there| there.is_file())
}

/// The request for one URL.
pub(crate) fn request(part: &Part, target: &Target, offset: u64) -> Result<Request, Failure> {
    let Part { options, prepared } = part;
    let url = with_query(&with_scheme(&target.url), prepared.query.as_deref());
    let url = match &target.upload {
        Some(file) => with_file_name(&url, file)?,
        None => url,
    };
    protocols::check(options, &url)?;
    let method = method(options, target)?;
    let content = match &target.upload {
        Some(file) => content::upload(file)?,
        None => prepared.content(),
    };
    let mut request = Request::new(method, &url).map_err(|error| Failure::with_status(3, error))?;
    let content = Wishes::of(options)?.apply(&mut request, content)?;
    request = request.with_content(content);
    let media_type = prepared.media_type.as_deref().filter(|_| target.upload.is_none());
    fields(options, media_type, offset, request.fields_mut())?;
    let raw = match &options.request_target {
        Some(target) => Some(target.clone()),
        None if options.path_as_is => Some(written_target(&url)),
        None => None,
    };
    let request_options = request.options_mut();
    request_options.target = raw;
    request_options.decode = options.compressed;
    if options.http10 {
        request_options.version = RequestVersion::Http10;
    }
    Ok(request)
}

fn method(options: &Fetch, target: &Target) -> Result<Method, Failure> {
    if let Some(name) = &options.request {
        return Method::from_bytes(name.as_bytes())
            .map_err(|_| Failure::usage(format_args!("`{name}` is no method")));
    }
    let has_data = has_data(&options.sent) && !options.sent.get;
    match (options.head, target.upload.is_some(), has_data) {
        (false, false, false) => Ok(Method::GET),
        (true, false, false) => Ok(Method::HEAD),
        (false, true, false) => Ok(Method::PUT),
        (false, false, true) => Ok(Method::POST),
        _ => Err(Failure::usage("-I, -T and data want different methods; say one by -X")),
    }
}

fn has_data(sent: &Sent) -> bool {
    let placed = [
        &sent.data,
        &sent.data_raw,
        &sent.data_binary,
        &sent.data_urlencode,
        &sent.form,
        &sent.form_string,
    ];
    !sent.json.is_empty() || placed.iter().any(|data| !data.is_empty())
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

/// Path and query as they stand in a URL.
fn written_target(url: &str) -> String {
    let behind_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let end = behind_scheme.find('#').unwrap_or(behind_scheme.len());
    let start = behind_scheme[..end].find(['/', '?']).unwrap_or(end);
    match &behind_scheme[start..end] {
        query if !query.starts_with('/') => format!("/{query}"),
        target => target.to_owned(),
    }
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

    #[test]
    fn targets_as_they_were_written() {
        for (url, target) in [
            ("http://h/a/../b?c#d", "/a/../b?c"),
            ("http://h", "/"),
            ("http://h?q/x", "/?q/x"),
            ("http://u:p@h:80/%7e/./", "/%7e/./"),
        ] {
            assert_eq!(written_target(url), target);
        }
    }
}
