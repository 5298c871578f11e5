//! Transfers that are given up at any stage, by the caller or by a panic: nothing of them is left.

use std::cell::RefCell;
use std::rc::Rc;

use avocet_client::{ErrorKind, Request};
use http::Method;

use crate::support::World;

/// After whatever happened, the engine works as on the first day.
fn works(world: &mut World) {
    world.settle();
    assert!(world.multi.is_empty());
    assert_eq!(world.multi.connections().0, 0);
    world.fars();
    let id = world.get("http://fresh/");
    let mut far = world.far();
    far.answer("200 OK", "fine");
    assert_eq!(world.done(id), (200, "fine".to_owned()));
}

fn one_per_host() -> World {
    World::with(|config| config.pool.active_per_host = 1)
}

#[test]
fn while_waiting_for_a_turn() {
    let mut world = one_per_host();
    let first = world.get("http://h/1");
    let second = world.get("http://h/2");
    let third = world.get("http://h/3");
    world.multi.cancel(second);
    let mut far = world.far();
    far.take();
    far.answer("200 OK", "");
    assert_eq!(world.done(first).0, 200);
    assert!(far.take().starts_with("GET /3 "));
    world.multi.cancel(third);
    works(&mut world);
}

#[test]
fn while_the_connection_is_made() {
    let mut world = World::new();
    world.net.hang();
    let id = world.get("http://h/");
    world.multi.cancel(id);
    world.settle();
    assert_eq!(world.multi.connections(), (0, 0));
    assert!(world.outcome(id).end.is_none());
}

#[test]
fn between_the_grant_of_a_kept_connection_and_its_turn() {
    let mut world = World::new();
    let id = world.get("http://h/1");
    let mut far = world.far();
    far.take();
    far.answer("200 OK", "");
    assert_eq!(world.done(id).0, 200);
    let id = world.multi.start(Request::get("http://h/2").unwrap()).unwrap();
    world.multi.cancel(id);
    world.settle();
    assert_eq!(far.take(), "");
    assert_eq!(world.multi.connections(), (0, 1), "the connection is as good as before");
    let id = world.get("http://h/3");
    assert!(far.take().starts_with("GET /3 "));
    far.answer("200 OK", "");
    assert_eq!(world.done(id).0, 200);
    works(&mut world);
}

#[test]
fn while_content_is_sent() {
    let mut world = World::new();
    let request = Request::new(Method::POST, "http://h/").unwrap();
    let id = world.start(request.with_content(vec![b'x'; 1 << 20]));
    let mut far = world.far();
    far.take();
    world.multi.cancel(id);
    world.settle();
    assert!(far.is_closed());
    works(&mut world);
}

#[test]
fn while_the_head_is_awaited_and_while_content_comes() {
    for started in [false, true] {
        let mut world = one_per_host();
        let id = world.get("http://h/1");
        let next = world.get("http://h/2");
        let mut far = world.far();
        if started {
            far.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
            world.settle();
        }
        world.multi.cancel(id);
        let mut second = world.far();
        assert!(far.is_closed());
        assert!(second.take().starts_with("GET /2 "));
        second.answer("200 OK", "two");
        assert_eq!(world.done(next), (200, "two".to_owned()));
        works(&mut world);
    }
}

#[test]
fn no_event_of_a_cancelled_transfer_comes_any_more() {
    let mut world = World::new();
    world.taking = false;
    let first = world.get("http://h/1");
    let second = world.get("http://h/2");
    let mut fars = world.fars();
    for far in &mut fars {
        far.answer("200 OK", "content");
    }
    world.settle();
    world.multi.cancel(first);
    world.taking = true;
    assert_eq!(world.outcome(first).status, None);
    assert_eq!(world.done(second), (200, "content".to_owned()));
    world.multi.cancel(second);
    works(&mut world);
}

#[test]
fn during_a_pause_and_during_the_pause_before_a_retry() {
    let mut world = World::with(|config| config.retry.most = 3);
    let id = world.get("http://h/");
    let mut far = world.far();
    far.send("HTTP/1.1 200 OK\r\n\r\nhalf");
    world.settle();
    world.multi.pause(id);
    world.multi.cancel(id);
    world.settle();
    assert!(far.is_closed());
    world.net.refuse(1);
    let id = world.get("http://h/");
    world.multi.cancel(id);
    world.seconds(100);
    assert!(world.fars().is_empty());
    works(&mut world);
}

#[test]
fn a_receiver_that_fails_or_panics_costs_its_own_transfer_alone() {
    for panics in [false, true] {
        let mut world = one_per_host();
        let receiver = move |_: &[u8]| {
            assert!(!panics, "on purpose");
            Err(std::io::Error::other("the disk is full"))
        };
        let id = world.start_into(Request::get("http://h/1").unwrap(), Box::new(receiver));
        let next = world.get("http://h/2");
        let mut far = world.far();
        far.answer("200 OK", "content");
        let error = world.failure(id);
        if panics {
            assert_eq!(error.kind(), ErrorKind::Cancelled);
        } else {
            assert_eq!(error.kind(), ErrorKind::Receiver);
            assert_eq!(
                error.to_string(),
                "http://h/1: while reading the content: the disk is full"
            );
        }
        let mut second = world.far();
        second.answer("200 OK", "two");
        assert_eq!(world.done(next), (200, "two".to_owned()));
        works(&mut world);
    }
}

/// What a receiver holds, a file for example, is let go when the transfer is over and not later.
#[test]
fn a_receiver_is_dropped_with_the_end() {
    for cut in [false, true] {
        let mut world = World::new();
        world.taking = false;
        let held = Rc::new(RefCell::new(Vec::new()));
        let into = held.clone();
        let receiver = move |bytes: &[u8]| {
            into.borrow_mut().extend_from_slice(bytes);
            Ok(())
        };
        world.start_into(Request::get("http://h/").unwrap(), Box::new(receiver));
        let mut far = world.far();
        far.send("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\ncont");
        if cut {
            drop(far);
        } else {
            far.send("ent");
        }
        world.settle();
        assert_eq!(Rc::strong_count(&held), 1);
    }
}

#[test]
fn the_engine_may_be_dropped_at_any_time() {
    let mut world = one_per_host();
    for n in 0..10 {
        world.get(&format!("http://h{}/", n / 2));
    }
    let mut fars = world.fars();
    assert_eq!(fars.len(), 5);
    fars[0].answer("200 OK", "");
    fars[1].send("HTTP/1.1 200 OK\r\n\r\nhalf");
    fars[2].send("HTTP/1.1 20");
    world.settle();
    drop(world);
    assert!(fars.iter_mut().all(super::support::Far::is_closed));
}
