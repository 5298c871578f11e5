//! Every time-out of the limits table, under virtual time.

use std::sync::Arc;
use std::time::Duration;

use avocet_server::{Config, Reply, Request, Response, Server, Timeouts, respond};
use http::StatusCode;

use crate::support::{Peer, Recorded, Simulated, get};

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn server() -> Server {
    Server::new(|request: &Request<'_>, reply: Reply<'_>| {
        if request.has_content() {
            return reply.collect(1 << 20, |_, content, reply| {
                reply.send(Response::text(format!("{} bytes", content.len())));
            });
        }
        reply.send(Response::text("hello"));
    })
}

/// Lets a second pass and gives the status, if a response came.
fn after_a_second(simulated: &mut Simulated, peer: &mut Peer) -> Option<u16> {
    simulated.advance(seconds(1));
    peer.received().map(|received| received.status)
}

/// The time until the server has let go of the connection, to within a second.
fn time_of_end(simulated: &mut Simulated, peer: &Peer) -> u64 {
    let begin = simulated.elapsed();
    while !peer.is_gone() {
        simulated.advance(seconds(1));
        assert!(simulated.elapsed() - begin < seconds(1000), "the connection stays");
    }
    (simulated.elapsed() - begin).as_secs()
}

#[test]
fn the_first_byte_has_ten_seconds() {
    let mut simulated = Simulated::new(server());
    let mut peer = simulated.connect();
    simulated.advance(Duration::from_millis(9_990));
    assert!(!peer.is_gone());
    simulated.advance(Duration::from_millis(30));
    assert!(peer.is_gone(), "within a tick of the deadline");
    assert_eq!(peer.bytes(), b"", "there is no request to answer");
    assert_eq!(simulated.live(), 0);
    // A connection that is never used is no time-out of a request.
    assert_eq!(simulated.totals().timeouts, 0);
}

#[test]
fn empty_lines_do_not_keep_a_fresh_connection() {
    let mut simulated = Simulated::new(server());
    let mut peer = simulated.connect();
    peer.send("\r\n");
    simulated.advance(seconds(5));
    peer.send("\r\n\r");
    assert!(time_of_end(&mut simulated, &peer) <= 23);
}

#[test]
fn security_slow_head_is_408_after_twenty_seconds() {
    let log = Recorded::new();
    let mut simulated = Simulated::new(server().access_log(log.clone()));
    let mut peer = simulated.connect();
    simulated.advance(seconds(9));
    peer.send("GET / HT");
    simulated.advance(Duration::from_millis(19_990));
    assert_eq!(peer.bytes(), b"");
    simulated.advance(Duration::from_millis(30));
    let received = peer.received().unwrap();
    assert_eq!(received.status, 408);
    assert!(received.closes() && peer.is_closed());
    // The client may still read it: the connection lingers, and not for long.
    assert_eq!(time_of_end(&mut simulated, &peer), 2);
    assert_eq!(simulated.totals().timeouts, 1);
    assert_eq!(log.last(), (String::new(), Some(408), log.lines()[0].content, false));
}

#[test]
fn security_slow_head_that_dribbles_is_cut_all_the_same() {
    // lighttpd and older caddy never cut a head that comes byte by byte.
    let mut simulated = Simulated::new(server());
    let mut peer = simulated.connect();
    peer.send("GET / HTTP/1.1\r\nX: ");
    let status = (1..=60).find_map(|second| {
        peer.try_send(b"x");
        after_a_second(&mut simulated, &mut peer).map(|status| (second, status))
    });
    let (second, status) = status.expect("the head is cut");
    assert_eq!(status, 408);
    assert!((20..=21).contains(&second), "after {second} s");
}

#[test]
fn a_head_that_comes_fast_enough_gets_more_time_up_to_forty_seconds() {
    // One second more for each 500 bytes.
    for (bytes_per_second, expected) in [(100, 24..=26), (400, 39..=41), (700, 39..=41)] {
        let mut simulated = Simulated::new(server());
        let mut peer = simulated.connect();
        peer.send("GET / HTTP/1.1\r\nHost: h\r\n");
        let status = (1..=60).find_map(|second| {
            let line = format!("X: {}\r\n", "x".repeat(bytes_per_second - 5));
            peer.try_send(line.as_bytes());
            after_a_second(&mut simulated, &mut peer).map(|status| (second, status))
        });
        let (second, status) = status.expect("the head is cut");
        assert_eq!(status, 408);
        assert!(expected.contains(&second), "{bytes_per_second} B/s: after {second} s");
    }
}

#[test]
fn a_head_that_is_slow_but_in_time_is_answered() {
    let mut simulated = Simulated::new(server());
    let mut peer = simulated.connect();
    for byte in get("/").as_bytes().chunks(3) {
        peer.send(byte);
        simulated.advance(seconds(1));
    }
    assert_eq!(peer.received().unwrap().status, 200);
}

#[test]
fn idle_between_requests_is_sixty_seconds() {
    let mut simulated = Simulated::new(server());
    let mut peer = simulated.connect();
    for _ in 0..3 {
        peer.send(get("/"));
        simulated.advance(seconds(59));
        assert_eq!(peer.received().unwrap().status, 200);
    }
    assert_eq!(time_of_end(&mut simulated, &peer), 2);
    assert_eq!(peer.bytes(), b"");
    assert_eq!(simulated.totals().timeouts, 0);
}

#[test]
fn the_next_head_has_its_own_time() {
    let mut simulated = Simulated::new(server());
    let mut peer = simulated.connect();
    peer.send(get("/"));
    simulated.advance(seconds(50));
    assert_eq!(peer.received().unwrap().status, 200);
    peer.send("GET");
    simulated.advance(seconds(19));
    peer.send(" / HTTP/1.1\r\nHost: h\r\n\r\n");
    simulated.turn();
    assert_eq!(peer.received().unwrap().status, 200);
    peer.send("GET");
    simulated.advance(seconds(21));
    assert_eq!(peer.received().unwrap().status, 408);
}

#[test]
fn security_slow_body_is_408_after_twenty_seconds() {
    let mut simulated = Simulated::new(server());
    let mut peer = simulated.connect();
    peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nsome");
    simulated.advance(Duration::from_millis(19_990));
    assert_eq!(peer.bytes(), b"");
    simulated.advance(Duration::from_millis(30));
    let received = peer.received().unwrap();
    assert_eq!(received.status, 408);
    assert!(received.closes());
    assert_eq!(time_of_end(&mut simulated, &peer), 2);
}

#[test]
fn security_slow_body_below_the_least_rate_is_cut() {
    // nginx and haproxy never cut one byte per two seconds.
    let mut simulated = Simulated::new(server());
    let mut peer = simulated.connect();
    peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
    let status = (1..=60).find_map(|second| {
        peer.try_send(b"xx");
        after_a_second(&mut simulated, &mut peer).map(|status| (second, status))
    });
    let (second, status) = status.expect("the content is cut");
    assert_eq!((status, (20..=21).contains(&second)), (408, true), "after {second} s");
}

#[test]
fn content_at_the_least_rate_may_take_for_ever() {
    let mut simulated = Simulated::new(server());
    let mut peer = simulated.connect();
    peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
    for _ in 0..200 {
        assert_eq!(after_a_second(&mut simulated, &mut peer), None);
        peer.send([b'x'; 500]);
    }
    simulated.turn();
    assert_eq!(peer.received().unwrap().text(), "100000 bytes");
}

#[test]
fn a_deferred_answer_may_take_its_time() {
    let tickets = Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = tickets.clone();
    let mut simulated = Simulated::new(Server::new(move |_: &Request<'_>, reply: Reply<'_>| {
        kept.lock().unwrap().push(reply.defer());
    }));
    let mut peer = simulated.connect();
    peer.send(get("/"));
    simulated.advance(seconds(10_000));
    tickets.lock().unwrap().pop().unwrap().send(Response::text("at last"));
    simulated.turn();
    assert_eq!(peer.received().unwrap().text(), "at last");
}

#[test]
fn lingering_ends_after_two_quiet_seconds() {
    let mut simulated = Simulated::new(server());
    let mut peer = simulated.connect();
    peer.send("nonsense\r\n\r\n");
    simulated.turn();
    assert_eq!(peer.received().unwrap().status, 400);
    assert!(peer.is_closed() && !peer.is_gone());
    for _ in 0..5 {
        simulated.advance(Duration::from_millis(1900));
        peer.send("x");
        simulated.turn();
        assert!(!peer.is_gone(), "a client that still sends is heard");
    }
    assert_eq!(time_of_end(&mut simulated, &peer), 1, "ten seconds in all");
    assert_eq!(simulated.live(), 0);
}

#[test]
fn lingering_ends_after_256_kib() {
    let mut simulated = Simulated::new(server());
    let mut peer = simulated.connect();
    peer.send("nonsense\r\n\r\n");
    simulated.turn();
    let mut sent = 0;
    while !peer.is_gone() {
        sent += peer.try_send(&[b'x'; 10_000]);
        simulated.turn();
    }
    assert!((256 * 1024..256 * 1024 + 70_000).contains(&sent), "{sent} bytes were read away");
}

#[test]
fn lingering_ends_with_the_client() {
    let mut simulated = Simulated::new(server());
    let mut peer = simulated.connect();
    peer.send("nonsense\r\n\r\n");
    simulated.turn();
    peer.finish();
    simulated.turn();
    assert!(peer.is_gone());
}

/// An answer that does not want the content, to a client that sends `rate` bytes of it a second: when
/// the server half-closes, and when it is gone.
fn drain_at(rate: usize) -> (Option<u64>, u64) {
    let log = Recorded::new();
    let early = Server::new(respond(|_| Response::text("early"))).access_log(log.clone());
    let mut simulated = Simulated::new(early);
    let mut peer = simulated.connect();
    peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10000\r\n\r\nsome");
    simulated.turn();
    assert_eq!(peer.received().map(|received| received.closes()), Some(false));
    let mut closed = None;
    while !peer.is_gone() {
        simulated.advance(Duration::from_millis(500));
        if closed.is_none() && peer.is_closed() {
            closed = Some(simulated.elapsed().as_secs());
        }
        peer.try_send(&vec![b'x'; rate / 2]);
        simulated.turn();
        assert!(simulated.elapsed() < seconds(100), "the connection stays");
    }
    assert_eq!((simulated.totals().aborted, log.last().3), (0, false), "the answer was whole");
    (closed, simulated.elapsed().as_secs())
}

#[test]
fn a_drain_ends_after_two_quiet_seconds() {
    let (closed, gone) = drain_at(0);
    assert_eq!(closed, Some(2));
    assert!((4..=5).contains(&gone), "gone after {gone} s");
}

#[test]
fn a_drain_ends_after_ten_seconds_in_all() {
    let (closed, gone) = drain_at(20);
    assert_eq!(closed, Some(10));
    assert!((20..=21).contains(&gone), "gone after {gone} s");
}

#[test]
fn a_time_out_may_be_for_ever() {
    let mut config = Config::default();
    let never = Duration::MAX;
    config.timeouts = Timeouts::never();
    assert_eq!((config.timeouts.idle, config.timeouts.content_rate), (never, 0));
    let mut simulated = Simulated::new(server().config(config));
    let fresh = simulated.connect();
    let (mut head, mut idle, mut content) =
        (simulated.connect(), simulated.connect(), simulated.connect_with_room(100));
    head.send("GET");
    idle.send(get("/"));
    content.try_send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n");
    for _ in 0..100 {
        simulated.advance(seconds(100_000));
    }
    assert!(!fresh.is_gone() && !head.is_closed() && !idle.is_gone() && !content.is_closed());
    content.send("123456789");
    simulated.turn();
    assert!(content.transport.waiting() > 0, "and what waits is still answered");
}

/// A transport whose handshake never ends.
struct Stalled(avocet_net::MemoryTransport);

impl avocet_net::Transport for Stalled {
    fn establish(&mut self) -> std::io::Result<avocet_net::Established> {
        Ok(avocet_net::Established::Pending)
    }

    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        unreachable!("nothing flows before the handshake")
    }

    fn write(&mut self, _: &mut avocet_net::Outbox) -> std::io::Result<bool> {
        unreachable!("nothing flows before the handshake")
    }

    fn close_write(&mut self) -> std::io::Result<()> {
        Ok(())
    }

    fn reset(&mut self) -> std::io::Result<()> {
        Ok(())
    }

    fn info(&self) -> &avocet_net::PeerInfo {
        self.0.info()
    }

    fn register(&mut self, registration: &avocet_net::Registration<'_>) -> std::io::Result<()> {
        self.0.register(registration)
    }
}

#[test]
fn security_handshake_stall_is_closed_after_ten_seconds() {
    let mut simulated = Simulated::new(server());
    let (peer, accepted) = avocet_net::memory_pair(1000);
    simulated.accept(Box::new(Stalled(accepted)));
    simulated.advance(seconds(9));
    assert_eq!(simulated.live(), 1);
    simulated.advance(seconds(2));
    assert_eq!(simulated.live(), 0);
    assert!(peer.peer_gone());
    assert_eq!(simulated.totals().timeouts, 1);
}

#[test]
fn every_time_out_can_be_set() {
    let mut config = Config::default();
    assert_eq!(config.timeouts, Timeouts::default());
    config.timeouts.first_byte = seconds(1);
    config.timeouts.head = seconds(2);
    config.timeouts.idle = seconds(3);
    config.timeouts.content_grace = seconds(4);
    config.timeouts.linger_quiet = seconds(1);
    let server = || server().config(config.clone());
    let mut simulated = Simulated::new(server());
    let fresh = simulated.connect();
    let mut head = simulated.connect();
    let mut idle = simulated.connect();
    let mut content = simulated.connect();
    head.send("GET");
    idle.send(get("/"));
    content.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n");
    simulated.advance(Duration::from_millis(1100));
    assert!(fresh.is_gone() && !head.is_closed());
    simulated.advance(seconds(1));
    assert!(head.is_closed() && !idle.is_closed());
    simulated.advance(seconds(1));
    assert!(idle.is_gone() && !content.is_closed());
    simulated.advance(seconds(1));
    assert!(content.is_closed());
    assert_eq!(content.received().map(|received| received.status), Some(408));
    assert_eq!(StatusCode::REQUEST_TIMEOUT.as_u16(), 408);
}
