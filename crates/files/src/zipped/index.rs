//! The directory of a zip (APPNOTE 6.3.10), read once.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::path::FilePath;

/// What is in a zip, by path.
///
/// *Bounds*: a directory of 64 MiB, some 500,000 files. Left out are entries that cannot be served:
/// encrypted ones, those of other methods than stored and deflated, links, names that are no paths
/// below a root, and whichever comes second of two with one name.
#[derive(Debug)]
pub(super) struct Index {
    nodes: BTreeMap<Vec<u8>, Node>,
}

#[derive(Debug)]
pub(super) enum Node {
    File(Entry),
    /// The names in it.
    Folder(Vec<Vec<u8>>),
}

/// A file in the zip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) is_deflated: bool,
    pub(super) crc: u32,
    /// Bytes in the zip.
    pub(super) packed: u64,
    /// Bytes of the file.
    pub(super) size: u64,
    /// Where its head is.
    at: u64,
    pub(super) modified: i64,
}

impl Index {
    /// *Errors*: a file that is no zip, or one whose directory is broken or too long.
    pub(super) fn read(file: &File, len: u64) -> io::Result<Self> {
        let (at, size) = locate(file, len)?;
        let size = usize::try_from(size).ok().filter(|&size| size <= LONGEST);
        let mut directory = vec![0; size.ok_or_else(|| invalid("its directory is too long"))?];
        file.read_exact_at(&mut directory, at)?;
        let mut index = Self { nodes: BTreeMap::from([(Vec::new(), Node::Folder(Vec::new()))]) };
        let mut rest = directory.as_slice();
        while !rest.is_empty() {
            let record = Record::read(rest).ok_or_else(|| invalid("its directory is broken"))?;
            rest = &rest[record.len..];
            index.add(&record);
        }
        Ok(index)
    }

    pub(super) fn get(&self, path: &FilePath<'_>) -> Option<&Node> {
        self.nodes.get(path.as_bytes())
    }

    fn add(&mut self, record: &Record<'_>) {
        let is_folder = record.name.ends_with(b"/");
        let clean = FilePath::from_clean(record.name.to_vec());
        let Some(path) = clean.filter(|path| !path.is_root() && record.is_servable) else {
            log::info!("{} in the zip is not served", record.name.escape_ascii());
            return;
        };
        let path = path.as_bytes();
        let node = if is_folder { Node::Folder(Vec::new()) } else { Node::File(record.entry) };
        if !self.has_folders_above(path) || self.nodes.contains_key(path) {
            if !is_folder {
                log::info!("{} is in the zip a second time", record.name.escape_ascii());
            }
            return;
        }
        self.nodes.insert(path.to_vec(), node);
    }

    /// Makes the folders that a path is in, and notes each in the one above; false where one of them
    /// is a file.
    fn has_folders_above(&mut self, path: &[u8]) -> bool {
        let (parent, name) = match path.iter().rposition(|&byte| byte == b'/') {
            Some(slash) => (&path[..slash], &path[slash + 1..]),
            None => (&b""[..], path),
        };
        if !self.nodes.contains_key(parent) {
            if !self.has_folders_above(parent) {
                return false;
            }
            self.nodes.insert(parent.to_vec(), Node::Folder(Vec::new()));
        }
        let is_known = self.nodes.contains_key(path);
        match self.nodes.get_mut(parent) {
            Some(Node::Folder(names)) => {
                if !is_known {
                    names.push(name.to_vec());
                }
                true
            }
            _ => false,
        }
    }
}

impl Entry {
    /// Where its content begins.
    ///
    /// *Errors*: a head that is none, or content beyond the end of the zip.
    pub(super) fn start(&self, file: &File, len: u64) -> io::Result<u64> {
        let mut head = [0; 30];
        file.read_exact_at(&mut head, self.at)?;
        if head[..4] != *b"PK\x03\x04" {
            return Err(invalid("the head of an entry is broken"));
        }
        let start = self.at + 30 + number(&head, 26, 2) + number(&head, 28, 2);
        match start.checked_add(self.packed) {
            Some(end) if end <= len => Ok(start),
            _ => Err(invalid("an entry ends beyond the end")),
        }
    }
}

/// A record of the directory.
struct Record<'b> {
    name: &'b [u8],
    entry: Entry,
    is_servable: bool,
    len: usize,
}

impl<'b> Record<'b> {
    fn read(bytes: &'b [u8]) -> Option<Self> {
        let fixed = bytes.get(..46).filter(|fixed| fixed.starts_with(b"PK\x01\x02"))?;
        let length = |at| usize::try_from(number(fixed, at, 2)).unwrap_or(usize::MAX);
        let (name_end, extra_end) = (46 + length(28), 46 + length(28) + length(30));
        let len = extra_end + length(32);
        let (name, extra) = (bytes.get(46..name_end)?, bytes.get(name_end..extra_end)?);
        bytes.get(..len)?;
        let (flags, method) = (number(fixed, 8, 2), number(fixed, 10, 2));
        let mut values = [number(fixed, 24, 4), number(fixed, 20, 4), number(fixed, 42, 4)];
        let mut modified = from_dos(number(fixed, 12, 4));
        for (kind, value) in extras(extra) {
            match kind {
                // The values that do not fit, in this order.
                0x0001 => {
                    let mut rest = value;
                    for value in values.iter_mut().filter(|value| **value == FULL) {
                        *value = number(rest.get(..8)?, 0, 8);
                        rest = &rest[8..];
                    }
                }
                0x5455 if value.len() >= 5 && value[0] & 1 == 1 => {
                    let seconds = u32::try_from(number(value, 1, 4)).unwrap_or_default();
                    modified = seconds.cast_signed().into();
                }
                _ => {}
            }
        }
        let [size, packed, at] = values;
        let crc = u32::try_from(number(fixed, 16, 4)).unwrap_or_default();
        let is_deflated = method == 8;
        let entry = Entry { is_deflated, crc, packed, size, at, modified };
        // Type and rights of Unix stand in the upper half.
        let is_link = number(fixed, 5, 1) == 3 && number(fixed, 40, 2) & 0o170_000 == 0o120_000;
        let is_whole = is_deflated || method == 0 && packed == size;
        let is_encrypted = flags & 1 == 1;
        Some(Self { name, entry, is_servable: is_whole && !is_encrypted && !is_link, len })
    }
}

fn extras(mut rest: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    std::iter::from_fn(move || {
        let head = rest.get(..4)?;
        let len = usize::try_from(number(head, 2, 2)).ok()?;
        let value = rest.get(4..4 + len)?;
        rest = &rest[4 + len..];
        Some((number(head, 0, 2), value))
    })
}

/// Where the directory is, and how long.
fn locate(file: &File, len: u64) -> io::Result<(u64, u64)> {
    let tail_len = len.min(22 + 0xffff);
    let start = len - tail_len;
    let mut tail = vec![0; usize::try_from(tail_len).unwrap_or(0)];
    file.read_exact_at(&mut tail, start)?;
    // The comment may hold anything, so the end is where the length of the comment fits.
    let fits = |at: &usize| {
        let record = &tail[*at..];
        record.starts_with(b"PK\x05\x06") && number(record, 20, 2) == (record.len() - 22) as u64
    };
    let last = tail.len().checked_sub(22);
    let end = last.and_then(|last| (0..=last).rev().find(fits));
    let end = end.ok_or_else(|| invalid("it is no zip, or cut off"))?;
    let (mut size, mut at) = (number(&tail, end + 12, 4), number(&tail, end + 16, 4));
    let before = start + end as u64;
    if at == FULL || size == FULL || number(&tail, end + 10, 2) == 0xffff {
        let mut locator = [0; 20];
        let place = before.checked_sub(20).ok_or_else(|| invalid("its end is broken"))?;
        file.read_exact_at(&mut locator, place)?;
        if locator.starts_with(b"PK\x06\x07") {
            let mut large = [0; 56];
            file.read_exact_at(&mut large, number(&locator, 8, 8))?;
            if !large.starts_with(b"PK\x06\x06") {
                return Err(invalid("its end is broken"));
            }
            (size, at) = (number(&large, 40, 8), number(&large, 48, 8));
        }
    }
    match at.checked_add(size) {
        Some(end) if end <= before => Ok((at, size)),
        _ => Err(invalid("its directory is not where it should be")),
    }
}

/// The time of DOS as if it were of UTC, since it does not say of where.
fn from_dos(value: u64) -> i64 {
    let part = |shift: u32, bits: u32| (value >> shift) & ((1 << bits) - 1);
    let day = |at, bits, most| i64::try_from(part(at, bits).clamp(1, most)).unwrap_or(1);
    let year = 1980 + i64::try_from(part(25, 7)).unwrap_or_default();
    let days = days_since_1970(year, day(21, 4, 12), day(16, 5, 31));
    let seconds = part(11, 5) * 3600 + part(5, 6) * 60 + part(0, 5) * 2;
    days * 86_400 + i64::try_from(seconds).unwrap_or_default()
}

/// Of a date of the Gregorian calendar.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin with March have their odd day at the end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// A number of so many bytes, the lowest first.
fn number(bytes: &[u8], at: usize, width: usize) -> u64 {
    let digits = bytes.get(at..at + width).unwrap_or_default();
    digits.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

const LONGEST: usize = 64 * 1024 * 1024;

/// What four bytes hold at most says that the value stands elsewhere.
const FULL: u64 = 0xffff_ffff;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_dos() {
        let dos = |year: u64, month: u64, day: u64, hour: u64, minute: u64, second: u64| {
            ((year - 1980) << 25)
                | (month << 21)
                | (day << 16)
                | (hour << 11)
                | (minute << 5)
                | (second / 2)
        };
        assert_eq!(from_dos(dos(2020, 1, 2, 3, 4, 4)), 1_577_934_244);
        assert_eq!(from_dos(dos(1980, 1, 1, 0, 0, 0)), 315_532_800);
        assert_eq!(from_dos(dos(2024, 2, 29, 23, 59, 58)), 1_709_251_198);
        assert_eq!(from_dos(0), 315_532_800, "a month of zero is the first");
    }
}
