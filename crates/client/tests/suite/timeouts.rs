//! Time-outs in every phase, under virtual time.

use std::time::Duration;

use avocet_client::{Content, ErrorKind, Phase, Request};
use avocet_wire::FieldBuf;
use http::Method;

use crate::support::World;

fn within(total: u64, url: &str) -> Request {
    let mut request = Request::get(url).unwrap();
    request.options_mut().total = Some(Duration::from_secs(total));
    request
}

/// Runs until the transfer has failed; the phase and the seconds it took.
fn timed_out(world: &mut World, id: avocet_client::TransferId) -> (Phase, u64) {
    let start = world.now;
    for _ in 0..200 {
        if !world.is_under_way(id) {
            let error = world.failure(id);
            assert!(error.is_timeout() && error.kind() == ErrorKind::Timeout, "{error}");
            return (error.phase(), (world.now - start).as_secs());
        }
        world.seconds(1);
    }
    panic!("no time-out came");
}

#[test]
fn a_connection_that_is_never_made() {
    let mut world = World::new();
    world.net.hang();
    let id = world.get("http://h/");
    assert_eq!(timed_out(&mut world, id), (Phase::Connect, 11));
    assert_eq!(world.multi.connections(), (0, 0));
}

#[test]
fn a_request_that_is_not_read() {
    let mut world = World::new();
    world.net.capacity(1000);
    let request = Request::new(Method::POST, "http://h/").unwrap();
    let id = world.start(request.with_content(vec![b'x'; 100_000]));
    let mut far = world.far();
    world.seconds(25);
    far.take();
    assert_eq!(timed_out(&mut world, id), (Phase::Send, 31));
}

#[test]
fn a_head_that_does_not_come_or_dribbles() {
    for dribbles in [false, true] {
        let mut world = World::new();
        let id = world.get("http://h/");
        let mut far = world.far();
        far.send("HTTP/1.1 200 OK\r\nX: ");
        for _ in 0..29 {
            world.seconds(1);
            if dribbles {
                far.send("x");
            }
            assert!(world.is_under_way(id));
        }
        assert_eq!(timed_out(&mut world, id), (Phase::Head, 2));
    }
}

#[test]
fn interim_responses_extend_the_wait_for_the_head_but_only_so_often() {
    let mut world = World::new();
    let id = world.get("http://h/");
    let mut far = world.far();
    for _ in 0..16 {
        world.seconds(25);
        far.send("HTTP/1.1 102 Processing\r\n\r\n");
        assert!(world.is_under_way(id));
    }
    far.send("HTTP/1.1 102 Processing\r\n\r\n");
    assert_eq!(world.failure(id).kind(), ErrorKind::Limit);
}

#[test]
fn content_that_stops() {
    let mut world = World::new();
    let id = world.get("http://h/");
    let mut far = world.far();
    far.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
    for _ in 0..5 {
        world.seconds(25);
        far.send("x");
    }
    assert_eq!(timed_out(&mut world, id), (Phase::Content, 31));
}

#[test]
fn a_pause_of_the_caller_is_no_silence_of_the_server() {
    let mut world = World::new();
    let id = world.get("http://h/");
    let mut far = world.far();
    far.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
    world.settle();
    world.multi.pause(id);
    world.seconds(500);
    assert!(world.is_under_way(id));
    world.multi.resume(id);
    world.seconds(29);
    assert!(world.is_under_way(id));
    far.send([b'x'; 100]);
    assert_eq!(world.done(id).0, 200);
}

#[test]
fn the_total_ends_a_transfer_in_every_phase() {
    // Waiting for its turn behind another one.
    let mut world = World::with(|config| config.pool.active_per_host = 1);
    let first = world.get("http://h/");
    let id = world.start(within(5, "http://h/"));
    assert_eq!(timed_out(&mut world, id), (Phase::Queue, 5));
    assert!(world.is_under_way(first));

    // Connecting.
    let mut world = World::new();
    world.net.hang();
    let id = world.start(within(5, "http://h/"));
    assert_eq!(timed_out(&mut world, id).0, Phase::Connect);

    // Waiting for 100, which may take a second of its own.
    let mut world = World::with(|config| config.timeouts.expect = Duration::from_secs(60));
    let mut request = within(5, "http://h/").with_content("content");
    request.options_mut().expect_continue = Some(true);
    let id = world.start(request);
    assert_eq!(timed_out(&mut world, id).0, Phase::Send);

    // Sending to a server that reads little by little.
    let mut world = World::new();
    world.net.capacity(1000);
    let id = world.start(within(5, "http://h/").with_content(vec![b'x'; 100_000]));
    let mut far = world.far();
    for _ in 0..4 {
        world.seconds(1);
        far.take();
    }
    assert!(world.is_under_way(id));
    world.seconds(2);
    assert_eq!(world.failure(id).phase(), Phase::Send);

    // Waiting for the head.
    let mut world = World::new();
    let id = world.start(within(5, "http://h/"));
    assert_eq!(timed_out(&mut world, id).0, Phase::Head);

    // Reading content, and while the caller has stopped it.
    for paused in [false, true] {
        let mut world = World::new();
        let id = world.start(within(5, "http://h/"));
        let mut far = world.far();
        far.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        world.settle();
        if paused {
            world.multi.pause(id);
        }
        for _ in 0..4 {
            far.send("x");
            world.seconds(1);
        }
        assert!(world.is_under_way(id));
        assert_eq!(timed_out(&mut world, id).0, Phase::Content);
    }

    // Over all hops together.
    let mut world = World::new();
    let id = world.start(within(5, "http://h/"));
    let mut far = world.far();
    for _ in 0..4 {
        far.send("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n");
        world.seconds(1);
    }
    assert!(world.is_under_way(id));
    assert_eq!(timed_out(&mut world, id).0, Phase::Head);
}

/// What never stops never pauses either: the time is looked at in between.
#[test]
fn content_that_never_stops_is_late_too() {
    let mut world = World::new();
    world.net.capacity(1 << 20);
    let id = world.start(within(5, "http://h/"));
    let mut far = world.far();
    far.send("HTTP/1.1 200 OK\r\n\r\n");
    let start = world.now;
    while world.is_under_way(id) {
        far.send(vec![b'x'; 600_000]);
        world.now += Duration::from_millis(100);
        assert!((world.now - start).as_secs() < 6);
    }
    assert!(world.failure(id).is_timeout());
}

#[test]
fn the_least_rate_is_asked_of_both_directions() {
    let slow = |config: &mut avocet_client::Config| {
        config.timeouts.least_rate = Some((100, Duration::from_secs(10)));
    };
    let mut world = World::with(slow);
    let id = world.get("http://h/");
    let mut far = world.far();
    // The wait for the head is no content.
    world.seconds(25);
    far.send("HTTP/1.1 200 OK\r\n\r\n");
    for _ in 0..30 {
        far.send([b'x'; 110]);
        world.seconds(1);
        assert!(world.is_under_way(id));
    }
    for _ in 0..12 {
        far.send([b'x'; 90]);
        world.seconds(1);
    }
    let error = world.failure(id);
    assert!(error.is_timeout() && error.message().contains("slower than 100 bytes"), "{error}");

    let mut world = World::with(slow);
    world.net.capacity(50);
    let reader = Box::new(std::io::repeat(b'x'));
    let content = Content::Reader { size: None, reader, trailers: FieldBuf::new() };
    let mut request = Request::new(Method::PUT, "http://h/").unwrap().with_content(content);
    request.options_mut().expect_continue = Some(false);
    let id = world.start(request);
    let mut far = world.far();
    for _ in 0..12 {
        far.take();
        world.seconds(1);
    }
    assert_eq!(world.failure(id).phase(), Phase::Send);
}

#[test]
fn a_connection_rests_no_longer_than_it_may() {
    let mut world = World::new();
    let id = world.get("http://h/");
    let mut far = world.far();
    far.answer("200 OK", "");
    assert_eq!(world.done(id).0, 200);
    world.seconds(59);
    assert_eq!(world.multi.connections(), (0, 1));
    world.seconds(2);
    assert_eq!(world.multi.connections(), (0, 0));
    assert!(far.is_closed());
}
