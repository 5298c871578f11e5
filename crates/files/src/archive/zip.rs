//! PKWARE's format (APPNOTE 6.3.10), with sizes beyond 4 GiB where they are needed (zip64).

use std::io;
use std::sync::Arc;

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

use super::Format;
use super::walk::Entry;
use crate::service::Shared;
use crate::settings::is_worth_compressing;

/// Writes entries with their sizes behind them, so that nothing has to be known before.
pub(super) struct Zip {
    shared: Arc<Shared>,
    /// Bytes written so far.
    offset: u64,
    /// The directory at the end, as far as it is known.
    directory: Vec<u8>,
    count: u64,
    current: Option<Current>,
}

/// The entry that is written now.
struct Current {
    at: u64,
    compress: Compress,
    crc: Crc,
    is_large: bool,
}

impl Zip {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        let shared = shared.clone();
        Self { shared, offset: 0, directory: Vec::new(), count: 0, current: None }
    }

    fn compress(
        &mut self,
        mut bytes: &[u8],
        flush: FlushCompress,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        let Some(current) = &mut self.current else { return Ok(()) };
        current.crc.update(bytes);
        let before = out.len();
        loop {
            out.reserve(ROOM);
            let read = current.compress.total_in();
            let status = current.compress.compress_vec(bytes, out, flush)?;
            let read = current.compress.total_in() - read;
            bytes = &bytes[usize::try_from(read).unwrap_or(bytes.len())..];
            let is_done = match flush {
                FlushCompress::Finish => status == Status::StreamEnd,
                // Room that is left says that nothing waits for it.
                _ => bytes.is_empty() && out.capacity() > out.len(),
            };
            if is_done {
                break;
            }
        }
        self.offset += (out.len() - before) as u64;
        Ok(())
    }
}

impl Format for Zip {
    fn begin(&mut self, entry: &Entry, out: &mut Vec<u8>) -> io::Result<()> {
        let name = name(entry);
        let is_large = entry.size >= LARGE;
        let media_type = self.shared.settings.types.of(&entry.name);
        let level = if is_worth_compressing(&media_type) {
            Compression::fast()
        } else {
            Compression::none()
        };
        let before = out.len();
        number(0x0403_4b50, 4, out);
        start(entry, &name, is_large, out);
        // Checksum and sizes follow the content.
        out.resize(out.len() + 12, 0);
        number(name.len() as u64, 2, out);
        let time = time(entry);
        number((time.len() + if is_large { 20 } else { 0 }) as u64, 2, out);
        out.extend_from_slice(&name);
        if is_large {
            // The presence of the field says that the sizes behind the content have eight bytes.
            number(0x0001, 2, out);
            number(16, 2, out);
            out.resize(out.len() + 16, 0);
        }
        out.extend_from_slice(&time);
        let (at, compress) = (self.offset, Compress::new(level, false));
        self.offset += (out.len() - before) as u64;
        self.current = Some(Current { at, compress, crc: Crc::new(), is_large });
        Ok(())
    }

    fn data(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        if bytes.is_empty() { Ok(()) } else { self.compress(bytes, FlushCompress::None, out) }
    }

    fn end(&mut self, entry: &Entry, len: u64, out: &mut Vec<u8>) -> io::Result<()> {
        if !entry.is_folder {
            self.compress(&[], FlushCompress::Finish, out)?;
        }
        let Some(current) = self.current.take() else { return Ok(()) };
        let (crc, packed) = (u64::from(current.crc.sum()), current.compress.total_out());
        let before = out.len();
        if !entry.is_folder {
            let width = if current.is_large { 8 } else { 4 };
            number(0x0807_4b50, 4, out);
            number(crc, 4, out);
            number(packed, width, out);
            number(len, width, out);
        }
        self.offset += (out.len() - before) as u64;
        self.count += 1;
        self.list(entry, &current, [crc, packed, len])
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        let (at, len) = (self.offset, self.directory.len() as u64);
        out.append(&mut self.directory);
        if self.count >= 0xffff || at >= FULL || len >= FULL {
            let end = at + len;
            number(0x0606_4b50, 4, out);
            number(44, 8, out);
            number(MADE_BY, 2, out);
            number(45, 2, out);
            number(0, 8, out);
            for value in [self.count, self.count, len, at] {
                number(value, 8, out);
            }
            number(0x0706_4b50, 4, out);
            number(0, 4, out);
            number(end, 8, out);
            number(1, 4, out);
        }
        number(0x0605_4b50, 4, out);
        number(0, 4, out);
        let count = self.count.min(0xffff);
        number(count, 2, out);
        number(count, 2, out);
        number(len.min(FULL), 4, out);
        number(at.min(FULL), 4, out);
        number(0, 2, out);
        Ok(())
    }
}

impl Zip {
    /// Adds an entry to the directory: checksum, size here and size of the file.
    ///
    /// *Errors*: a directory of more than [`LONGEST_DIRECTORY`] bytes.
    fn list(&mut self, entry: &Entry, current: &Current, sums: [u64; 3]) -> io::Result<()> {
        let [crc, packed, len] = sums;
        let name = name(entry);
        let mut large = Vec::new();
        for value in [len, packed, current.at] {
            if value >= FULL {
                number(value, 8, &mut large);
            }
        }
        let time = time(entry);
        let out = &mut self.directory;
        number(0x0201_4b50, 4, out);
        number(MADE_BY, 2, out);
        start(entry, &name, current.is_large || !large.is_empty(), out);
        number(crc, 4, out);
        number(packed.min(FULL), 4, out);
        number(len.min(FULL), 4, out);
        number(name.len() as u64, 2, out);
        let extra = time.len() + if large.is_empty() { 0 } else { 4 + large.len() };
        number(extra as u64, 2, out);
        // No comment, first disk, no attributes of DOS but that of a folder.
        number(0, 6, out);
        let kind: u32 = if entry.is_folder { 0o040_000 } else { 0o100_000 };
        number(
            u64::from((kind | entry.mode()) << 16 | if entry.is_folder { 0x10 } else { 0 }),
            4,
            out,
        );
        number(current.at.min(FULL), 4, out);
        out.extend_from_slice(&name);
        if !large.is_empty() {
            number(0x0001, 2, out);
            number(large.len() as u64, 2, out);
            out.extend_from_slice(&large);
        }
        out.extend_from_slice(&time);
        if out.len() > LONGEST_DIRECTORY {
            return Err(io::Error::other(
                "a zip of so many files takes too much memory; tar takes none",
            ));
        }
        Ok(())
    }
}

/// The fields that both places have in common, from the version that is needed to the date.
fn start(entry: &Entry, name: &[u8], is_large: bool, out: &mut Vec<u8>) {
    number(if is_large { 45 } else { 20 }, 2, out);
    let descriptor = if entry.is_folder { 0 } else { 1 << 3 };
    let utf8 = if std::str::from_utf8(name).is_ok() { 1 << 11 } else { 0 };
    number(descriptor | utf8, 2, out);
    number(if entry.is_folder { 0 } else { 8 }, 2, out);
    number(dos(entry.modified), 4, out);
}

/// A backslash is a separator to many who unpack, and so could lead out of their folder.
fn name(entry: &Entry) -> Vec<u8> {
    entry.name.iter().map(|&byte| if byte == b'\\' { b'_' } else { byte }).collect()
}

/// The time in seconds of UTC, as Info-ZIP has it; the other one has no zone and counts in twos.
fn time(entry: &Entry) -> Vec<u8> {
    let mut field = Vec::with_capacity(9);
    number(0x5455, 2, &mut field);
    number(5, 2, &mut field);
    number(1, 1, &mut field);
    number(u64::from(i32::try_from(entry.modified).unwrap_or(0).cast_unsigned()), 4, &mut field);
    field
}

/// Date and time of DOS, which begin with 1980 and end with 2107.
fn dos(seconds: i64) -> u64 {
    let text = avocet_semantics::dates::format_rfc3339(seconds.clamp(315_532_800, 4_354_819_199));
    let part = |from: usize, to: usize| {
        let digits = std::str::from_utf8(&text[from..to]).unwrap_or_default();
        digits.parse::<u64>().unwrap_or(0)
    };
    let date = ((part(0, 4).saturating_sub(1980)) << 9) | (part(5, 7) << 5) | part(8, 10);
    let time = (part(11, 13) << 11) | (part(14, 16) << 5) | (part(17, 19) / 2);
    (date << 16) | time
}

/// A number of so many bytes, the lowest first.
fn number(value: u64, width: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&value.to_le_bytes()[..width.min(8)]);
}

/// Files from here on get sizes of eight bytes: compressed they could need them.
const LARGE: u64 = 0xf000_0000;

/// What four bytes hold at most says that the value stands elsewhere.
const FULL: u64 = 0xffff_ffff;

/// Version 6.3 on Unix, so that rights are understood.
const MADE_BY: u64 = 3 << 8 | 63;

/// Bytes of room for what the compressor gives.
const ROOM: usize = 16 * 1024;

/// Bytes of the directory that is kept until the end; some 500,000 entries.
const LONGEST_DIRECTORY: usize = 64 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_dos() {
        // 2020-01-02T03:04:05Z
        let expected = ((40 << 9 | 1 << 5 | 2) << 16) | (3 << 11 | 4 << 5 | 2);
        assert_eq!(dos(1_577_934_245), expected);
        assert_eq!(dos(0), (1 << 5 | 1) << 16, "1980 is the earliest");
    }
}
