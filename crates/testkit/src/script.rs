//! A client as a list of steps.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use avocet_net::{EventLoop, Transport};

use crate::player::Player;
use crate::reply::HttpReply;

/// Steps that a client takes one after the other, over any transport and on any loop: simulated, or
/// of the kernel.
#[derive(Clone, Debug)]
pub struct Script {
    steps: Vec<Step>,
    patience: Duration,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Send(Vec<u8>),
    Pieces { size: usize, gap: Duration },
    Wait(Duration),
    Expect(Vec<u8>),
    ExpectUntil(Vec<u8>),
    ExpectReply { status: u16, to_head: bool },
    End,
    ExpectEnd,
    ExpectSilence(Duration),
}

/// What has become of a script.
#[derive(Clone)]
pub struct Outcome(Arc<Mutex<Report>>);

#[derive(Default)]
pub(crate) struct Report {
    pub(crate) finished: bool,
    pub(crate) failure: Option<String>,
    pub(crate) received: Vec<u8>,
    pub(crate) replies: Vec<HttpReply>,
    pub(crate) step: usize,
}

impl Default for Script {
    fn default() -> Self {
        Self { steps: Vec::new(), patience: Duration::from_secs(300) }
    }
}

impl Script {
    /// A script that does nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends bytes.
    #[must_use]
    pub fn send(self, bytes: impl AsRef<[u8]>) -> Self {
        self.step(Step::Send(bytes.as_ref().to_vec()))
    }

    /// From here on sends pieces of `size` bytes with a pause of `gap` between them; a size of 0 sends
    /// in one piece again.
    #[must_use]
    pub fn pieces(self, size: usize, gap: Duration) -> Self {
        self.step(Step::Pieces { size, gap })
    }

    /// Waits.
    #[must_use]
    pub fn wait(self, duration: Duration) -> Self {
        self.step(Step::Wait(duration))
    }

    /// Expects exactly these bytes next.
    #[must_use]
    pub fn expect(self, bytes: impl AsRef<[u8]>) -> Self {
        self.step(Step::Expect(bytes.as_ref().to_vec()))
    }

    /// Reads up to and with these bytes.
    #[must_use]
    pub fn expect_until(self, bytes: impl AsRef<[u8]>) -> Self {
        self.step(Step::ExpectUntil(bytes.as_ref().to_vec()))
    }

    /// Reads an HTTP reply to its end and expects its status; the reply is kept in
    /// [`Outcome::replies`].
    #[must_use]
    pub fn expect_reply(self, status: u16) -> Self {
        self.step(Step::ExpectReply { status, to_head: false })
    }

    /// As [`Script::expect_reply`], for the answer to a HEAD request.
    #[must_use]
    pub fn expect_reply_to_head(self, status: u16) -> Self {
        self.step(Step::ExpectReply { status, to_head: true })
    }

    /// Ends the sending side.
    #[must_use]
    pub fn end(self) -> Self {
        self.step(Step::End)
    }

    /// Expects the end next and no byte before it.
    #[must_use]
    pub fn expect_end(self) -> Self {
        self.step(Step::ExpectEnd)
    }

    /// Expects that for so long neither a byte nor the end comes.
    #[must_use]
    pub fn expect_silence(self, duration: Duration) -> Self {
        self.step(Step::ExpectSilence(duration))
    }

    /// How long each step may take, five minutes if nothing is said.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Starts the script on a loop.
    pub fn spawn(self, event_loop: &mut EventLoop, transport: Box<dyn Transport>) -> Outcome {
        let outcome = Outcome(Arc::default());
        let player = Player::new(self.steps, self.patience, transport, outcome.clone());
        event_loop.spawn(Box::new(player));
        outcome
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

impl Outcome {
    /// Whether all steps were taken, or one failed.
    pub fn is_over(&self) -> bool {
        let report = self.lock();
        report.finished || report.failure.is_some()
    }

    /// Everything that was received.
    pub fn received(&self) -> Vec<u8> {
        self.lock().received.clone()
    }

    /// The replies that were expected and came.
    pub fn replies(&self) -> Vec<HttpReply> {
        self.lock().replies.clone()
    }

    /// Checks that all steps were taken.
    ///
    /// # Panics
    /// If one failed, or the script is not at its end, with what was received until then.
    #[track_caller]
    pub fn assert_finished(&self) {
        let report = self.lock();
        let received = String::from_utf8_lossy(&report.received);
        if let Some(failure) = &report.failure {
            panic!("{failure}; received so far:\n{received}");
        }
        assert!(report.finished, "still at step {}; received so far:\n{received}", report.step);
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Report> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
