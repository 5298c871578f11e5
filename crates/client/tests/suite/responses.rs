//! What is taken for a response, whatever the pieces it comes in.

use avocet_client::{ErrorKind, Request};
use avocet_testkit::{Faults, Random, rounds};
use http::Method;

use crate::support::World;

const LONG: &str = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n\
    HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\n\r\n\
    5;x=y\r\nfirst\r\n1\r\n \r\n6\r\nsecond\r\n0\r\nX-T: t\r\n\r\n";

#[test]
fn every_cut_of_a_response_gives_the_same() {
    for cut in 1..LONG.len() {
        let mut world = World::new();
        let id = world.get("http://h/");
        let mut far = world.far();
        far.send(&LONG[..cut]);
        world.settle();
        far.send(&LONG[cut..]);
        let outcome = world.outcome(id);
        assert_eq!((outcome.status, &*outcome.content), (Some(200), &b"first second"[..]));
        assert_eq!(outcome.end.unwrap().unwrap().as_bytes(), b"X-T: t\r\n");
        assert_eq!(world.multi.connections(), (0, 1));
    }
}

#[test]
fn every_early_end_of_a_response_is_an_error() {
    for cut in 0..LONG.len() {
        let mut world = World::new();
        let id = world.get("http://h/");
        let mut far = world.far();
        far.send(&LONG[..cut]);
        drop(far);
        let error = world.failure(id);
        assert_eq!(error.kind(), ErrorKind::CutShort, "after {cut} bytes: {error}");
        assert_eq!(world.multi.connections(), (0, 0));
    }
}

#[test]
fn transports_of_any_kind_give_the_same() {
    rounds(30, |seed| {
        let mut random = Random::new(seed);
        let mut world = World::new();
        let capacity = random.size(100..=100_000);
        world.net.capacity(capacity);
        let faults = Faults::rough(&mut random);
        world.net.faults(faults, random.fork());
        let content = vec![b'u'; random.size(0..=100_000)];
        let request = Request::new(Method::PUT, "http://h/").unwrap();
        let id = world.start(request.with_content(content.clone()));
        let mut far = world.far();
        let mut received = String::new();
        let whole = |received: &str| {
            let start = received.find("\r\n\r\n").map(|end| end + 4);
            start.is_some_and(|start| received.len() - start >= content.len())
        };
        while !whole(&received) {
            received += &far.take();
            world.pass(std::time::Duration::from_millis(20));
            if received.contains("100-continue") && received.ends_with("\r\n\r\n") {
                world.seconds(1);
            }
        }
        let text = "d".repeat(random.size(1..=100_000));
        far.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len()));
        while far.send("") > 0 || world.is_under_way(id) {
            world.pass(std::time::Duration::from_millis(20));
        }
        assert_eq!(world.done(id), (200, text));
    });
}

#[test]
fn there_is_no_content_where_none_can_be() {
    for (method, answer) in [
        (Method::HEAD, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"),
        (Method::HEAD, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        (Method::GET, "HTTP/1.1 204 No Content\r\n\r\n"),
        (Method::GET, "HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n"),
    ] {
        let mut world = World::new();
        let id = world.start(Request::new(method, "http://h/").unwrap());
        let mut far = world.far();
        far.send(answer);
        assert_eq!(world.done(id).1, "");
        assert_eq!(world.multi.connections(), (0, 1), "{answer}");
    }
}

#[test]
fn a_connection_that_is_to_close_is_not_kept() {
    for answer in [
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    ] {
        let mut world = World::new();
        let id = world.get("http://h/");
        let mut far = world.far();
        far.send(answer);
        assert_eq!(world.done(id).1, "");
        assert!(far.is_closed(), "{answer}");
        assert_eq!(world.multi.connections(), (0, 0), "{answer}");
    }
    let mut world = World::new();
    let id = world.get("http://h/");
    let mut far = world.far();
    far.send("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(world.done(id).1, "");
    assert_eq!(world.multi.connections(), (0, 1));
}

#[test]
fn another_protocol_is_refused() {
    let mut world = World::new();
    let request = Request::get("http://h/").unwrap().with_field("Upgrade", "websocket").unwrap();
    let id = world.start(request);
    let mut far = world.far();
    far.send(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    );
    assert_eq!(world.failure(id).kind(), ErrorKind::Protocol);
    assert!(far.is_closed());
}
