//! Final responses that come while the content of the request is still being sent.

use avocet_client::{Content, ErrorKind, Phase, Request};
use avocet_wire::FieldBuf;
use http::Method;

use crate::support::World;

const LARGE: usize = 300_000;

fn upload(expect: Option<bool>) -> Request {
    let mut request = Request::new(Method::POST, "http://h/").unwrap();
    request.options_mut().expect_continue = expect;
    request.with_content(vec![b'x'; LARGE])
}

#[test]
fn a_refusal_stops_the_content_and_ends_the_connection() {
    let mut world = World::new();
    let id = world.start(upload(None));
    let mut far = world.far();
    let before = far.take().len();
    far.answer("413 Content Too Large", "no");
    assert_eq!(world.done(id), (413, "no".to_owned()));
    let sent = before + far.take().len();
    assert!(sent < LARGE, "{sent} bytes were sent after all");
    assert!(far.is_closed());
    assert_eq!(world.multi.connections(), (0, 0));
}

#[test]
fn a_server_that_agrees_may_answer_while_it_reads() {
    let mut world = World::new();
    let id = world.start(upload(None));
    let mut far = world.far();
    let mut received = far.take().len();
    far.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
    world.settle();
    while world.multi.report(id).unwrap().times.sent.is_none() {
        received += far.take().len();
        world.settle();
    }
    received += far.take().len();
    assert!(received > LARGE);
    far.send("4\r\nlast\r\n0\r\n\r\n");
    assert_eq!(world.done(id), (200, "firstlast".to_owned()));
    assert_eq!(world.multi.connections(), (0, 1));
}

#[test]
fn the_transfer_is_over_only_when_the_content_has_left_too() {
    let mut world = World::new();
    let id = world.start(upload(None));
    let mut far = world.far();
    far.answer("200 OK", "done");
    world.settle();
    assert!(world.is_under_way(id));
    for _ in 0..10 {
        far.take();
        world.settle();
    }
    assert_eq!(world.done(id), (200, "done".to_owned()));
    assert_eq!(world.multi.connections(), (0, 1));
}

#[test]
fn an_answer_is_read_even_though_the_server_takes_no_more_content() {
    let mut world = World::new();
    let id = world.start(upload(None));
    let mut far = world.far();
    far.take();
    far.answer("403 Forbidden", "enough");
    drop(far);
    assert_eq!(world.done(id), (403, "enough".to_owned()));
    let id = world.start(upload(None));
    let far = world.far();
    drop(far);
    let error = world.failure(id);
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Connection, Phase::Head));
}

#[test]
fn content_waits_for_100_when_it_is_told_to() {
    let mut world = World::new();
    let id = world.start(upload(Some(true)));
    let mut far = world.far();
    let head = far.take();
    assert!(head.contains("\r\nExpect: 100-continue\r\n") && head.ends_with("\r\n\r\n"));
    far.send("HTTP/1.1 100 Continue\r\n\r\n");
    let mut received = 0;
    for _ in 0..10 {
        world.settle();
        received += far.take().len();
    }
    assert_eq!(received, LARGE);
    far.answer("200 OK", "");
    assert_eq!(world.done(id).0, 200);
}

#[test]
fn content_goes_out_without_100_after_a_second() {
    let mut world = World::new();
    let id = world.start(upload(Some(true)));
    let mut far = world.far();
    far.take();
    world.pass(std::time::Duration::from_millis(900));
    assert_eq!(far.take(), "");
    world.pass(std::time::Duration::from_millis(200));
    assert!(!far.take().is_empty());
    assert!(world.is_under_way(id));
}

#[test]
fn a_final_answer_instead_of_100_keeps_the_content_back_and_ends_the_connection() {
    for status in ["401 Unauthorized", "200 OK"] {
        let mut world = World::new();
        let id = world.start(upload(Some(true)));
        let mut far = world.far();
        far.take();
        far.answer(status, "no need");
        assert_eq!(world.done(id).1, "no need");
        assert_eq!(far.take(), "");
        assert!(far.is_closed());
    }
}

/// RFC 9110 §10.1.1
#[test]
fn a_server_that_knows_no_expectations_is_asked_without() {
    let mut world = World::new();
    let id = world.start(upload(Some(true)));
    let mut far = world.far();
    assert!(far.take().contains("\r\nExpect: "));
    far.answer("417 Expectation Failed", "");
    let mut second = world.far();
    assert!(!second.take().contains("\r\nExpect: "));
    second.answer("417 Expectation Failed", "again");
    assert_eq!(world.done(id), (417, "again".to_owned()));
}

#[test]
fn a_reader_of_unknown_size_is_chunked_with_its_trailers() {
    let mut world = World::new();
    let mut trailers = FieldBuf::new();
    trailers.push_raw("X-Sum", "7").unwrap();
    let content = Content::Reader { size: None, reader: Box::new(&b"content"[..]), trailers };
    let mut request = Request::new(Method::PUT, "http://h/").unwrap().with_content(content);
    request.options_mut().expect_continue = Some(false);
    let id = world.start(request);
    let mut far = world.far();
    let sent = far.take();
    assert!(sent.contains("\r\nTransfer-Encoding: chunked\r\n"));
    assert!(sent.ends_with("\r\n\r\n7\r\ncontent\r\n0\r\nX-Sum: 7\r\n\r\n"), "{sent}");
    far.answer("200 OK", "");
    assert_eq!(world.done(id).0, 200);
}

#[test]
fn parts_follow_each_other_and_a_wrong_size_is_an_error() {
    let part = |size, text: &'static str| Content::Reader {
        size,
        reader: Box::new(text.as_bytes()),
        trailers: FieldBuf::new(),
    };
    let put = |parts| {
        let request = Request::new(Method::PUT, "http://h/").unwrap();
        request.with_content(Content::Parts(parts))
    };
    let mut world = World::new();
    let parts = vec![Content::from("one "), Content::Empty, part(Some(4), "two "), "three".into()];
    world.start(put(parts));
    let sent = world.far().take();
    assert!(sent.contains("\r\nContent-Length: 13\r\n") && sent.ends_with("\r\n\r\none two three"));
    for (size, text) in [(3, "four"), (5, "four")] {
        let id = world.start(put(vec![part(Some(size), text)]));
        assert_eq!(world.failure(id).kind(), ErrorKind::Request, "{text} of size {size}");
    }
}
