//! An access log that remembers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use avocet_server::{AccessLog, Entry};

/// What was told of one exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) request: String,
    pub(crate) status: Option<u16>,
    pub(crate) content: u64,
    pub(crate) duration: Duration,
    pub(crate) aborted: bool,
}

/// Keeps all entries.
#[derive(Default)]
pub(crate) struct Recorded(Mutex<Vec<Line>>);

impl Recorded {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn lines(&self) -> Vec<Line> {
        self.0.lock().unwrap().clone()
    }

    /// Request line, status, content and whether it was aborted, of the last exchange.
    pub(crate) fn last(&self) -> (String, Option<u16>, u64, bool) {
        let lines = self.lines();
        let line = lines.last().expect("an exchange was logged").clone();
        (line.request, line.status, line.content, line.aborted)
    }
}

impl AccessLog for Recorded {
    fn record(&self, entry: &Entry<'_>) {
        self.0.lock().unwrap().push(Line {
            request: String::from_utf8_lossy(entry.request_line).into_owned(),
            status: entry.status.map(|status| status.as_u16()),
            content: entry.content,
            duration: entry.duration,
            aborted: entry.aborted,
        });
    }
}
