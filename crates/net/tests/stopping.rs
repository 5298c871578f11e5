//! The end of a loop: in order, in time, and whatever its tasks do.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use avocet_net::{Acceptor, ConnectionCount, ListenAddress, Next, Stop, Task, Transport};
use avocet_testkit::{Echo, EchoServer, Simulation, task};

fn stop(simulation: &mut Simulation, accept_for: Duration, grace: Duration) {
    let now = simulation.now();
    let stop = Stop { accept_until: now + accept_for, idle_until: now, deadline: now + grace };
    simulation.event_loop(0).handle().stop(stop);
}

#[test]
fn every_task_is_turned_once_and_sees_the_order() {
    let mut simulation = Simulation::calm();
    let told = Arc::new(AtomicU32::new(0));
    for _ in 0..100 {
        let told = told.clone();
        simulation.spawn(task(move |cx| {
            if cx.stopping().is_none() {
                return Next::Wait(None);
            }
            told.fetch_add(1, Ordering::Relaxed);
            Next::Done
        }));
    }
    simulation.work();
    assert_eq!(told.load(Ordering::Relaxed), 0);
    stop(&mut simulation, Duration::ZERO, Duration::from_secs(10));
    simulation.work();
    assert_eq!(told.load(Ordering::Relaxed), 100);
    assert!(simulation.event_loop(0).scheduler().finished());
}

#[test]
fn a_task_that_never_ends_holds_the_stop_no_longer_than_its_deadline() {
    let mut simulation = Simulation::calm();
    simulation.spawn(task(|_| Next::Wait(None)));
    stop(&mut simulation, Duration::ZERO, Duration::from_secs(10));
    simulation.run_for(Duration::from_secs(9));
    assert!(!simulation.event_loop(0).scheduler().finished());
    simulation.run_for(Duration::from_secs(1));
    assert!(simulation.event_loop(0).scheduler().finished());
}

#[test]
fn a_second_order_shortens_the_first() {
    let server = EchoServer::start(&ListenAddress::loopback(0), 2, 10);
    let mut held = TcpStream::connect(server.tcp()).unwrap();
    held.write_all(b"x").unwrap();
    held.read_exact(&mut [0]).unwrap();
    let begin = Instant::now();
    server.begin_stop(Duration::from_secs(3600));
    server.begin_stop(Duration::ZERO);
    let reports = server.finish();
    assert!(begin.elapsed() < Duration::from_secs(30));
    assert_eq!(reports.iter().map(|report| report.left).sum::<usize>(), 1);
    assert_eq!(held.read(&mut [0]).unwrap_or(0), 0, "the connection ends with its loop");
}

#[test]
fn listeners_go_on_for_as_long_as_the_order_says() {
    let mut simulation = Simulation::calm();
    let (listener, port) = simulation.listen(10);
    let make = |transport: Box<dyn Transport>, permit, _| {
        Box::new(Echo::new(transport).with_permit(permit)) as Box<dyn Task>
    };
    let count = ConnectionCount::new(10);
    simulation.spawn(Box::new(Acceptor::with_incoming(Box::new(listener), count, make)));
    simulation.work();
    stop(&mut simulation, Duration::from_secs(5), Duration::from_secs(60));
    for second in 0..5 {
        let client = simulation.dial(&port).unwrap();
        client.send("late");
        client.end();
        simulation.run_for(Duration::from_secs(1));
        assert_eq!(client.text(), "late", "after {second} seconds");
    }
    simulation.run_for(Duration::from_millis(8));
    assert!(simulation.dial(&port).is_err(), "the listener is gone");
    assert!(simulation.event_loop(0).scheduler().finished());
}

#[test]
fn what_waits_at_the_connection_limit_is_served_while_the_stop_lets_it() {
    let mut simulation = Simulation::calm();
    let (listener, port) = simulation.listen(10);
    let make = |transport: Box<dyn Transport>, permit, _| {
        Box::new(Echo::new(transport).with_permit(permit)) as Box<dyn Task>
    };
    let count = ConnectionCount::new(1);
    simulation.spawn(Box::new(Acceptor::with_incoming(Box::new(listener), count, make)));
    let clients: Vec<_> = (0..3).map(|_| simulation.dial(&port).unwrap()).collect();
    simulation.work();
    stop(&mut simulation, Duration::from_secs(5), Duration::from_secs(60));
    for client in &clients {
        client.send("x");
        client.end();
        simulation.work();
        assert_eq!(client.text(), "x");
    }
}

#[test]
fn a_stop_under_load_loses_no_connection_that_was_accepted() {
    for _ in 0..5 {
        let server = EchoServer::start(&ListenAddress::loopback(0), 2, 1000);
        let address = server.tcp();
        let clients: Vec<_> = (0..4)
            .map(|_| {
                std::thread::spawn(move || {
                    let (mut served, mut refused) = (0_u32, 0_u32);
                    while refused == 0 {
                        // Refused or reset before a byte was answered is what the stop does to
                        // those who come too late; half an answer would be a loss.
                        let Ok(mut stream) = TcpStream::connect(address) else {
                            refused += 1;
                            continue;
                        };
                        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
                        let sent = [7; 5000];
                        let mut back = Vec::new();
                        let whole = stream
                            .write_all(&sent)
                            .and_then(|()| stream.shutdown(Shutdown::Write))
                            .and_then(|()| stream.read_to_end(&mut back));
                        match whole {
                            Ok(_) => {
                                assert_eq!(back, sent);
                                served += 1;
                            }
                            Err(_) => {
                                assert!(back.is_empty(), "{} of 5000 bytes came", back.len());
                                refused += 1;
                            }
                        }
                    }
                    served
                })
            })
            .collect();
        while server.count().live() < 2 {
            std::thread::yield_now();
        }
        server.begin_stop(Duration::from_secs(30));
        let reports = server.finish();
        assert!(reports.iter().all(|report| report.left == 0 && report.panics == 0));
        let served: u32 = clients.into_iter().map(|client| client.join().unwrap()).sum();
        assert!(served > 0);
    }
}
