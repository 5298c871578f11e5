//! `--har`: every exchange of a run as a HAR 1.2 log, which browsers' tools read.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use avocet::client::{Content, Error, Hook, Hop, Verdict};
use avocet::semantics::dates;
use avocet::wire::{FieldBuf, Fields, ResponseHead};
use http::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HeaderName, LOCATION, PROXY_AUTHORIZATION,
    SET_COOKIE,
};
use serde_json::{Value, json};

use crate::failure::Failure;

/// Writes down what passes.
#[derive(Default)]
pub(super) struct Har(Mutex<Log>);

#[derive(Default)]
struct Log {
    entries: Vec<Value>,
    /// Requests without an answer yet: their entries and when they began.
    open: HashMap<Key, (usize, Instant)>,
}

/// What tells one hop of one transfer from others: equal ones at the same time share an entry.
type Key = (String, String, u32);

impl Har {
    /// Writes the log to a file.
    ///
    /// *Errors*: a file that cannot be written.
    pub(super) fn save(&self, path: &Path) -> Result<(), Failure> {
        let log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let creator = json!({ "name": "avocet", "version": env!("CARGO_PKG_VERSION") });
        let har =
            json!({ "log": { "version": "1.2", "creator": creator, "entries": log.entries } });
        std::fs::write(path, format!("{har:#}\n")).map_err(|error| {
            Failure::with_status(23, format_args!("cannot write {}: {error}", path.display()))
        })
    }
}

impl Hook for Har {
    fn on_request(&self, hop: &Hop<'_>, fields: &mut FieldBuf) -> Result<(), Error> {
        let sent = match hop.content {
            Some(Content::Bytes(bytes)) => json!(bytes.len()),
            Some(Content::Empty) => json!(0),
            _ => json!(-1),
        };
        let query: Vec<Value> = hop
            .url
            .query_pairs()
            .map(|(name, value)| json!({ "name": name, "value": value }))
            .collect();
        let entry = json!({
            "startedDateTime": started(),
            "time": 0,
            "request": {
                "method": hop.method.as_str(),
                "url": hop.url.as_str(),
                "httpVersion": "HTTP/1.1",
                "cookies": [],
                "headers": fields.iter().map(|(n, v)| header(n, v)).collect::<Vec<_>>(),
                "queryString": query,
                "headersSize": -1,
                "bodySize": sent,
            },
            // As the format wants it where no answer came.
            "response": response(0, "", "", Vec::new(), "", "", None),
            "cache": {},
            "timings": { "send": 0, "wait": 0, "receive": 0 },
        });
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A hop that is still open is sent again, over a fresh connection after a kept one had been
        // closed: that is one exchange.
        let next = log.entries.len();
        let index = log.open.get(&key(hop)).map_or(next, |(index, _)| *index);
        match log.entries.get_mut(index) {
            Some(place) => *place = entry,
            None => log.entries.push(entry),
        }
        log.open.insert(key(hop), (index, Instant::now()));
        Ok(())
    }

    fn on_response(&self, hop: &Hop<'_>, head: &ResponseHead<'_>) -> Verdict {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((index, began)) = log.open.remove(&key(hop)) else { return Verdict::Proceed };
        let waited = began.elapsed().as_secs_f64() * 1000.0;
        let one = |name: &HeaderName| first(&head.fields, name);
        let size: Option<u64> = one(&CONTENT_LENGTH).parse().ok();
        let headers = head.fields.iter().map(|(name, value)| header(name, value)).collect();
        let (reason, version) =
            (String::from_utf8_lossy(head.reason), format!("{:?}", head.version));
        let status = head.status.as_u16();
        let (kind, to) = (one(&CONTENT_TYPE), one(&LOCATION));
        if let Some(entry) = log.entries.get_mut(index) {
            entry["response"] = response(status, &reason, &version, headers, &kind, &to, size);
            entry["time"] = waited.into();
            entry["timings"]["wait"] = waited.into();
        }
        Verdict::Proceed
    }
}

fn key(hop: &Hop<'_>) -> Key {
    (hop.first.to_string(), hop.url.to_string(), hop.redirects + 1000 * hop.repeats)
}

fn response(
    status: u16,
    reason: &str,
    version: &str,
    headers: Vec<Value>,
    media_type: &str,
    redirect: &str,
    size: Option<u64>,
) -> Value {
    json!({
        "status": status,
        "statusText": reason,
        "httpVersion": version,
        "cookies": [],
        "headers": headers,
        "content": { "size": size.unwrap_or(0), "mimeType": media_type },
        "redirectURL": redirect,
        "headersSize": -1,
        "bodySize": size.map_or_else(|| json!(-1), Value::from),
    })
}

/// A field; what lets others in is kept back, for logs are passed on.
fn header(name: &str, value: &[u8]) -> Value {
    let secret = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE, SET_COOKIE];
    let value = match secret.iter().any(|secret| name.eq_ignore_ascii_case(secret.as_str())) {
        true => "(kept back)".into(),
        false => String::from_utf8_lossy(value),
    };
    json!({ "name": name, "value": value })
}

fn first(fields: &Fields<'_>, name: &HeaderName) -> String {
    fields.get(name).map(|value| String::from_utf8_lossy(value).into_owned()).unwrap_or_default()
}

/// Now, as RFC 3339 has it.
fn started() -> String {
    let text = dates::format_rfc3339(dates::seconds(SystemTime::now()));
    String::from_utf8_lossy(&text).into_owned()
}
