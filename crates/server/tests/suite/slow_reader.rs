//! Clients that take what they asked for too slowly, under virtual time.

use std::time::Duration;

use avocet_server::{Response, Server, respond};

use crate::support::{Recorded, Simulated, get};

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A large response to a client that reads `rate` bytes a second; the seconds until it is cut.
fn read_at(rate: usize) -> Option<u64> {
    let log = Recorded::new();
    let content = vec![b'x'; 1 << 20];
    let handler = respond(move |_| Response::ok(content.clone()));
    let mut simulated = Simulated::new(Server::new(handler).access_log(log.clone()));
    let mut peer = simulated.connect_with_room(4096);
    peer.send(get("/"));
    simulated.turn();
    for _ in 0..300 {
        simulated.advance(seconds(1));
        if peer.is_gone() {
            assert_eq!((simulated.totals().timeouts, simulated.totals().aborted), (1, 1));
            assert!(log.lines()[0].aborted, "what the client did not get is not called complete");
            return Some(simulated.elapsed().as_secs());
        }
        peer.take(rate);
    }
    assert_eq!(simulated.totals().timeouts, 0);
    None
}

#[test]
fn security_slow_reader_without_progress_is_reset_after_thirty_seconds() {
    assert_eq!(read_at(0), Some(31));
}

#[test]
fn security_slow_reader_below_the_least_rate_is_reset_after_a_minute() {
    assert_eq!(read_at(200), Some(61));
    assert_eq!(read_at(1), Some(61));
}

#[test]
fn a_reader_at_the_least_rate_is_never_cut() {
    assert_eq!(read_at(300), None);
}

#[test]
fn the_time_of_a_slow_download_is_not_idle_time() {
    let content = vec![b'x'; 50_000];
    let handler = respond(move |_| Response::ok(content.clone()));
    let mut simulated = Simulated::new(Server::new(handler));
    let mut peer = simulated.connect_with_room(1000);
    peer.send(get("/"));
    simulated.turn();
    for _ in 0..101 {
        simulated.advance(seconds(1));
        peer.take(500);
    }
    simulated.advance(seconds(30));
    assert_eq!(peer.received().unwrap().content.len(), 50_000);
    peer.send(get("/"));
    simulated.turn();
    assert!(!peer.is_gone(), "the minute begins when the response has left");
}

#[test]
fn a_client_that_reads_what_was_waiting_is_not_cut_for_the_past() {
    // The rate is that of each minute, and counts nothing while there is nothing to read.
    let content = vec![b'x'; 20_000];
    let handler = respond(move |_| Response::ok(content.clone()));
    let mut simulated = Simulated::new(Server::new(handler));
    let mut peer = simulated.connect_with_room(1000);
    for _ in 0..10 {
        peer.send(get("/"));
        simulated.advance(seconds(25));
        let received = loop {
            if let Some(received) = peer.received() {
                break received;
            }
            simulated.turn();
        };
        assert_eq!(received.content.len(), 20_000);
        simulated.advance(seconds(25));
    }
    assert_eq!(simulated.totals().timeouts, 0);
}
