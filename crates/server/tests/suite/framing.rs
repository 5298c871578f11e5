//! Framing classes that only show at a server: what comes after an error, and whose fault is whose.

use avocet_server::{Reply, Request, Response, Server, Sink, respond};
use avocet_wire::Fields;

use crate::support::{Recorded, Simulated, get, responses, serve, serve_with};

fn echo(_: &Request<'_>, reply: Reply<'_>) {
    reply.collect(1 << 20, |_, content, reply| reply.send(Response::ok(content)));
}

/// Sends and gives the statuses of all responses up to the end of the connection.
fn statuses(request: &str) -> Vec<u16> {
    let running = serve(echo);
    let mut client = running.connect();
    client.send(request);
    client.finish();
    let (bytes, _) = client.receive_all();
    let all = responses(&bytes);
    for (index, received) in all.iter().enumerate() {
        assert!(!received.closes() || index + 1 == all.len(), "nothing follows a close");
    }
    all.iter().map(|received| received.status).collect()
}

#[test]
fn security_pipelining_ends_with_the_first_error() {
    // No further byte of the connection is a request.
    let errors = [
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505),
        ("GET /\r\n\r\n", 400),
        ("GET / HTTP/1.1\nHost: h\n\n", 400),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", 400),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\nx", 400),
        ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        ("POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ];
    for (bad, status) in errors {
        let request = format!("{}{bad}{}", get("/first"), get("/never"));
        assert_eq!(statuses(&request), [200, status], "{bad:?}");
    }
}

#[test]
fn security_cl_te_and_te_cl_are_400_and_closed() {
    let lengths = [
        "Content-Length: 6\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 6",
    ];
    for fields in lengths {
        let request =
            format!("POST / HTTP/1.1\r\nHost: h\r\n{fields}\r\n\r\n0\r\n\r\nG{}", get("/"));
        assert_eq!(statuses(&request), [400]);
    }
}

#[test]
fn security_content_is_framed_whatever_the_method() {
    // TE.0 and CL.0: a body of GET, HEAD or DELETE is content and no request.
    let smuggled = get("/smuggled");
    for method in ["GET", "DELETE", "OPTIONS", "PROPFIND"] {
        let length = smuggled.len();
        let by_length =
            format!("{method} / HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n{smuggled}");
        assert_eq!(statuses(&(by_length + &get("/"))), [200, 200], "{method}");
        let by_chunks = format!(
            "{method} / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\
             {length:x}\r\n{smuggled}\r\n0\r\n\r\n"
        );
        assert_eq!(statuses(&(by_chunks + &get("/"))), [200, 200], "{method}");
    }
}

const CHUNKED: &str = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn security_a_framing_error_in_content_is_400_once() {
    let faults = [
        "5\r\nhelloX",
        "5;\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "\r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5;a=\u{0}\r\nhello\r\n0\r\n\r\n",
        "10000000000000000\r\nhello\r\n0\r\n\r\n",
        "0\r\nX Y: bad trailer\r\n\r\n",
        "0\r\nno colon\r\n\r\n",
    ];
    for fault in faults {
        let request = format!("{CHUNKED}3\r\nfoo\r\n{fault}{}", get("/never"));
        assert_eq!(statuses(&request), [400], "{fault:?}");
    }
}

#[test]
fn a_framing_error_in_content_is_logged_and_counted() {
    let log = Recorded::new();
    let running = serve_with(Server::new(echo).access_log(log.clone()));
    let mut client = running.connect();
    client.send(format!("{CHUNKED}5\r\nhelloX"));
    let received = client.receive();
    assert_eq!(received.status, 400);
    let (request, status, _, aborted) = log.last();
    assert_eq!((request.as_str(), status, aborted), ("POST / HTTP/1.1", Some(400), false));
    let totals = running.handle.totals();
    assert_eq!((totals.refused, totals.responses[3], totals.aborted), (1, 1, 0));
}

#[test]
fn a_framing_error_behind_an_early_answer_just_ends_the_connection() {
    let log = Recorded::new();
    let handler = respond(|_| Response::text("early"));
    let mut simulated = Simulated::new(Server::new(handler).access_log(log.clone()));
    let mut peer = simulated.connect();
    peer.send(CHUNKED);
    simulated.turn();
    assert_eq!(peer.received().unwrap().text(), "early");
    peer.send(format!("nonsense\r\n{}", get("/never")));
    simulated.turn();
    assert_eq!(peer.bytes(), b"", "one response only");
    assert!(peer.is_closed());
    assert_eq!(simulated.totals().requests, 1);
    // The client got its whole response; the fault came later.
    assert_eq!(log.last(), ("POST / HTTP/1.1".to_owned(), Some(200), 5, false));
    assert_eq!(simulated.totals().aborted, 0);
}

/// Answers only when the whole content has come.
struct Whole;

impl Sink for Whole {
    fn data(&mut self, _: &[u8]) {}

    fn end(self: Box<Self>, _: &Request<'_>, _: Fields<'_>, reply: Reply<'_>) {
        reply.send(Response::text("whole"));
    }
}

#[test]
fn a_sink_is_not_called_after_a_framing_error() {
    let running = serve(|_: &Request<'_>, reply: Reply<'_>| reply.consume(Box::new(Whole)));
    let mut client = running.connect();
    client.send(format!("{CHUNKED}5\r\nhelloX"));
    assert_eq!(client.receive().status, 400);
    client.finish();
    client.expect_end();
}

#[test]
fn security_large_heads_are_refused_within_their_bounds() {
    let cases = [
        (format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "x".repeat(8192)), 414),
        (format!("GET / HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "x".repeat(32_768)), 431),
        (format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "X: y\r\n".repeat(100)), 431),
        ("G".repeat(100_000), 400),
        (format!("GET / HTTP/1.1\r\nHost: h\r\nX: {}", "x".repeat(100_000)), 431),
    ];
    for (request, status) in cases {
        let running = serve(echo);
        let mut client = running.connect();
        client.try_send(&request);
        assert_eq!(client.receive().status, status);
        client.finish();
        client.expect_end();
    }
    let fits = format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "x".repeat(8000));
    assert_eq!(statuses(&fits), [200]);
    let fits = format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "X: y\r\n".repeat(99));
    assert_eq!(statuses(&fits), [200]);
}

#[test]
fn security_trailers_and_extensions_are_bounded() {
    let trailers = format!("0\r\n{}\r\n", "X: y\r\n".repeat(101));
    assert_eq!(statuses(&format!("{CHUNKED}{trailers}")), [431]);
    let line = format!("1;{}\r\nx\r\n", "e".repeat(5000));
    assert_eq!(statuses(&format!("{CHUNKED}{line}0\r\n\r\n")), [400]);
    let flood = format!("1;{}\r\nx\r\n", "e".repeat(2000)).repeat(10);
    assert_eq!(statuses(&format!("{CHUNKED}{flood}0\r\n\r\n")), [400]);
}

#[test]
fn security_trailers_never_become_fields() {
    let running = serve(|_: &Request<'_>, reply: Reply<'_>| {
        reply.collect(100, |request, _, reply| {
            let names = request.fields().iter().map(|(name, _)| name).collect::<Vec<_>>();
            reply.send(Response::text(names.join(",")));
        });
    });
    let received = running.ask(&format!("{CHUNKED}0\r\nAuthorization: x\r\nHost: other\r\n\r\n"));
    assert_eq!(received.text(), "Host,Transfer-Encoding");
}

#[test]
fn security_response_splitting_has_no_way_in() {
    let running = serve(respond(|request| {
        let location = request.query().unwrap_or_default();
        match Response::redirect(http::StatusCode::FOUND, location) {
            Ok(response) => response,
            Err(_) => Response::error(http::StatusCode::BAD_REQUEST),
        }
    }));
    let received = running.ask(&get("/?/a%0d%0aSet-Cookie:x=y"));
    assert_eq!(received.field("Location"), Some("/a%0d%0aSet-Cookie:x=y"));
    for bad in ["a\r\nb", "a\nb", "a\rb", "a\0b"] {
        assert!(Response::redirect(http::StatusCode::FOUND, bad).is_err());
    }
}

#[test]
fn parity_b8_a_malformed_request_line_is_answered_with_a_status_line() {
    for request in ["GET /\r\n", "GET /\r\n\r\n", "nonsense\r\n\r\n", "GET / HTTP/0.9\r\n\r\n"] {
        let running = serve(echo);
        let mut client = running.connect();
        client.send(request);
        client.finish();
        let (bytes, _) = client.receive_all();
        let status = responses(&bytes)[0].status;
        assert!(status == 400 || status == 505, "{request:?}: {status}");
    }
}
