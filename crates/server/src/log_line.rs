//! The forms of a line of the access log.

use std::borrow::Cow;

use avocet_net::Address;
use avocet_semantics::dates;

use crate::access_log::Entry;
use crate::escape::{append, escape_json, escape_line};

/// The form of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// The Common Log Format: `host - - [time] "line" status bytes`.
    #[default]
    Common,
    /// Common and the Referer and User-Agent fields.
    Combined,
    /// One JSON object per line.
    Json,
}

/// Appends one line, with its line end.
pub(crate) fn format_line(format: LogFormat, entry: &Entry<'_>, line: &mut String) {
    match format {
        LogFormat::Json => json(entry, line),
        LogFormat::Common => {
            common(entry, line);
            line.push('\n');
        }
        LogFormat::Combined => {
            common(entry, line);
            for field in [entry.referer, entry.user_agent] {
                line.push_str(" \"");
                match field {
                    Some(value) => escape_line(&redact(value), line),
                    None => line.push('-'),
                }
                line.push('"');
            }
            line.push('\n');
        }
    }
}

fn common(entry: &Entry<'_>, line: &mut String) {
    host(entry.remote, line);
    line.push_str(" - - [");
    let time = dates::format_clf(dates::seconds(entry.time));
    line.push_str(&String::from_utf8_lossy(&time));
    line.push_str("] \"");
    match entry.request_line {
        b"" => line.push('-'),
        text => escape_line(&redact(text), line),
    }
    line.push_str("\" ");
    match entry.status {
        Some(status) => line.push_str(status.as_str()),
        None => line.push('-'),
    }
    append(line, format_args!(" {}", entry.content));
}

fn json(entry: &Entry<'_>, line: &mut String) {
    line.push_str("{\"time\":\"");
    let time = dates::format_clf(dates::seconds(entry.time));
    line.push_str(&String::from_utf8_lossy(&time));
    line.push_str("\",\"remote\":\"");
    host(entry.remote, line);
    line.push('"');
    let fields = [
        ("request", Some(redact(entry.request_line))),
        ("host", entry.host.map(Cow::from)),
        ("referer", entry.referer.map(redact)),
        ("user_agent", entry.user_agent.map(Cow::from)),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            append(line, format_args!(",\"{name}\":\""));
            escape_json(&value, line);
            line.push('"');
        }
    }
    if let Some(status) = entry.status {
        append(line, format_args!(",\"status\":{}", status.as_u16()));
    }
    let micros = entry.duration.as_micros();
    append(line, format_args!(",\"bytes\":{},\"micros\":{micros}", entry.content));
    append(line, format_args!(",\"aborted\":{}}}\n", entry.aborted));
}

fn host(remote: &Address, line: &mut String) {
    match remote {
        Address::Ip(address) => append(line, format_args!("{}", address.ip().to_canonical())),
        other => append(line, format_args!("{other}")),
    }
}

/// Replaces the values of parameters whose name says that they are secret, in a request line or a
/// URL.
fn redact(line: &[u8]) -> Cow<'_, [u8]> {
    let Some(start) = line.iter().position(|byte| *byte == b'?') else { return line.into() };
    let end = line.iter().rposition(|byte| *byte == b' ').filter(|end| *end > start);
    let end = end.unwrap_or(line.len());
    let mut redacted = line[..=start].to_vec();
    for (index, pair) in line[start + 1..end].split(|byte| *byte == b'&').enumerate() {
        if index > 0 {
            redacted.push(b'&');
        }
        match pair.iter().position(|byte| *byte == b'=') {
            Some(equals) if is_secret(&pair[..equals]) => {
                redacted.extend_from_slice(&pair[..=equals]);
                redacted.extend_from_slice(b"[redacted]");
            }
            _ => redacted.extend_from_slice(pair),
        }
    }
    redacted.extend_from_slice(&line[end..]);
    redacted.into()
}

fn is_secret(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    SECRETS.iter().any(|secret| name.windows(secret.len()).any(|part| part == secret.as_bytes()))
        || name == b"sig"
        || name == b"key"
}

const SECRETS: [&str; 8] =
    ["token", "password", "passwd", "secret", "signature", "api_key", "apikey", "credential"];

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use http::StatusCode;

    use super::*;

    fn entry<'a>(request_line: &'a [u8], remote: &'a Address) -> Entry<'a> {
        Entry {
            remote,
            time: SystemTime::UNIX_EPOCH + Duration::from_secs(1_366_292_373),
            request_line,
            host: Some(b"h"),
            status: Some(StatusCode::OK),
            content: 18,
            duration: Duration::from_micros(5),
            referer: None,
            user_agent: Some(b"a\"b\\\x1b[31m"),
            aborted: false,
        }
    }

    fn line(format: LogFormat, request_line: &[u8]) -> String {
        let remote = Address::Ip(([127, 0, 0, 1], 5).into());
        let mut line = String::new();
        format_line(format, &entry(request_line, &remote), &mut line);
        line
    }

    #[test]
    fn parity_b17_common_and_combined_lines() {
        assert_eq!(
            line(LogFormat::Common, b"GET / HTTP/1.1"),
            "127.0.0.1 - - [18/Apr/2013:13:39:33 +0000] \"GET / HTTP/1.1\" 200 18\n"
        );
        assert_eq!(
            line(LogFormat::Combined, b""),
            "127.0.0.1 - - [18/Apr/2013:13:39:33 +0000] \"-\" 200 18 \"-\" \
             \"a\\\"b\\\\\\x1b[31m\"\n"
        );
    }

    #[test]
    fn json_lines_escape_what_a_terminal_would_obey() {
        let line = line(LogFormat::Json, "GET /\u{202e}x HTTP/1.1".as_bytes());
        assert!(line.contains(r#""request":"GET /\u202ex HTTP/1.1""#), "{line}");
        assert!(line.contains(r#""user_agent":"a\"b\\\u001b[31m""#), "{line}");
        assert!(line.ends_with("\"status\":200,\"bytes\":18,\"micros\":5,\"aborted\":false}\n"));
    }

    #[test]
    fn secrets_in_a_query_are_redacted() {
        let redacted = redact(b"GET /a?x=1&access_token=abc&Sig=z&b HTTP/1.1");
        assert_eq!(
            String::from_utf8_lossy(&redacted),
            "GET /a?x=1&access_token=[redacted]&Sig=[redacted]&b HTTP/1.1"
        );
        assert_eq!(&*redact(b"GET /token=1 HTTP/1.1"), b"GET /token=1 HTTP/1.1");
    }
}
