//! Tries after content had begun to come.
//!
//! The client tries again by itself until it has given something of an answer to its caller. What then
//! fails only the caller can begin anew, who knows whether what was written can be taken back.

use std::time::{Duration, Instant};

use avocet::client::{Error, ErrorKind};
use http::Method;

use super::args::Patience;
use super::sink::Sink;
use super::targets::Target;

/// A transfer that is to be tried, for the first time or again.
pub(super) struct Try {
    pub(super) target: Target,
    pub(super) sink: Sink,
    /// Not before this.
    pub(super) at: Instant,
    /// Tries that have failed.
    pub(super) failed: u32,
    /// When the first began.
    pub(super) begun: Instant,
}

/// Whether a failure within the content may pass: time-outs may, as curl has it, and everything where
/// that was asked for.
pub(super) fn may_pass(patience: &Patience, method: &Method, error: &Error) -> bool {
    let own = matches!(error.kind(), ErrorKind::Cancelled | ErrorKind::Receiver);
    (patience.retry_all_errors && !own) || (error.is_timeout() && method.is_idempotent())
}

/// The pause before the next try; `None` when there were enough.
pub(super) fn pause(patience: &Patience, failed: u32, begun: Instant) -> Option<Duration> {
    if failed >= patience.retry {
        return None;
    }
    let given = patience.retry_delay.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let doubled = Duration::from_secs(1_u64.checked_shl(failed).unwrap_or(u64::MAX));
    let pause = given.unwrap_or_else(|| doubled.min(LONGEST_PAUSE));
    let within = patience.retry_max_time.filter(|seconds| *seconds > 0.0);
    let late = within.is_some_and(|most| (begun.elapsed() + pause).as_secs_f64() > most);
    (!late).then_some(pause)
}

/// As long as the client's own.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
