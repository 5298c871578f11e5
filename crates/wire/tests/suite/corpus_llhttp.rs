//! The cases of llhttp that it calls portable, run through the codec, whole and under every cut.

use crate::corpus::{check_all, field, flag, latin1, list, load, text};
use crate::differences::difference;
use crate::drive;
use crate::drive::{Driven, Seen, Transcript};
use avocet_wire::{
    BodySize, Connection, Event, FieldBuf, FieldTable, Leniency, Limits, ReadError, Server,
};
use http::header::UPGRADE;
use http::{Method, StatusCode, Version};
use serde_json::Value;

/// llhttp does not look at `Host`, so its requests are read without asking for one.
fn lenient_server() -> Leniency {
    Leniency { missing_host: true, ..Leniency::strict() }
}

fn read(is_request: bool, strict: bool, input: &[u8], cuts: &[usize]) -> Transcript {
    if is_request {
        return drive::server_with(Limits::server(), lenient_server(), input, cuts);
    }
    let leniency = if strict { Leniency::strict() } else { Leniency::client() };
    drive::client(leniency, &Method::GET, input, cuts)
}

#[test]
fn corpus_llhttp() {
    check_all(&load("llhttp.json"), |case| {
        let is_request = match text(case, "type") {
            "request" => true,
            "response" => false,
            _ => return Ok(()),
        };
        // The parser under test can be told to leave out a body that was announced; a connection cannot.
        let told_to_skip = case.get("meta").is_some_and(|meta| flag(meta, "skipBody"));
        if !flag(case, "portable") || told_to_skip {
            return Ok(());
        }
        let input = latin1(text(case, "input"));
        match text(case, "outcome") {
            "reject" => must_be_refused(case, is_request, &input),
            "upgrade" if difference(is_request, &input).is_none() => {
                upgrades(case, is_request, &input)
            }
            "accept" | "open" | "incomplete" | "upgrade" => {
                let transcript = read(is_request, false, &input, &[]);
                match difference(is_request, &input) {
                    None => same_messages(list(case, "messages"), &transcript),
                    Some(rule) if transcript.error().is_some() => {
                        assert!(!rule.why.is_empty());
                        Ok(())
                    }
                    Some(rule) => Err(format!("`{}` must refuse it: {transcript:?}", rule.name)),
                }
            }
            other => Err(format!("unknown outcome {other}")),
        }
    });
}

fn must_be_refused(case: &Value, is_request: bool, input: &[u8]) -> Result<(), String> {
    let transcript = read(is_request, true, input, &[]);
    let reason = case.get("error").map(|error| text(error, "reason")).unwrap_or_default();
    // llhttp knows a list of methods; we know a grammar, and the application refuses what it does not know.
    let is_unknown_method = is_request
        && reason.contains("method")
        && input.split(|byte| *byte == b' ').next().is_some_and(|method| {
            !method.is_empty()
                && method.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
        });
    if is_unknown_method {
        let refused = transcript.error().is_some();
        return if refused { Err(format!("a token is a method: {transcript:?}")) } else { Ok(()) };
    }
    if is_refused(&transcript, input) {
        return Ok(());
    }
    // We look at a line when it is whole: bytes that cannot become right may still be waited for.
    let whole = [input, b"\r\n\r\n"].concat();
    match transcript.is_open() && is_refused(&read(is_request, true, &whole, &[]), &whole) {
        true => Ok(()),
        false => Err(format!("must be refused ({reason}): {transcript:?}")),
    }
}

/// Whether an error was seen, or the connection was closed with bytes behind its last message.
fn is_refused(transcript: &Transcript, input: &[u8]) -> bool {
    let closed = matches!(transcript.seen.last(), Some(Seen::Close(_)));
    transcript.error().is_some() || (closed && transcript.used < input.len())
}

fn same_messages(due: &[Value], transcript: &Transcript) -> Result<(), String> {
    if let Some(error) = transcript.error() {
        return Err(format!("refused: {error} ({transcript:?})"));
    }
    let heads: Vec<&Seen> = transcript
        .seen
        .iter()
        .filter(|seen| {
            matches!(seen, Seen::Request { .. } | Seen::Response { .. } | Seen::Interim { .. })
        })
        .collect();
    // The last message of a case may have begun without its head being complete.
    let due: Vec<&Value> = due.iter().filter(|m| m.get("headers_complete").is_some()).collect();
    if heads.len() != due.len() {
        return Err(format!("{} messages instead of {}", heads.len(), due.len()));
    }
    let contents = &mut transcript.contents().into_iter();
    for (seen, due) in heads.into_iter().zip(due) {
        same_head(due, seen)?;
        let content = match seen {
            Seen::Interim { .. } => Vec::new(),
            _ => contents.next().unwrap_or_default(),
        };
        // The corpus was made from text, line by line: its content has lost its line ends.
        let without_ends = |bytes: &[u8]| -> Vec<u8> {
            bytes.iter().copied().filter(|byte| !b"\r\n".contains(byte)).collect()
        };
        if without_ends(&content) != without_ends(&latin1(text(due, "body"))) {
            return Err(format!("content {}", content.escape_ascii()));
        }
    }
    Ok(())
}

fn same_head(due: &Value, seen: &Seen) -> Result<(), String> {
    let (fields, version) = match seen {
        Seen::Request { method, target, version, fields, .. } => {
            if (method.as_str(), target.as_str()) != (text(due, "method"), text(due, "target")) {
                return Err(format!("{method} {target}"));
            }
            (fields, Some(*version))
        }
        Seen::Response { status, version, fields, reason, .. } => {
            if Some(u64::from(*status)) != due.get("status").and_then(Value::as_u64) {
                return Err(format!("status {status}"));
            }
            if *reason != latin1(text(due, "reason")) {
                return Err(format!("reason {}", reason.escape_ascii()));
            }
            (fields, Some(*version))
        }
        Seen::Interim { fields, .. } => (fields, None),
        other => return Err(format!("{other:?}")),
    };
    let due_version =
        if text(due, "version") == "1.0" { Version::HTTP_10 } else { Version::HTTP_11 };
    if version.is_some_and(|version| version != due_version) {
        return Err(format!("{version:?}"));
    }
    // llhttp leaves blanks at the end of a value.
    let due: Vec<(String, Vec<u8>)> = list(due, "headers")
        .iter()
        .map(field)
        .map(|(name, value)| (name, value.trim_ascii_end().to_vec()))
        .collect();
    if *fields == due { Ok(()) } else { Err(format!("fields {fields:?}")) }
}

/// The first message asks for another protocol; once it is agreed upon, what follows is not HTTP.
fn upgrades(case: &Value, is_request: bool, input: &[u8]) -> Result<(), String> {
    let (seen, used) = if is_request {
        agree(input).map_err(|error| error.to_string())?
    } else {
        let table = FieldTable::new(Limits::client(), Leniency::client());
        let transcript = drive::drive(drive::asking(&Method::GET, true), table, input, &[]);
        let switched = transcript.seen.last() == Some(&Seen::Switched);
        let first = transcript.seen.first().cloned().filter(|_| switched);
        (first.ok_or_else(|| format!("not switched: {transcript:?}"))?, transcript.used)
    };
    let due = list(case, "messages").first().ok_or("the case has no message")?;
    same_head(due, &seen)?;
    if used <= input.len() { Ok(()) } else { Err(format!("{used} bytes used")) }
}

/// Reads a request, agrees to switch, and gives the request and the bytes it had.
fn agree(input: &[u8]) -> Result<(Seen, usize), Box<dyn std::error::Error>> {
    let mut table = FieldTable::new(Limits::server(), lenient_server());
    let mut connection = Connection::<Server>::new();
    let (mut first, mut connect, mut used) = (None, false, 0);
    loop {
        let step = connection.read(&input[used..], &mut table)?;
        used += step.used;
        match step.event {
            Event::Head { head, body, expects_continue } => {
                connect = head.method == Method::CONNECT;
                first = Some(Server::write_down(&head, body, expects_continue));
            }
            Event::Data(_) | Event::End(_) => {}
            Event::Paused => {
                let mut fields = FieldBuf::new();
                fields.push(&UPGRADE, "ws")?;
                let (status, blocks) = match connect {
                    true => (StatusCode::OK, vec![]),
                    false => (StatusCode::SWITCHING_PROTOCOLS, vec![&fields]),
                };
                connection.send_response(status, &blocks, BodySize::Empty, &mut Vec::new())?;
            }
            Event::Switched => {
                return first.map(|seen| (seen, used)).ok_or_else(|| "no head".into());
            }
            other => return Err(format!("{other:?}").into()),
        }
    }
}

#[test]
fn corpus_llhttp_under_every_cut() {
    check_all(&load("llhttp.json"), |case| {
        let is_request = text(case, "type").starts_with("request");
        let input = latin1(text(case, "input"));
        for strict in [true, false] {
            let whole = read(is_request, strict, &input, &[]);
            let every: Vec<usize> = (1..input.len()).collect();
            if read(is_request, strict, &input, &every) != whole {
                return Err("single bytes show".to_owned());
            }
            if let Some(cut) =
                every.iter().find(|cut| read(is_request, strict, &input, &[**cut]) != whole)
            {
                return Err(format!("a cut at {cut} shows"));
            }
        }
        Ok(())
    });
}

#[test]
fn an_error_is_final() {
    let transcript = read(true, true, b"GET\0/ HTTP/1.1\r\n\r\n", &[]);
    assert_eq!(transcript.eof, Err(ReadError::Failed));
}
