//! How connections are shared between transfers.

use crate::support::World;

#[test]
fn the_limits_per_host_and_in_all_hold_and_everybody_gets_a_turn() {
    let mut world = World::with(|config| {
        config.pool.active_per_host = 2;
        config.pool.active = 3;
    });
    for host in [0, 1, 1, 0, 0, 1] {
        world.get(&format!("http://h{host}/"));
    }
    assert_eq!(world.multi.connections(), (3, 0));
    let mut world = World::with(|config| config.pool.active = 1);
    let ids: Vec<_> = (0..12).map(|n| world.get(&format!("http://h{}/{n}", n % 2))).collect();
    let (mut fars, mut order) = (world.fars(), Vec::new());
    while !world.multi.is_empty() {
        assert!(world.multi.connections().0 <= 1);
        for far in &mut fars {
            let request = far.take();
            if let Some(path) = request.split(' ').nth(1) {
                order.push(path[1..].parse::<u32>().unwrap());
                far.answer("200 OK", path);
            }
        }
        fars.extend(world.fars());
    }
    for (n, id) in ids.into_iter().enumerate() {
        assert_eq!(world.done(id), (200, format!("/{n}")));
    }
    assert!(order.is_sorted(), "both hosts take turns: {order:?}");
}

#[test]
fn a_thousand_hosts_do_not_leave_a_thousand_connections_open() {
    let mut world = World::with(|config| config.pool.idle = 10);
    let mut fars = Vec::new();
    for n in 0..1000 {
        let id = world.get(&format!("http://h{n}/"));
        let mut far = world.far();
        far.answer("200 OK", "");
        assert_eq!(world.done(id).0, 200);
        fars.push(far);
        world.now += std::time::Duration::from_millis(1);
    }
    assert_eq!(world.multi.connections(), (0, 10));
    let closed: Vec<bool> = fars.iter_mut().map(super::support::Far::is_closed).collect();
    assert!(closed[..990].iter().all(|closed| *closed) && !closed[990..].contains(&true));
}

#[test]
fn two_thousand_transfers_at_once_on_one_thread() {
    let mut world = World::with(|config| {
        config.pool.active = 2000;
        config.pool.active_per_host = 100;
    });
    let ids: Vec<_> = (0..2000)
        .map(|n| {
            let url = format!("http://h{}/{n}", n % 20);
            world.multi.start(avocet_client::Request::get(&url).unwrap()).unwrap()
        })
        .collect();
    let mut fars = world.fars();
    assert_eq!((fars.len(), world.multi.connections().0, world.multi.len()), (2000, 2000, 2000));
    for far in fars.iter_mut().rev() {
        let path = far.take().split(' ').nth(1).unwrap().to_owned();
        far.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n->\r\n");
        far.send(format!("{:x}\r\n{path}\r\n0\r\n\r\n", path.len()));
    }
    world.settle();
    assert!(world.multi.is_empty());
    assert_eq!(world.multi.connections(), (0, 256));
    for (n, id) in ids.into_iter().enumerate() {
        assert_eq!(world.done(id), (200, format!("->/{n}")));
    }
}

#[test]
fn a_fresh_connection_is_made_where_one_is_wanted() {
    let mut world = World::new();
    let id = world.get("http://h/");
    let mut far = world.far();
    far.answer("200 OK", "");
    assert_eq!(world.done(id).0, 200);
    let mut request = avocet_client::Request::get("http://h/").unwrap();
    request.options_mut().fresh_connection = true;
    let id = world.start(request);
    let mut fresh = world.far();
    fresh.answer("200 OK", "fresh");
    assert_eq!(world.done(id).1, "fresh");
    let report = world.multi.report(id).unwrap();
    assert!(!report.times.reused && report.opened == 1);
    let id = world.get("http://h/");
    assert!(world.fars().is_empty());
    assert!(world.multi.report(id).unwrap().times.reused);
}

#[test]
fn routes_that_differ_in_anything_share_nothing() {
    let (mut world, mut fars) = (World::new(), Vec::new());
    for url in ["http://h/", "http://h:81/", "https://h/", "http://other/"] {
        let id = world.get(url);
        let mut far = world.far();
        far.answer("200 OK", "");
        assert_eq!(world.done(id).0, 200);
        fars.push(far);
    }
    assert_eq!(world.multi.connections(), (0, 4));
    let id = world.get("http://H:80/");
    assert!(world.fars().is_empty(), "the same origin, spelled otherwise");
    assert!(world.multi.report(id).unwrap().times.reused);
}

#[test]
fn a_request_that_cannot_be_sent_leaves_the_connection_as_it_is() {
    let mut world = World::new();
    let id = world.get("http://h/");
    let mut far = world.far();
    far.take();
    far.answer("200 OK", "");
    assert_eq!(world.done(id).0, 200);
    let mut request = avocet_client::Request::get("http://h/").unwrap();
    request.options_mut().target = Some("/a b".to_owned());
    let id = world.start(request);
    assert_eq!(world.failure(id).kind(), avocet_client::ErrorKind::Request);
    assert_eq!(far.take(), "");
    let id = world.get("http://h/");
    assert!(world.fars().is_empty());
    far.answer("200 OK", "again");
    assert_eq!(world.done(id).1, "again");
}
