//! Graceful stop: what is under way is finished, nothing else holds it.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use avocet_server::{Grace, Reply, Request, Response, Server, Ticket, respond};

use crate::support::{End, Recorded, Simulated, get, serve, serve_with};

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Grace for tests on real time: nobody waits for an idle connection.
fn brief() -> Grace {
    Grace { idle_for: Duration::from_millis(200), ..Grace::default() }
}

type Tickets = Arc<Mutex<Vec<Ticket>>>;

/// Defers every answer to `/late`, and tells when it has.
fn deferring(tickets: &Tickets, told: Sender<()>) -> impl avocet_server::Handler + 'static {
    let tickets = tickets.clone();
    let told = Mutex::new(told);
    move |request: &Request<'_>, reply: Reply<'_>| {
        if request.path() == "/late" {
            tickets.lock().unwrap().push(reply.defer());
            told.lock().unwrap().send(()).unwrap();
        } else {
            reply.send(Response::text("now"));
        }
    }
}

#[test]
fn a_server_without_connections_stops_at_once() {
    let running = serve(respond(|_| Response::text("hello")));
    let begin = Instant::now();
    running.stop(Grace { deadline: seconds(100), idle_for: seconds(100), ..Grace::default() });
    assert!(begin.elapsed() < seconds(50));
}

#[test]
fn an_exchange_in_flight_is_finished_with_connection_close() {
    let (told, wait) = channel();
    let tickets = Tickets::default();
    let running = serve(deferring(&tickets, told));
    let mut client = running.connect();
    client.send(get("/late"));
    wait.recv().unwrap();
    let handle = running.handle.clone();
    handle.stop(brief());
    // The listener goes first, so that its end shows that the loop has seen the order.
    while std::net::TcpStream::connect(running.address).is_ok() {
        thread::yield_now();
    }
    tickets.lock().unwrap().pop().unwrap().send(Response::text("whole"));
    let received = client.receive();
    assert_eq!(received.text(), "whole");
    assert!(received.closes(), "{}", received.head);
    client.expect_end();
    running.stop(brief());
}

#[test]
fn a_response_under_way_is_sent_whole() {
    let content = vec![b'x'; 20_000_000];
    let running = serve(respond(move |_| Response::ok(content.clone())));
    let mut client = running.connect();
    client.send(get("/"));
    client.receive_bytes(1000);
    running.handle.stop(brief());
    let (rest, end) = client.receive_all();
    assert!(rest.len() > 20_000_000 - 1000);
    assert_eq!(end, End::Closed);
}

#[test]
fn idle_connections_are_closed_and_others_get_their_last_answer() {
    let mut simulated = Simulated::new(Server::new(respond(|_| Response::text("hello"))));
    let mut idle = simulated.connect();
    let mut busy = simulated.connect();
    for peer in [&mut idle, &mut busy] {
        peer.send(get("/"));
    }
    simulated.turn();
    assert!(!idle.received().unwrap().closes() && !busy.received().unwrap().closes());
    simulated.stop(Grace::default());
    // A request that was under way when the order came is still answered.
    simulated.advance(Duration::from_millis(400));
    busy.send(get("/"));
    simulated.turn();
    assert!(busy.received().unwrap().closes());
    assert!(busy.is_closed() && !idle.is_gone());
    simulated.advance(Duration::from_millis(120));
    assert!(idle.is_gone());
    assert_eq!(idle.bytes(), b"");
    assert!(simulated.finished());
    assert_eq!(simulated.totals().timeouts, 0);
}

#[test]
fn a_fresh_connection_is_served() {
    let mut simulated = Simulated::new(Server::new(respond(|_| Response::text("hello"))));
    let mut fresh = simulated.connect();
    simulated.stop(Grace::default());
    assert!(!fresh.is_gone());
    fresh.send(get("/"));
    simulated.turn();
    let received = fresh.received().unwrap();
    assert_eq!(received.text(), "hello");
    assert!(received.closes());
    assert!(simulated.finished());
}

#[test]
fn security_stop_is_not_held_by_a_half_sent_head() {
    let mut simulated = Simulated::new(Server::new(respond(|_| Response::text("hello"))));
    let mut half = simulated.connect();
    half.send("GET / HTTP/1.1\r\nHos");
    simulated.turn();
    simulated.stop(Grace::default());
    simulated.advance(Duration::from_millis(520));
    assert!(half.is_gone());
    assert!(simulated.finished());
}

#[test]
fn security_stop_is_not_held_by_a_stalled_handshake_or_a_lingering_close() {
    let mut simulated = Simulated::new(Server::new(respond(|_| Response::text("hello"))));
    let mut lingering = simulated.connect();
    lingering.send("nonsense\r\n\r\n");
    simulated.turn();
    assert!(lingering.is_closed() && !lingering.is_gone());
    simulated.stop(Grace::default());
    simulated.advance(Duration::from_millis(520));
    assert!(simulated.finished());
}

#[test]
fn content_under_way_is_read_to_its_end() {
    let mut simulated = Simulated::new(Server::new(|_: &Request<'_>, reply: Reply<'_>| {
        reply.collect(100, |_, content, reply| reply.send(Response::ok(content)));
    }));
    let mut peer = simulated.connect();
    peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\nhalf");
    simulated.turn();
    simulated.stop(Grace::default());
    simulated.advance(seconds(5));
    peer.send("half");
    simulated.turn();
    let received = peer.received().unwrap();
    assert_eq!(received.text(), "halfhalf");
    assert!(received.closes());
    assert!(simulated.finished());
}

#[test]
fn the_deadline_cuts_what_is_still_under_way_and_the_log_is_told() {
    let (told, wait) = channel();
    let tickets = Tickets::default();
    let log = Recorded::new();
    let server = Server::new(deferring(&tickets, told)).access_log(log.clone());
    let running = serve_with(server);
    let mut client = running.connect();
    client.send(get("/late"));
    wait.recv().unwrap();
    let handle = running.handle.clone();
    running.stop(Grace { deadline: Duration::from_millis(50), ..brief() });
    client.expect_end();
    assert_eq!(log.last(), ("GET /late HTTP/1.1".to_owned(), None, 0, true));
    assert_eq!((handle.totals().aborted, handle.totals().live), (1, 0));
    // The answer comes too late and harms nobody.
    tickets.lock().unwrap().pop().unwrap().send(Response::text("late"));
}

#[test]
fn a_second_order_replaces_the_first() {
    let (told, wait) = channel();
    let tickets = Tickets::default();
    let running = serve(deferring(&tickets, told));
    let mut client = running.connect();
    client.send(get("/late"));
    wait.recv().unwrap();
    running.handle.stop(Grace { deadline: Duration::MAX, ..brief() });
    running.stop(Grace::NONE);
    client.expect_end();
}

#[test]
fn connections_are_accepted_for_a_while_where_that_is_asked() {
    let running = serve(respond(|_| Response::text("hello")));
    running.handle.stop(Grace { accept_for: Duration::MAX, ..Grace::default() });
    let received = running.ask(&get("/"));
    assert_eq!(received.text(), "hello");
    assert!(received.closes());
    running.stop(Grace::NONE);
}

#[test]
fn under_load_nobody_gets_a_part_of_a_response() {
    // Clients ask on connections of their own while the order comes. One that the kernel took but
    // the server did not hears nothing at all; nobody hears a part.
    for _ in 0..5 {
        let running = serve(respond(|_| Response::text("hello")));
        let address = running.address;
        let clients: Vec<_> = (0..8)
            .map(|_| {
                thread::spawn(move || {
                    let mut answered = 0;
                    while let Ok(mut stream) = std::net::TcpStream::connect(address) {
                        use std::io::{Read, Write};
                        let mut all = Vec::new();
                        let mut buf = [0; 1000];
                        if stream.write_all(get("/").as_bytes()).is_err() {
                            return (answered, 0);
                        }
                        while !all.ends_with(b"hello") {
                            match stream.read(&mut buf) {
                                Ok(count) if count > 0 => all.extend_from_slice(&buf[..count]),
                                _ => return (answered, all.len()),
                            }
                        }
                        answered += 1;
                    }
                    (answered, 0)
                })
            })
            .collect();
        while running.handle.totals().requests < 200 {
            thread::yield_now();
        }
        running.stop(Grace::default());
        for client in clients {
            let (answered, cut) = client.join().unwrap();
            assert_eq!(cut, 0, "a response was cut after {answered} whole ones");
        }
    }
}
