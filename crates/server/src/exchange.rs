//! One exchange that is not over in one step: its content comes in pieces, or its response is late.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant, SystemTime};

use avocet_net::Address;
use avocet_wire::{Framing, OwnedHead, RequestHead};
use http::StatusCode;
use http::header::{HOST, REFERER, USER_AGENT};

use crate::access_log::{AccessLog, Entry};
use crate::config::Timeouts;
use crate::counters::Counters;
use crate::reply::{Answer, Feed, Intake, Plan};

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
    /// Of that, what was thrown away.
    pub(crate) discarded: u64,
    pace: Pace,
}

/// How long the client has had for its content. Time in which nobody would have taken any does not
/// count: a sink that pauses for an hour makes no slow client.
pub(crate) struct Pace {
    since: Instant,
    paused_at: Option<Instant>,
    drain: Option<Drain>,
}

/// The response is complete, and what is left of the content is thrown away.
struct Drain {
    since: Instant,
    /// When the client was last heard.
    last: Instant,
}

/// A sink panicked.
pub(crate) struct SinkPanicked;

impl Pace {
    fn new(now: Instant) -> Self {
        Self { since: now, paused_at: None, drain: None }
    }

    /// Notes whether content is wanted from now on.
    pub(crate) fn wanted(&mut self, wanted: bool, now: Instant) {
        match (wanted, self.paused_at) {
            (true, Some(paused_at)) => {
                self.since += now.saturating_duration_since(paused_at);
                self.paused_at = None;
            }
            (false, None) => self.paused_at = Some(now),
            _ => {}
        }
    }

    /// When more content than was `received` must have come; `None` during a pause.
    fn deadline(&self, timeouts: &Timeouts, received: u64) -> Option<Instant> {
        if self.paused_at.is_some() {
            return None;
        }
        if let Some(drain) = &self.drain {
            let quiet = drain.last.checked_add(timeouts.linger_quiet);
            let most = drain.since.checked_add(timeouts.linger_most);
            return quiet.into_iter().chain(most).min();
        }
        let earned = Duration::from_secs(received.checked_div(timeouts.content_rate)?);
        self.since.checked_add(timeouts.content_grace.saturating_add(earned))
    }
}

impl Exchange {
    pub(crate) fn new(
        head: Option<OwnedHead>,
        framing: Framing,
        plan: Plan,
        started: Instant,
    ) -> Self {
        let pace = Pace::new(started);
        Self { head, framing, plan, started, received: 0, discarded: 0, pace }
    }

    /// Whether the content may come on.
    pub(crate) fn wants_content(&mut self, drain: u64) -> Result<bool, SinkPanicked> {
        if matches!(self.plan.answer, Answer::Postponed(..)) {
            return Ok(false);
        }
        let unanswered = self.is_unanswered();
        Ok(match &mut self.plan.content {
            Intake::Discard => !unanswered || self.discarded <= drain,
            Intake::Collect { .. } => true,
            Intake::Sink(sink) => {
                catch_unwind(AssertUnwindSafe(|| sink.ready())).map_err(|_| SinkPanicked)?
            }
            Intake::Feed(feed) => {
                catch_unwind(AssertUnwindSafe(|| feed.ready())).map_err(|_| SinkPanicked)?
            }
        })
    }

    /// When the rest of the content must have come, or more of it.
    pub(crate) fn deadline(&self, timeouts: &Timeouts) -> Option<Instant> {
        self.pace.deadline(timeouts, self.received)
    }

    /// Whether the response is complete and only content that nobody wants is outstanding.
    pub(crate) fn is_draining(&self) -> bool {
        matches!(self.plan.answer, Answer::Queued) && self.plan.discards()
    }

    /// Notes whether content is wanted from now on.
    pub(crate) fn note_wanted(&mut self, wanted: bool, now: Instant) {
        self.pace.wanted(wanted, now);
        if self.is_draining() {
            self.pace.drain.get_or_insert(Drain { since: now, last: now });
        }
    }

    /// Counts content that is thrown away.
    pub(crate) fn discard(&mut self, count: usize, now: Instant) {
        self.discarded += count as u64;
        if let Some(drain) = &mut self.pace.drain {
            drain.last = now;
        }
    }

    /// Content whose reader has gone is content that nobody wants.
    pub(crate) fn forget_gone_reader(&mut self) {
        if matches!(&self.plan.content, Intake::Feed(feed) if is_abandoned(feed.as_ref())) {
            self.plan.content = Intake::Discard;
        }
    }

    /// Whether the head of the final response can still be written.
    pub(crate) fn is_unanswered(&self) -> bool {
        matches!(
            self.plan.answer,
            Answer::Missing | Answer::AtEnd | Answer::Deferred(_) | Answer::Postponed(..)
        )
    }
}

/// A feed that panics takes nothing more.
fn is_abandoned(feed: &dyn Feed) -> bool {
    catch_unwind(AssertUnwindSafe(|| feed.is_abandoned())).unwrap_or(true)
}

/// What is kept for the end of an exchange.
pub(crate) fn needs_head(plan: &Plan, logged: bool) -> bool {
    let wanted_later = matches!(plan.content, Intake::Collect { .. } | Intake::Sink(_))
        || matches!(plan.answer, Answer::Postponed(..));
    wanted_later || logged
}

/// Tells the access log of an exchange that has ended.
pub(crate) struct Record<'a> {
    pub(crate) counters: &'a Counters,
    pub(crate) remote: &'a Address,
    pub(crate) status: Option<StatusCode>,
    pub(crate) content: u64,
    pub(crate) started: Instant,
    pub(crate) now: Instant,
    pub(crate) aborted: bool,
}

impl Record<'_> {
    pub(crate) fn write(&self, access_log: &dyn AccessLog, head: Option<&RequestHead<'_>>) {
        let line = head.map(request_line).unwrap_or_default();
        let field = |name| head.and_then(|head| head.fields.get(name));
        let entry = Entry {
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
        };
        // A log that fails must not cost the response that it tells of.
        if catch_unwind(AssertUnwindSafe(|| access_log.record(&entry))).is_err() {
            self.counters.panics.add(1);
            log::error!("the access log panicked");
        }
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
