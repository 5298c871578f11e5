//! What is known of a page.

use std::fmt;
use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

/// How a page was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// By HEAD.
    Head,
    /// By GET of its first byte, where HEAD is not allowed or not known.
    FirstByte,
}

/// The answer about one page.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) url: String,
    asked: Asked,
    took: Duration,
    found: Result<StatusCode, String>,
}

impl Answer {
    pub(super) fn new(url: String, asked: Asked, took: Duration, status: StatusCode) -> Self {
        Self { url, asked, took, found: Ok(status) }
    }

    pub(super) fn failed(url: String, asked: Asked, took: Duration, reason: &str) -> Self {
        Self { url, asked, took, found: Err(reason.to_owned()) }
    }

    pub(super) fn is_good(&self) -> bool {
        match (&self.found, self.asked) {
            (Ok(StatusCode::PARTIAL_CONTENT), Asked::FirstByte) => true,
            (Ok(status), _) => matches!(status.as_u16(), 200 | 301 | 302 | 303 | 307 | 308),
            (Err(_), _) => false,
        }
    }

    /// Why the page counts as missing; `None` if it does not.
    pub(super) fn reason(&self) -> Option<String> {
        match &self.found {
            Ok(_) if self.is_good() => None,
            Ok(status) => Some(format!("status {status}").trim_end().to_owned()),
            Err(reason) => Some(reason.clone()),
        }
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "url": self.url,
            "ok": self.is_good(),
            "status": self.found.as_ref().ok().map(|status| status.as_u16()),
            "method": match self.asked { Asked::Head => "HEAD", Asked::FirstByte => "GET" },
            "seconds": self.took.as_secs_f64(),
            "reason": self.reason(),
        })
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.is_good() { "OK" } else { "NOT OK!" };
        write!(f, "Server: {} status is {verdict}", self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_good(status: u16, asked: Asked) -> bool {
        let status = StatusCode::from_u16(status).unwrap();
        Answer::new("http://h/".into(), asked, Duration::ZERO, status).is_good()
    }

    #[test]
    fn six_statuses_are_good_and_206_for_a_part() {
        let good: Vec<u16> = (100..=599).filter(|status| is_good(*status, Asked::Head)).collect();
        assert_eq!(good, [200, 301, 302, 303, 307, 308]);
        assert!(is_good(206, Asked::FirstByte));
        assert!(!is_good(405, Asked::FirstByte));
    }

    #[test]
    fn lines_and_objects() {
        let url = "http://h/";
        let status = StatusCode::NOT_FOUND;
        let answer = Answer::new(url.into(), Asked::Head, Duration::ZERO, status);
        assert_eq!(answer.to_string(), "Server: http://h/ status is NOT OK!");
        assert_eq!(answer.reason().as_deref(), Some("status 404 Not Found"));
        let text = answer.to_json().to_string();
        for part in ["\"ok\":false", "\"status\":404", "\"method\":\"HEAD\""] {
            assert!(text.contains(part), "{text}");
        }
        let answer = Answer::failed(url.into(), Asked::Head, Duration::ZERO, "gone");
        assert_eq!(answer.reason().as_deref(), Some("gone"));
    }
}
