//! Numbers of connections, and the counters.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use avocet_server::{Config, Reply, Request, Response, Server, respond};

use crate::support::{Client, Running, get, post, serve, serve_with};

fn with(change: impl FnOnce(&mut Config)) -> Running {
    let mut config = Config::default();
    change(&mut config);
    serve_with(Server::new(respond(|_| Response::text("hello"))).config(config))
}

/// A connection that is known to be accepted.
fn accepted(running: &Running) -> Client {
    let mut client = running.connect();
    client.send(get("/"));
    assert_eq!(client.receive().status, 200);
    client
}

/// Waits until the server counts so many live connections.
fn wait_for_live(running: &Running, live: u64) {
    while running.handle.totals().live != live {
        std::thread::yield_now();
    }
}

#[test]
fn security_floods_wait_at_the_connection_limit() {
    let running = with(|config| config.max_connections = Some(10));
    let held: Vec<_> = (0..10).map(|_| accepted(&running)).collect();
    // The next one is taken by the kernel and waits.
    let mut waiting = running.connect();
    waiting.send(get("/"));
    assert!(waiting.hears_nothing_for(Duration::from_millis(100)));
    assert_eq!(running.handle.totals().live, 10);
    // When a tenth has ended it has its turn.
    drop(held);
    assert_eq!(waiting.receive().status, 200);
    wait_for_live(&running, 1);
}

#[test]
fn connections_beyond_busy_from_are_told_so() {
    let running = with(|config| {
        config.max_connections = Some(10);
        config.busy_from = Some(3);
    });
    let mut held: Vec<_> = (0..3).map(|_| accepted(&running)).collect();
    let mut refused = running.connect();
    refused.send(get("/"));
    let received = refused.receive();
    assert_eq!((received.status, received.field("Retry-After")), (503, Some("1")));
    assert!(received.closes());
    refused.finish();
    refused.expect_end();
    held.pop();
    wait_for_live(&running, 2);
    accepted(&running);
    assert_eq!(running.handle.totals().refused, 1);
}

#[test]
fn an_address_has_its_share_where_that_is_asked() {
    let running = with(|config| config.max_per_address = Some(2));
    let held: Vec<_> = (0..2).map(|_| accepted(&running)).collect();
    for _ in 0..3 {
        let mut refused = running.connect();
        // Told before it has asked anything.
        let received = refused.receive();
        assert_eq!((received.status, received.field("Retry-After")), (503, Some("1")));
        assert!(received.closes());
        refused.finish();
        refused.expect_end();
    }
    drop(held);
    wait_for_live(&running, 0);
    accepted(&running);
    assert_eq!(running.handle.totals().refused, 3);
}

#[test]
fn the_limits_of_messages_can_be_set() {
    let running = with(|config| {
        config.limits.head = 200;
        config.limits.request_line = 100;
        config.limits.fields = 3;
        config.drain = 10;
    });
    assert_eq!(running.ask(&get("/")).status, 200);
    assert_eq!(running.ask(&get(&"/x".repeat(50))).status, 414);
    let head = format!("GET / HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "x".repeat(200));
    assert_eq!(running.ask(&head).status, 431);
    let fields = "GET / HTTP/1.1\r\nHost: h\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n";
    assert_eq!(running.ask(fields).status, 431);
    assert!(!running.ask(&post("/", "0123456789")).closes());
    assert!(running.ask(&post("/", "0123456789a")).closes());
}

#[test]
fn no_address_is_limited_by_default() {
    let running = serve(respond(|_| Response::text("hello")));
    let held: Vec<_> = (0..100).map(|_| accepted(&running)).collect();
    assert_eq!(running.handle.totals().live, held.len() as u64);
}

#[test]
fn the_counters_add_up() {
    let handler = |request: &Request<'_>, reply: Reply<'_>| match request.path() {
        "/204" => reply.send(Response::new(http::StatusCode::NO_CONTENT)),
        "/302" => reply.send(Response::new(http::StatusCode::FOUND)),
        "/404" => reply.send(Response::error(http::StatusCode::NOT_FOUND)),
        "/panic" => panic!("on purpose"),
        _ => reply.send(Response::text("0123456789")),
    };
    let running = serve(handler);
    let mut client = running.connect();
    let requests = [get("/"), get("/204"), get("/302"), get("/404"), post("/", "content")].concat();
    client.send(&requests);
    let received: Vec<_> = (0..5).map(|_| client.receive()).collect();
    let sent: usize = received.iter().map(|r| r.head.len() + 4 + r.content.len()).sum();
    // What was written is counted after the write, which the client may have read by then.
    while running.handle.totals().bytes_out < sent as u64 {
        std::thread::yield_now();
    }
    let totals = running.handle.totals();
    assert_eq!((totals.connections, totals.live, totals.requests), (1, 1, 5));
    assert_eq!(totals.responses, [0, 3, 1, 1, 0]);
    assert_eq!((totals.bytes_in, totals.bytes_out), (requests.len() as u64, sent as u64));
    assert_eq!((totals.refused, totals.timeouts, totals.panics, totals.aborted), (0, 0, 0, 0));
    assert_eq!(running.ask("nonsense\r\n\r\n").status, 400);
    assert_eq!(running.ask(&get("/panic")).status, 500);
    let totals = running.handle.totals();
    assert_eq!((totals.refused, totals.panics), (1, 1));
    assert_eq!((totals.requests, totals.responses), (6, [0, 3, 1, 2, 1]));
}

#[test]
fn the_counters_of_all_loops_are_added_up() {
    let bound = Server::new(respond(|_| Response::text("hello"))).workers(3).bind().unwrap();
    let avocet_net::Address::Ip(address) = bound.addresses()[0] else { panic!("no address") };
    let handle = bound.handle();
    let thread = std::thread::spawn(move || bound.run());
    for _ in 0..30 {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        std::io::Write::write_all(&mut stream, get("/").as_bytes()).unwrap();
        assert!(std::io::Read::read(&mut stream, &mut [0; 1000]).unwrap() > 0);
    }
    let totals = handle.totals();
    assert_eq!((totals.connections, totals.requests), (30, 30));
    handle.stop(avocet_server::Grace::NONE);
    thread.join().unwrap().unwrap();
}

#[test]
fn pipelined_requests_are_bounded_by_turns_and_not_starved() {
    // One client's batch must not keep another from its answer: both are served, in turns.
    let (told, order) = channel();
    let told = Mutex::new(told);
    let order_of = Arc::new(Mutex::new(Vec::new()));
    let seen = order_of.clone();
    let handler = move |request: &Request<'_>, reply: Reply<'_>| {
        seen.lock().unwrap().push(request.path().to_owned());
        reply.send(Response::text("hello"));
        told.lock().unwrap().send(()).unwrap();
    };
    let mut simulated = crate::support::Simulated::new(Server::new(handler));
    let mut greedy = simulated.connect();
    let mut modest = simulated.connect();
    greedy.send((0..100).map(|_| get("/greedy")).collect::<String>());
    modest.send(get("/modest"));
    simulated.turn();
    assert_eq!(order.try_iter().count(), 101);
    let seen = order_of.lock().unwrap();
    let place = seen.iter().position(|path| path == "/modest").unwrap();
    assert!(place <= 16, "after {place} requests of the other");
}
