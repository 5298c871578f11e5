//! The format of POSIX.1-2017, `pax`: ustar with records for what does not fit.

use std::io;

use super::Format;
use super::walk::Entry;

pub(super) struct Tar;

impl Format for Tar {
    fn begin(&mut self, entry: &Entry, out: &mut Vec<u8>) -> io::Result<()> {
        let fits = entry.name.len() <= 100 && entry.name.is_ascii();
        let mut records = Vec::new();
        if !fits {
            // Names in records are UTF-8 unless it is said that they are just bytes.
            if std::str::from_utf8(&entry.name).is_err() {
                record(b"hdrcharset", b"BINARY", &mut records);
            }
            record(b"path", &entry.name, &mut records);
        }
        if entry.size > LARGEST_OCTAL {
            record(b"size", entry.size.to_string().as_bytes(), &mut records);
        }
        if !records.is_empty() {
            let size = records.len() as u64;
            out.extend(header(b"pax", size, 0o644, 0, b'x'));
            out.extend_from_slice(&records);
            pad(size, out);
        }
        let kind = if entry.is_folder { b'5' } else { b'0' };
        let ascii: Vec<u8> =
            entry.name.iter().map(|&byte| if byte.is_ascii() { byte } else { b'_' }).collect();
        let name = if fits { &entry.name } else { &ascii[..ascii.len().min(100)] };
        let size = entry.size.min(LARGEST_OCTAL);
        out.extend(header(name, size, entry.mode(), entry.modified, kind));
        Ok(())
    }

    fn data(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        out.extend_from_slice(bytes);
        Ok(())
    }

    /// *Errors*: a file that is shorter than its head says, for the bytes that are missing would be lies.
    fn end(&mut self, entry: &Entry, len: u64, out: &mut Vec<u8>) -> io::Result<()> {
        if len != entry.size {
            return Err(io::Error::other("a file became shorter while it was archived"));
        }
        pad(len, out);
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        out.resize(out.len() + 2 * BLOCK, 0);
        Ok(())
    }
}

fn header(name: &[u8], size: u64, mode: u32, modified: i64, kind: u8) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name);
    put(100, format!("{mode:07o}").as_bytes());
    put(108, b"0000000\x000000000\x00");
    put(124, format!("{size:011o}").as_bytes());
    let modified = u64::try_from(modified).unwrap_or(0).min(LARGEST_OCTAL);
    put(136, format!("{modified:011o}").as_bytes());
    // The sum counts itself as eight blanks.
    put(148, b"        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// A record has its own length before it, digits included.
fn record(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    let rest = name.len() + value.len() + 3;
    let mut len = rest + 1;
    while rest + len.to_string().len() != len {
        len = rest + len.to_string().len();
    }
    out.extend_from_slice(len.to_string().as_bytes());
    for part in [b" ", name, b"=", value, b"\n"] {
        out.extend_from_slice(part);
    }
}

fn pad(len: u64, out: &mut Vec<u8>) {
    let past = usize::try_from(len % BLOCK as u64).unwrap_or(0);
    if past > 0 {
        out.resize(out.len() + BLOCK - past, 0);
    }
}

const BLOCK: usize = 512;

/// What eleven octal digits hold: 8 GiB less one.
const LARGEST_OCTAL: u64 = 0o77_777_777_777;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_count_their_own_length() {
        let written = |value: &[u8]| {
            let mut out = Vec::new();
            record(b"path", value, &mut out);
            out
        };
        assert_eq!(written(b"x"), b"9 path=x\n");
        for len in [1, 80, 89, 90, 91, 92, 93, 980, 990, 995] {
            let record = written(&vec![b'x'; len]);
            let digits = record.split(|&byte| byte == b' ').next().unwrap();
            let told: usize = std::str::from_utf8(digits).unwrap().parse().unwrap();
            assert_eq!(told, record.len(), "{len}");
        }
    }
}
