//! What tells one state of a file from another.

use std::time::{Duration, SystemTime};

use avocet_semantics::conditions::Validators;
use avocet_semantics::dates;
use avocet_semantics::entity_tags::EntityTag;

use crate::metadata::Metadata;

/// An entity tag and a date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    opaque: String,
    is_weak: bool,
    /// Last-Modified, as it is sent.
    modified: i64,
    /// For how long the tag must stay weak.
    unsettled_for: Option<Duration>,
}

impl Stamp {
    /// The stamp of a file with this state at the time `now`, which must not be later than the
    /// moment at which the state was asked for.
    ///
    /// The tag is made of inode, size and the time of change to the nanosecond. While that time is
    /// not two seconds old the tag is weak, because a second change could fall into the same tick of
    /// the file system's clock and leave all three as they are (RFC 9110 §8.8.1).
    pub(crate) fn new(metadata: &Metadata, now: SystemTime) -> Self {
        let (seconds, nanos) = metadata.modified;
        let tick = seconds.cast_unsigned().wrapping_mul(1_000_000_000).wrapping_add(nanos.into());
        let opaque = format!("{:x}-{:x}-{tick:x}", metadata.inode, metadata.size);
        let unsettled_for = unsettled_for(metadata.modified, now);
        // "An origin server with a clock MUST NOT generate a Last-Modified date that is later than
        // the server's time of message origination" (RFC 9110 §8.8.2.1).
        let modified = seconds.min(dates::seconds(now));
        Self { opaque, is_weak: unsettled_for.is_some(), modified, unsettled_for }
    }

    /// The stamp of the same state in another coding that is made anew each time, so that its bytes
    /// may differ from program to program.
    pub(crate) fn coded(&self, coding: &str) -> Self {
        let opaque = format!("{}-{coding}", self.opaque);
        Self { opaque, is_weak: true, ..*self }
    }

    pub(crate) fn validators(&self) -> Validators<'_> {
        let opaque = self.opaque.as_bytes();
        let tag = if self.is_weak { EntityTag::weak(opaque) } else { EntityTag::strong(opaque) };
        Validators { tag, modified: Some(self.modified) }
    }

    /// The value of ETag.
    pub(crate) fn tag(&self) -> String {
        format!("{}\"{}\"", if self.is_weak { "W/" } else { "" }, self.opaque)
    }

    /// The value of Last-Modified.
    pub(crate) fn date(&self) -> [u8; 29] {
        dates::format_imf(self.modified)
    }

    /// For how long the state may still change without a trace; `None` when it may not.
    pub(crate) fn unsettled_for(&self) -> Option<Duration> {
        self.unsettled_for
    }
}

fn unsettled_for((seconds, nanos): (i64, u32), now: SystemTime) -> Option<Duration> {
    let modified = dates::system_time(seconds)?.checked_add(Duration::from_nanos(nanos.into()))?;
    match now.duration_since(modified) {
        Ok(age) => SETTLED.checked_sub(age).filter(|rest| !rest.is_zero()),
        // A time that is still to come says nothing about when the change was.
        Err(error) => Some(SETTLED.saturating_add(error.duration())),
    }
}

const SETTLED: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Kind;

    fn metadata(modified: (i64, u32)) -> Metadata {
        Metadata {
            kind: Kind::File,
            device: 1,
            inode: 0xab,
            size: 0x10,
            modified,
            changed: modified,
        }
    }

    fn at(seconds: u64, nanos: u32) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::new(seconds, nanos)
    }

    #[test]
    fn a_tag_is_weak_until_two_seconds_after_the_change() {
        let file = metadata((1_000, 5));
        let tag = |now| Stamp::new(&file, now).tag();
        assert_eq!(tag(at(1_000, 5)), "W/\"ab-10-e8d4a51005\"");
        assert_eq!(tag(at(1_002, 4)), "W/\"ab-10-e8d4a51005\"");
        assert_eq!(tag(at(1_002, 5)), "\"ab-10-e8d4a51005\"");
        assert_eq!(tag(at(999, 0)), "W/\"ab-10-e8d4a51005\"");
        let rest = Stamp::new(&file, at(1_001, 5)).unsettled_for();
        assert_eq!(rest, Some(Duration::from_secs(1)));
    }

    #[test]
    fn the_date_is_never_in_the_future() {
        let stamp = Stamp::new(&metadata((2_000_000_000, 0)), at(784_111_777, 0));
        assert_eq!(&stamp.date(), b"Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn a_coding_made_anew_has_a_weak_tag_of_its_own() {
        let stamp = Stamp::new(&metadata((1_000, 0)), at(2_000, 0));
        assert_eq!(stamp.coded("br").tag(), "W/\"ab-10-e8d4a51000-br\"");
    }

    #[test]
    fn times_before_1970_have_tags_too() {
        let stamp = Stamp::new(&metadata((-1, 999_999_999)), at(2, 0));
        assert_eq!(stamp.tag(), "\"ab-10-ffffffffffffffff\"");
        assert_eq!(&stamp.date(), b"Wed, 31 Dec 1969 23:59:59 GMT");
    }
}
