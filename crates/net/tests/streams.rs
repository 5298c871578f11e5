//! Streams of the kernel: files, half-closes, errors, fairness.

#![expect(clippy::unwrap_used, reason = "functions of a test, which clippy takes for others")]

use std::io::{Read, Seek, SeekFrom, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use avocet_net::{
    Address, EventLoop, FileRange, Input, Next, Outbox, PeerInfo, Segment, SocketTransport, Task,
    Transport, Turn,
};
use avocet_testkit::{Echo, task};
use bytes::Bytes;

fn info() -> PeerInfo {
    PeerInfo::new(Address::Memory, Address::Memory)
}

fn tcp_pair() -> (TcpStream, Box<dyn Transport>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let far = listener.accept().unwrap().0;
    far.set_nonblocking(true).unwrap();
    far.set_nodelay(true).unwrap();
    (near, Box::new(SocketTransport::new(mio::net::TcpStream::from_std(far), info())))
}

fn unix_pair() -> (UnixStream, Box<dyn Transport>) {
    let (near, far) = UnixStream::pair().unwrap();
    far.set_nonblocking(true).unwrap();
    (near, Box::new(SocketTransport::new(mio::net::UnixStream::from_std(far), info())))
}

fn file_of(bytes: &[u8]) -> Arc<std::fs::File> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.seek(SeekFrom::Start(7)).unwrap();
    Arc::new(file)
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index * 31 + index / 251) as u8).collect()
}

/// Writes an outbox out and is done; counts its turns.
struct Sender {
    transport: Box<dyn Transport>,
    out: Outbox,
    registered: bool,
    turns: Arc<AtomicU32>,
    failed: Arc<AtomicU32>,
}

impl Sender {
    fn new(transport: Box<dyn Transport>, out: Outbox) -> Self {
        let (turns, failed) = (Arc::default(), Arc::default());
        Self { transport, out, registered: false, turns, failed }
    }
}

impl Task for Sender {
    fn turn(&mut self, cx: &mut Turn<'_>) -> Next {
        self.turns.fetch_add(1, Ordering::Relaxed);
        if !std::mem::replace(&mut self.registered, true) {
            cx.register(&mut *self.transport).unwrap();
        }
        if !cx.writable() {
            return Next::Wait(None);
        }
        match cx.write(&mut *self.transport, &mut self.out) {
            Ok(true) => Next::Done,
            Ok(false) => Next::Wait(None),
            Err(_) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                Next::Done
            }
        }
    }
}

fn run(event_loop: &mut EventLoop) {
    let begin = Instant::now();
    while !event_loop.scheduler().is_empty() {
        event_loop.turn(Some(Duration::from_secs(5))).unwrap();
        assert!(begin.elapsed() < Duration::from_secs(30), "a task waits for an event");
    }
}

#[test]
fn heads_shared_bytes_and_files_arrive_whole_over_tcp_and_unix_sockets() {
    let content = pattern(3_000_000);
    let file = file_of(&content);
    let output = || {
        let mut out = Outbox::new();
        out.push_slice(b"head");
        out.push(Segment::Shared(Bytes::from(pattern(100_000))));
        out.push(Segment::File(FileRange { file: file.clone(), offset: 1, len: 2_999_999 }));
        out.push(Segment::Static(b"between"));
        out.push(Segment::File(FileRange { file: file.clone(), offset: 5, len: 10 }));
        out.push(Segment::Owned(pattern(9000)));
        out
    };
    let expected = [
        b"head",
        &pattern(100_000)[..],
        &content[1..],
        b"between",
        &content[5..15],
        &pattern(9000)[..],
    ]
    .concat();
    let (mut over_tcp, tcp) = tcp_pair();
    let (mut over_unix, unix) = unix_pair();
    let mut event_loop = EventLoop::new().unwrap();
    event_loop.spawn(Box::new(Sender::new(tcp, output())));
    event_loop.spawn(Box::new(Sender::new(unix, output())));
    let readers: [thread::JoinHandle<Vec<u8>>; 2] = [
        thread::spawn(move || {
            let mut all = Vec::new();
            over_tcp.read_to_end(&mut all).unwrap();
            all
        }),
        thread::spawn(move || {
            let mut all = Vec::new();
            over_unix.read_to_end(&mut all).unwrap();
            all
        }),
    ];
    run(&mut event_loop);
    for reader in readers {
        assert!(reader.join().unwrap() == expected);
    }
    assert_eq!((&*file).stream_position().unwrap(), 7, "the position of the file is not used");
}

#[test]
fn a_head_leaves_with_the_first_bytes_of_the_file_behind_it() {
    let file = file_of(&pattern(500));
    for _ in 0..200 {
        let (mut near, transport) = tcp_pair();
        let (ready, start) = channel();
        let reader = thread::spawn(move || {
            let mut buf = [0; 4096];
            ready.send(()).unwrap();
            near.read(&mut buf).unwrap()
        });
        start.recv().unwrap();
        // The reader is most likely in its call now; were it not, a head that came alone would only
        // go unnoticed this time.
        thread::sleep(Duration::from_micros(200));
        let mut out = Outbox::new();
        out.push_slice(b"a head of 22 bytes is ");
        out.push(Segment::File(FileRange { file: file.clone(), offset: 0, len: 500 }));
        let mut event_loop = EventLoop::new().unwrap();
        event_loop.spawn(Box::new(Sender::new(transport, out)));
        run(&mut event_loop);
        assert_eq!(reader.join().unwrap(), 522, "the head came alone");
    }
}

#[test]
fn a_file_that_shrinks_while_it_is_sent_ends_the_transfer() {
    let file = file_of(&pattern(1000));
    let (mut near, transport) = tcp_pair();
    let mut out = Outbox::new();
    out.push(Segment::File(FileRange { file, offset: 0, len: 2000 }));
    let sender = Sender::new(transport, out);
    let failed = sender.failed.clone();
    let mut event_loop = EventLoop::new().unwrap();
    event_loop.spawn(Box::new(sender));
    run(&mut event_loop);
    assert_eq!(failed.load(Ordering::Relaxed), 1);
    let mut all = Vec::new();
    near.read_to_end(&mut all).unwrap();
    assert_eq!(all, pattern(1000));
}

#[test]
fn a_peer_that_has_gone_is_an_error_and_no_signal() {
    for _ in 0..20 {
        let (near, transport) = tcp_pair();
        socket2::SockRef::from(&near).set_linger(Some(Duration::ZERO)).unwrap();
        drop(near);
        let mut out = Outbox::new();
        out.push(Segment::Owned(pattern(100_000)));
        let file = file_of(&pattern(1000));
        out.push(Segment::File(FileRange { file, offset: 0, len: 1000 }));
        let sender = Sender::new(transport, out);
        let failed = sender.failed.clone();
        let mut event_loop = EventLoop::new().unwrap();
        event_loop.spawn(Box::new(sender));
        run(&mut event_loop);
        assert_eq!(failed.load(Ordering::Relaxed), 1);
    }
}

#[test]
fn after_the_peers_half_close_all_is_answered_and_the_loop_does_not_spin() {
    let (near, transport) = tcp_pair();
    let turns = Arc::new(AtomicU32::new(0));
    let mut echo = Echo::new(transport);
    let seen = turns.clone();
    let mut event_loop = EventLoop::new().unwrap();
    event_loop.spawn(task(move |cx| {
        seen.fetch_add(1, Ordering::Relaxed);
        echo.turn(cx)
    }));
    let sent = pattern(100_000);
    (&near).write_all(&sent).unwrap();
    near.shutdown(Shutdown::Write).unwrap();
    // The client has ended its side and reads nothing for a while: the session has its output left
    // and a hang-up that would fire for ever if it were level-triggered.
    let quiet = Instant::now() + Duration::from_millis(300);
    while let Some(rest) = quiet.checked_duration_since(Instant::now()) {
        event_loop.turn(Some(rest)).unwrap();
    }
    assert!(turns.load(Ordering::Relaxed) < 50, "{} turns", turns.load(Ordering::Relaxed));
    let reader = thread::spawn(move || {
        let mut back = Vec::new();
        (&near).read_to_end(&mut back).unwrap();
        back
    });
    run(&mut event_loop);
    assert!(reader.join().unwrap() == sent);
}

#[test]
fn an_end_that_comes_together_with_the_last_bytes_is_seen() {
    for _ in 0..200 {
        let (mut near, mut transport) = tcp_pair();
        let mut event_loop = EventLoop::new().unwrap();
        let mut fresh = true;
        let mut received = 0;
        event_loop.spawn(task(move |cx| {
            if std::mem::take(&mut fresh) {
                cx.register(&mut *transport).unwrap();
            }
            let mut buf = [0; 64];
            while cx.readable() {
                match cx.read(&mut *transport, &mut buf).unwrap() {
                    Input::Bytes(count) => received += count,
                    Input::Blocked => {}
                    Input::Closed => {
                        assert_eq!(received, 5);
                        return Next::Done;
                    }
                }
            }
            Next::Wait(None)
        }));
        event_loop.turn(Some(Duration::ZERO)).unwrap();
        let client = thread::spawn(move || {
            near.write_all(b"hello").unwrap();
            near.shutdown(Shutdown::Write).unwrap();
            near
        });
        run(&mut event_loop);
        drop(client.join().unwrap());
    }
}

#[test]
fn a_peer_that_reads_as_fast_as_we_write_leaves_the_others_their_turns() {
    const LENGTH: u64 = 64 * 1024 * 1024;
    let file = tempfile::tempfile().unwrap();
    file.set_len(LENGTH).unwrap();
    let (mut near, transport) = tcp_pair();
    let mut out = Outbox::new();
    out.push(Segment::File(FileRange { file: Arc::new(file), offset: 0, len: LENGTH }));
    let sender = Sender::new(transport, out);
    let turns = sender.turns.clone();
    let mut event_loop = EventLoop::new().unwrap();
    event_loop.spawn(Box::new(sender));
    let reader = thread::spawn(move || std::io::copy(&mut near, &mut std::io::sink()).unwrap());
    run(&mut event_loop);
    assert_eq!(reader.join().unwrap(), LENGTH);
    // A share is 1 MiB, so that 64 turns are the least.
    assert!(turns.load(Ordering::Relaxed) >= 64, "{} turns", turns.load(Ordering::Relaxed));
}
