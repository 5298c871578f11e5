//! `-w`: facts about a transfer in the user's own words.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use avocet::client::{Report, Times};
use avocet::net::Address;
use avocet::wire::OwnedResponseHead;
use http::header::{CONTENT_TYPE, LOCATION};
use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::output;

/// What is known of a transfer that has ended.
pub(crate) struct Facts<'a> {
    pub(crate) url: &'a str,
    pub(crate) method: &'a str,
    pub(crate) head: Option<&'a OwnedResponseHead>,
    pub(crate) report: Option<&'a Report>,
    pub(crate) size: u64,
    pub(crate) exit: u8,
    pub(crate) error: Option<&'a str>,
    pub(crate) file: Option<&'a Path>,
    /// The place of the URL among those of the call.
    pub(crate) index: usize,
    /// Tries that failed after content had begun to come.
    pub(crate) failed: u32,
}

/// Prints a format with its variables filled in.
///
/// *Errors*: what cannot be written.
pub(crate) fn print(format: &str, facts: &Facts<'_>) -> Result<(), Failure> {
    for (place, text) in render(format, facts) {
        match place {
            Place::Stdout => output::exact(text.as_bytes())?,
            Place::Stderr => {
                std::io::stderr().lock().write_all(text.as_bytes()).map_err(|error| {
                    Failure::with_status(
                        23,
                        format_args!("cannot write to standard error: {error}"),
                    )
                })?;
            }
        }
    }
    Ok(())
}

/// Where a piece of the text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Stdout,
    Stderr,
}

/// The pieces of the text; `\n`, `\r`, `\t` and `%%` stand for what they say. What follows
/// `%{onerror}` is for failures only.
fn render(format: &str, facts: &Facts<'_>) -> Vec<(Place, String)> {
    let mut pieces = vec![(Place::Stdout, String::new())];
    let mut rest = format;
    while let Some(at) = rest.find(['%', '\\']) {
        add(&mut pieces, &rest[..at]);
        rest = &rest[at..];
        let escape = [("\\n", "\n"), ("\\r", "\r"), ("\\t", "\t"), ("%%", "%")]
            .into_iter()
            .find(|(escape, _)| rest.starts_with(escape));
        if let Some((escape, meaning)) = escape {
            add(&mut pieces, meaning);
            rest = &rest[escape.len()..];
            continue;
        }
        if let Some((name, after)) = between(rest, "%header{") {
            add(&mut pieces, &header(facts, name).unwrap_or_default());
            rest = after;
        } else if let Some((name, after)) = between(rest, "%{") {
            rest = after;
            match name {
                "stdout" => pieces.push((Place::Stdout, String::new())),
                "stderr" => pieces.push((Place::Stderr, String::new())),
                "onerror" if facts.exit == 0 => return pieces,
                "onerror" => {}
                _ => add(&mut pieces, &shown(name, facts)),
            }
        } else {
            add(&mut pieces, &rest[..1]);
            rest = &rest[1..];
        }
    }
    add(&mut pieces, rest);
    pieces
}

fn add(pieces: &mut [(Place, String)], text: &str) {
    if let Some((_, piece)) = pieces.last_mut() {
        piece.push_str(text);
    }
}

/// What stands between an opening and the next closing brace, and what follows.
fn between<'a>(text: &'a str, opening: &str) -> Option<(&'a str, &'a str)> {
    text.strip_prefix(opening)?.split_once('}')
}

fn shown(name: &str, facts: &Facts<'_>) -> String {
    match name {
        "json" => return output::json_text(&json(facts)),
        "header_json" => return output::json_text(&headers(facts)),
        _ => {}
    }
    let Some(value) = value(name, facts) else {
        if !NAMES.contains(&name) {
            log::warn!("-w knows no variable `{name}`");
        }
        return String::new();
    };
    match value {
        Value::Null => String::new(),
        Value::String(text) => text,
        _ if name == "http_code" || name == "response_code" => format!("{:03}", status(facts)),
        Value::Number(number) if name.starts_with("time_") => {
            format!("{:.6}", number.as_f64().unwrap_or_default())
        }
        other => other.to_string(),
    }
}

/// The fields of the response: names in lower case, each with its values.
fn headers(facts: &Facts<'_>) -> Value {
    let mut all: Map<String, Value> = Map::new();
    for (name, value) in facts.head.into_iter().flat_map(|head| head.fields().iter()) {
        let values =
            all.entry(name.to_ascii_lowercase()).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(values) = values {
            values.push(String::from_utf8_lossy(value).into());
        }
    }
    Value::Object(all)
}

/// Every variable with its value.
pub(crate) fn json(facts: &Facts<'_>) -> Value {
    let known = |name: &&str| Some(((*name).to_owned(), value(name, facts)?));
    Value::Object(NAMES.iter().filter_map(known).collect::<Map<_, _>>())
}

const NAMES: [&str; 35] = [
    "content_type",
    "errormsg",
    "exitcode",
    "filename_effective",
    "http_code",
    "http_version",
    "local_ip",
    "local_port",
    "method",
    "num_connects",
    "num_headers",
    "num_redirects",
    "num_retries",
    "redirect_url",
    "remote_ip",
    "remote_port",
    "response_code",
    "scheme",
    "size_download",
    "size_header",
    "size_request",
    "size_upload",
    "speed_download",
    "speed_upload",
    "time_appconnect",
    "time_connect",
    "time_namelookup",
    "time_posttransfer",
    "time_pretransfer",
    "time_redirect",
    "time_starttransfer",
    "time_total",
    "url",
    "url_effective",
    "urlnum",
];

fn value(name: &str, facts: &Facts<'_>) -> Option<Value> {
    let traffic = facts.report.map(|report| report.traffic).unwrap_or_default();
    let ends = facts.report.and_then(|report| report.peer.as_ref());
    let ip = |address: &Address| match address {
        Address::Ip(address) => Some(address.ip().to_string()),
        _ => None,
    };
    let port = |address: &Address| match address {
        Address::Ip(address) => Some(address.port()),
        _ => None,
    };
    Some(match name {
        "http_code" | "response_code" => status(facts).into(),
        "http_version" => match facts.head?.version() {
            http::Version::HTTP_10 => "1".into(),
            _ => "1.1".into(),
        },
        "content_type" => header(facts, CONTENT_TYPE.as_str()).into(),
        "method" => facts.method.into(),
        "url" => facts.url.into(),
        "urlnum" => facts.index.into(),
        "filename_effective" => facts.file.map(|path| path.to_string_lossy()).into(),
        "url_effective" => {
            facts.report.map_or_else(|| facts.url.to_owned(), |r| r.url.to_string()).into()
        }
        "scheme" => facts.report?.url.scheme().to_ascii_uppercase().into(),
        "redirect_url" => redirect(facts).into(),
        "size_download" => facts.size.into(),
        "size_upload" => traffic.sent_content.into(),
        "size_header" => traffic.received_heads.into(),
        "size_request" => traffic.sent_heads.into(),
        "speed_download" => speed(facts, facts.size).into(),
        "speed_upload" => speed(facts, traffic.sent_content).into(),
        "num_redirects" => facts.report.map_or(0, Report::redirects).into(),
        "num_connects" => facts.report.map_or(0, |report| report.opened).into(),
        "num_retries" => (facts.failed + facts.report.map_or(0, |report| report.retries)).into(),
        "num_headers" => facts.head.map_or(0, |head| head.fields().len()).into(),
        "remote_ip" => ends.and_then(|ends| ip(&ends.remote)).into(),
        "remote_port" => ends.and_then(|ends| port(&ends.remote)).into(),
        "local_ip" => ends.and_then(|ends| ip(&ends.local)).into(),
        "local_port" => ends.and_then(|ends| port(&ends.local)).into(),
        "exitcode" => facts.exit.into(),
        "errormsg" => facts.error.into(),
        "time_namelookup" => since(facts, |times| times.resolved),
        "time_connect" => since(facts, |times| times.reached),
        "time_appconnect" => match facts.report?.url.scheme() {
            "https" => since(facts, |times| times.connected),
            _ => 0.0.into(),
        },
        "time_pretransfer" => since(facts, |times| times.connected.or(times.assigned)),
        "time_posttransfer" => since(facts, |times| times.sent),
        "time_redirect" => match facts.report?.redirects() {
            0 => 0.0.into(),
            _ => since(facts, |times| times.assigned),
        },
        "time_starttransfer" => since(facts, |times| times.head),
        "time_total" => since(facts, |times| times.ended),
        _ => return None,
    })
}

fn status(facts: &Facts<'_>) -> u16 {
    facts.head.map_or(0, |head| head.status().as_u16())
}

fn header(facts: &Facts<'_>, name: &str) -> Option<String> {
    let name = http::HeaderName::from_bytes(name.as_bytes()).ok()?;
    Some(String::from_utf8_lossy(facts.head?.fields().get(&name)?).into_owned())
}

/// Where a redirect that was not followed would have led.
fn redirect(facts: &Facts<'_>) -> Option<String> {
    if !facts.head?.status().is_redirection() {
        return None;
    }
    let to = header(facts, LOCATION.as_str())?;
    facts.report?.url.join(&to).ok().map(String::from)
}

fn passed(facts: &Facts<'_>, when: impl Fn(&Times) -> Option<Instant>) -> Option<Duration> {
    let times = &facts.report?.times;
    Some(when(times)?.saturating_duration_since(times.started))
}

fn since(facts: &Facts<'_>, when: impl Fn(&Times) -> Option<Instant>) -> Value {
    passed(facts, when).unwrap_or_default().as_secs_f64().into()
}

fn speed(facts: &Facts<'_>, bytes: u64) -> u64 {
    match passed(facts, |times| times.ended) {
        Some(time) if !time.is_zero() => (bytes as f64 / time.as_secs_f64()) as u64,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts<'static> {
        Facts {
            url: "http://h/\"",
            method: "GET",
            head: None,
            report: None,
            size: 7,
            exit: 7,
            error: Some("no"),
            file: None,
            index: 0,
            failed: 0,
        }
    }

    fn rendered(format: &str) -> String {
        render(format, &facts()).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn variables_and_escapes() {
        let format = "%{http_code} %{size_download}\\n%%{x}%{nothing}|%{exitcode}%";
        assert_eq!(rendered(format), "000 7\n%{x}|7%");
        assert_eq!(rendered("[%header{etag}]%{time_total}%{header_json}"), "[]0.000000{}");
    }

    #[test]
    fn pieces_go_where_they_are_sent() {
        let pieces = render("a%{stderr}b%{stdout}c%{onerror}d", &facts());
        let expected = [(Place::Stdout, "a"), (Place::Stderr, "b"), (Place::Stdout, "cd")];
        assert_eq!(pieces, expected.map(|(place, text)| (place, text.to_owned())));
        let fine = Facts { exit: 0, ..facts() };
        assert_eq!(render("c%{onerror}d", &fine), [(Place::Stdout, "c".to_owned())]);
    }

    #[test]
    fn json_is_whole_and_escaped() {
        let text = rendered("%{json}");
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["url"], "http://h/\"");
        assert_eq!(value["errormsg"], "no");
        assert_eq!(value["exitcode"], 7);
        assert_eq!(value["response_code"], 0);
    }
}
