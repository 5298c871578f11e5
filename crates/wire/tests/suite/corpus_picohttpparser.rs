//! The cases of picohttpparser, run through the codec, whole and under every cut.

use crate::corpus::{check_all, flag, latin1, load, text};
use crate::differences::difference;
use crate::drive;
use crate::drive::{Seen, Transcript};
use avocet_wire::{Leniency, Limits};
use http::Method;
use serde_json::Value;

/// A case as a whole message: picohttpparser parses parts too.
struct Message {
    is_request: bool,
    input: Vec<u8>,
}

fn message(case: &Value) -> Result<Message, String> {
    let input = latin1(text(case, "input"));
    let (before, is_request) = match text(case, "kind") {
        "request" => (&b""[..], true),
        "response" => (&b""[..], false),
        "headers" => (&b"GET / HTTP/1.1\r\n"[..], true),
        "chunked" => (&b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"[..], true),
        other => return Err(format!("unknown kind {other}")),
    };
    let mut input = [before, &input].concat();
    // Without `consume_trailer` its decoder stops behind the line of the last chunk, which is not yet the end.
    let is_chunked = text(case, "kind") == "chunked";
    if is_chunked && text(case, "expect") == "complete" && !flag(case, "consume_trailer") {
        input.extend_from_slice(b"\r\n");
    }
    Ok(Message { is_request, input })
}

fn read(message: &Message, strict: bool, cuts: &[usize]) -> Transcript {
    if message.is_request {
        let leniency = Leniency { missing_host: true, ..Leniency::strict() };
        return drive::server_with(Limits::server(), leniency, &message.input, cuts);
    }
    let leniency = if strict { Leniency::strict() } else { Leniency::client() };
    drive::client(leniency, &Method::GET, &message.input, cuts)
}

#[test]
fn corpus_picohttpparser() {
    check_all(&load("picohttpparser.json"), |case| {
        let message = message(case)?;
        let expect = text(case, "expect");
        let transcript = read(&message, expect == "error", &[]);
        let rule = difference(message.is_request, &message.input);
        let is_chunked = text(case, "kind") == "chunked";
        match (expect, rule) {
            ("error", _) if transcript.error().is_some() => Ok(()),
            ("complete", Some(_)) if transcript.error().is_some() => Ok(()),
            ("complete", None) if is_chunked => {
                let due = latin1(text(case, "body"));
                let content = transcript.contents().pop().unwrap_or_default();
                let left = case.get("left_over").and_then(Value::as_u64).unwrap_or_default();
                let is_whole = transcript.ends() > 0 && left == 0;
                match is_whole && content == due {
                    true => Ok(()),
                    false => Err(format!("{transcript:?}")),
                }
            }
            ("complete", None) => match transcript.seen.first() {
                Some(Seen::Request { .. } | Seen::Response { .. }) => Ok(()),
                _ => Err(format!("{transcript:?}")),
            },
            ("partial", _) => match transcript.is_open() && transcript.eof.is_err() {
                true => Ok(()),
                false => Err(format!("{transcript:?}")),
            },
            (_, rule) => {
                Err(format!("{:?}: {transcript:?}", rule.map(|rule| (rule.name, rule.why))))
            }
        }
    });
}

#[test]
fn corpus_picohttpparser_under_every_cut() {
    check_all(&load("picohttpparser.json"), |case| {
        let message = message(case)?;
        let every: Vec<usize> = (1..message.input.len()).collect();
        for strict in [true, false] {
            let whole = read(&message, strict, &[]);
            if read(&message, strict, &every) != whole {
                return Err("single bytes show".to_owned());
            }
            if let Some(cut) = every.iter().find(|cut| read(&message, strict, &[**cut]) != whole) {
                return Err(format!("a cut at {cut} shows"));
            }
        }
        Ok(())
    });
}
