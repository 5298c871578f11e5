//! What is tried again, and when.

use std::time::Duration;

use avocet_client::{Config, Content, ErrorKind, Request};
use avocet_wire::FieldBuf;
use http::Method;

use crate::support::World;

fn twice(config: &mut Config) {
    config.retry.most = 2;
}

/// The same once more; `None` for a reader.
fn copy(content: &Content) -> Option<Content> {
    match content {
        Content::Empty => Some(Content::Empty),
        Content::Bytes(bytes) => Some(Content::Bytes(bytes.clone())),
        _ => None,
    }
}

#[test]
fn refused_connections_are_tried_again_with_growing_pauses() {
    let mut world = World::with(twice);
    world.net.refuse(2);
    // Nothing of it has left, so even this is safe.
    let request = Request::new(Method::POST, "http://h/").unwrap();
    let id = world.start(request.with_content("content"));
    assert!(world.fars().is_empty());
    world.seconds(1);
    assert!(world.fars().is_empty());
    world.seconds(2);
    let mut far = world.far();
    assert!(far.take().ends_with("content"));
    far.answer("200 OK", "");
    assert_eq!(world.done(id).0, 200);
    assert_eq!(world.multi.report(id).unwrap().retries, 2);
    world.net.refuse(3);
    let id = world.get("http://other/");
    world.seconds(3);
    assert_eq!(world.failure(id).kind(), ErrorKind::Connect);
}

#[test]
fn what_may_have_been_done_is_not_done_twice() {
    let reader = || {
        let reader = Box::new(&b"content"[..]);
        Content::Reader { size: Some(7), reader, trailers: FieldBuf::new() }
    };
    for (method, content, again) in [
        (Method::GET, Content::Empty, true),
        (Method::PUT, Content::from("content"), true),
        (Method::PUT, reader(), false),
        (Method::POST, Content::from("content"), false),
    ] {
        for answer in ["", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"] {
            let mut world = World::with(twice);
            let request = Request::new(method.clone(), "http://h/").unwrap();
            let content = copy(&content).unwrap_or_else(reader);
            let id = world.start(request.with_content(content));
            let mut far = world.far();
            far.take();
            far.send(answer);
            far.end();
            world.seconds(2);
            assert_eq!(world.is_under_way(id), again, "{method} {answer}");
            assert_eq!(world.fars().len(), usize::from(again), "{method} {answer}");
        }
    }
}

#[test]
fn a_response_that_has_begun_is_not_begun_again() {
    let mut world = World::with(twice);
    let id = world.get("http://h/");
    let mut far = world.far();
    far.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    world.settle();
    drop(far);
    assert_eq!(world.failure(id).kind(), ErrorKind::CutShort);
}

#[test]
fn retry_after_is_waited_for_unless_it_is_too_long() {
    let mut world = World::with(twice);
    let id = world.get("http://h/");
    let mut far = world.far();
    far.take();
    far.send("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n");
    world.seconds(29);
    assert_eq!(far.take(), "");
    world.seconds(2);
    assert!(far.take().starts_with("GET / "));
    far.send("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 301\r\nContent-Length: 3\r\n\r\nnow");
    assert_eq!(world.done(id), (429, "now".to_owned()));
}

#[test]
fn the_total_time_counts_all_attempts() {
    let mut world = World::with(|config| config.retry.most = 100);
    world.net.refuse(100);
    let mut request = Request::get("http://h/").unwrap();
    request.options_mut().total = Some(Duration::from_secs(10));
    let id = world.start(request);
    world.seconds(11);
    assert_eq!(world.failure(id).kind(), ErrorKind::Connect);
    assert!(world.multi.report(id).is_none_or(|report| report.retries < 10));
}

#[test]
fn who_says_that_it_does_no_harm_has_everything_tried_again() {
    for answer in ["garbage\r\n\r\n", "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", ""] {
        let mut world = World::with(|config| {
            (config.retry.most, config.retry.always) = (1, true);
            config.retry.fixed_pause = Some(Duration::from_secs(5));
        });
        let request = Request::new(Method::POST, "http://h/").unwrap();
        let id = world.start(request.with_content("content"));
        let mut far = world.far();
        far.take();
        far.send(answer);
        far.end();
        world.seconds(4);
        assert!(world.fars().is_empty(), "{answer}");
        world.seconds(2);
        let mut far = world.far();
        assert!(far.take().ends_with("content"), "{answer}");
        far.answer("200 OK", "");
        assert_eq!(world.done(id).0, 200);
    }
}

#[test]
fn a_request_may_have_fewer_tries_than_others() {
    let mut world = World::with(twice);
    for (retries, tried) in [(Some(0), 0), (Some(1), 1), (None, 2), (Some(3), 3)] {
        world.net.refuse(10);
        let mut request = Request::get("http://h/").unwrap();
        request.options_mut().retries = retries;
        let id = world.start(request);
        world.seconds(30);
        assert_eq!(world.failure(id).kind(), ErrorKind::Connect);
        assert_eq!(world.multi.report(id).unwrap().retries, tried);
    }
}

#[test]
fn no_try_begins_after_the_time_for_tries() {
    let mut world = World::with(|config| {
        config.retry.most = 100;
        config.retry.fixed_pause = Some(Duration::from_secs(2));
        config.retry.within = Some(Duration::from_secs(5));
    });
    world.net.refuse(100);
    let id = world.get("http://h/");
    world.seconds(10);
    assert_eq!(world.failure(id).kind(), ErrorKind::Connect);
    assert_eq!(world.multi.report(id).unwrap().retries, 2);
}
