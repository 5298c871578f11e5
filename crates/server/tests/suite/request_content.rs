//! Request content: collected, streamed, refused, drained.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use avocet_net::Notifier;
use avocet_server::{Handler, Reply, Request, Response, Server, Sink, respond};
use avocet_wire::Fields;
use http::{HeaderName, StatusCode};

use crate::support::{End, Simulated, get, post, serve};

fn echo(limit: u64) -> impl Handler {
    move |_: &Request<'_>, reply: Reply<'_>| {
        reply.collect(limit, |_, content, reply| reply.send(Response::ok(content)));
    }
}

fn chunked(pieces: &[&str]) -> String {
    let mut text = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned();
    for piece in pieces {
        text.push_str(&format!("{:x}\r\n{piece}\r\n", piece.len()));
    }
    text + "0\r\n\r\n"
}

#[test]
fn collected_content_is_whole_whatever_its_framing() {
    let running = serve(echo(100));
    let mut client = running.connect();
    client.send(post("/", "by length"));
    assert_eq!(client.receive().text(), "by length");
    client.send(chunked(&["by ", "chunk", "s"]));
    assert_eq!(client.receive().text(), "by chunks");
    client.send(get("/"));
    assert_eq!(client.receive().text(), "");
    client.send(post("/", &"x".repeat(100)));
    assert_eq!(client.receive().content.len(), 100);
}

#[test]
fn declared_content_beyond_the_limit_is_413_before_it_is_sent() {
    let running = serve(echo(100));
    let mut client = running.connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n");
    let received = client.receive();
    assert_eq!(received.status, 413);
    assert!(received.closes());
    client.finish();
    client.expect_end();
    assert_eq!(running.handle.totals().refused, 1);
}

#[test]
fn chunked_content_beyond_the_limit_is_413_once_it_is_seen() {
    let running = serve(echo(100));
    let mut client = running.connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send(format!("64\r\n{}\r\n1\r\n!", "x".repeat(100)));
    let received = client.receive();
    assert_eq!(received.status, 413);
    assert!(received.closes());
    client.finish();
    client.expect_end();
    assert_eq!(running.handle.totals().refused, 1);
}

#[test]
fn a_declared_length_chooses_no_allocation() {
    let mut simulated = Simulated::new(Server::new(echo(u64::MAX)));
    let mut peer = simulated.connect();
    peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551615\r\n\r\nx");
    simulated.turn();
    assert_eq!(simulated.live(), 1);
    assert!(peer.bytes().is_empty());
}

/// Gathers content, and takes none while it is told not to.
#[derive(Default)]
struct Gate {
    open: AtomicBool,
    content: Mutex<Vec<u8>>,
    notifier: Mutex<Option<Notifier>>,
    cut_short: AtomicBool,
}

struct Gated {
    gate: Arc<Gate>,
    ended: bool,
}

impl Gate {
    fn handler(gate: &Arc<Self>) -> impl Handler + 'static {
        let gate = gate.clone();
        move |_: &Request<'_>, reply: Reply<'_>| {
            *gate.notifier.lock().unwrap() = Some(reply.notifier());
            reply.consume(Box::new(Gated { gate: gate.clone(), ended: false }));
        }
    }

    fn open(&self, open: bool) {
        self.open.store(open, Ordering::SeqCst);
        if let Some(notifier) = &*self.notifier.lock().unwrap() {
            notifier.wake();
        }
    }

    fn taken(&self) -> usize {
        self.content.lock().unwrap().len()
    }
}

impl Sink for Gated {
    fn data(&mut self, bytes: &[u8]) {
        self.gate.content.lock().unwrap().extend_from_slice(bytes);
    }

    fn ready(&mut self) -> bool {
        self.gate.open.load(Ordering::SeqCst)
    }

    fn end(mut self: Box<Self>, request: &Request<'_>, trailers: Fields<'_>, reply: Reply<'_>) {
        self.ended = true;
        let content = self.gate.content.lock().unwrap();
        let trailer = trailers.get(&HeaderName::from_static("x-sum")).unwrap_or(b"none").to_vec();
        let trailer = String::from_utf8(trailer).unwrap();
        reply.send(Response::text(format!("{} {} {trailer}", request.path(), content.len())));
    }
}

impl Drop for Gated {
    fn drop(&mut self) {
        self.gate.cut_short.store(!self.ended, Ordering::SeqCst);
    }
}

#[test]
fn a_sink_gets_content_and_trailers() {
    let gate = Arc::new(Gate::default());
    gate.open(true);
    let running = serve(Gate::handler(&gate));
    let mut client = running.connect();
    client.send("POST /sink HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send("3\r\nabc\r\n4\r\ndefg\r\n0\r\nX-Sum: 7\r\n\r\n");
    assert_eq!(client.receive().text(), "/sink 7 7");
    assert_eq!(*gate.content.lock().unwrap(), b"abcdefg");
    assert!(!gate.cut_short.load(Ordering::SeqCst));
}

#[test]
fn a_sink_that_is_not_ready_stops_the_client() {
    for piece in [1, 100, 4096, 60_000] {
        let gate = Arc::new(Gate::default());
        let mut simulated = Simulated::new(Server::new(Gate::handler(&gate)));
        let mut peer = simulated.connect();
        let content = "0123456789".repeat(20 * piece.clamp(100, 1000));
        let request = post("/sink", &content);
        let mut sent = 0;
        for round in 0..50_000 {
            let end = request.len().min(sent + piece);
            sent += peer.try_send(&request.as_bytes()[sent..end]);
            // The gate opens and shuts at odd moments, and stays shut for a while at first.
            gate.open(round > 100 && round % 3 != 0);
            simulated.turn();
            if sent == request.len() && gate.taken() == content.len() {
                break;
            }
        }
        let expected = format!("/sink {} none", content.len());
        assert_eq!(peer.received().unwrap().text(), expected, "pieces of {piece}");
        assert!(*gate.content.lock().unwrap() == content.as_bytes());
    }
}

#[test]
fn what_a_sink_does_not_take_is_bounded() {
    let gate = Arc::new(Gate::default());
    let mut simulated = Simulated::new(Server::new(Gate::handler(&gate)));
    let mut peer = simulated.connect();
    peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999\r\n\r\n");
    let mut sent = 0;
    loop {
        let count = peer.try_send(&[b'x'; 1000]);
        if count == 0 {
            break;
        }
        sent += count;
        simulated.turn();
    }
    // One buffer of the loop, and the capacity of the way.
    assert!(sent <= 128 * 1024, "{sent} bytes were taken for a sink that takes none");
    assert_eq!(gate.taken(), 0);
    assert!(!gate.cut_short.load(Ordering::SeqCst));
    drop(peer);
    simulated.turn();
}

#[test]
fn time_in_which_the_sink_takes_nothing_is_not_the_clients() {
    let gate = Arc::new(Gate::default());
    gate.open(true);
    let mut simulated = Simulated::new(Server::new(Gate::handler(&gate)));
    let mut peer = simulated.connect();
    peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 20000\r\n\r\n");
    peer.send([b'x'; 10_000]);
    simulated.turn();
    assert_eq!(gate.taken(), 10_000);
    gate.open(false);
    peer.send([b'x'; 5_000]);
    simulated.turn();
    simulated.advance(Duration::from_secs(3600));
    assert_eq!(simulated.live(), 1, "a sink that pauses costs the client nothing");
    gate.open(true);
    simulated.turn();
    simulated.advance(Duration::from_secs(10));
    assert_eq!(simulated.live(), 1, "the rate is reckoned without the pause");
    peer.send([b'x'; 5_000]);
    simulated.turn();
    assert_eq!(peer.received().unwrap().text(), "/ 20000 none");
}

#[test]
fn a_sink_sees_that_content_was_cut_short() {
    let gate = Arc::new(Gate::default());
    gate.open(true);
    let running = serve(Gate::handler(&gate));
    let mut client = running.connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf");
    client.finish();
    let received = client.receive();
    assert_eq!(received.status, 400);
    client.expect_end();
    assert!(gate.cut_short.load(Ordering::SeqCst));
}

struct Faulty(&'static str);

impl Sink for Faulty {
    fn data(&mut self, _: &[u8]) {
        assert_ne!(self.0, "/data", "on purpose");
    }

    fn ready(&mut self) -> bool {
        assert_ne!(self.0, "/ready", "on purpose");
        true
    }

    fn end(self: Box<Self>, _: &Request<'_>, _: Fields<'_>, reply: Reply<'_>) {
        assert_ne!(self.0, "/end", "on purpose");
        reply.send(Response::text("fine"));
    }
}

#[test]
fn a_sink_that_panics_is_500() {
    let running = serve(|request: &Request<'_>, reply: Reply<'_>| {
        let place = ["/data", "/ready", "/end", "/nowhere"]
            .into_iter()
            .find(|place| *place == request.path());
        reply.consume(Box::new(Faulty(place.unwrap())));
    });
    for place in ["/data", "/ready", "/end"] {
        let received = running.ask(&post(place, "content"));
        assert_eq!(received.status, 500, "{place}");
        assert!(received.closes(), "{place}");
    }
    assert_eq!(running.ask(&post("/nowhere", "content")).text(), "fine");
    let totals = running.handle.totals();
    assert_eq!((totals.panics, totals.responses[4], totals.responses[1]), (3, 3, 1));
}

#[test]
fn content_that_was_read_already_can_not_be_asked_for_again() {
    let running = serve(|request: &Request<'_>, reply: Reply<'_>| {
        let path = request.path().to_owned();
        reply.collect(100, move |_, _, reply| match path.as_str() {
            "/collect" => reply.collect(100, |_, _, reply| reply.send(Response::text("again"))),
            _ => reply.consume(Box::new(Faulty("/nowhere"))),
        });
    });
    assert_eq!(running.ask(&post("/collect", "content")).status, 500);
    assert_eq!(running.ask(&post("/consume", "content")).status, 500);
}

#[test]
fn an_early_answer_is_followed_by_a_bounded_drain() {
    let running = serve(respond(|_| Response::error(StatusCode::FORBIDDEN)));
    let mut client = running.connect();
    // Within the bound the connection stays.
    let content = "x".repeat(200 * 1024);
    client.send(post("/", &content));
    let received = client.receive();
    assert_eq!(received.status, 403);
    assert!(!received.closes());
    client.send(chunked(&[&content]));
    assert_eq!(client.receive().status, 403);
    // Beyond it the answer says that the connection ends, and it does.
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n");
    let received = client.receive();
    assert_eq!(received.status, 403);
    assert!(received.closes());
    while client.try_send([b'x'; 10_000]) {}
    assert!(client.ended_by_now());
}

#[test]
fn a_late_answer_to_more_than_is_drained_says_that_the_connection_ends() {
    let (tickets, waiting) = std::sync::mpsc::channel();
    let tickets = Mutex::new(tickets);
    let mut simulated = Simulated::new(Server::new(move |_: &Request<'_>, reply: Reply<'_>| {
        tickets.lock().unwrap().send(reply.defer()).unwrap();
    }));
    let mut peer = simulated.connect();
    peer.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(4096));
    let mut sent = 0;
    loop {
        let count = peer.try_send(chunk.as_bytes());
        sent += count;
        simulated.turn();
        if count < chunk.len() {
            break;
        }
    }
    assert!(sent > 256 * 1024 && sent < 500 * 1024, "{sent} bytes were taken for nobody");
    waiting.try_recv().unwrap().send(Response::text("late"));
    simulated.turn();
    let received = peer.received().unwrap();
    assert_eq!(received.text(), "late");
    assert!(received.closes());
}

#[test]
fn endless_chunks_behind_an_early_answer_end_the_connection() {
    let running = serve(respond(|_| Response::error(StatusCode::FORBIDDEN)));
    let mut client = running.connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_eq!(client.receive().status, 403);
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(4096));
    let mut sent = 0;
    while client.try_send(&chunk) {
        sent += chunk.len();
        assert!(sent < 100 << 20, "the server reads without end");
    }
    let bytes_in = running.handle.totals().bytes_in;
    // The drain before the close and the one after it.
    assert!(bytes_in < 2 * 256 * 1024 + 3 * 64 * 1024, "{bytes_in} bytes were read");
}

#[test]
fn security_lingering_close_lets_the_client_read_the_answer() {
    let running = serve(respond(|_| Response::error(StatusCode::FORBIDDEN)));
    for _ in 0..20 {
        let mut client = running.connect();
        client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 400000\r\n\r\n");
        // More than the server's buffers hold is under way before anything is read.
        client.send(vec![b'x'; 200_000]);
        assert_eq!(client.receive().status, 403);
        client.finish();
        assert_eq!(client.receive_all(), (Vec::new(), End::Closed));
    }
}
