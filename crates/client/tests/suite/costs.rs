//! What a request costs, counted.

use avocet_client::{Client, Config, Multi, Request};

use crate::support::Server;
use crate::support::servers::ok;

/// Allocations on this thread for so many requests after the first.
fn allocations(count: u64, mut request: impl FnMut()) -> u64 {
    request();
    allocation_counter::measure(|| (0..count).for_each(|_| request())).count_total
}

#[test]
fn a_get_in_turn_costs_fewer_than_eight_allocations() {
    let server = Server::http(|_| ok("content"));
    let (client, url) = (Client::new(), server.url("/"));
    let count = allocations(100, || {
        assert_eq!(client.get(&url).send().unwrap().content(100).unwrap(), b"content");
    });
    assert!(count < 800, "{count} allocations for 100");
}

#[test]
fn a_get_of_many_costs_fewer_than_eight_allocations() {
    let server = Server::http(|_| ok("content"));
    let (mut multi, url) = (Multi::new(Config::default()).unwrap(), server.url("/"));
    let count = allocations(20, || {
        for _ in 0..10 {
            multi.start(Request::get(&url).unwrap()).unwrap();
        }
        while !multi.is_empty() {
            multi.turn(None).unwrap();
            while multi.next_event().is_some() {}
        }
    });
    assert!(count < 1600, "{count} allocations for 200");
}
