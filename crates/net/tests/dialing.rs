//! Connections over loopback: refused, slow and fast addresses, names, local ends, unix sockets.

#![expect(clippy::unwrap_used, reason = "functions of a test, which clippy takes for others")]

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use avocet_net::{
    Address, DialError, DialErrorKind, DialOptions, Dialed, Dialing, EventLoop, Families, Input,
    Local, Next, Outbox, Outcome, Resolver, Target, Task, Transport, Turn,
};

/// What came of a dialing, with its attempts in words.
struct Result {
    connected: std::result::Result<Box<dyn Transport>, DialError>,
    attempts: Vec<(SocketAddr, String, Duration, Duration)>,
    turns: u32,
}

struct Caller {
    dialing: Dialing,
    turns: u32,
    result: Sender<Result>,
}

impl Task for Caller {
    fn turn(&mut self, cx: &mut Turn<'_>) -> Next {
        self.turns += 1;
        let connected = match self.dialing.turn(cx) {
            Dialed::Pending => return Next::Wait(self.dialing.deadline()),
            Dialed::Connected(transport) => Ok(transport),
            Dialed::Failed(error) => Err(error),
        };
        let attempts = self.dialing.attempts().iter().map(|attempt| {
            let outcome = match &attempt.outcome {
                Outcome::Failed(error) => format!("{:?}", error.kind()),
                other => format!("{other:?}"),
            };
            (attempt.address, outcome, attempt.after, attempt.duration)
        });
        let (attempts, turns) = (attempts.collect(), self.turns);
        self.result.send(Result { connected, attempts, turns }).unwrap();
        Next::Done
    }
}

fn dial(target: Target, options: DialOptions, resolver: &Resolver) -> Result {
    let mut event_loop = EventLoop::new().unwrap();
    let (sender, receiver) = channel();
    let dialing = Dialing::new(target, options, resolver.clone());
    event_loop.spawn(Box::new(Caller { dialing, turns: 0, result: sender }));
    let begin = Instant::now();
    while !event_loop.scheduler().is_empty() {
        event_loop.turn(Some(Duration::from_secs(5))).unwrap();
        assert!(begin.elapsed() < Duration::from_secs(30), "the dialing stands still");
    }
    receiver.recv().unwrap()
}

fn host(port: u16) -> Target {
    Target::Host("server.test".to_owned(), port)
}

/// A resolver that knows one name.
fn resolver(addresses: &[&str]) -> Resolver {
    let addresses: Vec<IpAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
    let resolver = Resolver::with_lookup(|host| panic!("{host} was asked for"));
    resolver.set("server.test", None, &addresses);
    resolver
}

/// An address whose connections neither succeed nor fail: its queue is full.
fn stuck(address: &str, port: u16) -> (TcpListener, Vec<socket2::Socket>) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let address = SocketAddr::new(address.parse().unwrap(), port);
    socket.bind(&address.into()).unwrap();
    socket.listen(0).unwrap();
    let listener = TcpListener::from(socket);
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    loop {
        let client =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        let stuck = client.connect_timeout(&address.into(), Duration::from_millis(200)).is_err();
        waiting.push(client);
        if stuck {
            return (listener, waiting);
        }
    }
}

#[test]
fn a_refused_address_is_followed_by_the_next_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let names = resolver(&["127.0.0.3", "127.0.0.2", "127.0.0.1"]);
    let result = dial(host(port), DialOptions::default(), &names);
    let transport = result.connected.unwrap();
    assert_eq!(transport.info().remote, Address::Ip(listener.local_addr().unwrap()));
    let (stream, peer) = listener.accept().unwrap();
    assert_eq!(transport.info().local, Address::Ip(peer));
    let outcomes: Vec<_> = result.attempts.iter().map(|(_, outcome, ..)| &**outcome).collect();
    assert_eq!(outcomes, ["ConnectionRefused", "ConnectionRefused", "Connected"]);
    let [.., (_, _, after, _)] = &result.attempts[..] else { panic!("three attempts") };
    assert!(*after < Duration::from_millis(200), "the third began {after:?} after the first");
    drop(stream);
}

#[test]
fn an_address_that_says_nothing_is_overtaken_after_the_delay() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (_slow, _waiting) = stuck("127.0.0.2", port);
    let names = resolver(&["127.0.0.2", "127.0.0.1"]);
    let result = dial(host(port), DialOptions::default(), &names);
    result.connected.unwrap();
    let [(_, slow, ..), (_, fast, after, _)] = &result.attempts[..] else { panic!("two attempts") };
    assert_eq!((&**slow, &**fast), ("Abandoned", "Connected"));
    assert!(*after >= Duration::from_millis(250), "begun after {after:?}");
    assert!(*after < Duration::from_millis(2000), "begun after {after:?}");
    assert!(result.turns < 10, "{} turns for one wait", result.turns);
}

#[test]
fn both_families_are_tried_in_turn() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let names = resolver(&["::1", "127.0.0.1"]);
    let result = dial(host(port), DialOptions::default(), &names);
    result.connected.unwrap();
    // Without IPv6 the system has another word than "refused" for it.
    let [(first, outcome, ..), (second, ..)] = &result.attempts[..] else { panic!("two attempts") };
    assert!(first.is_ipv6() && second.is_ipv4() && outcome != "Connected", "{outcome}");
    let only = DialOptions { families: Families::V6, ..DialOptions::default() };
    assert_eq!(dial(host(port), only, &names).attempts.len(), 1);
    let only = DialOptions { families: Families::V6, ..DialOptions::default() };
    let error = dial(host(port), only, &resolver(&["127.0.0.1"])).connected.err().unwrap();
    assert_eq!(error.kind(), DialErrorKind::NoAddress);
}

#[test]
fn when_all_are_refused_the_error_names_each() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let names = resolver(&["127.0.0.1", "127.0.0.2"]);
    let result = dial(host(port), DialOptions::default(), &names);
    let error = result.connected.err().unwrap();
    assert_eq!(error.kind(), DialErrorKind::Connect);
    let text = error.to_string();
    assert!(text.starts_with(&format!("cannot connect to server.test port {port}: 127.0.0.1")));
    assert!(text.contains("; 127.0.0.2"), "{text}");
    let source = std::error::Error::source(&error).unwrap();
    let source = source.downcast_ref::<std::io::Error>().unwrap();
    assert_eq!(source.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[test]
fn time_runs_out_for_names_and_for_connections() {
    let options = || DialOptions { timeout: Duration::from_millis(300), ..DialOptions::default() };
    let (listener, _waiting) = stuck("127.0.0.1", 0);
    let port = listener.local_addr().unwrap().port();
    let result = dial(host(port), options(), &resolver(&["127.0.0.1"]));
    let error = result.connected.err().unwrap();
    assert_eq!((error.kind(), error.is_of_name()), (DialErrorKind::TimedOut, false));
    assert!(error.to_string().contains("within 300ms"), "{error}");
    assert_eq!(result.attempts[0].1, "Abandoned");
    let (release, held) = channel::<()>();
    let held = Mutex::new(held);
    let slow = Resolver::with_lookup(move |_| {
        held.lock().unwrap().recv().unwrap_or_default();
        Ok(Vec::new())
    });
    let error = dial(host(port), options(), &slow).connected.err().unwrap();
    assert_eq!((error.kind(), error.is_of_name()), (DialErrorKind::TimedOut, true));
    drop(release);
}

#[test]
fn names_are_looked_up_beside_the_loop() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let here = std::thread::current().id();
    let names = Resolver::with_lookup(move |host| {
        assert_ne!(std::thread::current().id(), here, "the loop's thread must not block");
        match host {
            "server.test" => Ok(vec!["127.0.0.1:0".parse().unwrap()]),
            _ => Err(std::io::Error::other("no such name here")),
        }
    });
    dial(host(port), DialOptions::default(), &names).connected.unwrap();
    let missing = Target::Host("missing.test".to_owned(), port);
    let error = dial(missing, DialOptions::default(), &names).connected.err().unwrap();
    assert_eq!((error.kind(), error.is_of_name()), (DialErrorKind::Resolve, true));
    assert_eq!(error.to_string(), "cannot find the host missing.test: no such name here");
    // The system's own resolver knows this machine's name from its own table.
    let system = Target::Host("localhost".to_owned(), port);
    dial(system, DialOptions::default(), &Resolver::new()).connected.unwrap();
}

#[test]
fn the_local_end_is_where_it_was_asked_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let names = resolver(&["::1", "127.0.0.1"]);
    let local = Local { address: Some("127.0.0.9".parse().unwrap()), ..Local::default() };
    let result = dial(host(port), DialOptions { local, ..DialOptions::default() }, &names);
    result.connected.unwrap();
    assert_eq!(result.attempts.len(), 1, "the other family is not tried");
    assert_eq!(listener.accept().unwrap().1.ip().to_string(), "127.0.0.9");
    let local = Local { interface: Some("lo".to_owned()), ..Local::default() };
    dial(host(port), DialOptions { local, ..DialOptions::default() }, &names).connected.unwrap();
    let local = Local { interface: Some("nosuch0".to_owned()), ..Local::default() };
    let result = dial(host(port), DialOptions { local, ..DialOptions::default() }, &names);
    let error = result.connected.err().unwrap();
    assert!(error.to_string().contains("the interface nosuch0"), "{error}");
}

/// The kernel's table of connections tells which timer runs: 02 is the one that asks.
#[cfg(target_os = "linux")]
#[test]
fn the_system_asks_after_silence_where_that_was_said() {
    for (keepalive, timer) in [(None, "00"), (Some(Duration::from_secs(90)), "02")] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let local = Local { keepalive, ..Local::default() };
        let options = DialOptions { local, ..DialOptions::default() };
        let result = dial(host(port), options, &resolver(&["127.0.0.1"]));
        let _open = (result.connected.unwrap(), listener.accept().unwrap());
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let remote = format!("0100007F:{port:04X}");
        let line = table.lines().find(|line| line.split_whitespace().nth(2) == Some(&remote));
        let timers = line.and_then(|line| line.split_whitespace().nth(5)).unwrap();
        assert!(timers.starts_with(timer), "{timers}");
    }
}

#[test]
fn unix_sockets_connect_and_say_why_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let target = || Target::Unix(Arc::from(path.as_path()));
    let names = resolver(&[]);
    let error = dial(target(), DialOptions::default(), &names).connected.err().unwrap();
    assert!(error.to_string().contains("No such file"), "{error}");
    let listener = UnixListener::bind(&path).unwrap();
    let transport = dial(target(), DialOptions::default(), &names).connected.unwrap();
    assert_eq!(transport.info().remote, Address::Unix(Some(Arc::from(path.as_path()))));
    listener.accept().unwrap();
    drop(listener);
    let error = dial(target(), DialOptions::default(), &names).connected.err().unwrap();
    assert_eq!(error.kind(), DialErrorKind::Connect);
}

#[test]
fn a_full_queue_of_a_unix_listener_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    socket.bind(&socket2::SockAddr::unix(&path).unwrap()).unwrap();
    socket.listen(0).unwrap();
    let listener = UnixListener::from(socket);
    let _first = std::os::unix::net::UnixStream::connect(&path).unwrap();
    let (accept, go) = channel::<()>();
    let accepting = std::thread::spawn(move || {
        go.recv().unwrap();
        (listener.accept().unwrap(), listener.accept().unwrap())
    });
    let mut event_loop = EventLoop::new().unwrap();
    let (sender, receiver) = channel();
    let target = Target::Unix(Arc::from(path.as_path()));
    let dialing = Dialing::new(target, DialOptions::default(), resolver(&[]));
    event_loop.spawn(Box::new(Caller { dialing, turns: 0, result: sender }));
    for _ in 0..3 {
        event_loop.turn(Some(Duration::from_millis(30))).unwrap();
    }
    assert!(receiver.try_recv().is_err(), "there is no room yet");
    accept.send(()).unwrap();
    while !event_loop.scheduler().is_empty() {
        event_loop.turn(Some(Duration::from_secs(5))).unwrap();
    }
    receiver.recv().unwrap().connected.unwrap();
    accepting.join().unwrap();
}

/// Dials, says a word and reads one to the end; it trusts its readiness bits.
struct Talker {
    dialing: Dialing,
    transport: Option<Box<dyn Transport>>,
    heard: Vec<u8>,
    result: Sender<Vec<u8>>,
    closed_early: bool,
}

impl Task for Talker {
    fn turn(&mut self, cx: &mut Turn<'_>) -> Next {
        if self.transport.is_none() {
            match self.dialing.turn(cx) {
                Dialed::Pending => return Next::Wait(self.dialing.deadline()),
                Dialed::Failed(error) => panic!("{error}"),
                Dialed::Connected(transport) => self.transport = Some(transport),
            }
            self.closed_early = cx.read_closed();
            let mut out = Outbox::new();
            out.push_slice(b"word");
            assert!(cx.write(self.transport.as_mut().unwrap(), &mut out).unwrap());
        }
        let transport = self.transport.as_mut().unwrap();
        while cx.readable() {
            let mut buf = [0; 64];
            match cx.read(transport, &mut buf).unwrap() {
                Input::Bytes(count) => self.heard.extend_from_slice(&buf[..count]),
                Input::Blocked => {}
                Input::Closed => {
                    assert!(!self.closed_early, "a failed attempt closed the connection");
                    self.result.send(std::mem::take(&mut self.heard)).unwrap();
                    return Next::Done;
                }
            }
        }
        Next::Wait(None)
    }
}

#[test]
fn the_fate_of_failed_attempts_does_not_stick_to_the_connection() {
    for _ in 0..50 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut word = [0; 4];
            stream.read_exact(&mut word).unwrap();
            stream.write_all(&word).unwrap();
        });
        let names = resolver(&["127.0.0.3", "127.0.0.2", "127.0.0.1"]);
        let mut event_loop = EventLoop::new().unwrap();
        let (result, heard) = channel();
        event_loop.spawn(Box::new(Talker {
            dialing: Dialing::new(host(port), DialOptions::default(), names),
            transport: None,
            heard: Vec::new(),
            result,
            closed_early: false,
        }));
        let begin = Instant::now();
        while !event_loop.scheduler().is_empty() {
            event_loop.turn(Some(Duration::from_secs(5))).unwrap();
            assert!(begin.elapsed() < Duration::from_secs(20), "the end was not told of");
        }
        assert_eq!(heard.recv().unwrap(), b"word");
        server.join().unwrap();
    }
}
