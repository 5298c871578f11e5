//! The state of one request and its response on a connection, and how long each part may take.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use avocet_wire::FieldBuf;

use crate::config::Timeouts;
use crate::error::Phase;
use crate::ids::TransferId;
use crate::request::Content;
use crate::transfer::Reaction;

/// The state of an exchange. Its two halves move on their own: a response may begin, and even end,
/// before the request is complete.
///
/// ```text
/// sending    Unsent --> Expecting --100, too long--> Content --> Draining --> Done
///                \__________________________________^    \________^
///            (a response of 300 and above, or a failed write: Stopped)
/// receiving  Waiting --head--> Reading --end--> Over
/// ```
pub(super) struct Exchange {
    pub(super) id: TransferId,
    pub(super) sending: Sending,
    pub(super) receiving: Receiving,
    /// Content that is still to be queued, and the trailers after it.
    pub(super) content: VecDeque<Content>,
    pub(super) trailers: FieldBuf,
    /// The trailers of the response.
    pub(super) received_trailers: FieldBuf,
    pub(super) reaction: Reaction,
    /// Whether any byte of a response has come.
    pub(super) heard: bool,
    /// Content bytes of a response that is not given out.
    pub(super) discarded: u64,
    /// What made the sending stop, if it was a failure.
    pub(super) broken: Option<io::Error>,
    /// When the transfer must be over.
    pub(super) total: Option<Instant>,
    /// The last time something moved.
    pub(super) moved: Instant,
    /// Whether the caller has stopped the content, so that its silence is not the server's.
    held: bool,
    /// Content bytes since `measured`.
    bytes: u64,
    measured: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sending {
    /// The request is not queued yet.
    Unsent,
    /// The head is queued; the content waits for 100 until then.
    Expecting(Instant),
    /// Content is being queued.
    Content,
    /// All of it is queued, and not written yet.
    Draining,
    /// All of it is written.
    Done,
    /// The rest will not be sent.
    Stopped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Receiving {
    /// The response is due.
    Waiting,
    /// Its head has come.
    Reading,
    /// It is complete.
    Over,
}

impl Sending {
    pub(super) fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Stopped)
    }
}

impl Exchange {
    pub(super) fn new(id: TransferId, now: Instant) -> Self {
        Self {
            id,
            sending: Sending::Unsent,
            receiving: Receiving::Waiting,
            content: VecDeque::new(),
            trailers: FieldBuf::new(),
            received_trailers: FieldBuf::new(),
            reaction: Reaction::Deliver,
            heard: false,
            discarded: 0,
            broken: None,
            total: None,
            moved: now,
            held: false,
            bytes: 0,
            measured: now,
        }
    }

    pub(super) fn phase(&self) -> Phase {
        match (self.receiving, self.sending) {
            (Receiving::Reading, _) => Phase::Content,
            (_, Sending::Unsent | Sending::Expecting(_) | Sending::Content) => Phase::Send,
            (_, Sending::Draining) => Phase::Send,
            (Receiving::Waiting, Sending::Done | Sending::Stopped) => Phase::Head,
            (Receiving::Over, _) => Phase::Content,
        }
    }

    /// When a turn is wanted although nothing happens.
    pub(super) fn deadline(&self, timeouts: &Timeouts) -> Option<Instant> {
        let own = match self.sending {
            Sending::Expecting(until) if self.receiving == Receiving::Waiting => Some(until),
            _ => self.stuck_at(timeouts),
        };
        let slow = self.rate(timeouts).map(|(_, over)| self.measured + over);
        [own, slow, self.total].into_iter().flatten().min()
    }

    /// Content has moved, in either direction.
    pub(super) fn note_content(&mut self, bytes: u64, now: Instant) {
        self.moved = now;
        self.bytes += bytes;
    }

    /// Notes whether the caller wants content now.
    pub(super) fn note_wanted(&mut self, wanted: bool, now: Instant) {
        if self.held == wanted {
            self.held = !wanted;
            self.moved = now;
            self.measured = now;
            self.bytes = 0;
        }
    }

    /// Content begins to move: the measuring of its rate begins.
    pub(super) fn begin_content(&mut self, now: Instant) {
        self.moved = now;
        self.measured = now;
        self.bytes = 0;
    }

    /// Whether the total time of the transfer is over.
    pub(super) fn is_late(&self, now: Instant) -> bool {
        self.total.is_some_and(|total| now >= total)
    }

    /// Whether nothing has moved for too long.
    pub(super) fn is_stuck(&self, timeouts: &Timeouts, now: Instant) -> bool {
        self.stuck_at(timeouts).is_some_and(|at| now >= at)
    }

    /// The rate that was not reached and the time over which it was measured; begins the next
    /// measuring where it was.
    pub(super) fn is_slow(&mut self, timeouts: &Timeouts, now: Instant) -> Option<(u64, Duration)> {
        let (rate, over) = self.rate(timeouts)?;
        if now < self.measured + over {
            return None;
        }
        let enough = u128::from(rate) * over.as_millis() / 1000;
        if u128::from(self.bytes) < enough {
            return Some((rate, over));
        }
        self.measured = now;
        self.bytes = 0;
        None
    }

    fn stuck_at(&self, timeouts: &Timeouts) -> Option<Instant> {
        match (self.sending, self.receiving) {
            (Sending::Expecting(_), Receiving::Waiting) => None,
            (Sending::Done | Sending::Stopped, Receiving::Waiting) => {
                Some(self.moved + timeouts.head)
            }
            (Sending::Done | Sending::Stopped, Receiving::Reading) if self.held => None,
            _ => Some(self.moved + timeouts.between),
        }
    }

    /// The least rate, while content is due.
    fn rate(&self, timeouts: &Timeouts) -> Option<(u64, Duration)> {
        let sends = matches!(self.sending, Sending::Content | Sending::Draining);
        let reads = self.receiving == Receiving::Reading && !self.held;
        timeouts.least_rate.filter(|_| sends || reads)
    }
}
