//! Handlers: plain functions, late answers, functions over the types of the `http` crate, and
//! handlers that fail.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use avocet_server::{
    Grace, Handler, Reply, Request, Response, Server, Ticket, http_service, respond,
};
use http::StatusCode;

use crate::support::{Recorded, Simulated, get, post, serve, serve_with};

/// Hands every ticket out.
fn handing_out(tickets: Sender<Ticket>) -> impl Handler + 'static {
    let tickets = Mutex::new(tickets);
    move |_: &Request<'_>, reply: Reply<'_>| tickets.lock().unwrap().send(reply.defer()).unwrap()
}

#[test]
fn a_ticket_answers_from_another_thread() {
    let (tickets, waiting) = channel();
    let running = serve(handing_out(tickets));
    let mut client = running.connect();
    for _ in 0..20 {
        client.send(post("/", "content"));
        let ticket = waiting.recv().unwrap();
        thread::spawn(move || ticket.send(Response::text("late"))).join().unwrap();
        assert_eq!(client.receive().text(), "late");
    }
    assert_eq!(running.handle.totals().requests, 20);
}

#[test]
fn a_ticket_that_is_dropped_is_500() {
    let (tickets, waiting) = channel();
    let running = serve(handing_out(tickets));
    let mut client = running.connect();
    for _ in 0..2 {
        client.send(get("/"));
        drop(waiting.recv().unwrap());
        let received = client.receive();
        assert_eq!(received.status, 500);
        assert!(!received.closes(), "the connection is in step");
    }
}

#[test]
fn a_thread_that_panics_with_a_ticket_is_500_and_counted() {
    let (tickets, waiting) = channel::<Ticket>();
    let running = serve(handing_out(tickets));
    let mut client = running.connect();
    client.send(get("/"));
    let ticket = waiting.recv().unwrap();
    let thread = thread::spawn(move || {
        let _held = ticket;
        panic!("on purpose");
    });
    assert!(thread.join().is_err());
    assert_eq!(client.receive().status, 500);
    assert_eq!(running.handle.totals().panics, 1);
}

#[test]
fn an_answer_for_a_client_that_has_left_harms_nobody() {
    let (tickets, waiting) = channel();
    let log = Recorded::new();
    let mut simulated = Simulated::new(Server::new(handing_out(tickets)).access_log(log.clone()));
    let mut peer = simulated.connect();
    peer.send(get("/"));
    simulated.turn();
    let ticket = waiting.try_recv().unwrap();
    drop(peer);
    simulated.turn();
    ticket.send(Response::text("late"));
    simulated.turn();
    assert_eq!(simulated.live(), 0);
    assert_eq!(log.lines().len(), 1);
}

#[test]
fn an_answer_after_the_end_of_the_server_harms_nobody() {
    let (tickets, waiting) = channel();
    let running = serve(handing_out(tickets));
    let mut client = running.connect();
    client.send(get("/"));
    let (sent, dropped) = (waiting.recv().unwrap(), {
        let mut other = running.connect();
        other.send(get("/"));
        waiting.recv().unwrap()
    });
    running.stop(Grace::NONE);
    sent.send(Response::text("late"));
    drop(dropped);
}

#[test]
fn a_handler_that_answers_nothing_is_500() {
    let running = serve(|_: &Request<'_>, _: Reply<'_>| {});
    let received = running.ask(&get("/"));
    assert_eq!(received.status, 500);
    assert_eq!(running.handle.totals().panics, 0);
}

#[test]
fn parity_s22_security_panics_give_500_and_the_loop_lives() {
    let log = Recorded::new();
    let handler = |request: &Request<'_>, reply: Reply<'_>| match request.path() {
        "/now" => panic!("on purpose"),
        "/collect" => reply.collect(100, |_, _, _| panic!("on purpose")),
        "/after" => {
            reply.send(Response::text("sent before"));
            panic!("on purpose");
        }
        "/deferred" => {
            drop(reply.defer());
            panic!("on purpose");
        }
        _ => reply.send(Response::text("fine")),
    };
    let running = serve_with(Server::new(handler).access_log(log.clone()));
    for path in ["/now", "/collect", "/deferred"] {
        let mut client = running.connect();
        client.send(get(path));
        let received = client.receive();
        assert_eq!(received.status, 500, "{path}");
        assert!(received.closes(), "what such a handler left behind is not trusted");
        client.expect_end();
        assert_eq!(log.last().1, Some(500), "{path}");
    }
    let mut client = running.connect();
    client.send([get("/after"), get("/fine")].concat());
    assert_eq!(client.receive().text(), "sent before");
    assert_eq!(client.receive().text(), "fine");
    let totals = running.handle.totals();
    assert_eq!((totals.panics, totals.responses[4]), (4, 3));
}

#[test]
fn a_panic_while_content_streams_cuts_it_off() {
    let running = serve(|_: &Request<'_>, reply: Reply<'_>| {
        let (mut sender, body) = avocet_server::channel(100, None);
        sender.send(bytes::Bytes::from_static(b"some")).unwrap();
        reply.send(Response::ok(body));
        panic!("on purpose");
    });
    let mut client = running.connect();
    client.send(get("/"));
    let (bytes, _) = client.receive_all();
    assert!(!bytes.ends_with(b"0\r\n\r\n"));
    let totals = running.handle.totals();
    assert!(totals.panics >= 1 && totals.aborted == 1);
}

#[test]
fn a_service_speaks_in_the_types_of_the_http_crate() {
    let running = serve(http_service(|request: http::Request<Vec<u8>>| {
        let (parts, content) = request.into_parts();
        let answer = format!("{} {} {}", parts.method, parts.uri, content.len());
        http::Response::builder()
            .status(201)
            .header("x-agent", parts.headers["user-agent"].clone())
            .header("set-cookie", "a=1")
            .header("set-cookie", "b=2")
            // The library's own fields are not the service's to set.
            .header("content-length", "999")
            .header("transfer-encoding", "gzip")
            .body(answer.into_bytes())
            .unwrap()
    }));
    let mut client = running.connect();
    client.send(
        "POST /a?b=c HTTP/1.1\r\nHost: h\r\nUser-Agent: test\r\nContent-Length: 3\r\n\r\nabc",
    );
    let received = client.receive();
    assert_eq!((received.status, received.text()), (201, "POST /a?b=c 3"));
    assert_eq!(received.field("X-Agent"), Some("test"));
    assert_eq!(received.fields("Set-Cookie"), ["a=1", "b=2"]);
    assert_eq!(received.fields("Content-Length"), ["13"]);
    assert_eq!(received.field("Transfer-Encoding"), None);
    client.send(format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", (1 << 20) + 1));
    assert_eq!(client.receive().status, 413);
}

#[test]
fn a_service_may_end_the_connection() {
    let running = serve(http_service(|_| {
        http::Response::builder().header("connection", "x-y, Close").body(Vec::new()).unwrap()
    }));
    let mut client = running.connect();
    client.send(get("/"));
    assert!(client.receive().closes());
    client.expect_end();
}

#[test]
fn a_handler_may_be_shared_or_boxed() {
    let shared: Arc<dyn Handler> = Arc::new(respond(|_| Response::text("shared")));
    assert_eq!(serve(shared.clone()).ask(&get("/")).text(), "shared");
    let boxed: Box<dyn Handler> = Box::new(shared);
    assert_eq!(serve(boxed).ask(&get("/")).text(), "shared");
}

#[test]
fn a_request_tells_what_was_asked() {
    let running = serve(|request: &Request<'_>, reply: Reply<'_>| {
        assert_eq!(request.head().raw_line, b"POST /p%20q?x=1?y HTTP/1.1");
        assert_eq!((request.path(), request.query()), ("/p%20q", Some("x=1?y")));
        assert_eq!(request.target().as_str(), "/p%20q?x=1?y");
        assert_eq!(request.version(), http::Version::HTTP_11);
        assert_eq!(request.content_length(), Some(2));
        assert!(request.has_content());
        assert_eq!(request.field(&http::header::HOST), Some(&b"h"[..]));
        assert_eq!(request.fields().iter().count(), 2);
        assert!(request.param("none").is_none());
        let remote = request.peer().remote.to_string();
        reply.send(Response::text(remote).with_status(StatusCode::ACCEPTED));
    });
    let request = "POST /p%20q?x=1?y HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab";
    let received = running.ask(request);
    assert_eq!(received.status, 202, "{}", received.text());
    assert!(received.text().starts_with("127.0.0.1:"));
}
