//! Requests that are sent without waiting for the responses before them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use avocet_server::{Body, Reply, Request, Response, Server, respond};

use crate::support::{Simulated, get, post, responses, serve};

fn paths() -> impl avocet_server::Handler {
    respond(|request| Response::text(request.path().to_owned()))
}

#[test]
fn a_thousand_requests_are_answered_in_order() {
    let running = serve(paths());
    let mut client = running.connect();
    let batch: String = (0..1000).map(|index| get(&format!("/{index}"))).collect();
    client.send(batch);
    for index in 0..1000 {
        assert_eq!(client.receive().text(), format!("/{index}"));
    }
    assert_eq!(running.handle.totals().requests, 1000);
}

#[test]
fn any_cut_of_a_batch_gives_the_same_responses() {
    let batch = [get("/1"), post("/2", "content"), get("/3"), post("/4", ""), get("/5")].concat();
    for size in [1, 2, 3, 5, 7, 11, 50, 100] {
        let mut simulated = Simulated::new(Server::new(paths()));
        let mut peer = simulated.connect();
        for piece in batch.as_bytes().chunks(size) {
            peer.send(piece);
            simulated.turn();
        }
        let all = responses(&peer.bytes());
        let texts: Vec<_> = all.iter().map(|received| received.text()).collect();
        assert_eq!(texts, ["/1", "/2", "/3", "/4", "/5"], "in pieces of {size}");
    }
}

/// Counts how often the server writes.
struct Counted {
    inner: avocet_net::MemoryTransport,
    writes: Arc<AtomicUsize>,
}

impl avocet_net::Transport for Counted {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        self.inner.read(buf)
    }

    fn write(&mut self, out: &mut avocet_net::Outbox) -> std::io::Result<bool> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.inner.write(out)
    }

    fn close_write(&mut self) -> std::io::Result<()> {
        self.inner.close_write()
    }

    fn reset(&mut self) -> std::io::Result<()> {
        self.inner.reset()
    }

    fn info(&self) -> &avocet_net::PeerInfo {
        self.inner.info()
    }

    fn register(&mut self, registration: &avocet_net::Registration<'_>) -> std::io::Result<()> {
        self.inner.register(registration)
    }
}

#[test]
fn a_batch_is_answered_by_one_write() {
    let mut simulated = Simulated::new(Server::new(paths()));
    let (mut peer, accepted) = avocet_net::memory_pair(64 * 1024);
    let writes = Arc::new(AtomicUsize::new(0));
    let mut batch = avocet_net::Outbox::new();
    batch.push_slice((0..16).map(|index| get(&format!("/{index}"))).collect::<String>().as_bytes());
    avocet_net::Transport::write(&mut peer, &mut batch).unwrap();
    simulated.accept(Box::new(Counted { inner: accepted, writes: writes.clone() }));
    let mut buf = vec![0; 64 * 1024];
    let count = avocet_net::Transport::read(&mut peer, &mut buf).unwrap();
    assert_eq!(responses(&buf[..count]).len(), 16);
    assert_eq!(writes.load(Ordering::Relaxed), 1);
}

#[test]
fn a_batch_of_sixteen_takes_one_turn_of_the_loop() {
    let now = std::time::Instant::now();
    let connections = Server::new(paths()).connections().unwrap();
    let mut event_loop = avocet_net::EventLoop::simulated(now);
    let (mut peer, accepted) = avocet_net::memory_pair(64 * 1024);
    event_loop.spawn(connections.task(Box::new(accepted), None, now));
    // The first turns make the connection known to the loop.
    for _ in 0..3 {
        event_loop.turn_at(now);
    }
    let mut batch = avocet_net::Outbox::new();
    batch.push_slice(get("/").repeat(16).as_bytes());
    avocet_net::Transport::write(&mut peer, &mut batch).unwrap();
    let sleep = event_loop.turn_at(now).expect("there are time-outs");
    assert!(sleep > std::time::Duration::from_secs(5), "sleeps {sleep:?}");
    assert!(peer.waiting() > 16 * 100);
}

#[test]
fn order_is_kept_when_the_first_answer_is_late() {
    let running = serve(|request: &Request<'_>, reply: Reply<'_>| {
        let path = request.path().to_owned();
        if path != "/late" {
            return reply.send(Response::text(path));
        }
        let ticket = reply.defer();
        thread::spawn(move || ticket.send(Response::text(path)));
    });
    let mut client = running.connect();
    client.send([get("/a"), get("/late"), get("/b"), get("/late"), get("/c")].concat());
    for expected in ["/a", "/late", "/b", "/late", "/c"] {
        assert_eq!(client.receive().text(), expected);
    }
}

#[test]
fn requests_wait_unread_while_one_is_being_answered() {
    let waiting = Arc::new(std::sync::Mutex::new(Vec::new()));
    let tickets = waiting.clone();
    let mut simulated = Simulated::new(Server::new(move |_: &Request<'_>, reply: Reply<'_>| {
        tickets.lock().unwrap().push(reply.defer());
    }));
    let mut peer = simulated.connect();
    let batch: String = (0..3).map(|_| get("/")).collect();
    peer.send(batch);
    for answered in 1..=3 {
        simulated.turn();
        // Only one request at a time is with the handler.
        assert_eq!(simulated.totals().requests, answered);
        let ticket = waiting.lock().unwrap().pop().unwrap();
        assert!(waiting.lock().unwrap().is_empty());
        ticket.send(Response::text(format!("{answered}")));
        simulated.turn();
        assert_eq!(peer.received().unwrap().text(), format!("{answered}"));
    }
}

#[test]
fn a_client_that_does_not_read_is_not_read_either() {
    let content = vec![b'x'; 10_000];
    let mut simulated =
        Simulated::new(Server::new(respond(move |_| Response::ok(Body::from(content.clone())))));
    let mut peer = simulated.connect_with_room(32 * 1024);
    let request = get("/");
    let mut sent = 0;
    // Some responses fill the way to the client, some wait at the server, the rest must not pile up.
    for _ in 0..10_000 {
        let count = peer.try_send(&request.as_bytes()[sent % request.len()..]);
        if count == 0 {
            break;
        }
        sent += count;
        simulated.turn();
    }
    let answered = simulated.totals().requests;
    assert!(answered <= 3 + 7 + 1, "{answered} responses of 10 kB were made for nobody");
    // Nothing is lost: once the client reads, everything it sent is answered.
    let rest = request.len() - sent % request.len();
    let mut whole = sent / request.len();
    if rest < request.len() {
        whole += 1;
    }
    let mut received = 0;
    let mut completed = rest == request.len();
    while received < whole {
        while peer.received().is_some() {
            received += 1;
        }
        if !completed {
            completed = peer.try_send(&request.as_bytes()[request.len() - rest..]) == rest;
        }
        simulated.turn();
    }
    assert_eq!(simulated.totals().requests, whole as u64);
}
