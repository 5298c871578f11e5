//! Wake-ups: none is lost, none comes for nothing.

#![expect(clippy::unwrap_used, reason = "functions of a test, which clippy takes for others")]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use avocet_net::{
    Address, EventLoop, ListenAddress, LoopSeed, Next, Notifier, PeerInfo, Readiness,
    SocketTransport, Task, Transport, Turn,
};
use avocet_testkit::{Echo, EchoServer, task};

fn cpu_of_this_thread() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Two connected sockets with the smallest buffers that the kernel gives.
fn narrow_pair() -> (UnixStream, UnixStream) {
    let (near, far) = UnixStream::pair().unwrap();
    for stream in [&near, &far] {
        socket2::SockRef::from(stream).set_send_buffer_size(1).unwrap();
    }
    (near, far)
}

fn transport(stream: UnixStream) -> impl Transport {
    stream.set_nonblocking(true).unwrap();
    let info = PeerInfo::new(Address::Memory, Address::Memory);
    SocketTransport::new(mio::net::UnixStream::from_std(stream), info)
}

#[test]
fn nothing_is_lost_over_sockets_that_take_little_at_a_time() {
    const LENGTH: usize = 2_000_000;
    let mut event_loop = EventLoop::new().unwrap();
    let mut clients = Vec::new();
    for index in 0..4_u8 {
        let (near, far) = narrow_pair();
        event_loop.spawn(Box::new(Echo::new(transport(far))));
        clients.push(thread::spawn(move || {
            let mut writer = near.try_clone().unwrap();
            let sending = thread::spawn(move || {
                let bytes: Vec<u8> = (0..LENGTH).map(|i| (i as u8).wrapping_mul(index)).collect();
                writer.write_all(&bytes).unwrap();
                writer.shutdown(Shutdown::Write).unwrap();
                bytes
            });
            let mut back = Vec::new();
            (&near).read_to_end(&mut back).unwrap();
            assert!(back == sending.join().unwrap(), "{} bytes came back", back.len());
        }));
    }
    let begin = Instant::now();
    while !event_loop.scheduler().is_empty() {
        event_loop.turn(Some(Duration::from_secs(5))).unwrap();
        assert!(begin.elapsed() < Duration::from_secs(60), "a task waits for an event");
    }
    for client in clients {
        client.join().unwrap();
    }
}

#[test]
fn single_bytes_wake_the_loop_each_time() {
    let server = EchoServer::start(&ListenAddress::loopback(0), 1, 10);
    let mut stream = TcpStream::connect(server.tcp()).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    for byte in (0..=255).cycle().take(5000) {
        stream.write_all(&[byte]).unwrap();
        let mut back = [0];
        stream.read_exact(&mut back).unwrap();
        assert_eq!(back[0], byte);
    }
}

#[test]
fn an_idle_loop_sleeps() {
    let mut event_loop = EventLoop::new().unwrap();
    let mut clients = Vec::new();
    for index in 0..50 {
        let (mut near, far) = narrow_pair();
        event_loop.spawn(Box::new(Echo::new(transport(far))));
        // Half of them say something and wait, half have ended their side with more to come back
        // than there is room for and read nothing.
        near.write_all(b"x").unwrap();
        if index % 2 == 0 {
            near.set_nonblocking(true).unwrap();
            for _ in 0..100 {
                while near.write(&[b'y'; 1000]).is_ok() {}
                event_loop.turn(Some(Duration::ZERO)).unwrap();
            }
            near.shutdown(Shutdown::Write).unwrap();
        }
        clients.push(near);
    }
    event_loop.spawn(task(|cx| Next::Wait(Some(cx.now() + Duration::from_millis(100)))));
    let settled = Instant::now() + Duration::from_millis(300);
    while Instant::now() < settled {
        event_loop.turn(Some(Duration::from_millis(50))).unwrap();
    }
    let (start, cpu, mut turns) = (Instant::now(), cpu_of_this_thread(), 0);
    while start.elapsed() < Duration::from_secs(2) {
        event_loop
            .turn(Some(Duration::from_secs(2) - start.elapsed().min(Duration::from_secs(2))))
            .unwrap();
        turns += 1;
    }
    let used = cpu_of_this_thread() - cpu;
    // The timer comes 20 times; nothing else may.
    assert!(turns <= 45, "{turns} turns in two seconds of rest");
    assert!(used < Duration::from_millis(40), "{used:?} of two seconds");
    drop(clients);
}

/// Counts the turns and what it was told.
struct Listener {
    told: Arc<AtomicU64>,
    seen: Arc<AtomicU64>,
    goal: u64,
}

impl Task for Listener {
    fn turn(&mut self, cx: &mut Turn<'_>) -> Next {
        let told = self.told.load(Ordering::Acquire);
        self.seen.store(told, Ordering::Release);
        cx.clear(Readiness::FRESH);
        if told == self.goal { Next::Done } else { Next::Wait(None) }
    }
}

#[test]
fn no_wake_up_of_other_threads_is_lost_under_load() {
    const THREADS: u64 = 4;
    const WAKES: u64 = 100_000;
    let mut event_loop = EventLoop::new().unwrap();
    let told = Arc::new(AtomicU64::new(0));
    let goal = THREADS * WAKES;
    let listener = Listener { told: told.clone(), seen: Arc::default(), goal };
    let id = event_loop.spawn(Box::new(listener));
    let shared = event_loop.notifier(id);
    let threads: Vec<_> = (0..THREADS)
        .map(|index| {
            let own = event_loop.notifier(id);
            let notifier: Notifier = if index % 2 == 0 { own } else { shared.clone() };
            let told = told.clone();
            thread::spawn(move || {
                for _ in 0..WAKES {
                    told.fetch_add(1, Ordering::AcqRel);
                    assert!(notifier.wake());
                }
            })
        })
        .collect();
    let begin = Instant::now();
    // A lost wake-up of the last count would leave this loop asleep for ever.
    while !event_loop.scheduler().is_empty() {
        event_loop.turn(Some(Duration::from_secs(5))).unwrap();
        assert!(begin.elapsed() < Duration::from_secs(30), "a wake-up was lost");
    }
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn a_wake_up_at_the_moment_of_falling_asleep_comes_through_every_time() {
    // One wake-up at a time, each while the loop is on its way to sleep or just there: the race that
    // loops lose which clear their flag too late.
    const ROUNDS: u64 = 30_000;
    let (told, seen) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let listener = Listener { told: told.clone(), seen: seen.clone(), goal: ROUNDS };
    let (sender, receiver) = channel();
    let looping = thread::spawn(move || {
        let mut event_loop = EventLoop::new().unwrap();
        let id = event_loop.spawn(Box::new(listener));
        sender.send(event_loop.notifier(id)).unwrap();
        while !event_loop.scheduler().is_empty() {
            event_loop.turn(None).unwrap();
        }
    });
    let notifier = receiver.recv().unwrap();
    for round in 1..=ROUNDS {
        told.store(round, Ordering::Release);
        notifier.wake();
        let begin = Instant::now();
        while seen.load(Ordering::Acquire) < round {
            thread::yield_now();
            assert!(begin.elapsed() < Duration::from_secs(20), "wake-up {round} was lost");
        }
    }
    looping.join().unwrap();
}

#[test]
fn jobs_from_other_threads_run_on_the_loop_and_end_with_it() {
    let seed = LoopSeed::new().unwrap();
    let handle = seed.handle();
    let here = thread::current().id();
    let ran = Arc::new(AtomicU64::new(0));
    for _ in 0..5000 {
        let ran = ran.clone();
        assert!(handle.run(move |_| {
            assert_eq!(thread::current().id(), here);
            ran.fetch_add(1, Ordering::Relaxed);
        }));
    }
    let mut event_loop = seed.start().unwrap();
    let mut turns = 0;
    while ran.load(Ordering::Relaxed) < 5000 {
        event_loop.turn(Some(Duration::from_secs(10))).unwrap();
        turns += 1;
    }
    assert!(turns >= 5, "a turn takes a bounded number of commands");
    drop(event_loop);
    assert!(!handle.run(|_| ()));
}
