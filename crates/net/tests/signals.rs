//! Signals while the loop sleeps. The kernel gives them to the main thread, so this program is run
//! without the test harness, which keeps that thread for itself.

use std::error::Error;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use avocet_net::{Address, EventLoop, PeerInfo, Signal, SocketTransport, on_signals};
use avocet_testkit::Echo;

/// Sleeps of the loop that a signal has to end.
const INTERRUPTED: u64 = 100;
/// Signals that are sent for that, whichever thread they go to.
const AT_MOST: u64 = 50_000;

fn main() -> Result<(), Box<dyn Error>> {
    signals_interrupt_the_sleep_and_nothing_else()?;
    println!("test signals_interrupt_the_sleep_and_nothing_else ... ok");
    Ok(())
}

fn signals_interrupt_the_sleep_and_nothing_else() -> Result<(), Box<dyn Error>> {
    let answered = Arc::new(AtomicU64::new(0));
    let counter = answered.clone();
    on_signals(move |signal| {
        assert_eq!(signal, Signal::HangUp);
        // A panic while one is answered does not end the answering.
        assert_ne!(counter.fetch_add(1, Ordering::AcqRel), 7, "on purpose");
    })?;
    let mut event_loop = EventLoop::new()?;
    let (mut near, far) = UnixStream::pair()?;
    far.set_nonblocking(true)?;
    let info = PeerInfo::new(Address::Memory, Address::Memory);
    let transport = SocketTransport::new(mio::net::UnixStream::from_std(far), info);
    event_loop.spawn(Box::new(Echo::new(transport)));
    event_loop.turn(Some(Duration::ZERO))?;
    let turns = Arc::new(AtomicU64::new(0));
    let seen = turns.clone();
    // The kernel may give a signal to any thread that is awake, so there is a pause before each one
    // for the loop to fall asleep again, and more are sent until enough of them met it asleep.
    let sender = thread::spawn(move || -> std::io::Result<[u8; 10]> {
        let mut sent = 0;
        while seen.load(Ordering::Acquire) < INTERRUPTED && sent < AT_MOST {
            thread::sleep(Duration::from_micros(200));
            let this = rustix::process::getpid();
            rustix::process::kill_process(this, rustix::process::Signal::HUP)?;
            sent += 1;
            while answered.load(Ordering::Acquire) < sent {
                thread::yield_now();
            }
        }
        near.write_all(b"still here")?;
        let mut back = [0; 10];
        near.read_exact(&mut back)?;
        near.shutdown(Shutdown::Write)?;
        Ok(back)
    });
    while !event_loop.scheduler().is_empty() {
        event_loop.turn(Some(Duration::from_secs(30)))?;
        turns.fetch_add(1, Ordering::AcqRel);
    }
    assert_eq!(&sender.join().expect("the sender does not panic")?, b"still here");
    // Nothing but the signals happened before the last bytes.
    let turns = turns.load(Ordering::Acquire);
    assert!(turns >= INTERRUPTED, "{turns} turns: the signals went to another thread");
    Ok(())
}
