//! `-w`: facts about a transfer in the user's own words.

use std::time::{Duration, Instant};

use avocet::client::{Report, Times};
use avocet::net::Address;
use avocet::wire::OwnedResponseHead;
use http::header::{CONTENT_TYPE, LOCATION};
use serde_json::{Map, Value};

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
}

/// Fills the variables of a format in; `\n`, `\r`, `\t` and `%%` stand for what they say. A variable
/// that is not known is left out.
pub(crate) fn render(format: &str, facts: &Facts<'_>) -> String {
    let mut text = String::new();
    let mut rest = format;
    while let Some(at) = rest.find(['%', '\\']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let escape = [("\\n", "\n"), ("\\r", "\r"), ("\\t", "\t"), ("%%", "%")]
            .into_iter()
            .find(|(escape, _)| rest.starts_with(escape));
        if let Some((escape, meaning)) = escape {
            text.push_str(meaning);
            rest = &rest[escape.len()..];
            continue;
        }
        let name = rest.strip_prefix("%{").and_then(|inner| inner.split_once('}'));
        match name {
            // The name of a field stands in braces of its own: %header{name} is %{header{name}}.
            Some((name, after)) => {
                text.push_str(&shown(name, facts));
                rest = match name.contains('{') {
                    true => after.strip_prefix('}').unwrap_or(after),
                    false => after,
                };
            }
            None => {
                text.push_str(&rest[..1]);
                rest = &rest[1..];
            }
        }
    }
    text.push_str(rest);
    text
}

fn shown(name: &str, facts: &Facts<'_>) -> String {
    if name == "json" {
        return output::json_text(&json(facts));
    }
    let field = name.strip_prefix("header{").or_else(|| name.strip_prefix("header:"));
    if let Some(field) = field {
        return header(facts, field).unwrap_or_default();
    }
    match value(name, facts) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text,
        Some(_) if name == "http_code" || name == "response_code" => {
            format!("{:03}", status(facts))
        }
        Some(Value::Number(number)) if name.starts_with("time_") => {
            format!("{:.6}", number.as_f64().unwrap_or_default())
        }
        Some(other) => other.to_string(),
    }
}

/// Every variable with its value.
pub(crate) fn json(facts: &Facts<'_>) -> Value {
    let known = |name: &&str| Some(((*name).to_owned(), value(name, facts)?));
    Value::Object(NAMES.iter().filter_map(known).collect::<Map<_, _>>())
}

const NAMES: [&str; 32] = [
    "content_type",
    "errormsg",
    "exitcode",
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
    "time_starttransfer",
    "time_total",
    "url",
    "url_effective",
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
        "num_retries" => facts.report.map_or(0, |report| report.retries).into(),
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
        }
    }

    #[test]
    fn variables_and_escapes() {
        let format = "%{http_code} %{size_download}\\n%%{x}%{nothing}|%{exitcode}%";
        assert_eq!(render(format, &facts()), "000 7\n%{x}|7%");
        assert_eq!(render("[%{header{etag}}]%{time_total}", &facts()), "[]0.000000");
    }

    #[test]
    fn json_is_whole_and_escaped() {
        let text = render("%{json}", &facts());
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["url"], "http://h/\"");
        assert_eq!(value["errormsg"], "no");
        assert_eq!(value["exitcode"], 7);
        assert_eq!(value["response_code"], 0);
    }
}
