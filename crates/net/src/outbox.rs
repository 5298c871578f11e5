//! Output that waits for its transport: heads and small contents coalesced, large ones and files
//! as they are.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IoSlice};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;

/// A piece of output.
#[derive(Debug)]
pub enum Segment {
    /// Bytes of the outbox's own.
    Owned(Vec<u8>),
    /// Bytes shared with others.
    Shared(Bytes),
    /// Bytes of the program.
    Static(&'static [u8]),
    /// A range of a file, sent without passing through user space where the transport can.
    File(FileRange),
}

/// So many bytes of a file from an offset on.
#[derive(Clone, Debug)]
pub struct FileRange {
    /// The open file; its own position is not used.
    pub file: Arc<File>,
    /// The first byte.
    pub offset: u64,
    /// The number of bytes. A file that turns out to be shorter is an error on sending.
    pub len: u64,
}

/// Output in order.
///
/// *Bounds*: none of its own on what waits: who fills it looks at [`Outbox::len`] and stops. Beyond
/// what waits it holds at most 64 KiB that are written already, and one spare buffer of 64 KiB.
#[derive(Debug, Default)]
pub struct Outbox {
    segments: VecDeque<Segment>,
    /// Bytes of the front segment that are written already.
    written: usize,
    len: u64,
    /// A buffer that was emptied, kept for the next bytes.
    spare: Vec<u8>,
    pause: Option<Pause>,
}

/// Why a transport stopped writing although no event is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pause {
    /// It has had its share of this turn; the rest goes on after the other tasks.
    Share,
    /// The kernel contradicts itself about whether it takes more; the rest is tried again soon.
    Doubt,
}

impl Outbox {
    /// An empty outbox, which has allocated nothing.
    pub const fn new() -> Self {
        Self { segments: VecDeque::new(), written: 0, len: 0, spare: Vec::new(), pause: None }
    }

    /// The bytes that wait, files included.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Notes that the transport stops although it could go on; see [`Transport::write`].
    ///
    /// [`Transport::write`]: crate::Transport::write
    pub fn pause(&mut self, pause: Pause) {
        self.pause = Some(pause);
    }

    /// Takes the note of the last write.
    pub fn take_pause(&mut self) -> Option<Pause> {
        self.pause.take()
    }

    /// Lets `fill` append to the bytes at the end, so that small pieces leave in one call.
    ///
    /// # Panics
    /// If `fill` takes away what stood there before.
    pub fn append<R>(&mut self, fill: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        // A long tail is not continued: its written part is freed only with the whole, and an
        // outbox that is never quite empty would grow for as long as its connection lives.
        let continued =
            matches!(self.segments.back(), Some(Segment::Owned(tail)) if tail.len() < FULL);
        if !continued {
            let mut buf = std::mem::take(&mut self.spare);
            buf.clear();
            self.segments.push_back(Segment::Owned(buf));
        }
        let Some(Segment::Owned(tail)) = self.segments.back_mut() else {
            unreachable!("an owned segment was pushed above")
        };
        let before = tail.len();
        let result = fill(tail);
        assert!(tail.len() >= before, "the tail may only grow");
        self.len += (tail.len() - before) as u64;
        if tail.is_empty()
            && let Some(Segment::Owned(unused)) = self.segments.pop_back()
        {
            self.spare = unused;
        }
        result
    }

    /// Appends a copy of the bytes.
    pub fn push_slice(&mut self, bytes: &[u8]) {
        self.append(|tail| tail.extend_from_slice(bytes));
    }

    /// The longest range of a file that is read as soon as it is appended: up to here a copy costs less
    /// than a call of its own for the file.
    pub const SMALL_FILE: u64 = 16 * 1024;

    /// Appends a segment; small bytes, and small ranges of files, are copied into the tail instead, so
    /// that they leave in one call with what stands before them.
    ///
    /// A range that cannot be read stays what it is: the error comes when it is its turn to be sent.
    pub fn push(&mut self, segment: Segment) {
        match &segment {
            Segment::Owned(bytes) if bytes.len() < COALESCE => self.push_slice(bytes),
            Segment::Shared(bytes) if bytes.len() < COALESCE => self.push_slice(bytes),
            Segment::Static(bytes) if bytes.len() < COALESCE => self.push_slice(bytes),
            Segment::File(range) if range.len == 0 => {}
            Segment::File(range) if range.len <= Self::SMALL_FILE && self.read_now(range) => {}
            _ => {
                self.len += segment.len();
                self.segments.push_back(segment);
            }
        }
    }

    /// Whether what was appended last is a range of a file that is still to be read.
    pub fn ends_with_file(&self) -> bool {
        matches!(self.segments.back(), Some(Segment::File(_)))
    }

    /// Reads a range of a file into the tail; false, and nothing is appended, if not all of it is there.
    fn read_now(&mut self, range: &FileRange) -> bool {
        let Ok(len) = usize::try_from(range.len) else { return false };
        self.append(|tail| {
            let start = tail.len();
            tail.resize(start + len, 0);
            let read = range.file.read_exact_at(&mut tail[start..], range.offset);
            if read.is_err() {
                tail.truncate(start);
            }
            read.is_ok()
        })
    }

    /// The bytes at the front, or the file range there. `None` when empty.
    pub fn front(&self) -> Option<Front<'_>> {
        let segment = self.segments.front()?;
        Some(match segment.bytes() {
            Ok(bytes) => Front::Bytes(&bytes[self.written..]),
            Err(range) => Front::File(range),
        })
    }

    /// The bytes that wait when they are all in one piece.
    pub(crate) fn only(&self) -> Option<&[u8]> {
        if self.segments.len() != 1 {
            return None;
        }
        self.segments.front()?.bytes().ok().map(|bytes| &bytes[self.written..])
    }

    /// Collects the leading byte segments into `slices`, at most so many bytes; says how many there
    /// are and whether a file follows.
    pub fn gather<'a>(&'a self, slices: &mut [IoSlice<'a>], most: usize) -> (usize, bool) {
        let (mut count, mut left) = (0, most);
        for (index, segment) in self.segments.iter().enumerate() {
            let Ok(bytes) = segment.bytes() else { return (count, true) };
            if count == slices.len() || left == 0 {
                break;
            }
            let skip = if index == 0 { self.written } else { 0 };
            let part = &bytes[skip..];
            let part = &part[..part.len().min(left)];
            left -= part.len();
            slices[count] = IoSlice::new(part);
            count += 1;
        }
        (count, false)
    }

    /// Drops so many bytes from the front.
    ///
    /// # Panics
    /// If more is dropped than waits, which is a bug of a transport.
    pub fn consume(&mut self, count: u64) {
        assert!(count <= self.len, "more was written than there was");
        self.len -= count;
        let mut left = count;
        while let Some(front) = self.segments.front_mut() {
            let rest = front.len() - self.written as u64;
            if left < rest {
                match front {
                    Segment::File(range) => {
                        range.offset += left;
                        range.len -= left;
                    }
                    _ => self.written += left as usize,
                }
                return;
            }
            left -= rest;
            self.written = 0;
            if let Some(Segment::Owned(mut buf)) = self.segments.pop_front()
                && buf.capacity() > self.spare.capacity()
                && buf.capacity() <= KEEP
            {
                buf.clear();
                self.spare = buf;
            }
            if left == 0 && self.len == 0 && self.segments.is_empty() {
                return;
            }
        }
    }

    /// Copies up to `buf.len()` bytes of a file range at the front, for transports that cannot send
    /// files themselves.
    ///
    /// *Errors*: `UnexpectedEof` when the file has become shorter.
    pub fn read_file(range: &FileRange, buf: &mut [u8]) -> io::Result<usize> {
        let want = usize::try_from(range.len).unwrap_or(usize::MAX).min(buf.len());
        let count = rustix::io::pread(&range.file, &mut buf[..want], range.offset)?;
        if count == 0 && want > 0 {
            return Err(shrunk());
        }
        Ok(count)
    }
}

/// What stands at the front of an outbox.
pub enum Front<'a> {
    /// Bytes.
    Bytes(&'a [u8]),
    /// A range of a file.
    File(&'a FileRange),
}

impl Segment {
    fn len(&self) -> u64 {
        match self.bytes() {
            Ok(bytes) => bytes.len() as u64,
            Err(range) => range.len,
        }
    }

    fn bytes(&self) -> Result<&[u8], &FileRange> {
        match self {
            Self::Owned(bytes) => Ok(bytes),
            Self::Shared(bytes) => Ok(bytes),
            Self::Static(bytes) => Ok(bytes),
            Self::File(range) => Err(range),
        }
    }
}

/// The error of a file that is shorter than was promised: the connection has to end, since the
/// missing bytes can be neither sent nor invented.
pub(crate) fn shrunk() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter while it was sent")
}

/// Below this a copy costs less than another part of a vectored write.
const COALESCE: usize = 4 * 1024;

/// A tail of this length is not continued.
const FULL: usize = 32 * 1024;

/// The largest buffer that is kept for the next use.
const KEEP: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(outbox: &mut Outbox, step: u64) -> Vec<u8> {
        let mut all = Vec::new();
        while !outbox.is_empty() {
            let count = match outbox.front().expect("bytes wait") {
                Front::Bytes(bytes) => {
                    let count = bytes.len().min(step as usize);
                    all.extend_from_slice(&bytes[..count]);
                    count
                }
                Front::File(range) => {
                    let mut buf = vec![0; step as usize];
                    let count = Outbox::read_file(range, &mut buf).unwrap();
                    all.extend_from_slice(&buf[..count]);
                    count
                }
            };
            outbox.consume(count as u64);
        }
        all
    }

    #[test]
    fn order_is_kept_over_all_kinds_and_steps() {
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, b"0123456789").unwrap();
        file.set_len(Outbox::SMALL_FILE + 3).unwrap();
        let file = Arc::new(file);
        let long = Outbox::SMALL_FILE + 1;
        for step in [1, 3, 7, 5000, 100_000] {
            let mut outbox = Outbox::new();
            let large = vec![b'x'; 6000];
            outbox.push_slice(b"head ");
            outbox.push(Segment::Static(b"small "));
            outbox.push(Segment::Shared(Bytes::from(large.clone())));
            outbox.push(Segment::File(FileRange { file: file.clone(), offset: 2, len: 5 }));
            outbox.push(Segment::File(FileRange { file: file.clone(), offset: 2, len: 0 }));
            outbox.push(Segment::File(FileRange { file: file.clone(), offset: 0, len: long }));
            outbox.push_slice(b"tail");
            let mut expected = b"head small ".to_vec();
            expected.extend_from_slice(&large);
            expected.extend_from_slice(b"234560123456789");
            expected.resize(expected.len() + long as usize - 10, 0);
            expected.extend_from_slice(b"tail");
            assert_eq!(outbox.len(), expected.len() as u64);
            assert_eq!(drain(&mut outbox, step), expected, "in steps of {step}");
            assert!(outbox.front().is_none());
        }
    }

    #[test]
    fn a_small_range_is_read_at_once_and_one_that_is_not_there_stays_an_error() {
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, b"0123456789").unwrap();
        let file = Arc::new(file);
        let mut outbox = Outbox::new();
        outbox.push_slice(b"head ");
        outbox.push(Segment::File(FileRange { file: file.clone(), offset: 0, len: 10 }));
        file.set_len(0).unwrap();
        assert_eq!(outbox.only(), Some(&b"head 0123456789"[..]));
        assert!(!outbox.ends_with_file());
        outbox.push(Segment::File(FileRange { file, offset: 0, len: 10 }));
        assert!(outbox.ends_with_file());
        assert_eq!(outbox.len(), 25);
        outbox.consume(15);
        let Some(Front::File(range)) = outbox.front() else { panic!("a file waits") };
        let error = Outbox::read_file(range, &mut [0; 10]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn small_pieces_share_one_segment_and_the_buffer_is_used_again() {
        let mut outbox = Outbox::new();
        outbox.push_slice(b"a");
        outbox.push(Segment::Static(b"b"));
        let capacity = outbox.append(|tail| {
            tail.extend_from_slice(&[b'c'; 1000]);
            tail.capacity()
        });
        assert_eq!(outbox.segments.len(), 1);
        outbox.consume(1002);
        assert!(outbox.is_empty() && outbox.segments.is_empty());
        assert_eq!(outbox.append(|tail| tail.capacity()), capacity);
    }

    #[test]
    fn an_outbox_that_is_never_quite_empty_does_not_grow() {
        let mut outbox = Outbox::new();
        let (mut sent, mut taken) = (0_u32, 0_u32);
        outbox.push_slice(&sent.to_be_bytes());
        for _ in 0..200_000 {
            sent += 1;
            outbox.push_slice(&sent.to_be_bytes());
            let Some(Front::Bytes(front)) = outbox.front() else { panic!("bytes wait") };
            assert_eq!(front[..4], taken.to_be_bytes());
            outbox.consume(4);
            taken += 1;
        }
        let held: usize = outbox
            .segments
            .iter()
            .map(|segment| match segment {
                Segment::Owned(bytes) => bytes.capacity(),
                _ => 0,
            })
            .sum();
        assert!(held + outbox.spare.capacity() <= 4 * KEEP, "{held} bytes are held for 4");
    }

    #[test]
    fn gathering_stops_at_its_bound_without_a_file_in_sight() {
        let mut outbox = Outbox::new();
        for _ in 0..3 {
            outbox.push(Segment::Owned(vec![b'x'; 5000]));
        }
        outbox.consume(1000);
        let mut slices = [IoSlice::new(&[]); 8];
        assert_eq!(outbox.gather(&mut slices, 6000), (2, false));
        assert_eq!((slices[0].len(), slices[1].len()), (4000, 2000));
        assert_eq!(outbox.gather(&mut slices[..1], usize::MAX), (1, false));
        assert_eq!(outbox.gather(&mut slices, usize::MAX), (3, false));
    }

    #[test]
    fn a_file_that_shrank_is_an_error() {
        let file = Arc::new(tempfile::tempfile().unwrap());
        let range = FileRange { file, offset: 0, len: 5 };
        let error = Outbox::read_file(&range, &mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
