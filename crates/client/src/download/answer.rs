//! What the answers to a download say.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use avocet_semantics::ranges::ContentRange;
use avocet_semantics::{dates, file_names};
use avocet_wire::OwnedResponseHead;
use http::header::{CONTENT_RANGE, DATE, ETAG, HeaderName, LAST_MODIFIED};

use super::{Download, DownloadError};

/// Where the file goes, as far as that is known before the server is asked.
pub(super) fn target(download: &Download) -> Result<PathBuf, DownloadError> {
    if let Some(file) = &download.file {
        return Ok(download.folder.join(file));
    }
    let url = &download.mirrors[0];
    let last = url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default();
    let decoded = percent_decoded(last);
    let name = file_names::safe(&decoded).ok_or_else(|| DownloadError::Nameless(url.clone()))?;
    Ok(download.folder.join(Path::new(&name)))
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        if let (b'%', [high, low, tail @ ..]) = (first, after)
            && let (Some(high), Some(low)) = (digit(high), digit(low))
        {
            bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'_'));
            rest = tail;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

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
