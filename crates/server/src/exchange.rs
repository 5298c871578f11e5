//! One exchange that is not over in one step: its content comes in pieces, or its response is late.

use std::time::{Instant, SystemTime};

use avocet_net::Address;
use avocet_wire::{Framing, OwnedHead, RequestHead};
use http::StatusCode;
use http::header::{HOST, REFERER, USER_AGENT};

use crate::access_log::{AccessLog, Entry};
use crate::reply::{Answer, Intake, Plan};

/// The state of an exchange between turns.
pub(crate) struct Exchange {
    /// Kept only for those who ask for it again: what is called at the end of the content, and the
    /// access log.
    pub(crate) head: Option<OwnedHead>,
    pub(crate) framing: Framing,
    pub(crate) plan: Plan,
    /// When the head was complete.
    pub(crate) started: Instant,
    /// Content received so far.
    pub(crate) received: u64,
}

impl Exchange {
    /// Whether the content may come on.
    pub(crate) fn wants_content(&mut self, drain: u64) -> bool {
        let unanswered = self.is_unanswered();
        match &mut self.plan.content {
            Intake::Discard => !unanswered || self.received <= drain,
            Intake::Collect { .. } => true,
            Intake::Sink(sink) => sink.ready(),
            Intake::Feed(feed) => feed.ready(),
        }
    }

    /// Whether the head of the final response can still be written.
    pub(crate) fn is_unanswered(&self) -> bool {
        matches!(self.plan.answer, Answer::Missing | Answer::AtEnd | Answer::Deferred(_))
    }
}

/// What is kept for the end of an exchange.
pub(crate) fn needs_head(plan: &Plan, logged: bool) -> bool {
    let wanted_later = matches!(plan.content, Intake::Collect { .. } | Intake::Sink(_));
    wanted_later || logged
}

/// Tells the access log of an exchange that has ended.
pub(crate) struct Record<'a> {
    pub(crate) remote: &'a Address,
    pub(crate) status: Option<StatusCode>,
    pub(crate) content: u64,
    pub(crate) started: Instant,
    pub(crate) now: Instant,
    pub(crate) aborted: bool,
}

impl Record<'_> {
    pub(crate) fn write(&self, log: &dyn AccessLog, head: Option<&RequestHead<'_>>) {
        let line = head.map(request_line).unwrap_or_default();
        let field = |name| head.and_then(|head| head.fields.get(name));
        log.record(&Entry {
            remote: self.remote,
            time: SystemTime::now(),
            request_line: &line,
            host: field(&HOST),
            status: self.status,
            content: self.content,
            duration: self.now.saturating_duration_since(self.started),
            referer: field(&REFERER),
            user_agent: field(&USER_AGENT),
            aborted: self.aborted,
        });
    }
}

fn request_line(head: &RequestHead<'_>) -> Vec<u8> {
    let (method, target) = (head.method.as_str(), head.target.as_str());
    let mut line = Vec::with_capacity(method.len() + target.len() + 10);
    line.extend_from_slice(method.as_bytes());
    line.push(b' ');
    line.extend_from_slice(target.as_bytes());
    line.extend_from_slice(match head.version {
        http::Version::HTTP_10 => b" HTTP/1.0",
        _ => b" HTTP/1.1",
    });
    line
}
