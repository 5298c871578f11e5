//! 100-continue and other interim responses.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use avocet_server::{Reply, Request, Response, Server, Ticket};
use http::StatusCode;
use http::header::LINK;

use crate::support::{Simulated, fields, get, serve};

fn expecting(path: &str, length: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
    )
}

fn collect_or_refuse(request: &Request<'_>, reply: Reply<'_>) {
    match request.path() {
        "/collect" => reply.collect(100, |_, content, reply| reply.send(Response::ok(content))),
        _ => reply.send(Response::error(StatusCode::FORBIDDEN)),
    }
}

#[test]
fn parity_b15_100_is_sent_when_the_content_is_wanted() {
    let running = serve(collect_or_refuse);
    let mut client = running.connect();
    for _ in 0..2 {
        client.send(expecting("/collect", 7));
        let received = client.receive();
        assert_eq!(received.head, "HTTP/1.1 100 Continue");
        client.send("content");
        let received = client.receive();
        assert_eq!((received.status, received.text()), (200, "content"));
        assert!(!received.closes());
    }
}

#[test]
fn parity_b15_a_handler_may_refuse_before_the_content_is_sent() {
    let running = serve(collect_or_refuse);
    let mut client = running.connect();
    client.send(expecting("/refuse", 7));
    let received = client.receive();
    assert_eq!(received.status, 403);
    // Whether the client sends its content now is not known, so that the connection has to end.
    assert!(received.closes());
    client.finish();
    client.expect_end();
}

#[test]
fn content_that_is_too_large_is_refused_without_100() {
    let running = serve(collect_or_refuse);
    let mut client = running.connect();
    client.send(expecting("/collect", 101));
    let received = client.receive();
    assert_eq!(received.status, 413);
    assert!(received.closes());
}

#[test]
fn a_client_that_does_not_wait_gets_no_100() {
    let running = serve(collect_or_refuse);
    let mut client = running.connect();
    client.send(expecting("/collect", 7) + "content");
    assert_eq!(client.receive().text(), "content");
}

#[test]
fn http_1_0_gets_no_interim_response() {
    let running = serve(|request: &Request<'_>, mut reply: Reply<'_>| {
        let hints = reply.interim(StatusCode::EARLY_HINTS, &fields(&[(LINK, "</a>")]));
        assert!(hints.is_err());
        collect_or_refuse(request, reply);
    });
    let request =
        "POST /collect HTTP/1.0\r\nContent-Length: 7\r\nExpect: 100-continue\r\n\r\ncontent";
    assert_eq!(running.ask(request).text(), "content");
}

#[test]
fn content_that_nobody_wants_is_not_asked_for() {
    let tickets = Arc::new(Mutex::new(Vec::<Ticket>::new()));
    let kept = tickets.clone();
    let mut simulated = Simulated::new(Server::new(move |_: &Request<'_>, reply: Reply<'_>| {
        kept.lock().unwrap().push(reply.defer());
    }));
    let mut peer = simulated.connect();
    peer.send(expecting("/", 7));
    simulated.turn();
    assert_eq!(peer.bytes(), b"");
    simulated.advance(Duration::from_secs(100));
    assert!(!peer.is_closed(), "the client waits for the handler, not the other way round");
    tickets.lock().unwrap().pop().unwrap().send(Response::text("answer"));
    simulated.turn();
    let received = peer.received().unwrap();
    assert_eq!(received.text(), "answer");
    assert!(received.closes());
}

#[test]
fn early_hints_go_before_the_response() {
    let running = serve(|request: &Request<'_>, mut reply: Reply<'_>| {
        reply.interim(StatusCode::EARLY_HINTS, &fields(&[(LINK, "</a.css>")])).unwrap();
        reply.interim(StatusCode::EARLY_HINTS, &fields(&[(LINK, "</b.css>")])).unwrap();
        // 101 and final statuses are no interim responses.
        assert!(reply.interim(StatusCode::SWITCHING_PROTOCOLS, &fields(&[])).is_err());
        assert!(reply.interim(StatusCode::OK, &fields(&[])).is_err());
        reply.send(Response::text(request.path().to_owned()));
    });
    let mut client = running.connect();
    client.send([get("/1"), get("/2")].concat());
    for path in ["/1", "/2"] {
        for link in ["</a.css>", "</b.css>"] {
            let hints = client.receive();
            assert_eq!((hints.status, hints.field("Link")), (103, Some(link)));
        }
        assert_eq!(client.receive().text(), path);
    }
    assert_eq!(running.handle.totals().responses[0], 0, "only final responses are counted");
}

#[test]
fn a_ticket_tells_of_progress_before_it_answers() {
    let (tickets, waiting) = std::sync::mpsc::channel::<Ticket>();
    let tickets = Mutex::new(tickets);
    let running = serve(move |_: &Request<'_>, reply: Reply<'_>| {
        tickets.lock().unwrap().send(reply.defer()).unwrap();
    });
    let mut client = running.connect();
    for _ in 0..2 {
        client.send(get("/"));
        let ticket = waiting.recv().unwrap();
        for link in ["</1>", "</2>"] {
            assert!(ticket.interim(StatusCode::EARLY_HINTS, fields(&[(LINK, link)])));
            let hints = client.receive();
            assert_eq!((hints.status, hints.field("Link")), (103, Some(link)));
        }
        // What is no interim response is not sent as one.
        ticket.interim(StatusCode::OK, fields(&[]));
        ticket.interim(StatusCode::EARLY_HINTS, fields(&[(LINK, "</last>")]));
        ticket.send(Response::text("answer"));
        assert_eq!(client.receive().field("Link"), Some("</last>"));
        assert_eq!(client.receive().text(), "answer");
    }
    let mut old = running.connect();
    old.send("GET / HTTP/1.0\r\n\r\n");
    let ticket = waiting.recv().unwrap();
    ticket.interim(StatusCode::EARLY_HINTS, fields(&[(LINK, "</1>")]));
    ticket.send(Response::text("answer"));
    assert_eq!(old.receive().status, 200, "HTTP/1.0 has no interim responses");
}

#[test]
fn interim_responses_that_wait_are_bounded() {
    let tickets = Arc::new(Mutex::new(Vec::<Ticket>::new()));
    let kept = tickets.clone();
    let mut simulated = Simulated::new(Server::new(move |_: &Request<'_>, reply: Reply<'_>| {
        kept.lock().unwrap().push(reply.defer());
    }));
    let mut peer = simulated.connect();
    peer.send(get("/"));
    simulated.turn();
    let ticket = tickets.lock().unwrap().pop().unwrap();
    let taken = (0..100)
        .filter(|_| ticket.interim(StatusCode::EARLY_HINTS, fields(&[(LINK, "</a>")])))
        .count();
    assert_eq!(taken, 8, "the loop has had no turn to send any");
    simulated.turn();
    assert!(ticket.interim(StatusCode::EARLY_HINTS, fields(&[(LINK, "</b>")])));
    ticket.send(Response::text("answer"));
    simulated.turn();
    let text = String::from_utf8(peer.bytes().to_vec()).unwrap();
    assert_eq!(text.matches("103 Early Hints").count(), 9, "{text}");
}

#[test]
fn security_expect_other_than_100_continue_is_417() {
    let running = serve(collect_or_refuse);
    for value in ["100-continue, other", "other", "100-continu", "\"100-continue\""] {
        let mut client = running.connect();
        client.send(format!(
            "POST /collect HTTP/1.1\r\nHost: h\r\nContent-Length: 7\r\nExpect: {value}\r\n\r\ncontent"
        ));
        let received = client.receive();
        assert_eq!(received.status, 417, "{value}");
        assert!(received.closes());
        client.finish();
        client.expect_end();
    }
    assert_eq!(running.handle.totals().requests, 0);
}

#[test]
fn security_expect_leftovers_of_a_refused_request_are_no_request() {
    // Early-answer desync: the content of the refused request looks like a request.
    let running = serve(collect_or_refuse);
    let mut client = running.connect();
    let smuggled = get("/smuggled");
    client.send(expecting("/refuse", smuggled.len()));
    assert_eq!(client.receive().status, 403);
    client.send(&smuggled);
    client.finish();
    client.expect_end();
    assert_eq!(running.handle.totals().requests, 1);
}
