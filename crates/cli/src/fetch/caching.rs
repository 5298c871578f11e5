//! What caches may do with a response (RFC 9111), in words.

use std::time::SystemTime;

use avocet::semantics::{dates, lists};
use avocet::wire::OwnedResponseHead;
use http::header::{AGE, CACHE_CONTROL, DATE, ETAG, EXPIRES, HeaderName, LAST_MODIFIED, VARY};

/// The verdict about a response, for a cache of one user.
pub(super) fn verdict(head: &OwnedResponseHead) -> String {
    let directives = Directives::of(head);
    if directives.has("no-store") {
        return "not to be stored (no-store)".to_owned();
    }
    let mut said = Vec::new();
    if head.fields().get(&VARY).is_some_and(|value| value.trim_ascii() == b"*") {
        said.push("stored for nothing: Vary is *".to_owned());
    } else if directives.has("no-cache") {
        said.push("to be asked for again every time (no-cache)".to_owned());
    } else {
        said.push(lifetime(head, &directives));
    }
    if directives.has("private") {
        said.push("not for shared caches (private)".to_owned());
    }
    if directives.has("immutable") {
        said.push("does not change while fresh (immutable)".to_owned());
    }
    said.push(match (head.fields().contains(&ETAG), head.fields().contains(&LAST_MODIFIED)) {
        (true, _) => "can be asked for again by its entity tag".to_owned(),
        (false, true) => "can be asked for again by its date".to_owned(),
        (false, false) => "has nothing to be asked for again by".to_owned(),
    });
    said.join("; ")
}

/// RFC 9111 §4.2.1: max-age, then Expires less Date, then a guess from Last-Modified.
fn lifetime(head: &OwnedResponseHead, directives: &Directives) -> String {
    let age = number(head, &AGE).unwrap_or(0);
    if let Some(seconds) = directives.seconds("max-age") {
        return left(seconds, age, "max-age");
    }
    let now = dates::seconds(SystemTime::now());
    let date = date(head, &DATE, now).unwrap_or(now);
    if head.fields().contains(&EXPIRES) {
        // A date that is none, as 0, is one in the past.
        let expires = self::date(head, &EXPIRES, now).unwrap_or(date);
        return left(expires.saturating_sub(date), age, "Expires");
    }
    let status = head.status().as_u16();
    let guessed =
        matches!(status, 200 | 203 | 204 | 206 | 300 | 301 | 308 | 404 | 405 | 410 | 414 | 501);
    match self::date(head, &LAST_MODIFIED, now) {
        Some(modified) if guessed => {
            left(date.saturating_sub(modified) / 10, age, "a tenth of its age, for lack of better")
        }
        _ if guessed => "no lifetime is said, caches may guess".to_owned(),
        _ => format!("a {status} without a lifetime is not stored"),
    }
}

fn left(seconds: i64, age: i64, by: &str) -> String {
    match seconds.saturating_sub(age) {
        left if left > 0 => format!("fresh for {left} s ({by})"),
        _ => format!("stale at once ({by})"),
    }
}

/// Directives with their values, names in lower case.
struct Directives(Vec<(String, String)>);

impl Directives {
    fn of(head: &OwnedResponseHead) -> Self {
        let mut all = Vec::new();
        for value in head.fields().get_all(&CACHE_CONTROL) {
            for element in lists::elements(value) {
                let text = String::from_utf8_lossy(element);
                let (name, value) = text.split_once('=').unwrap_or((&text, ""));
                let value = value.trim().trim_matches('"');
                all.push((name.trim().to_ascii_lowercase(), value.to_owned()));
            }
        }
        Self(all)
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// A value that is no number counts as 0: what is not understood is not fresh.
    fn seconds(&self, name: &str) -> Option<i64> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        Some(value.parse().unwrap_or(0))
    }
}

fn number(head: &OwnedResponseHead, name: &HeaderName) -> Option<i64> {
    std::str::from_utf8(head.fields().get(name)?).ok()?.trim().parse().ok()
}

fn date(head: &OwnedResponseHead, name: &HeaderName, now: i64) -> Option<i64> {
    dates::parse(head.fields().get(name)?, now)
}
