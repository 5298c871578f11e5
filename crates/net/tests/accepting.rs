//! Listeners: bursts, limits, errors of accept, the queue at a stop.

#![expect(clippy::unwrap_used, reason = "functions of a test, which clippy takes for others")]

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use avocet_net::{
    Acceptor, Address, ConnectionCount, ConnectionPermit, EventLoop, Incoming, ListenAddress, Next,
    Registration, Task, Transport,
};
use avocet_testkit::{Echo, EchoServer, Simulation, task};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

fn echo(mut stream: TcpStream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes)?;
    let mut back = vec![0; bytes.len()];
    stream.read_exact(&mut back)?;
    assert_eq!(back, bytes);
    Ok(())
}

fn echo_once(address: SocketAddr) {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    echo(stream, b"echo").unwrap();
}

/// An acceptor whose sessions end at once, on a loop that the test turns.
fn counting(count: usize) -> (EventLoop, SocketAddr, Arc<AtomicU32>) {
    let listener = ListenAddress::loopback(0).bind(1).unwrap().pop().unwrap();
    let Address::Ip(address) = listener.address().unwrap() else { panic!("a TCP listener") };
    let taken = Arc::new(AtomicU32::new(0));
    let seen = taken.clone();
    let make = move |_, permit: ConnectionPermit, _| {
        seen.fetch_add(1, Ordering::Relaxed);
        task(move |_| {
            let _held = &permit;
            Next::Done
        })
    };
    let mut event_loop = EventLoop::new().unwrap();
    event_loop.spawn(Box::new(Acceptor::new(listener, ConnectionCount::new(count), make).unwrap()));
    (event_loop, address, taken)
}

#[test]
fn a_burst_is_taken_in_few_turns_and_the_others_get_theirs_between() {
    const BURST: u32 = 500;
    let (mut event_loop, address, taken) = counting(10_000);
    event_loop.turn(Some(Duration::ZERO)).unwrap();
    let clients: Vec<_> = (0..BURST).map(|_| TcpStream::connect(address).unwrap()).collect();
    let others = Arc::new(AtomicU32::new(0));
    let beside = others.clone();
    event_loop.spawn(task(move |_| {
        beside.fetch_add(1, Ordering::Relaxed);
        Next::Again
    }));
    let mut turns = 0;
    while taken.load(Ordering::Relaxed) < BURST {
        event_loop.turn(Some(Duration::from_secs(10))).unwrap();
        turns += 1;
        assert!(turns <= 20, "{} of {BURST} in {turns} turns", taken.load(Ordering::Relaxed));
    }
    assert!(turns > 5, "one turn takes a bounded number");
    assert!(others.load(Ordering::Relaxed) >= turns - 1);
    drop(clients);
}

#[test]
fn connections_that_come_one_by_one_are_all_taken() {
    let (mut event_loop, address, taken) = counting(10);
    for expected in 1..=200 {
        let client = TcpStream::connect(address).unwrap();
        while taken.load(Ordering::Relaxed) < expected {
            event_loop.turn(Some(Duration::from_secs(10))).unwrap();
        }
        drop(client);
    }
}

#[test]
fn the_connection_limit_pauses_and_resumes_with_hysteresis() {
    let server = EchoServer::start(&ListenAddress::loopback(0), 2, 20);
    let open = |count| -> Vec<TcpStream> {
        (0..count).map(|_| TcpStream::connect(server.tcp()).unwrap()).collect()
    };
    let mut held = open(20);
    for stream in &mut held {
        stream.write_all(b"x").unwrap();
        stream.read_exact(&mut [0]).unwrap();
    }
    assert_eq!(server.count().live(), 20);
    // The kernel completes these; the server leaves them in the queue.
    let mut waiting = open(30);
    for stream in &mut waiting {
        stream.write_all(b"y").unwrap();
    }
    let mut peak = 0;
    for stream in held.drain(..) {
        drop(stream);
        peak = peak.max(server.count().live());
    }
    for mut stream in waiting {
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.read_exact(&mut [0]).unwrap();
        peak = peak.max(server.count().live());
    }
    assert!(peak <= 20, "{peak} connections at a time");
    echo_once(server.tcp());
}

#[test]
fn accepted_sockets_inherit_tcp_nodelay() {
    let listener = ListenAddress::loopback(0).bind(1).unwrap().pop().unwrap();
    let avocet_net::Listener::Tcp(listener) = listener else { panic!("a TCP listener") };
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    assert!(!client.nodelay().unwrap(), "the system's default would prove nothing");
    listener.set_nonblocking(false).unwrap();
    assert!(listener.accept().unwrap().0.nodelay().unwrap());
}

#[test]
fn a_stop_takes_what_the_kernel_had_completed_and_then_refuses() {
    for workers in [1, 3] {
        let server = EchoServer::start(&ListenAddress::loopback(0), workers, 1000);
        let address = server.tcp();
        let clients: Vec<_> = (0..100).map(|_| TcpStream::connect(address).unwrap()).collect();
        server.begin_stop(Duration::from_secs(30));
        for stream in clients {
            let back = stream.try_clone().unwrap();
            echo(back, b"sent after the stop was ordered").unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
        }
        let reports = server.finish();
        assert!(reports.iter().all(|report| report.left == 0));
        assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
    }
}

#[test]
fn a_unix_listener_that_loops_share_serves_every_connection_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let server = EchoServer::start(&ListenAddress::Unix(path.clone()), 4, 1000);
    let clients: Vec<_> = (0..8_u8)
        .map(|client| {
            let path = path.clone();
            thread::spawn(move || {
                for round in 0..100_u8 {
                    let mut stream = UnixStream::connect(&path).unwrap();
                    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
                    stream.write_all(&[client, round]).unwrap();
                    let mut back = Vec::new();
                    stream.shutdown(Shutdown::Write).unwrap();
                    stream.read_to_end(&mut back).unwrap();
                    assert_eq!(back, [client, round]);
                }
            })
        })
        .collect();
    for client in clients {
        client.join().unwrap();
    }
    server.begin_stop(Duration::from_secs(10));
    server.finish();
    assert!(!path.exists(), "the last loop removes the file");
}

/// A listener that always fails in the same way.
struct Failing(i32, Arc<AtomicU32>);

impl Incoming for Failing {
    fn accept(&mut self) -> io::Result<Box<dyn Transport>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        Err(io::Error::from_raw_os_error(self.0))
    }

    fn waits(&mut self) -> bool {
        true
    }

    fn local(&self) -> &Address {
        &Address::Memory
    }

    fn register(&mut self, _: &Registration<'_>) -> io::Result<()> {
        Ok(())
    }

    fn deregister(&mut self, _: &Registration<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// The errors that accept(2) names, by their numbers on Linux.
const ERRORS: [(&str, i32); 14] = [
    ("EPERM", 1),
    ("EINTR", 4),
    ("ENOMEM", 12),
    ("ENFILE", 23),
    ("EMFILE", 24),
    ("EPROTO", 71),
    ("ENOPROTOOPT", 92),
    ("ENETDOWN", 100),
    ("ENETUNREACH", 101),
    ("ECONNABORTED", 103),
    ("ECONNRESET", 104),
    ("ENOBUFS", 105),
    ("ETIMEDOUT", 110),
    ("EHOSTUNREACH", 113),
];

#[test]
fn no_error_of_accept_that_stays_ends_the_listener_or_keeps_the_loop_busy() {
    for (name, errno) in ERRORS {
        let mut simulation = Simulation::calm();
        let attempts = Arc::new(AtomicU32::new(0));
        let failing = Failing(errno, attempts.clone());
        let make =
            |transport: Box<dyn Transport>, _, _| Box::new(Echo::new(transport)) as Box<dyn Task>;
        simulation.spawn(Box::new(Acceptor::with_incoming(
            Box::new(failing),
            ConnectionCount::new(10),
            make,
        )));
        simulation.run_for(Duration::from_secs(60));
        assert_eq!(simulation.event_loop(0).scheduler().len(), 1, "{name} ended the listener");
        let attempts = attempts.load(Ordering::Relaxed);
        assert!((55..150).contains(&attempts), "{name}: {attempts} attempts in a minute");
    }
}

/// A listener whose first accepts fail, and which has one connection behind the failures.
struct Recovering(u32, i32, Option<avocet_net::MemoryTransport>);

impl Incoming for Recovering {
    fn accept(&mut self) -> io::Result<Box<dyn Transport>> {
        if self.0 > 0 {
            self.0 -= 1;
            return Err(io::Error::from_raw_os_error(self.1));
        }
        match self.2.take() {
            Some(transport) => Ok(Box::new(transport)),
            None => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn waits(&mut self) -> bool {
        self.2.is_some()
    }

    fn local(&self) -> &Address {
        &Address::Memory
    }

    fn register(&mut self, _: &Registration<'_>) -> io::Result<()> {
        Ok(())
    }

    fn deregister(&mut self, _: &Registration<'_>) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn after_any_error_of_accept_serving_goes_on_within_two_seconds() {
    for (name, errno) in ERRORS {
        for failures in [1, 3, 20] {
            let mut simulation = Simulation::calm();
            let (client, server) = simulation.connect();
            let recovering = Recovering(failures, errno, Some(server));
            let make = |transport: Box<dyn Transport>, _, _| {
                Box::new(Echo::new(transport)) as Box<dyn Task>
            };
            let count = ConnectionCount::new(10);
            simulation.spawn(Box::new(Acceptor::with_incoming(Box::new(recovering), count, make)));
            client.send("served");
            let served =
                simulation.run_until(Duration::from_secs(60), |_| client.received() == b"served");
            assert!(served, "{name} {failures} times");
            // The waits are 100, 200, 400, 800 and then 1,000 ms: two seconds after the last failure.
            if failures <= 3 {
                assert!(simulation.elapsed() <= Duration::from_secs(2), "{name} {failures} times");
            }
        }
    }
}

#[test]
fn a_panic_while_a_session_is_made_costs_that_connection_alone() {
    let mut simulation = Simulation::calm();
    let (listener, port) = simulation.listen(10);
    let mut first = true;
    let make = move |transport: Box<dyn Transport>, permit, _| {
        assert!(!std::mem::take(&mut first), "on purpose");
        Box::new(Echo::new(transport).with_permit(permit)) as Box<dyn Task>
    };
    let count = ConnectionCount::new(10);
    simulation.spawn(Box::new(Acceptor::with_incoming(Box::new(listener), count.clone(), make)));
    let clients = [simulation.dial(&port).unwrap(), simulation.dial(&port).unwrap()];
    clients.iter().for_each(|client| client.send("hello"));
    simulation.settle();
    assert!(clients[0].closed().is_some());
    assert_eq!(clients[1].text(), "hello");
    assert_eq!(count.live(), 1);
}

/// Runs the named test of this binary again in a process of its own.
fn in_a_child(name: &str) -> bool {
    const MARK: &str = "AVOCET_TEST_CHILD";
    if std::env::var_os(MARK).is_some() {
        return true;
    }
    let program = std::env::current_exe().unwrap();
    let status =
        Command::new(program).args(["--exact", name, "--nocapture"]).env(MARK, "1").status();
    assert!(status.unwrap().success());
    false
}

#[test]
fn emfile_is_survived() {
    if !in_a_child("emfile_is_survived") {
        return;
    }
    let server = EchoServer::start(&ListenAddress::loopback(0), 1, 10_000);
    echo_once(server.tcp());
    while server.count().live() > 0 {
        thread::yield_now();
    }
    // The client lives in this process too, so its socket is there before the limit falls.
    let client = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let limits = getrlimit(Resource::Nofile);
    let open = std::fs::read_dir("/proc/self/fd").unwrap().count() as u64;
    setrlimit(Resource::Nofile, Rlimit { current: Some(open), ..limits }).unwrap();
    let rest: Vec<_> = std::iter::from_fn(|| std::fs::File::open("/dev/null").ok()).collect();
    client.connect(&server.tcp().into()).unwrap();
    let mut client = TcpStream::from(client);
    client.write_all(b"x").unwrap();
    let cpu = cpu_time();
    client.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    assert!(client.read_exact(&mut [0]).is_err(), "there was a descriptor left after all");
    let used = cpu_time() - cpu;
    assert!(used < Duration::from_millis(50), "{used:?} of a second while out of descriptors");
    setrlimit(Resource::Nofile, limits).unwrap();
    drop(rest);
    client.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    client.read_exact(&mut [0]).unwrap();
    echo(client, b"served again within two seconds").unwrap();
    echo_once(server.tcp());
}

fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[test]
fn a_connection_that_was_reset_in_the_queue_is_no_error_of_the_listener() {
    let (mut event_loop, address, taken) = counting(10);
    for _ in 0..20 {
        let client = TcpStream::connect(address).unwrap();
        socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
        drop(client);
    }
    let last = TcpStream::connect(address).unwrap();
    while taken.load(Ordering::Relaxed) < 1 || event_loop.scheduler().len() > 1 {
        event_loop.turn(Some(Duration::from_secs(10))).unwrap();
    }
    assert_eq!(event_loop.scheduler().len(), 1, "the listener lives");
    drop(last);
}
