//! Connections that carry more than one exchange, and those that end.

use avocet_server::{Response, Server, respond};
use http::StatusCode;

use crate::support::{Asked, Simulated, get, post, serve};

fn paths() -> impl avocet_server::Handler {
    respond(|request| Response::text(format!("{}\n", request.path())))
}

#[test]
fn one_connection_carries_many_exchanges() {
    let running = serve(paths());
    let mut client = running.connect();
    for index in 0..50 {
        client.send(get(&format!("/{index}")));
        let received = client.receive();
        assert_eq!((received.status, received.text()), (200, format!("/{index}\n").as_str()));
        assert_eq!(received.field("Connection"), None);
    }
    drop(client);
    let totals = running.handle.totals();
    assert_eq!((totals.connections, totals.requests, totals.responses[1]), (1, 50, 50));
}

#[test]
fn close_is_granted_and_said() {
    let running = serve(paths());
    let mut client = running.connect();
    client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert!(client.receive().closes());
    client.expect_end();
}

#[test]
fn nothing_behind_a_request_that_closes_is_answered() {
    let running = serve(paths());
    let mut client = running.connect();
    client.send(format!("GET /1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n{}", get("/2")));
    assert_eq!(client.receive().text(), "/1\n");
    client.finish();
    client.expect_end();
    assert_eq!(running.handle.totals().requests, 1);
}

#[test]
fn a_handler_may_end_the_connection() {
    let running = serve(respond(|_| Response::new(StatusCode::NO_CONTENT).closing()));
    let mut client = running.connect();
    client.send(get("/"));
    let received = client.receive();
    assert_eq!(received.status, 204);
    assert!(received.closes());
    client.expect_end();
}

#[test]
fn content_that_the_handler_ignored_keeps_the_connection_in_step() {
    let running = serve(paths());
    let mut client = running.connect();
    for _ in 0..3 {
        client.send(post("/ignored", "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"));
        assert_eq!(client.receive().text(), "/ignored\n");
    }
    let chunked = "POST /chunks HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\
                   5\r\nGET /\r\n0\r\n\r\n";
    client.send(chunked);
    assert_eq!(client.receive().text(), "/chunks\n");
    client.send(get("/next"));
    assert_eq!(client.receive().text(), "/next\n");
    assert_eq!(running.handle.totals().requests, 5);
}

#[test]
fn http_1_0_closes_unless_it_asks_for_more() {
    let running = serve(paths());
    let mut client = running.connect();
    client.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let received = client.receive();
    assert_eq!(received.field("Connection"), Some("keep-alive"));
    client.send("GET /b HTTP/1.0\r\n\r\n");
    let received = client.receive();
    assert_eq!(received.text(), "/b\n");
    assert!(received.closes());
    client.expect_end();
}

#[test]
fn a_connection_at_rest_costs_the_loop_no_turn() {
    let mut simulated = Simulated::new(Server::new(paths()));
    let mut peer = simulated.connect();
    peer.send(get("/"));
    simulated.turn();
    assert_eq!(peer.received_for(Asked::Other).unwrap().status, 200);
    // The loop comes to rest by itself, or `advance` panics.
    simulated.advance(std::time::Duration::from_secs(59));
    assert_eq!(simulated.live(), 1);
}
