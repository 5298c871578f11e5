//! When a download is tried again.

use std::time::Duration;

use super::DownloadError;
use crate::error::ErrorKind;

/// Whether another try may have better luck.
pub(super) fn may_pass(error: &DownloadError) -> bool {
    match error {
        DownloadError::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..),
        DownloadError::Answer { .. } => true,
        DownloadError::Transfer(error) => !matches!(
            error.kind(),
            ErrorKind::Url
                | ErrorKind::Request
                | ErrorKind::Resolve
                | ErrorKind::Connect
                | ErrorKind::Tls
                | ErrorKind::Redirect
        ),
        _ => false,
    }
}

/// Doubles with every failure up to a minute, less up to a half at random, so that many clients do not
/// come back together.
pub(super) fn pause(first: Duration, failures: u32) -> Duration {
    let full = first.saturating_mul(1 << failures.saturating_sub(1).min(6)).min(LONGEST_PAUSE);
    let seed =
        std::hash::BuildHasher::hash_one(&std::collections::hash_map::RandomState::new(), failures);
    full.mul_f64(0.5 + (seed % 1000) as f64 / 2000.0)
}

const LONGEST_PAUSE: Duration = Duration::from_secs(60);
