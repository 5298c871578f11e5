//! Leaving HTTP: 101, CONNECT, and what follows.

use avocet_net::{Input, Next, Outbox, Task, Transport, Turn};
use avocet_server::{Reply, Request, Response, Server, Upgraded};
use avocet_wire::FieldBuf;
use http::header::UPGRADE;
use http::{Method, StatusCode};

use crate::support::{Recorded, Simulated, fields, get, serve, serve_with};

/// The other protocol: what comes goes back, in upper case.
struct Shout {
    transport: Box<dyn Transport>,
    out: Outbox,
}

impl Shout {
    fn start(upgraded: Upgraded) -> Box<dyn Task> {
        let mut out = Outbox::new();
        out.push_slice(&upgraded.early.to_ascii_uppercase());
        Box::new(Self { transport: upgraded.transport, out })
    }
}

impl Task for Shout {
    fn turn(&mut self, cx: &mut Turn<'_>) -> Next {
        let mut buf = cx.take_scratch();
        let mut ended = false;
        while cx.readable() {
            match cx.read(&mut self.transport, &mut buf) {
                Ok(Input::Bytes(count)) => self.out.push_slice(&buf[..count].to_ascii_uppercase()),
                Ok(Input::Blocked) => {}
                Ok(Input::Closed) | Err(_) => {
                    ended = true;
                    break;
                }
            }
        }
        cx.put_scratch(buf);
        match cx.write(&mut self.transport, &mut self.out) {
            Ok(true) if ended => Next::Done,
            Ok(_) => Next::Wait(None),
            Err(_) => Next::Done,
        }
    }
}

fn handler(request: &Request<'_>, reply: Reply<'_>) {
    if *request.method() == Method::CONNECT {
        return reply.upgrade(StatusCode::OK, &FieldBuf::new(), Shout::start);
    }
    match (request.path(), request.has_content()) {
        ("/panic", _) => {
            reply.upgrade(StatusCode::SWITCHING_PROTOCOLS, &fields(&[(UPGRADE, "shout")]), |_| {
                panic!("on purpose")
            })
        }
        ("/shout", true) => reply.collect(100, |_, _, reply| upgrade(reply)),
        ("/shout", false) => upgrade(reply),
        _ => reply.send(Response::text("http")),
    }
}

fn upgrade(reply: Reply<'_>) {
    let offer = fields(&[(UPGRADE, "shout")]);
    reply.upgrade(StatusCode::SWITCHING_PROTOCOLS, &offer, Shout::start);
}

const ASK: &str = "GET /shout HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: shout\r\n\r\n";

#[test]
fn the_other_protocol_follows_101() {
    let log = Recorded::new();
    let running = serve_with(Server::new(handler).access_log(log.clone()));
    let mut client = running.connect();
    client.send(ASK);
    let received = client.receive();
    assert_eq!((received.status, received.field("Upgrade")), (101, Some("shout")));
    assert_eq!(received.field("Connection"), Some("upgrade"));
    assert_eq!(received.field("Content-Length"), None);
    for _ in 0..3 {
        client.send("hello");
        assert_eq!(client.receive_bytes(5), b"HELLO");
    }
    assert_eq!(log.last(), ("GET /shout HTTP/1.1".to_owned(), Some(101), 0, false));
    client.finish();
    client.expect_end();
}

#[test]
fn a_request_in_the_first_packet_is_upgraded_too() {
    // The loop does not know the socket yet when everything is in its buffer already.
    let mut simulated = Simulated::new(Server::new(handler));
    for early in ["", "early"] {
        let (mut near, far) = avocet_net::memory_pair(1000);
        let mut request = Outbox::new();
        request.push_slice(format!("{ASK}{early}").as_bytes());
        near.write(&mut request).unwrap();
        simulated.accept(Box::new(far));
        request.push_slice(b" and late");
        near.write(&mut request).unwrap();
        simulated.turn();
        let mut buf = [0; 1000];
        let count = near.read(&mut buf).unwrap();
        let expected = format!("\r\n\r\n{} AND LATE", early.to_uppercase());
        let text = String::from_utf8_lossy(&buf[..count]).into_owned();
        assert!(text.ends_with(&expected), "{text}");
    }
}

#[test]
fn early_bytes_of_the_other_protocol_are_kept() {
    for size in [1, 7, 1000] {
        let mut simulated = Simulated::new(Server::new(handler));
        let mut peer = simulated.connect();
        for piece in format!("{}{ASK}early", get("/")).as_bytes().chunks(size) {
            peer.send(piece);
            simulated.turn();
        }
        assert_eq!(peer.received().unwrap().text(), "http");
        assert_eq!(peer.received().unwrap().status, 101);
        assert_eq!(peer.bytes(), b"EARLY", "pieces of {size}");
    }
}

#[test]
fn security_upgrade_bytes_before_101_are_http() {
    // An upgrade that the server declines leaves what follows to HTTP.
    let running = serve(|_: &Request<'_>, reply: Reply<'_>| reply.send(Response::text("http")));
    let mut client = running.connect();
    client.send(format!("{ASK}{}", get("/next")));
    assert_eq!(client.receive().text(), "http");
    assert_eq!(client.receive().text(), "http");
    assert_eq!(running.handle.totals().requests, 2);
}

#[test]
fn security_upgrade_to_h2c_is_ignored() {
    let running = serve(handler);
    let mut client = running.connect();
    client.send(
        "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\
         HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n",
    );
    let received = client.receive();
    assert_eq!((received.status, received.text()), (200, "http"));
    // The preface of HTTP/2 with prior knowledge is no request of HTTP/1.
    let mut client = running.connect();
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert_eq!(client.receive().status, 505);
}

#[test]
fn an_upgrade_that_was_not_asked_for_is_500() {
    let running = serve(handler);
    let requests = [
        get("/shout"),
        "GET /shout HTTP/1.1\r\nHost: h\r\nUpgrade: shout\r\n\r\n".to_owned(),
        "GET /shout HTTP/1.0\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: shout\r\n\r\n"
            .to_owned(),
    ];
    for request in requests {
        assert_eq!(running.ask(&request).status, 500, "{request}");
    }
}

#[test]
fn the_content_of_an_upgrade_request_comes_first() {
    for size in [1, 1000] {
        let mut simulated = Simulated::new(Server::new(handler));
        let mut peer = simulated.connect();
        let request = "POST /shout HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: shout\r\n\
                       Content-Length: 7\r\n\r\ncontentearly";
        for piece in request.as_bytes().chunks(size) {
            peer.send(piece);
            simulated.turn();
        }
        assert_eq!(peer.received().unwrap().status, 101);
        assert_eq!(peer.bytes(), b"EARLY");
    }
}

#[test]
fn connect_makes_a_tunnel() {
    let running = serve(handler);
    let mut client = running.connect();
    client.send("CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\nearly");
    let received = client.receive_bytes(15);
    assert_eq!(received, b"HTTP/1.1 200 OK");
    let mut all = Vec::new();
    while !all.ends_with(b"\r\n\r\nEARLY") {
        all.extend_from_slice(&client.receive_bytes(1));
    }
    let head = String::from_utf8(all).unwrap();
    assert!(!head.contains("Content-Length") && !head.contains("Transfer-Encoding"), "{head}");
    client.send("more");
    assert_eq!(client.receive_bytes(4), b"MORE");
}

#[test]
fn a_2xx_to_connect_without_an_upgrade_ends_the_connection() {
    let running = serve(avocet_server::respond(|_| Response::new(StatusCode::OK)));
    let mut client = running.connect();
    let connect = "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n";
    client.send(format!("{connect}{}", get("/never")));
    let (bytes, _) = client.receive_all();
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.ends_with("\r\n\r\n"), "{text}");
    assert_eq!(running.handle.totals().requests, 1);
}

#[test]
fn a_panic_while_the_other_protocol_begins_ends_the_connection_alone() {
    let running = serve(handler);
    let mut client = running.connect();
    client.send(ASK.replace("/shout", "/panic"));
    assert_eq!(client.receive().status, 101);
    client.expect_end();
    assert_eq!(running.ask(&get("/")).text(), "http");
    assert_eq!(running.handle.totals().panics, 1);
}

#[test]
fn a_connection_that_left_http_is_still_counted() {
    let mut simulated = Simulated::new(Server::new(handler));
    let mut peer = simulated.connect();
    peer.send(ASK);
    simulated.turn();
    assert_eq!(simulated.totals().live, 1);
    // HTTP's time-outs are no longer its own.
    simulated.advance(std::time::Duration::from_secs(1000));
    peer.send("still here");
    simulated.turn();
    assert!(peer.bytes().ends_with(b"STILL HERE"));
    drop(peer);
    simulated.turn();
    assert_eq!(simulated.totals().live, 0);
}
