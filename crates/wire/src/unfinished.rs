//! Sections that come in pieces: which of their lines were checked, so that each is looked at once.

use memchr::{memchr, memrchr};

use crate::content::length;
use crate::error::ReadError;

/// How far an unfinished head, trailer section or chunk-size line was looked at.
///
/// A section that comes whole is parsed at once and never gets here. One that does not is checked line by
/// line, each when its end has come, so that a fault shows at the same byte however the input is cut; and
/// parsed when it is whole, because the table of spans belongs to no connection and remembers nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unfinished {
    /// Bytes that were searched for line feeds.
    pub(crate) scanned: u32,
    /// Lines that were checked.
    pub(crate) lines: u16,
    /// Empty lines that were skipped before the section.
    pub(crate) empty_lines: u8,
}

impl Unfinished {
    pub(crate) const NOTHING: Self = Self { scanned: 0, lines: 0, empty_lines: 0 };

    /// Whether nothing of the section was looked at.
    pub(crate) fn is_fresh(self) -> bool {
        self.scanned == 0
    }

    /// Checks every line of `section` that has come whole since the last call, by `check(line, number)`; it
    /// says whether the line ends the section. Gives whether the section has come whole.
    pub(crate) fn advance(
        &mut self,
        section: &[u8],
        mut check: impl FnMut(&[u8], usize) -> Result<bool, ReadError>,
    ) -> Result<bool, ReadError> {
        let mut from = self.scanned as usize;
        while let Some(offset) = section.get(from..).and_then(|fresh| memchr(b'\n', fresh)) {
            let end = from + offset;
            let before = section.get(..end).unwrap_or_default();
            let start = memrchr(b'\n', before).map_or(0, |line_feed| line_feed + 1);
            let line = section.get(start..=end).unwrap_or_default();
            if check(line, usize::from(self.lines)).map_err(|error| error.shifted(start))? {
                return Ok(true);
            }
            self.lines = self.lines.saturating_add(1);
            from = end + 1;
        }
        self.scanned = length(section);
        Ok(false)
    }
}
