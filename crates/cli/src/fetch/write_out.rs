//! `-w`: facts about a transfer in the user's own words.

use std::fmt::Write;
use std::time::{Duration, Instant};

use avocet::client::Times;
use avocet::wire::OwnedResponseHead;
use http::header::CONTENT_TYPE;

/// What is known of a transfer that has ended.
pub(crate) struct Facts<'a> {
    pub(crate) url: &'a str,
    pub(crate) method: &'a str,
    pub(crate) head: Option<&'a OwnedResponseHead>,
    pub(crate) times: Option<&'a Times>,
    pub(crate) size: u64,
    pub(crate) redirects: u32,
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
            Some((name, after)) => {
                text.push_str(&variable(name, facts).unwrap_or_default());
                rest = after;
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

fn variable(name: &str, facts: &Facts<'_>) -> Option<String> {
    if let Some(field) = name.strip_prefix("header{").or_else(|| name.strip_prefix("header:")) {
        return header(facts, field);
    }
    Some(match name {
        "json" => json(facts),
        "http_code" | "response_code" => {
            format!("{:03}", facts.head.map_or(0, |head| head.status().as_u16()))
        }
        "http_version" => match facts.head?.version() {
            http::Version::HTTP_10 => "1".to_owned(),
            _ => "1.1".to_owned(),
        },
        "content_type" => header(facts, CONTENT_TYPE.as_str()).unwrap_or_default(),
        "method" => facts.method.to_owned(),
        "url" | "url_effective" => facts.url.to_owned(),
        "size_download" => facts.size.to_string(),
        "speed_download" => speed(facts).to_string(),
        "num_redirects" => facts.redirects.to_string(),
        "num_headers" => facts.head.map_or(0, |head| head.fields().len()).to_string(),
        "exitcode" => facts.exit.to_string(),
        "errormsg" => facts.error.unwrap_or_default().to_owned(),
        "time_connect" | "time_appconnect" => since(facts, |times| times.connected),
        "time_pretransfer" => since(facts, |times| times.sent),
        "time_starttransfer" => since(facts, |times| times.head),
        "time_total" => since(facts, |times| times.ended),
        _ => return None,
    })
}

fn header(facts: &Facts<'_>, name: &str) -> Option<String> {
    let name = http::HeaderName::from_bytes(name.as_bytes()).ok()?;
    Some(String::from_utf8_lossy(facts.head?.fields().get(&name)?).into_owned())
}

fn since(facts: &Facts<'_>, when: impl Fn(&Times) -> Option<Instant>) -> String {
    let passed = facts.times.and_then(|times| Some(when(times)? - times.started));
    format!("{:.6}", passed.unwrap_or(Duration::ZERO).as_secs_f64())
}

fn speed(facts: &Facts<'_>) -> u64 {
    let seconds = facts.times.and_then(|times| Some((times.ended? - times.started).as_secs_f64()));
    match seconds {
        Some(seconds) if seconds > 0.0 => (facts.size as f64 / seconds) as u64,
        _ => 0,
    }
}

fn json(facts: &Facts<'_>) -> String {
    let mut text = String::from("{");
    let names = ["content_type", "errormsg", "method", "url", "url_effective", "http_version"];
    for name in names {
        let value = variable(name, facts).unwrap_or_default();
        append(&mut text, format_args!("\"{name}\":{},", quoted(&value)));
    }
    let numbers = [
        "exitcode",
        "num_headers",
        "num_redirects",
        "size_download",
        "speed_download",
        "time_connect",
        "time_pretransfer",
        "time_starttransfer",
        "time_total",
    ];
    for name in numbers {
        let value = variable(name, facts).unwrap_or_default();
        append(&mut text, format_args!("\"{name}\":{value},"));
    }
    let status = facts.head.map_or(0, |head| head.status().as_u16());
    append(&mut text, format_args!("\"http_code\":{status},\"response_code\":{status}}}"));
    text
}

fn quoted(value: &str) -> String {
    let mut text = String::from("\"");
    for character in value.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            _ if character.is_control() => {
                append(&mut text, format_args!("\\u{:04x}", u32::from(character)));
            }
            _ => text.push(character),
        }
    }
    text.push('"');
    text
}

/// Formatting into a string cannot fail.
fn append(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    let written = text.write_fmt(arguments);
    debug_assert!(written.is_ok(), "a string takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts<'static> {
        Facts {
            url: "http://h/\"",
            method: "GET",
            head: None,
            times: None,
            size: 7,
            redirects: 2,
            exit: 7,
            error: Some("no"),
        }
    }

    #[test]
    fn variables_and_escapes() {
        let format = "%{http_code} %{size_download}\\n%%{x}%{nothing}|%{num_redirects}%";
        assert_eq!(render(format, &facts()), "000 7\n%{x}|2%");
    }

    #[test]
    fn json_is_whole_and_escaped() {
        let text = render("%{json}", &facts());
        assert!(text.starts_with("{\"content_type\":\"\",\"errormsg\":\"no\""), "{text}");
        assert!(text.contains(r#""url":"http://h/\"""#), "{text}");
        assert!(text.ends_with("\"http_code\":0,\"response_code\":0}"), "{text}");
    }
}
