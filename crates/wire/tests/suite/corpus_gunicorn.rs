//! The cases of gunicorn that run under its default settings, run through the codec, whole and under cuts.

use crate::corpus::{check_all, field, flag, latin1, list, load, text};
use crate::differences::difference;
use crate::drive;
use crate::drive::{Seen, Transcript};
use crate::naive;
use avocet_wire::{Leniency, Limits};
use http::Version;
use serde_json::Value;

/// gunicorn does not ask for `Host`, and has a limit of 4,094 bytes for the request line and of 8,190 for each
/// field, which we have for the head.
fn read(input: &[u8], cuts: &[usize]) -> Transcript {
    let limits = Limits { request_line: 4096, head: 8192, ..Limits::server() };
    let leniency = Leniency { missing_host: true, ..Leniency::strict() };
    drive::server_with(limits, leniency, input, cuts)
}

#[test]
fn corpus_gunicorn() {
    check_all(&load("gunicorn.json"), |case| {
        if !flag(case, "portable") {
            return Ok(());
        }
        let input = latin1(text(case, "input"));
        let transcript = read(&input, &[]);
        let rule = difference(true, &input);
        match text(case, "expect") {
            "reject" => must_be_refused(case, &input, &transcript),
            "accept" => match (rule, transcript.error()) {
                (Some(_), Some(_)) => Ok(()),
                (Some(rule), None) => Err(format!("`{}` must refuse it ({})", rule.name, rule.why)),
                (None, _) => same_requests(list(case, "requests"), &transcript),
            },
            other => Err(format!("unknown outcome {other}")),
        }
    });
}

fn must_be_refused(case: &Value, input: &[u8], transcript: &Transcript) -> Result<(), String> {
    let refused = transcript.error().is_some() || (transcript.is_open() && transcript.eof.is_err());
    match (accepted_on_purpose(case, input), refused) {
        (None, true) | (Some(_), false) => Ok(()),
        (None, false) => Err(format!("must be refused: {transcript:?}")),
        (Some(why), true) => Err(format!("{why}: {transcript:?}")),
    }
}

/// Why we let pass what gunicorn refuses.
fn accepted_on_purpose(case: &Value, input: &[u8]) -> Option<&'static str> {
    let naive::Verdict::Good(request) = naive::request(&with_host(input)) else { return None };
    if text(case, "error") == "InvalidRequestMethod" {
        return Some("every token is a method; the application refuses what it does not know");
    }
    let repeated = ["content-type", "accept-ranges", "authorization", "etag", "user-agent"]
        .iter()
        .any(|name| naive::values(&request.fields, name).len() > 1);
    if repeated {
        return Some("a field that may stand once and frames nothing is the application's matter");
    }
    let trailers = match naive::chunked(&with_host(input)[request.used..]) {
        naive::Chunked::Good(_, trailers, _) => trailers,
        _ => Vec::new(),
    };
    let forbidden = |(name, _): &(String, Vec<u8>)| {
        ["content-length", "host", "transfer-encoding", "content-type", "trailer"]
            .contains(&name.to_ascii_lowercase().as_str())
    };
    (text(case, "error") == "InvalidHeaderName" && trailers.iter().any(forbidden))
        .then_some("RFC 9110 §6.5.1: a trailer field that must not be one is ignored")
}

/// The input with a `Host` in its first request, if that has none.
fn with_host(input: &[u8]) -> Vec<u8> {
    match naive::find(input, b"\r\n") {
        Some(end) if naive::find(&input.to_ascii_lowercase(), b"\nhost:").is_none() => {
            [&input[..end], b"\r\nHost: a", &input[end..]].concat()
        }
        _ => input.to_vec(),
    }
}

fn same_requests(due: &[Value], transcript: &Transcript) -> Result<(), String> {
    if let Some(error) = transcript.error() {
        return Err(format!("refused: {error}"));
    }
    let seen: Vec<&Seen> =
        transcript.seen.iter().filter(|seen| matches!(seen, Seen::Request { .. })).collect();
    if seen.len() != due.len() {
        return Err(format!("{} requests instead of {}", seen.len(), due.len()));
    }
    for ((seen, due), content) in seen.into_iter().zip(due).zip(transcript.contents()) {
        let Seen::Request { method, target, version, fields, .. } = seen else { continue };
        if (method.as_str(), target.as_str()) != (text(due, "method"), text(due, "target")) {
            return Err(format!("{method} {target}"));
        }
        let minor = list(due, "version").get(1).and_then(Value::as_u64);
        if (*version == Version::HTTP_10) != (minor == Some(0)) {
            return Err(format!("{version:?}"));
        }
        let fields: Vec<(String, Vec<u8>)> =
            fields.iter().map(|(name, value)| (name.to_uppercase(), value.clone())).collect();
        if fields != list(due, "headers").iter().map(field).collect::<Vec<_>>() {
            return Err(format!("fields {fields:?}"));
        }
        if content != latin1(text(due, "body")) {
            return Err(format!("content {}", content.escape_ascii()));
        }
    }
    Ok(())
}

#[test]
fn corpus_gunicorn_under_every_cut() {
    check_all(&load("gunicorn.json"), |case| {
        let input = latin1(text(case, "input"));
        let whole = read(&input, &[]);
        let every: Vec<usize> = (1..input.len()).collect();
        if read(&input, &every) != whole {
            return Err("single bytes show".to_owned());
        }
        // A few cases have many KiB of one letter, where one cut in a prime number of bytes is enough.
        let step = if input.len() > 2000 { 97 } else { 1 };
        let shows = |cut: &&usize| read(&input, &[**cut]) != whole;
        match every.iter().step_by(step).find(shows) {
            Some(cut) => Err(format!("a cut at {cut} shows")),
            None => Ok(()),
        }
    });
}
