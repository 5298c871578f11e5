use std::time::Duration;

use avocet_net::{EventLoop, Next, Task, Turn};

use super::*;

struct Nothing;

impl Task for Nothing {
    fn turn(&mut self, _: &mut Turn<'_>) -> Next {
        Next::Wait(None)
    }
}

/// Names of tasks, which only a loop can make.
fn tasks(count: usize) -> Vec<TaskId> {
    let mut event_loop = EventLoop::simulated(Instant::now());
    (0..count).map(|_| event_loop.spawn(Box::new(Nothing))).collect()
}

fn route(host: &str) -> Rc<Route> {
    Rc::new(Route { secure: false, host: host.to_owned(), port: 80, via: Vec::new() })
}

fn limits(active_per_host: usize, active: usize, idle_per_host: usize, idle: usize) -> PoolLimits {
    PoolLimits { active_per_host, active, idle_per_host, idle, idle_for: Duration::from_secs(60) }
}

fn granted(pool: &mut Pool) -> Vec<u64> {
    std::iter::from_fn(|| pool.next(|_| true)).map(|grant| grant.id.0).collect()
}

#[test]
fn transfers_to_one_place_go_in_their_order_within_its_limit() {
    let mut pool = Pool::new(limits(2, 10, 2, 10));
    let here = route("a");
    let mut place = None;
    for id in 1..=4 {
        place = Some(pool.enqueue(&here, TransferId(id), false));
    }
    let place = place.unwrap();
    pool.enqueue(&here, TransferId(5), true);
    assert_eq!(granted(&mut pool), [5, 1]);
    assert_eq!(granted(&mut pool), [0; 0]);
    pool.withdraw(place, TransferId(2));
    assert_eq!(granted(&mut pool), [0; 0]);
    pool.release(place);
    assert_eq!(granted(&mut pool), [3]);
    assert_eq!(pool.counts(), (2, 0));
}

#[test]
fn the_connection_that_came_last_is_used_again_unless_a_fresh_one_is_wanted() {
    let mut pool = Pool::new(limits(2, 10, 2, 10));
    let (here, tasks, now) = (route("a"), tasks(2), Instant::now());
    let place = pool.enqueue(&here, TransferId(1), false);
    pool.enqueue(&here, TransferId(2), false);
    assert_eq!(granted(&mut pool), [1, 2]);
    assert_eq!(pool.park(place, tasks[0], now), Parked::Kept);
    assert_eq!(pool.park(place, tasks[1], now), Parked::Kept);
    assert_eq!(pool.counts(), (0, 2));
    for id in 3..=5 {
        pool.enqueue(&here, TransferId(id), false);
    }
    let grant = pool.next(|id| id.0 != 4).unwrap();
    assert_eq!((grant.id.0, grant.reuse), (3, Some(tasks[1])));
    let grant = pool.next(|id| id.0 != 4).unwrap();
    assert_eq!((grant.id.0, grant.reuse), (4, None));
    assert_eq!(granted(&mut pool), [5]);
    assert_eq!(pool.counts(), (3, 0));
}

#[test]
fn a_long_queue_does_not_starve_other_places() {
    let mut pool = Pool::new(limits(10, 2, 2, 10));
    let (busy, other) = (route("busy"), route("other"));
    let mut place = None;
    for id in 1..=100 {
        place = Some(pool.enqueue(&busy, TransferId(id), false));
    }
    assert_eq!(granted(&mut pool), [1, 2]);
    pool.enqueue(&other, TransferId(500), false);
    assert_eq!(granted(&mut pool), [0; 0]);
    let place = place.unwrap();
    let mut order = Vec::new();
    for _ in 0..3 {
        pool.release(place);
        order.extend(granted(&mut pool));
    }
    assert!(order.contains(&500), "{order:?}");
    assert_eq!(pool.counts().0, 2);
}

#[test]
fn the_bounds_on_connections_at_rest_end_the_oldest() {
    let mut pool = Pool::new(limits(4, 10, 2, 3));
    let (a, b, tasks, start) = (route("a"), route("b"), tasks(5), Instant::now());
    let now = |n: u64| start + Duration::from_secs(n);
    for id in 1..=3 {
        pool.enqueue(&a, TransferId(id), false);
        pool.enqueue(&b, TransferId(10 + id), false);
    }
    assert_eq!(granted(&mut pool).len(), 6);
    let place_a = pool.enqueue(&a, TransferId(90), false);
    let place_b = pool.enqueue(&b, TransferId(91), false);
    pool.withdraw(place_a, TransferId(90));
    pool.withdraw(place_b, TransferId(91));
    assert_eq!(pool.park(place_b, tasks[0], now(1)), Parked::Kept);
    assert_eq!(pool.park(place_a, tasks[1], now(2)), Parked::Kept);
    assert_eq!(pool.park(place_a, tasks[2], now(3)), Parked::Kept);
    assert_eq!(pool.park(place_a, tasks[3], now(4)), Parked::Refused);
    assert_eq!(pool.park(place_b, tasks[4], now(5)), Parked::KeptFor(tasks[0]));
    assert_eq!(pool.counts(), (1, 3));
}

#[test]
fn a_place_without_connections_and_transfers_is_forgotten() {
    let mut pool = Pool::new(limits(2, 10, 2, 10));
    let (tasks, now) = (tasks(1), Instant::now());
    for round in 0..1000 {
        let place = pool.enqueue(&route(&format!("host-{round}")), TransferId(round), false);
        assert_eq!(granted(&mut pool), [round]);
        if round % 2 == 0 {
            assert_eq!(pool.park(place, tasks[0], now), Parked::Kept);
            pool.forget(place, tasks[0]);
        } else {
            pool.release(place);
        }
        assert_eq!(granted(&mut pool), [0; 0]);
        let cancelled = pool.enqueue(&route("cancelled"), TransferId(5000), false);
        pool.withdraw(cancelled, TransferId(5000));
        assert_eq!(granted(&mut pool), [0; 0]);
    }
    assert!(pool.known.is_empty());
    assert!(pool.places.len() <= 2, "{} slots for one place at a time", pool.places.len());
}
