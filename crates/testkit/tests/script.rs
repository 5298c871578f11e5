//! Scripts: every kind of step, failures that say what is wrong, simulated and on real sockets.

use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use avocet_net::{
    Acceptor, Address, ConnectionCount, EventLoop, ListenAddress, Next, PeerInfo, SocketTransport,
    Stop, Task, Transport,
};
use avocet_testkit::{Echo, Outcome, Script, Simulation, rounds, task};

/// Plays a script against an echo.
fn played(simulation: &mut Simulation, script: Script) -> Outcome {
    let (client, server) = simulation.pair();
    simulation.spawn(Box::new(Echo::new(server)));
    let outcome = script.spawn(simulation.event_loop(0), Box::new(client));
    simulation.run_until(Duration::from_secs(3600), |_| outcome.is_over());
    outcome
}

fn failure(script: Script) -> String {
    let outcome = played(&mut Simulation::calm(), script);
    let panic = catch_unwind(AssertUnwindSafe(|| outcome.assert_finished()));
    *panic.expect_err("the script fails").downcast::<String>().expect("a message")
}

#[test]
fn every_kind_of_step_is_taken_whatever_the_network_does() {
    rounds(50, |seed| {
        let mut simulation = Simulation::new(seed);
        let script = Script::new()
            .send("one ")
            .expect("one ")
            .pieces(1, Duration::from_millis(700))
            .send("slowly")
            .expect_until("wly")
            .pieces(0, Duration::ZERO)
            .wait(Duration::from_secs(2))
            .send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
            .expect_reply(200)
            .send("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n")
            .expect_reply_to_head(404)
            .expect_silence(Duration::from_secs(5))
            .end()
            .expect_end();
        let outcome = played(&mut simulation, script);
        outcome.assert_finished();
        assert_eq!(outcome.replies()[0].text(), "hi");
        assert_eq!(outcome.replies().len(), 2);
        // Five pauses between six pieces, the wait and the silence.
        assert!(simulation.elapsed() >= Duration::from_millis(5 * 700 + 7000));
    });
}

#[test]
fn failures_name_the_step_and_what_came_instead() {
    let text = failure(Script::new().send("abc").expect("abd"));
    assert!(text.starts_with("step 1, Expect"), "{text}");
    assert!(text.contains(r#"there is "abc""#), "{text}");
    let text = failure(Script::new().send("ab").end().expect("abc"));
    assert!(text.contains(r#""ab" and the end"#), "{text}");
    let text = failure(Script::new().patience(Duration::from_secs(5)).expect_until("x"));
    assert!(text.contains("not within 5s"), "{text}");
    let text = failure(Script::new().send("x").expect_silence(Duration::from_secs(1)));
    assert!(text.contains("ExpectSilence"), "{text}");
    let text = failure(Script::new().send("HTTP/1.1 500 No\r\n\r\n").end().expect_reply(200));
    assert!(text.contains("500 No"), "{text}");
}

#[test]
fn a_reset_is_a_failure_with_its_name() {
    let mut simulation = Simulation::calm();
    let (client, server) = simulation.pair();
    let mut server = Some(server);
    simulation.spawn(task(move |_| {
        server.take().expect("one turn").reset().unwrap();
        Next::Done
    }));
    let script = Script::new().expect_end();
    let outcome = script.spawn(simulation.event_loop(0), Box::new(client));
    simulation.settle();
    let panic = catch_unwind(AssertUnwindSafe(|| outcome.assert_finished())).unwrap_err();
    assert!(panic.downcast::<String>().unwrap().contains("connection reset"));
}

#[test]
fn scripts_run_over_sockets_too() {
    let listener = ListenAddress::loopback(0).bind(1).unwrap().pop().unwrap();
    let Address::Ip(address) = listener.address().unwrap() else { panic!("a TCP listener") };
    let mut event_loop = EventLoop::new().unwrap();
    let make = |transport: Box<dyn Transport>, permit, _| {
        Box::new(Echo::new(transport).with_permit(permit)) as Box<dyn Task>
    };
    let acceptor = Acceptor::new(listener, ConnectionCount::new(10), make).unwrap();
    event_loop.spawn(Box::new(acceptor));
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nonblocking(true).unwrap();
    let ends = PeerInfo::new(Address::Ip(address), Address::Memory);
    let stream = mio::net::TcpStream::from_std(stream);
    let script = Script::new()
        .pieces(3, Duration::from_millis(1))
        .send("over a real socket")
        .expect("over a real socket")
        .end()
        .expect_end();
    let transport = SocketTransport::new(stream, ends);
    let outcome = script.spawn(&mut event_loop, Box::new(transport));
    while !outcome.is_over() {
        event_loop.turn(None).unwrap();
    }
    outcome.assert_finished();
    let now = std::time::Instant::now();
    let deadline = now + Duration::from_secs(10);
    event_loop.handle().stop(Stop { accept_until: now, idle_until: now, deadline });
    event_loop.run().unwrap();
    assert!(event_loop.scheduler().is_empty());
}
