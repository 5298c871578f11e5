//! When a transfer is tried again, and how long it waits before.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use avocet_semantics::retry_after;
use avocet_wire::ResponseHead;
use http::StatusCode;
use http::header::RETRY_AFTER;

use crate::error::{Error, ErrorKind, Phase};
use crate::transfer::Transfer;

/// How often, after what and with which pauses a transfer is tried again.
///
/// It is tried again only where that is safe: nothing of the response was given to the caller, the
/// content can be sent again, and either the method is idempotent (RFC 9110 §9.2.2) or nothing of the
/// request had left. This is besides the one silent repetition on a fresh connection after a kept one
/// turned out to be closed. [`always`](Self::always) tries again where it is not safe, too.
///
/// ```
/// let mut config = avocet_client::Config::default();
/// config.retry.most = 3;
/// ```
///
/// *Bounds*: the pause before repetition *n* is chosen at random from the upper half of
/// `first_pause * 2^(n-1)`, which is cut at `longest_pause`, so that many clients do not come back
/// together. A Retry-After field beyond `longest_retry_after` is not waited for: the response is the
/// caller's then.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retry {
    /// At most so often. 0.
    pub most: u32,
    /// 1 s.
    pub first_pause: Duration,
    /// 1 min.
    pub longest_pause: Duration,
    /// Always just this pause instead; a Retry-After field that says more still counts. None.
    pub fixed_pause: Option<Duration>,
    /// 5 min.
    pub longest_retry_after: Duration,
    /// No repetition begins later than this after the start of the transfer. No bound.
    pub within: Option<Duration>,
    /// Whether to try again after failures of every kind that another try may end otherwise, and with
    /// every method: the caller says that this does no harm. No.
    pub always: bool,
    /// The statuses that ask for it: 408, 429, 500, 502, 503, 504.
    pub statuses: Vec<StatusCode>,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            most: 0,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
            fixed_pause: None,
            longest_retry_after: Duration::from_secs(300),
            within: None,
            always: false,
            statuses: vec![
                StatusCode::REQUEST_TIMEOUT,
                StatusCode::TOO_MANY_REQUESTS,
                StatusCode::INTERNAL_SERVER_ERROR,
                StatusCode::BAD_GATEWAY,
                StatusCode::SERVICE_UNAVAILABLE,
                StatusCode::GATEWAY_TIMEOUT,
            ],
        }
    }
}

/// When to try again after a failure; `None` if it is for good.
pub(crate) fn after_failure(
    transfer: &mut Transfer,
    error: &Error,
    policy: &Retry,
    now: Instant,
) -> Option<Instant> {
    let passing = match error.kind() {
        ErrorKind::Resolve
        | ErrorKind::Connect
        | ErrorKind::Connection
        | ErrorKind::CutShort
        | ErrorKind::Timeout => true,
        ErrorKind::Proxy => error.status().is_none_or(|status| policy.statuses.contains(&status)),
        _ => false,
    };
    let unsent = (Phase::Resolve..=Phase::Tls).contains(&error.phase());
    let safe = unsent || transfer.method.is_idempotent();
    // What the caller or a hook has ended, or what cannot be sent at all, ends the same way again.
    let own = matches!(
        error.kind(),
        ErrorKind::Cancelled
            | ErrorKind::Url
            | ErrorKind::Request
            | ErrorKind::Redirect
            | ErrorKind::Receiver
            | ErrorKind::Misuse
    );
    let wanted = (policy.always && !own) || (passing && safe);
    if !wanted || transfer.answered || error.phase() == Phase::Queue {
        return None;
    }
    again(transfer, policy, None, now)
}

/// When to try again after a response; `None` if it is the caller's.
pub(crate) fn after_status(
    transfer: &mut Transfer,
    head: &ResponseHead<'_>,
    policy: &Retry,
    now: Instant,
) -> Option<Instant> {
    if transfer.options.retries.unwrap_or(policy.most) == 0
        || !policy.statuses.contains(&head.status)
        || !(policy.always || transfer.method.is_idempotent())
    {
        return None;
    }
    let asked = match head.fields.get(&RETRY_AFTER) {
        Some(value) => retry_after::parse(value, seconds_since_epoch()),
        None => None,
    };
    if asked.is_some_and(|asked| asked > policy.longest_retry_after) {
        return None;
    }
    again(transfer, policy, asked, now)
}

fn again(
    transfer: &mut Transfer,
    policy: &Retry,
    least: Option<Duration>,
    now: Instant,
) -> Option<Instant> {
    let count = transfer.report.retries;
    if count >= transfer.options.retries.unwrap_or(policy.most) || transfer.content.is_none() {
        return None;
    }
    let at = now + pause(policy, count).max(least.unwrap_or_default());
    if transfer.deadline.is_some_and(|deadline| deadline <= at) {
        return None;
    }
    let started = transfer.report.times.started;
    if policy.within.is_some_and(|within| at.saturating_duration_since(started) > within) {
        return None;
    }
    transfer.report.retries += 1;
    transfer.begin_again();
    Some(at)
}

/// The pause after `count` repetitions.
fn pause(policy: &Retry, count: u32) -> Duration {
    if let Some(pause) = policy.fixed_pause {
        return pause;
    }
    let factor = 1_u32.checked_shl(count).unwrap_or(u32::MAX);
    let whole = policy.first_pause.saturating_mul(factor).min(policy.longest_pause);
    // Keys that the standard library draws at random per process are chance enough for this.
    let share = RandomState::new().hash_one(count) as u32;
    whole / 2 + (whole / 2).mul_f64(f64::from(share) / f64::from(u32::MAX))
}

fn seconds_since_epoch() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_their_bound_and_are_never_equal_for_all() {
        let policy = Retry::default();
        for (count, whole) in [(0, 1), (1, 2), (5, 32), (6, 60), (31, 60), (32, 60), (500, 60)] {
            let whole = Duration::from_secs(whole);
            let pauses: Vec<Duration> = (0..50).map(|_| pause(&policy, count)).collect();
            assert!(pauses.iter().all(|pause| (whole / 2..=whole).contains(pause)), "{pauses:?}");
            assert!(pauses.iter().any(|pause| *pause != pauses[0]), "{pauses:?}");
        }
        let fixed = Retry { fixed_pause: Some(Duration::from_millis(7)), ..policy };
        assert!((0..9).all(|count| pause(&fixed, count) == Duration::from_millis(7)));
    }
}
