//! The deadlines of a session: every phase has one.

use std::time::{Duration, Instant};

use avocet_net::{Outbox, Turn};
use http::StatusCode;

use super::{Ended, Session, Stage};
use crate::config::Timeouts;
use crate::response::Response;

/// Since when the session has been in its phase.
pub(super) struct Clock {
    since: Instant,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The transport is not ready.
    Handshake,
    /// No byte has come yet.
    Fresh,
    /// Part of a head has come.
    Head,
    /// An exchange is over and nothing of the next has come.
    Idle,
    /// After the last response; `last` is when the client was last heard.
    Linger { last: Instant },
}

/// How long output has been waiting, and how much left in the present window.
pub(super) struct Stall {
    progress_at: Instant,
    window_at: Instant,
    window_bytes: u64,
}

impl Clock {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, phase: Phase::Handshake }
    }

    pub(super) fn opened(&mut self, now: Instant) {
        *self = Self { since: now, phase: Phase::Fresh };
    }

    /// Part of a head waits for its rest.
    pub(super) fn head_begun(&mut self, now: Instant) {
        if self.phase != Phase::Head {
            *self = Self { since: now, phase: Phase::Head };
        }
    }

    /// The next request may come.
    pub(super) fn idle(&mut self, now: Instant) {
        *self = Self { since: now, phase: Phase::Idle };
    }

    /// The output of the last exchange has left.
    pub(super) fn has_left(&mut self, now: Instant) {
        if self.phase == Phase::Idle {
            self.since = now;
        }
    }

    /// Whether the phase has only just begun, so that nothing can be late.
    pub(super) fn is_fresh(&self, now: Instant) -> bool {
        self.since == now
    }

    pub(super) fn linger(&mut self, now: Instant) {
        *self = Self { since: now, phase: Phase::Linger { last: now } };
    }

    pub(super) fn touch(&mut self, now: Instant) {
        if let Phase::Linger { last } = &mut self.phase {
            *last = now;
        }
    }

    /// `None` is never.
    fn deadline(&self, timeouts: &Timeouts, head_bytes: usize) -> Option<Instant> {
        let (since, span) = match self.phase {
            Phase::Handshake => (self.since, timeouts.handshake),
            Phase::Fresh => (self.since, timeouts.first_byte),
            Phase::Head => {
                let earned = Duration::from_secs(head_bytes as u64 / HEAD_BYTES_PER_SECOND);
                (self.since, timeouts.head.saturating_add(earned).min(timeouts.head_most))
            }
            Phase::Idle => (self.since, timeouts.idle),
            Phase::Linger { last } => {
                let most = self.since.checked_add(timeouts.linger_most);
                return last.checked_add(timeouts.linger_quiet).into_iter().chain(most).min();
            }
        };
        since.checked_add(span)
    }
}

impl Stall {
    pub(super) fn new(now: Instant) -> Self {
        Self { progress_at: now, window_at: now, window_bytes: 0 }
    }

    pub(super) fn wrote(&mut self, count: u64, now: Instant) {
        if count > 0 {
            self.progress_at = now;
            self.window_bytes += count;
        }
    }

    /// `None` is never.
    fn deadline(&self, timeouts: &Timeouts) -> Option<Instant> {
        let window = self.window_at.checked_add(timeouts.write_window);
        self.progress_at.checked_add(timeouts.write_progress).into_iter().chain(window).min()
    }

    /// Whether the peer takes too little; a window that was good enough begins anew.
    fn is_too_slow(&mut self, timeouts: &Timeouts, now: Instant) -> bool {
        if now.saturating_duration_since(self.progress_at) >= timeouts.write_progress {
            return true;
        }
        if now.saturating_duration_since(self.window_at) < timeouts.write_window {
            return false;
        }
        let least = timeouts.write_rate.saturating_mul(timeouts.write_window.as_secs());
        let slow = self.window_bytes < least;
        self.window_at = now;
        self.window_bytes = 0;
        slow
    }
}

impl Session {
    /// When the session has to be looked at although nothing happens.
    pub(super) fn deadline(&self, stall: Option<&Stall>, cx: &Turn<'_>) -> Option<Instant> {
        let timeouts = &self.worker.shared.config.timeouts;
        let write = stall.and_then(|stall| stall.deadline(timeouts));
        let read = self.read_deadline(cx, stall.is_some());
        read.into_iter().chain(write).min()
    }

    fn read_deadline(&self, cx: &Turn<'_>, writing: bool) -> Option<Instant> {
        let timeouts = &self.worker.shared.config.timeouts;
        match (&self.exchange, self.state.stage) {
            // Only writing has a deadline then.
            (_, Stage::Closing | Stage::Switching) => None,
            (_, Stage::Establishing | Stage::Lingering { .. }) | (None, _) => {
                // With output still going out the client need not have read what it answers to.
                if writing {
                    return None;
                }
                let usual = self.clock.deadline(timeouts, self.input.len());
                // A stop waits only a little for connections on which no request is complete.
                let stop = cx.stopping().map(|stop| stop.idle_until);
                usual.into_iter().chain(stop).min()
            }
            (Some(exchange), Stage::Open) => {
                if self.conn.reading_done() {
                    return None;
                }
                exchange.deadline(timeouts)
            }
        }
    }

    pub(super) fn is_late(&self, cx: &Turn<'_>, stall: Option<&Stall>, out: &Outbox) -> bool {
        let stall = stall.filter(|_| !out.is_empty());
        self.deadline(stall, cx).is_some_and(|deadline| cx.now() >= deadline)
    }

    /// A deadline has passed. Heads and content that are late are answered 408 where nothing was
    /// answered yet; everything else just ends.
    pub(super) fn time_out(&mut self, cx: &mut Turn<'_>, out: &mut Outbox) -> Result<(), Ended> {
        let stopping = cx.stopping().is_some();
        let mid_head = self.exchange.is_none() && !self.input.is_empty();
        let mid_content = self.exchange.as_ref().is_some_and(|exchange| exchange.is_unanswered());
        let establishing = self.state.stage == Stage::Establishing;
        // Whoever is ended by a stop was not too slow, and an idle connection breaks no promise.
        if !stopping && (mid_head || self.exchange.is_some() || establishing) {
            self.worker.counters.timeouts.add(1);
        }
        if self.exchange.as_ref().is_some_and(|exchange| exchange.is_draining()) {
            // The client has its answer; it may still read it before the end.
            self.finish_exchange(cx.now(), false);
            self.close();
            return Ok(());
        }
        if self.state.stage != Stage::Open || stopping || !(mid_head || mid_content) {
            return Err(Ended);
        }
        self.answer_for_library(cx, out, Response::error(StatusCode::REQUEST_TIMEOUT));
        Ok(())
    }

    /// Looks at the rate of writing; an error when the peer takes too little.
    pub(super) fn check_writing(
        &self,
        stall: &mut Option<Stall>,
        now: Instant,
    ) -> Result<(), Ended> {
        let timeouts = &self.worker.shared.config.timeouts;
        if stall.as_mut().is_some_and(|stall| stall.is_too_slow(timeouts, now)) {
            self.worker.counters.timeouts.add(1);
            return Err(Ended);
        }
        Ok(())
    }
}

/// A head that keeps coming at this rate may take longer.
const HEAD_BYTES_PER_SECOND: u64 = 500;
