//! Raw responses, as a client of the default leniency reads them.

use avocet_wire::{Eof, Leniency};
use http::Method;
use serde_json::Value;

use crate::corpus::{check_all, flag, latin1, load, text};
use crate::drive::{self, Seen, Transcript};

fn input(case: &Value) -> Vec<u8> {
    let Some(template) = case.get("response_template").and_then(Value::as_str) else {
        return latin1(text(case, "response"));
    };
    // `{{REP:c*n}}` stands for n times the letter c.
    match template.split_once("{{REP:").and_then(|(before, rest)| {
        let (repeat, after) = rest.split_once("}}")?;
        let (letter, count) = repeat.split_once('*')?;
        Some([before, &letter.repeat(count.parse().ok()?), after].concat())
    }) {
        Some(text) => latin1(&text),
        None => latin1(template),
    }
}

fn read(case: &Value, cuts: &[usize]) -> Transcript {
    let method = text(case, "method").parse::<Method>().expect("a method");
    drive::client(Leniency::client(), &method, &input(case), cuts)
}

/// The first response as a client would hand it out: status and content, or nothing if it is broken.
fn outcome(transcript: &Transcript, closes: bool) -> Option<(u16, Vec<u8>)> {
    let mut status = None;
    let mut content = Vec::new();
    for seen in &transcript.seen {
        match seen {
            Seen::Response { status: sent, .. } => status = Some(*sent),
            Seen::Data(data) => content.extend_from_slice(data),
            Seen::End(_) => return Some((status?, content)),
            Seen::Open if closes && transcript.eof == Ok(Eof::End) => {
                return Some((status?, content));
            }
            Seen::Error(_) | Seen::Open | Seen::Switched | Seen::Close(_) => return None,
            Seen::Interim { .. } | Seen::Request { .. } => {}
        }
    }
    None
}

#[test]
fn corpus_client_responses() {
    check_all(&load("client_responses.json"), |case| {
        let outcome = outcome(&read(case, &[]), flag(case, "close_after"));
        let expect = case.get("expect").ok_or("no expectation")?;
        let status =
            expect.get("status").and_then(Value::as_u64).and_then(|s| u16::try_from(s).ok());
        let due = status.map(|status| (status, latin1(text(expect, "body"))));
        match (text(expect, "kind"), &outcome) {
            ("error" | "either", None) => Ok(()),
            ("ok" | "either", Some(_)) if outcome == due => Ok(()),
            (kind, _) => Err(format!("{kind} expected, {outcome:?}")),
        }
    });
}

#[test]
fn corpus_client_responses_under_every_cut() {
    check_all(&load("client_responses.json"), |case| {
        let length = input(case).len();
        let whole = read(case, &[]);
        let every: Vec<usize> = (1..length.min(5000)).collect();
        if read(case, &every) != whole {
            return Err("single bytes show".to_owned());
        }
        match every.iter().find(|cut| length < 5000 && read(case, &[**cut]) != whole) {
            Some(cut) => Err(format!("a cut at {cut} shows")),
            None => Ok(()),
        }
    });
}
