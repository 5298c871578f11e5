//! What the answers to a download say.

use std::time::{Duration, SystemTime};

use avocet_semantics::dates;
use avocet_semantics::ranges::ContentRange;
use avocet_wire::OwnedResponseHead;
use http::header::{CONTENT_RANGE, DATE, ETAG, HeaderName, LAST_MODIFIED};

/// What tells this version of the file from others: a strong entity tag, else a date that lies so
/// far back that the file cannot have changed twice within its second (RFC 9110 §8.8.2.2).
pub(super) fn validator(head: &OwnedResponseHead) -> Option<String> {
    if let Some(tag) = head.fields().get(&ETAG)
        && tag.starts_with(b"\"")
    {
        return String::from_utf8(tag.to_vec()).ok();
    }
    let changed = date(head, &LAST_MODIFIED)?;
    let answered = date(head, &DATE)?;
    (answered.duration_since(changed).ok()? >= Duration::from_secs(1))
        .then(|| head.fields().get(&LAST_MODIFIED).map(<[u8]>::to_vec))
        .flatten()
        .and_then(|bytes| String::from_utf8(bytes).ok())
}

/// The first byte of the range that came and the size of the whole.
pub(super) fn content_range(head: &OwnedResponseHead) -> Option<(u64, Option<u64>)> {
    match ContentRange::parse(head.fields().get(&CONTENT_RANGE)?).ok()? {
        ContentRange::Range { range, complete } => Some((range.first, complete)),
        ContentRange::Unsatisfied { .. } => None,
    }
}

/// The size of the whole that a refused range was not in.
pub(super) fn unsatisfied_size(head: &OwnedResponseHead) -> Option<u64> {
    match ContentRange::parse(head.fields().get(&CONTENT_RANGE)?).ok()? {
        ContentRange::Unsatisfied { complete } => Some(complete),
        ContentRange::Range { .. } => None,
    }
}

pub(super) fn date(head: &OwnedResponseHead, name: &HeaderName) -> Option<SystemTime> {
    let now = dates::seconds(SystemTime::now());
    dates::system_time(dates::parse(head.fields().get(name)?, now)?)
}

pub(super) fn number(head: &OwnedResponseHead, name: &HeaderName) -> Option<u64> {
    std::str::from_utf8(head.fields().get(name)?).ok()?.parse().ok()
}
