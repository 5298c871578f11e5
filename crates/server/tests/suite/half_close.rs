//! Clients that end their side before they have the answer.

use std::sync::mpsc::channel;
use std::thread;

use avocet_server::{Reply, Request, Response, Server, respond};

use crate::support::{Simulated, get, post, responses, serve};

fn paths() -> impl avocet_server::Handler {
    respond(|request| Response::text(request.path().to_owned()))
}

#[test]
fn security_half_close_is_answered_in_full() {
    let content = vec![b'x'; 5_000_000];
    let running = serve(respond(move |_| Response::ok(content.clone())));
    let mut client = running.connect();
    client.send(get("/"));
    client.finish();
    assert_eq!(client.receive().content.len(), 5_000_000);
    client.expect_end();
}

#[test]
fn every_request_before_the_end_is_answered() {
    let running = serve(paths());
    let mut client = running.connect();
    client.send((0..40).map(|index| get(&format!("/{index}"))).collect::<String>());
    client.finish();
    let all = responses(&client.receive_all().0);
    let texts: Vec<_> = all.iter().map(|received| received.text().to_owned()).collect();
    assert_eq!(texts, (0..40).map(|index| format!("/{index}")).collect::<Vec<_>>());
}

#[test]
fn a_late_answer_reaches_a_client_that_has_ended_its_side() {
    let (told, wait) = channel();
    let told = std::sync::Mutex::new(told);
    let running = serve(move |_: &Request<'_>, reply: Reply<'_>| {
        told.lock().unwrap().send(reply.defer()).unwrap();
    });
    let mut client = running.connect();
    client.send([get("/1"), get("/2")].concat());
    client.finish();
    for text in ["first", "second"] {
        let ticket = wait.recv().unwrap();
        thread::spawn(move || ticket.send(Response::text(text))).join().unwrap();
        assert_eq!(client.receive().text(), text);
    }
    client.expect_end();
}

#[test]
fn an_end_without_a_request_is_answered_by_an_end() {
    let running = serve(paths());
    let mut client = running.connect();
    client.finish();
    client.expect_end();
    let mut client = running.connect();
    client.send(get("/"));
    assert_eq!(client.receive().status, 200);
    client.finish();
    client.expect_end();
    assert_eq!(running.handle.totals().refused, 0);
}

#[test]
fn a_head_or_content_cut_short_is_400() {
    let cut_short = [
        "G",
        "GET / HTTP/1.1\r\nHost: h\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\n\r",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\nhalf",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n",
    ];
    for request in cut_short {
        let running = serve(|_: &Request<'_>, reply: Reply<'_>| {
            reply.collect(100, |_, content, reply| reply.send(Response::ok(content)));
        });
        let mut client = running.connect();
        client.send(request);
        client.finish();
        let received = client.receive();
        assert_eq!(received.status, 400, "{request:?}");
        assert!(received.closes());
        client.expect_end();
        assert_eq!(running.handle.totals().refused, 1);
    }
}

#[test]
fn security_half_close_does_not_spin() {
    let (told, wait) = channel();
    let told = std::sync::Mutex::new(told);
    let mut simulated = Simulated::new(Server::new(move |_: &Request<'_>, reply: Reply<'_>| {
        told.lock().unwrap().send(reply.defer()).unwrap();
    }));
    let mut peer = simulated.connect();
    peer.send(post("/", "content"));
    peer.finish();
    // `advance` panics when the loop does not come to rest.
    simulated.advance(std::time::Duration::from_secs(1000));
    wait.try_recv().unwrap().send(Response::text("answer"));
    simulated.turn();
    assert_eq!(peer.received().unwrap().text(), "answer");
    assert!(peer.is_gone());
}
