//! What is sent again when a kept connection turns out to be closed, and what never is.

use avocet_client::{Content, ErrorKind, Request};
use avocet_wire::FieldBuf;
use http::Method;

use crate::support::{Far, World};

fn reader(text: &'static str) -> Content {
    let size = Some(text.len() as u64);
    Content::Reader { size, reader: Box::new(text.as_bytes()), trailers: FieldBuf::new() }
}

fn request(method: Method, content: impl Into<Content>) -> Request {
    Request::new(method, "http://h/").unwrap().with_content(content)
}

/// A world with one connection that has carried a request and rests.
fn rested() -> (World, Far) {
    let mut world = World::new();
    let id = world.get("http://h/");
    let mut far = world.far();
    far.take();
    far.answer("200 OK", "one");
    assert_eq!(world.done(id), (200, "one".to_owned()));
    assert_eq!(world.multi.connections(), (0, 1));
    (world, far)
}

#[test]
fn an_idempotent_request_is_sent_again_once_on_a_fresh_connection() {
    let (mut world, mut far) = rested();
    let id = world.get("http://h/2");
    assert!(far.take().starts_with("GET /2 "));
    far.reset();
    let mut second = world.far();
    assert!(second.take().starts_with("GET /2 "));
    second.reset();
    assert_eq!(world.failure(id).kind(), ErrorKind::Connection);
    assert!(world.fars().is_empty());
    assert_eq!(world.multi.connections(), (0, 0));
}

#[test]
fn the_next_hop_after_a_replay_may_use_kept_connections_again() {
    let (mut world, mut far) = rested();
    let id = world.get("http://h/2");
    far.take();
    far.reset();
    let mut second = world.far();
    second.take();
    second.send("HTTP/1.1 302 Found\r\nLocation: /3\r\nContent-Length: 0\r\n\r\n");
    world.settle();
    assert!(second.take().starts_with("GET /3 "));
    second.answer("200 OK", "three");
    assert_eq!(world.done(id), (200, "three".to_owned()));
    assert!(world.fars().is_empty());
}

#[test]
fn a_request_that_changes_something_is_not_sent_again() {
    let (mut world, mut far) = rested();
    let id = world.start(request(Method::POST, "x"));
    assert!(far.take().starts_with("POST / "));
    far.reset();
    assert_eq!(world.failure(id).kind(), ErrorKind::Connection);
    assert!(world.fars().is_empty());
}

#[test]
fn content_that_was_read_from_a_reader_is_not_sent_again_as_nothing() {
    let (mut world, mut far) = rested();
    let id = world.start(request(Method::PUT, reader("content")));
    assert!(far.take().ends_with("\r\n\r\ncontent"));
    far.reset();
    assert_eq!(world.failure(id).kind(), ErrorKind::Connection);
    assert!(world.fars().is_empty());
}

#[test]
fn a_redirect_that_keeps_content_from_a_reader_is_an_error() {
    let mut world = World::new();
    let id = world.start(request(Method::PUT, reader("content")));
    let mut far = world.far();
    assert!(far.take().ends_with("\r\n\r\ncontent"));
    far.send("HTTP/1.1 307 Temporary Redirect\r\nLocation: /2\r\nContent-Length: 0\r\n\r\n");
    let error = world.failure(id);
    assert_eq!(error.kind(), ErrorKind::Redirect);
    assert!(error.message().contains("only once"), "{error}");
}

#[test]
fn a_connection_that_the_server_has_closed_at_rest_gets_no_request() {
    let (mut world, mut far) = rested();
    far.end();
    let id = world.start(request(Method::POST, "x"));
    assert_eq!(far.take(), "");
    let mut second = world.far();
    assert!(second.take().starts_with("POST / "));
    second.answer("200 OK", "two");
    assert_eq!(world.done(id), (200, "two".to_owned()));
}

/// RFC 9110 §15.5.9
#[test]
fn a_408_that_was_meant_for_the_idle_connection_answers_nobody() {
    let (mut world, mut far) = rested();
    let id = world.get("http://h/2");
    far.take();
    far.send("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    let mut second = world.far();
    assert!(second.take().starts_with("GET /2 "));
    second.answer("408 Request Timeout", "");
    assert_eq!(world.done(id), (408, String::new()));
}

#[test]
fn leftovers_of_a_response_never_answer_another_request() {
    for late in [false, true] {
        let mut world = World::new();
        let first = world.get("http://h/1");
        let mut far = world.far();
        far.take();
        let poison = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";
        far.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood");
        if late {
            world.settle();
        }
        far.send(poison);
        assert_eq!(world.done(first), (200, "good".to_owned()));
        let second = world.get("http://h/2");
        assert_eq!(far.take(), "");
        assert!(far.is_closed());
        let mut fresh = world.far();
        assert!(fresh.take().starts_with("GET /2 "));
        fresh.answer("200 OK", "second");
        assert_eq!(world.done(second), (200, "second".to_owned()));
    }
}
