//! Reading and writing of a kernel's stream: what each of its answers means.

use std::io::{self, IoSlice};
use std::os::fd::AsFd;

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags};

use crate::incoming::is_ready;
use crate::outbox::{FileRange, Front, Outbox, Pause, shrunk};

/// The system calls of a stream, so that tests can make them fail.
pub(crate) trait Calls {
    fn receive(&self, buf: &mut [u8]) -> Result<usize, Errno>;
    fn send(&self, slices: &[IoSlice<'_>], flags: SendFlags) -> Result<usize, Errno>;
    fn send_file(&self, range: &FileRange, most: usize) -> Result<usize, Errno>;
    fn is_ready(&self, events: PollFlags) -> bool;
}

impl<S: AsFd> Calls for S {
    fn receive(&self, buf: &mut [u8]) -> Result<usize, Errno> {
        rustix::net::recv(self, buf, RecvFlags::empty()).map(|(count, _)| count)
    }

    fn send(&self, slices: &[IoSlice<'_>], flags: SendFlags) -> Result<usize, Errno> {
        if let [slice] = slices {
            return rustix::net::send(self, slice, flags);
        }
        let mut control = SendAncillaryBuffer::default();
        rustix::net::sendmsg(self, slices, &mut control, flags)
    }

    fn send_file(&self, range: &FileRange, most: usize) -> Result<usize, Errno> {
        let mut offset = range.offset;
        rustix::fs::sendfile(self, &range.file, Some(&mut offset), most)
    }

    fn is_ready(&self, events: PollFlags) -> bool {
        is_ready(self, events)
    }
}

/// Reads once. `checked` asks the kernel back before it believes that there is nothing: a false
/// `EAGAIN` would otherwise leave the bytes lying until the peer sends more.
pub(crate) fn read(calls: &impl Calls, buf: &mut [u8], checked: bool) -> io::Result<usize> {
    let mut doubts = 0;
    loop {
        match calls.receive(buf) {
            Err(Errno::AGAIN) if checked && doubts < DOUBTS && calls.is_ready(PollFlags::IN) => {
                doubts += 1;
            }
            result => return Ok(result?),
        }
    }
}

/// Writes until the outbox is empty (true), or the socket is full or the share of one turn is
/// written (false).
pub(crate) fn write(calls: &impl Calls, out: &mut Outbox) -> io::Result<bool> {
    let mut share = SHARE;
    let mut doubts = 0;
    while !out.is_empty() {
        if share == 0 {
            out.pause(Pause::Share);
            return Ok(false);
        }
        match write_some(calls, out, share) {
            Ok(sent) => {
                share = share.saturating_sub(sent);
                doubts = 0;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                // A socket that refuses bytes and calls itself writable all the same would never
                // send the event that we are about to wait for.
                if !calls.is_ready(PollFlags::OUT) {
                    return Ok(false);
                }
                doubts += 1;
                if doubts > DOUBTS {
                    out.pause(Pause::Doubt);
                    return Ok(false);
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// Writes a part of these bytes. A refusal that the kernel contradicts is tried again a few times,
/// then it is `Interrupted`; see [`write`].
pub(crate) fn write_slices(calls: &impl Calls, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    let mut doubts = 0;
    loop {
        match calls.send(slices, SendFlags::NOSIGNAL) {
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) if calls.is_ready(PollFlags::OUT) => {
                doubts += 1;
                if doubts > DOUBTS {
                    return Err(io::ErrorKind::Interrupted.into());
                }
            }
            result => return Ok(result?),
        }
    }
}

fn write_some(calls: &impl Calls, out: &mut Outbox, most: usize) -> io::Result<usize> {
    // Most responses are one piece, which needs no vector.
    if let Some(bytes) = out.only()
        && bytes.len() <= most
    {
        let sent = calls.send(&[IoSlice::new(bytes)], SendFlags::NOSIGNAL)?;
        out.consume(sent as u64);
        return Ok(sent);
    }
    let mut slices = [IoSlice::new(&[]); PARTS];
    let (count, file_follows) = out.gather(&mut slices, most);
    let sent = if count > 0 {
        // With a file behind them the bytes wait for its first packet instead of leaving alone.
        let more = if file_follows { SendFlags::MORE } else { SendFlags::empty() };
        calls.send(&slices[..count], SendFlags::NOSIGNAL | more)?
    } else if let Some(Front::File(range)) = out.front() {
        send_file(calls, range, most)?
    } else {
        0
    };
    out.consume(sent as u64);
    Ok(sent)
}

fn send_file(calls: &impl Calls, range: &FileRange, most: usize) -> io::Result<usize> {
    let want = usize::try_from(range.len).unwrap_or(usize::MAX).min(most);
    match calls.send_file(range, want) {
        Ok(0) => Err(shrunk()),
        // sendfile(2): "Applications may wish to fall back to read(2) and write(2) in the case
        // where sendfile() fails with EINVAL or ENOSYS." Some file systems have no pages to send.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            let mut copy = vec![0; want.min(COPY)];
            let count = Outbox::read_file(range, &mut copy)?;
            Ok(calls.send(&[IoSlice::new(&copy[..count])], SendFlags::NOSIGNAL)?)
        }
        result => Ok(result?),
    }
}

/// Parts of one vectored write: more cost more than they save.
const PARTS: usize = 16;
/// Bytes written in one turn before the other tasks have theirs.
const SHARE: usize = 1024 * 1024;
/// How often in a row an `EAGAIN` that the kernel itself contradicts is answered by trying again.
const DOUBTS: u32 = 3;
/// Bytes of a file that are copied at a time where it can't be sent without.
const COPY: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::collections::VecDeque;
    use std::sync::Arc;

    use super::*;
    use crate::outbox::Segment;

    /// A stream whose answers are written down: an error, or the most bytes it takes or gives.
    #[derive(Default)]
    struct Scripted {
        answers: RefCell<VecDeque<Result<usize, Errno>>>,
        ready: Cell<bool>,
        sent: RefCell<Vec<u8>>,
        flags: RefCell<Vec<SendFlags>>,
        calls: Cell<u32>,
    }

    impl Scripted {
        fn new(answers: impl IntoIterator<Item = Result<usize, Errno>>) -> Self {
            Self { answers: RefCell::new(answers.into_iter().collect()), ..Self::default() }
        }

        /// The next answer; when none is left the stream takes everything.
        fn answer(&self, want: usize) -> Result<usize, Errno> {
            self.calls.set(self.calls.get() + 1);
            let answer = self.answers.borrow_mut().pop_front().unwrap_or(Ok(usize::MAX));
            answer.map(|most| most.min(want))
        }
    }

    impl Calls for Scripted {
        fn receive(&self, buf: &mut [u8]) -> Result<usize, Errno> {
            let count = self.answer(buf.len())?;
            buf[..count].fill(b'r');
            Ok(count)
        }

        fn send(&self, slices: &[IoSlice<'_>], flags: SendFlags) -> Result<usize, Errno> {
            let all: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
            let count = self.answer(all.len())?;
            self.sent.borrow_mut().extend_from_slice(&all[..count]);
            self.flags.borrow_mut().push(flags);
            Ok(count)
        }

        fn send_file(&self, range: &FileRange, most: usize) -> Result<usize, Errno> {
            let count = self.answer(most)?;
            let mut buf = vec![0; count];
            let count = Outbox::read_file(range, &mut buf).unwrap_or(0);
            self.sent.borrow_mut().extend_from_slice(&buf[..count]);
            Ok(count)
        }

        fn is_ready(&self, _: PollFlags) -> bool {
            self.ready.get()
        }
    }

    fn file(bytes: &[u8]) -> Segment {
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, bytes).unwrap();
        Segment::File(FileRange { file: Arc::new(file), offset: 0, len: bytes.len() as u64 })
    }

    fn head_and_file() -> (Outbox, Vec<u8>) {
        let content: Vec<u8> = (0..20_000_u32).map(|i| i as u8).collect();
        let mut out = Outbox::new();
        out.push_slice(b"head ");
        out.push(file(&content));
        out.push_slice(b" tail");
        (out, [b"head ", &content[..], b" tail"].concat())
    }

    #[test]
    fn slices_leave_in_part_and_a_doubt_is_no_event() {
        let slices = [IoSlice::new(b"one"), IoSlice::new(b"two")];
        let calls = Scripted::new([Err(Errno::INTR), Ok(4)]);
        assert_eq!(write_slices(&calls, &slices).unwrap(), 4);
        assert_eq!(*calls.sent.borrow(), b"onet");
        let full = Scripted::new([Err(Errno::AGAIN)]);
        let error = write_slices(&full, &slices).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        let odd = Scripted::new([Err(Errno::AGAIN); DOUBTS as usize + 1]);
        odd.ready.set(true);
        let error = write_slices(&odd, &slices).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Interrupted);
        assert!(odd.sent.borrow().is_empty());
    }

    #[test]
    fn interrupted_calls_and_short_writes_lose_and_repeat_nothing() {
        let answers = (0..40).map(|i| if i % 3 == 0 { Err(Errno::INTR) } else { Ok(i + 1) });
        let stream = Scripted::new(answers);
        let (mut out, expected) = head_and_file();
        assert!(write(&stream, &mut out).unwrap());
        assert_eq!(*stream.sent.borrow(), expected);
    }

    #[test]
    fn a_false_eagain_of_sendfile_is_seen_through() {
        let again = || Err(Errno::AGAIN);
        let stream = Scripted::new([Ok(5), again(), Ok(100), again(), again(), again(), Ok(1)]);
        stream.ready.set(true);
        let (mut out, expected) = head_and_file();
        assert!(write(&stream, &mut out).unwrap());
        assert_eq!(*stream.sent.borrow(), expected);
    }

    #[test]
    fn a_false_eagain_that_stays_is_tried_again_later_and_not_in_a_circle() {
        let stream = Scripted::new((0..1000).map(|_| Err(Errno::AGAIN)));
        stream.ready.set(true);
        let (mut out, _) = head_and_file();
        assert!(!write(&stream, &mut out).unwrap());
        assert_eq!(out.take_pause(), Some(Pause::Doubt));
        assert!(stream.calls.get() <= DOUBTS + 1);
    }

    #[test]
    fn a_full_socket_waits_for_its_event() {
        let stream = Scripted::new([Ok(2), Err(Errno::AGAIN)]);
        let (mut out, _) = head_and_file();
        assert!(!write(&stream, &mut out).unwrap());
        assert_eq!(out.take_pause(), None);
        assert_eq!(*stream.sent.borrow(), b"he");
    }

    #[test]
    fn bytes_before_a_file_are_held_for_its_first_packet() {
        let stream = Scripted::default();
        let (mut out, expected) = head_and_file();
        assert!(write(&stream, &mut out).unwrap());
        assert_eq!(*stream.sent.borrow(), expected);
        let flags = stream.flags.borrow();
        assert_eq!(*flags, [SendFlags::NOSIGNAL | SendFlags::MORE, SendFlags::NOSIGNAL]);
    }

    #[test]
    fn a_file_that_cannot_be_sent_is_copied() {
        for errno in [Errno::INVAL, Errno::NOSYS, Errno::OPNOTSUPP] {
            let stream = Scripted::new([Ok(5), Err(errno), Ok(17), Err(errno), Err(Errno::INTR)]);
            let (mut out, expected) = head_and_file();
            assert!(write(&stream, &mut out).unwrap());
            assert_eq!(*stream.sent.borrow(), expected);
        }
    }

    #[test]
    fn errors_end_the_write_and_name_themselves() {
        for (errno, kind) in [
            (Errno::PIPE, io::ErrorKind::BrokenPipe),
            (Errno::CONNRESET, io::ErrorKind::ConnectionReset),
            (Errno::IO, io::Error::from(Errno::IO).kind()),
        ] {
            let stream = Scripted::new([Ok(5), Err(errno)]);
            let (mut out, _) = head_and_file();
            assert_eq!(write(&stream, &mut out).unwrap_err().kind(), kind);
        }
    }

    #[test]
    fn one_call_writes_its_share_and_leaves_the_rest_to_the_next_turn() {
        let stream = Scripted::default();
        let mut out = Outbox::new();
        let large = vec![b'x'; SHARE + SHARE / 2];
        out.push(Segment::Owned(large));
        assert!(!write(&stream, &mut out).unwrap());
        assert_eq!(out.take_pause(), Some(Pause::Share));
        assert_eq!(out.len(), (SHARE / 2) as u64);
        assert!(write(&stream, &mut out).unwrap());
        assert_eq!(out.take_pause(), None);
    }

    #[test]
    fn a_read_that_says_nothing_is_there_is_checked_once_events_are_on() {
        let mut buf = [0; 8];
        let stream = Scripted::new([Err(Errno::AGAIN), Err(Errno::AGAIN), Ok(3)]);
        stream.ready.set(true);
        assert_eq!(read(&stream, &mut buf, true).unwrap(), 3);
        let stream = Scripted::new([Err(Errno::AGAIN), Ok(3)]);
        stream.ready.set(true);
        let unchecked = read(&stream, &mut buf, false);
        assert_eq!(unchecked.unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let stream = Scripted::new((0..1000).map(|_| Err(Errno::AGAIN)));
        stream.ready.set(true);
        assert_eq!(read(&stream, &mut buf, true).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }
}
