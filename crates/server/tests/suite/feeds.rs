//! Content taken by a feed while a ticket answers, and filters of responses.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use avocet_server::{Feed, Reply, Request, Response};
use avocet_wire::Fields;
use http::{HeaderName, StatusCode};

use crate::support::{get, post, serve};

/// Takes content until a thread has answered.
struct Counting {
    taken: Arc<AtomicU64>,
    abandoned: Arc<AtomicBool>,
}

impl Feed for Counting {
    fn data(&mut self, bytes: &[u8]) {
        assert!(!bytes.contains(&b'!'), "on purpose");
        self.taken.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    }

    fn ready(&mut self) -> bool {
        true
    }

    fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }

    fn end(&mut self, _trailers: Fields<'_>) {
        self.abandoned.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_feed_takes_content_and_its_ticket_may_answer_before_the_end() {
    let (tickets, waiting) = std::sync::mpsc::channel();
    let tickets = Mutex::new(tickets);
    let running = serve(move |_: &Request<'_>, reply: Reply<'_>| {
        let (taken, abandoned) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let feed = Counting { taken: taken.clone(), abandoned: abandoned.clone() };
        let ticket = reply.feed(Box::new(feed));
        tickets.lock().unwrap().send((ticket, taken, abandoned)).unwrap();
    });
    let mut client = running.connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n12345");
    let (ticket, taken, abandoned) = waiting.recv().unwrap();
    while taken.load(Ordering::Relaxed) < 5 {
        std::thread::yield_now();
    }
    abandoned.store(true, Ordering::Relaxed);
    ticket.send(Response::error(StatusCode::CONFLICT));
    assert_eq!(client.receive().status, 409);
    client.send("6789");
    client.send(post("/", "more"));
    let (ticket, taken, abandoned) = waiting.recv().unwrap();
    while !abandoned.load(Ordering::Relaxed) {
        std::thread::yield_now();
    }
    ticket.send(Response::text(taken.load(Ordering::Relaxed).to_string()));
    assert_eq!(client.receive().text(), "4", "what was left of the first content was read away");
}

#[test]
fn a_feed_that_panics_is_500() {
    let running = serve(|_: &Request<'_>, reply: Reply<'_>| {
        let feed = Counting { taken: Arc::default(), abandoned: Arc::default() };
        let ticket = reply.feed(Box::new(feed));
        std::mem::forget(ticket);
    });
    let mut client = running.connect();
    client.send(post("/", "!"));
    let received = client.receive();
    assert_eq!((received.status, received.closes()), (500, true));
}

#[test]
fn filters_change_the_response_however_it_is_given() {
    fn tag(name: &'static str) -> impl FnOnce(Response) -> Response {
        move |response| response.with_field(&HeaderName::from_static("x-filter"), name).unwrap()
    }
    let running = serve(|request: &Request<'_>, reply: Reply<'_>| {
        let reply = reply.filtered(tag("outer")).filtered(tag("inner"));
        match request.path() {
            "/parts" => {
                let body = avocet_server::Body::Static(b"parts");
                reply.send_parts(StatusCode::OK, &avocet_wire::FieldBuf::new(), body);
            }
            "/late" => {
                let ticket = reply.defer();
                std::thread::spawn(move || ticket.send(Response::text("late")));
            }
            "/collected" => reply.collect(9, |_, _, reply| reply.send(Response::text("content"))),
            _ => reply.send(Response::error(StatusCode::NOT_FOUND)),
        }
    });
    let mut client = running.connect();
    for path in ["/parts", "/late", "/collected", "/none"] {
        client.send(get(path));
        let received = client.receive();
        assert_eq!(received.fields("x-filter"), ["inner", "outer"], "{path}");
    }
}

#[test]
fn a_postponed_request_goes_on_with_its_content_unread() {
    let (postponed, waiting) = std::sync::mpsc::channel();
    let postponed = Mutex::new(postponed);
    let running = serve(move |_: &Request<'_>, reply: Reply<'_>| {
        let handle = reply.postpone(|request, reply| match request.path() {
            "/collected" => reply.collect(4, |_, content, reply| reply.send(Response::ok(content))),
            "/again" => reply.postpone(|_, reply| reply.send(Response::text("twice"))).resume(),
            "/panic" => panic!("on purpose"),
            path => reply.send(Response::text(path.to_owned())),
        });
        postponed.lock().unwrap().send(handle).unwrap();
    });
    let mut client = running.connect();
    let later = || {
        std::thread::spawn({
            let handle = waiting.recv().unwrap();
            move || handle.resume()
        })
    };
    client.send(get("/path"));
    later();
    assert_eq!(client.receive().text(), "/path");
    client.send(post("/collected", "1234"));
    later();
    assert_eq!(client.receive().text(), "1234");
    client.send(
        "POST /collected HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
    );
    let handle = waiting.recv().unwrap();
    assert!(client.hears_nothing_for(std::time::Duration::from_millis(100)));
    drop(handle);
    assert_eq!(client.receive().status, 100);
    client.send("ok");
    assert_eq!(client.receive().text(), "ok");
    client.send(get("/again"));
    later();
    assert_eq!(client.receive().text(), "twice");
    client.send(post("/path", "content that nobody wants"));
    later();
    assert_eq!(client.receive().text(), "/path");
    client.send(post("/collected", "12345"));
    later();
    let received = client.receive();
    assert_eq!((received.status, received.closes()), (413, true));
    let mut client = running.connect();
    client.send(get("/panic"));
    later();
    assert_eq!(client.receive().status, 500);
}
