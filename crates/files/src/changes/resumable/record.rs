//! What is known of an upload, as it stands in a file beside its draft.
//!
//! ```text
//! avocet-upload 1
//! name report.pdf
//! inode 1234
//! offset 5678
//! length 9000
//! if-none-match *
//! end
//! ```
//!
//! There is one way to write a record, and nothing else is read: of a file that somebody else could have
//! made, or that a loss of power has left as it was, nothing is guessed.

use crate::changes::terms::{NAMES, Terms};

/// A state of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// The name that the file is to have.
    pub(super) name: Vec<u8>,
    /// The number of the draft in its file system.
    pub(super) inode: u64,
    /// How many bytes of the draft are on the disk for certain.
    pub(super) offset: u64,
    /// The length of the whole, where it is known.
    pub(super) length: Option<u64>,
    pub(super) terms: Terms,
}

impl Record {
    pub(super) fn write(&self) -> Vec<u8> {
        let mut text = FIRST.to_vec();
        line(&mut text, "name", &self.name);
        line(&mut text, "inode", self.inode.to_string().as_bytes());
        line(&mut text, "offset", self.offset.to_string().as_bytes());
        if let Some(length) = self.length {
            line(&mut text, "length", length.to_string().as_bytes());
        }
        for (name, value) in self.terms.iter() {
            line(&mut text, name, value);
        }
        text.extend_from_slice(LAST);
        text
    }

    /// `None` for anything that [`write`](Self::write) does not write, and for one that contradicts
    /// itself.
    ///
    /// *Bounds*: [`LARGEST`].
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        if text.len() > LARGEST {
            return None;
        }
        let text = text.strip_prefix(FIRST)?.strip_suffix(LAST)?;
        let mut lines = text.split_inclusive(|&byte| byte == b'\n').map(pair).peekable();
        let name = lines.next()?.and_then(|found| named(found, "name"))?;
        if name.is_empty() || name.len() > 255 || name.contains(&b'/') || name.contains(&0) {
            return None;
        }
        let inode = lines.next()?.and_then(|found| named(found, "inode")).and_then(number)?;
        let offset = lines.next()?.and_then(|found| named(found, "offset")).and_then(number)?;
        let length = match lines.peek() {
            Some(Some((b"length", value))) => {
                let length = number(value)?;
                lines.next();
                Some(length)
            }
            _ => None,
        };
        let mut terms = Terms::default();
        for found in lines {
            let (name, value) = found?;
            let name = NAMES.into_iter().find(|known| known.as_bytes() == name)?;
            terms.add(name, value);
        }
        let fits = length.is_none_or(|length| offset <= length);
        fits.then(|| Self { name: name.to_vec(), inode, offset, length, terms })
    }
}

fn line(text: &mut Vec<u8>, name: &str, value: &[u8]) {
    text.extend_from_slice(name.as_bytes());
    text.push(b' ');
    text.extend_from_slice(value);
    text.push(b'\n');
}

/// What stands before and behind the first space of a line.
fn pair(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line.strip_suffix(b"\n")?;
    let space = line.iter().position(|&byte| byte == b' ')?;
    Some((&line[..space], &line[space + 1..]))
}

fn named<'t>((name, value): (&[u8], &'t [u8]), wanted: &str) -> Option<&'t [u8]> {
    (name == wanted.as_bytes()).then_some(value)
}

/// A number as `to_string` writes it.
fn number(digits: &[u8]) -> Option<u64> {
    let number: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (number.to_string().as_bytes() == digits).then_some(number)
}

/// Bytes of a record: those of a name, of the conditions and some numbers.
pub(super) const LARGEST: usize = 8 * 1024;

const FIRST: &[u8] = b"avocet-upload 1\n";
const LAST: &[u8] = b"end\n";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record() -> impl Strategy<Value = Record> {
        let name = "[^/\0\n]{1,60}".prop_map(String::into_bytes);
        let length = proptest::option::of(any::<u64>());
        let terms = proptest::collection::vec((0..NAMES.len(), "[^\n]{0,40}"), 0..4);
        (name, any::<u64>(), any::<u64>(), length, terms).prop_map(
            |(name, inode, offset, length, found)| {
                let mut terms = Terms::default();
                for (index, value) in found {
                    assert!(terms.add(NAMES[index], value.as_bytes()));
                }
                let offset = length.map_or(offset, |length| offset.min(length));
                Record { name, inode, offset, length, terms }
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(record in record()) {
            prop_assert_eq!(Record::read(&record.write()), Some(record));
        }

        #[test]
        fn nothing_but_what_is_written_is_read(
            record in record(),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
            cut in any::<bool>(),
        ) {
            let mut text = record.write();
            let at = at.index(text.len());
            if cut { text.truncate(at) } else { text[at] = byte }
            if let Some(read) = Record::read(&text) {
                prop_assert_eq!(read.write(), text, "there is one way to write it");
            }
        }

        #[test]
        fn any_bytes_are_refused_or_read(
            lines in proptest::collection::vec("(name|inode|offset|length|if-match)? ?[0-9a-z/\\\\]{0,9}", 0..8),
        ) {
            let text = [FIRST, lines.join("\n").as_bytes(), b"\n", LAST].concat();
            if let Some(read) = Record::read(&text) {
                prop_assert_eq!(read.write(), text);
            }
        }
    }

    #[test]
    fn records_that_are_none_are_refused() {
        let text = |body: &str| format!("avocet-upload 1\n{body}end\n");
        let good = text("name a\ninode 1\noffset 2\nlength 3\nif-match \"x\"\n");
        assert!(Record::read(good.as_bytes()).is_some());
        for body in [
            "",
            "name a\ninode 1\n",
            "inode 1\nname a\noffset 2\n",
            "name a\ninode 1\noffset 02\n",
            "name a\ninode 1\noffset +2\n",
            "name a\ninode 1\noffset 18446744073709551616\n",
            "name a\ninode 1\noffset 4\nlength 3\n",
            "name a/b\ninode 1\noffset 2\n",
            "name \ninode 1\noffset 2\n",
            "name a\0\ninode 1\noffset 2\n",
            "name a\ninode 1\noffset 2\nrange bytes=0-1\n",
            "name a\ninode 1\noffset 2\nif-match \"x\"\nlength 3\n",
            "name a\ninode 1\noffset 2\n\n",
        ] {
            assert_eq!(Record::read(text(body).as_bytes()), None, "{body:?}");
        }
        assert_eq!(Record::read(&good.as_bytes()[..good.len() - 1]), None);
        assert_eq!(Record::read(&[0; 100]), None);
        let long = text(&format!("name a\ninode 1\noffset 2\nif-match {}\n", "x".repeat(LARGEST)));
        assert_eq!(Record::read(long.as_bytes()), None);
    }
}
