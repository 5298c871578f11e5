//! Allocations for each request on a connection that is kept, counted.

use std::time::Instant;

use allocation_counter::measure;
use avocet_net::{EventLoop, MemoryTransport, Outbox, Transport, memory_pair};
use avocet_server::{Body, Handler, Reply, Request, Response, Router, Server, respond};
use avocet_wire::FieldBuf;
use http::StatusCode;
use http::header::CONTENT_TYPE;

/// A server in memory whose clock stands still, so that Date is made once.
struct Bench {
    event_loop: EventLoop,
    client: MemoryTransport,
    now: Instant,
}

impl Bench {
    fn new(handler: impl Handler + 'static) -> Self {
        let now = Instant::now();
        let connections = Server::new(handler).connections().expect("the defaults are valid");
        let mut event_loop = EventLoop::simulated(now);
        let (client, accepted) = memory_pair(64 * 1024);
        event_loop.spawn(connections.task(Box::new(accepted), None, now));
        Self { event_loop, client, now }
    }

    /// Allocations of the server while it answers one batch; what its client does is not counted.
    fn answer(&mut self, batch: &str, responses: usize) -> u64 {
        let mut out = Outbox::new();
        out.push_slice(batch.as_bytes());
        assert!(self.client.write(&mut out).expect("the connection stands"));
        let counted = measure(|| {
            self.event_loop.turn_at(self.now);
        });
        let mut buf = vec![0; 64 * 1024];
        let count = self.client.read(&mut buf).expect("an answer came");
        let text = String::from_utf8_lossy(&buf[..count]).into_owned();
        assert_eq!(text.matches("HTTP/1.1 200 OK\r\n").count(), responses, "{text}");
        counted.count_total
    }

    /// The most allocations for one batch, once everything that is kept has been made.
    fn most(&mut self, batch: &str, responses: usize) -> u64 {
        for _ in 0..100 {
            self.answer(batch, responses);
        }
        (0..1000).map(|_| self.answer(batch, responses)).max().unwrap_or_default()
    }
}

const REQUEST: &str = "GET /plaintext HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\n\r\n";

fn plain() -> impl Fn(&Request<'_>, Reply<'_>) + Send + Sync {
    let mut fields = FieldBuf::new();
    fields.push(&CONTENT_TYPE, "text/plain").expect("a valid type");
    move |_: &Request<'_>, reply: Reply<'_>| {
        reply.send_parts(StatusCode::OK, &fields, Body::Static(b"Hello, World!"));
    }
}

#[test]
fn a_request_answered_in_parts_allocates_nothing() {
    assert_eq!(Bench::new(plain()).most(REQUEST, 1), 0);
}

#[test]
fn a_batch_of_sixteen_allocates_nothing() {
    assert_eq!(Bench::new(plain()).most(&REQUEST.repeat(16), 16), 0);
}

#[test]
fn routes_and_their_parameters_allocate_nothing() {
    let route = |path: &str| {
        let router = Router::new().get("/", plain()).and_then(|router| router.get(path, plain()));
        Bench::new(router.expect("valid routes")).most(REQUEST, 1)
    };
    assert_eq!(route("/plaintext"), 0);
    assert_eq!(route("/{name}"), 0);
}

#[test]
fn a_response_that_is_built_allocates_its_fields() {
    let handler = respond(|_| Response::text("Hello, World!"));
    assert_eq!(Bench::new(handler).most(REQUEST, 1), 1);
}

#[test]
fn content_that_is_ignored_allocates_the_state_of_its_exchange() {
    let request = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello";
    assert_eq!(Bench::new(plain()).most(request, 1), 1);
}

#[test]
fn security_quadratic_work_is_not_done_for_a_head_in_single_bytes() {
    let mut bench = Bench::new(plain());
    let head = format!("GET / HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "x".repeat(30_000));
    let mut allocated = 0;
    for byte in head.as_bytes().chunks(1) {
        let mut out = Outbox::new();
        out.push_slice(byte);
        assert!(bench.client.write(&mut out).expect("the connection stands"));
        let counted = measure(|| {
            bench.event_loop.turn_at(bench.now);
        });
        allocated += counted.bytes_total;
    }
    assert!(bench.client.waiting() > 0, "the head was answered");
    // A buffer that doubles; copying all that came for each byte would be 450 MB.
    assert!(allocated < 4 * head.len() as u64, "{allocated} bytes for {}", head.len());
}
