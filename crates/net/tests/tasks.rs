//! Tasks: order, names, readiness that is remembered, what jobs may not do.

#![expect(clippy::unwrap_used, reason = "functions of a test, which clippy takes for others")]

use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use avocet_net::{
    EventLoop, Input, Next, Outbox, Readiness, Stop, TaskId, Transport, Turn, memory_pair,
};
use avocet_testkit::task;

/// What happened, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

fn noting(log: &Log, name: &'static str, next: Next) -> Box<dyn avocet_net::Task> {
    let log = log.clone();
    task(move |_| {
        log.note(name);
        next
    })
}

#[test]
fn tasks_that_are_not_done_yet_go_behind_all_others() {
    let now = Instant::now();
    let mut event_loop = EventLoop::simulated(now);
    let log = Log::default();
    event_loop.spawn(noting(&log, "again", Next::Again));
    event_loop.spawn(noting(&log, "a", Next::Wait(None)));
    event_loop.spawn(noting(&log, "b", Next::Done));
    assert_eq!(event_loop.turn_at(now), Some(Duration::ZERO));
    assert_eq!(log.take(), ["again", "a", "b"]);
    event_loop.turn_at(now);
    assert_eq!(log.take(), ["again"], "once per turn of the loop");
}

#[test]
fn a_task_spawned_in_a_turn_has_its_first_turn_in_the_same_one() {
    let now = Instant::now();
    let mut event_loop = EventLoop::simulated(now);
    let log = Log::default();
    let inner = log.clone();
    event_loop.spawn(task(move |cx| {
        cx.spawn(noting(&inner, "child", Next::Done));
        inner.note(format!("{} tasks", cx.tasks()));
        Next::Done
    }));
    assert_eq!(event_loop.turn_at(now), None);
    assert_eq!(log.take(), ["2 tasks", "child"]);
}

#[test]
fn two_tasks_that_notify_each_other_do_not_shut_the_loop_out() {
    let now = Instant::now();
    let mut event_loop = EventLoop::simulated(now);
    let turns = Arc::new(Mutex::new(0));
    let ids: Arc<Mutex<Vec<TaskId>>> = Arc::default();
    for own in 0..2 {
        let (turns, others) = (turns.clone(), ids.clone());
        let id = event_loop.spawn(task(move |cx| {
            *turns.lock().unwrap() += 1;
            if let Some(other) = others.lock().unwrap().get(1 - own) {
                cx.notify(*other);
            }
            Next::Wait(None)
        }));
        ids.lock().unwrap().push(id);
    }
    assert_eq!(event_loop.turn_at(now), Some(Duration::ZERO), "the loop is asked to come back");
    assert!(*turns.lock().unwrap() < 200);
}

#[test]
fn the_name_of_a_task_that_is_gone_finds_nobody() {
    let now = Instant::now();
    let mut event_loop = EventLoop::simulated(now);
    let log = Log::default();
    let gone = event_loop.spawn(noting(&log, "gone", Next::Done));
    let stale = event_loop.notifier(gone);
    event_loop.turn_at(now);
    let heir = event_loop.spawn(noting(&log, "heir", Next::Wait(None)));
    event_loop.turn_at(now);
    log.take();
    assert_ne!(gone, heir);
    assert!(stale.ready(Readiness::READABLE), "a task that is gone is no error");
    event_loop.notify(gone);
    event_loop.turn_at(now);
    assert_eq!(log.take(), [""; 0]);
    event_loop.notify(heir);
    event_loop.turn_at(now);
    assert_eq!(log.take(), ["heir"]);
    drop(event_loop);
    assert!(!stale.wake(), "the loop has ended");
}

#[test]
fn what_is_not_read_now_can_be_read_later_without_another_event() {
    let now = Instant::now();
    let mut event_loop = EventLoop::simulated(now);
    let (mut near, mut far) = memory_pair(1000);
    let log = Log::default();
    let inner = log.clone();
    let mut turns = 0;
    let id = event_loop.spawn(task(move |cx| {
        turns += 1;
        if turns == 1 {
            cx.register(&mut far).unwrap();
        }
        // The first turns leave everything where it is.
        if turns < 4 {
            return Next::Wait(None);
        }
        let mut buf = [0; 4];
        while cx.readable() {
            match cx.read(&mut far, &mut buf).unwrap() {
                Input::Bytes(count) => inner.note(String::from_utf8_lossy(&buf[..count])),
                Input::Blocked => inner.note("blocked"),
                Input::Closed => {
                    inner.note("closed");
                    assert!(!cx.readable() && cx.read_closed());
                    return Next::Done;
                }
            }
        }
        Next::Wait(None)
    }));
    let mut out = Outbox::new();
    out.push_slice(b"0123456789");
    near.write(&mut out).unwrap();
    while event_loop.turn_at(now).is_some() {}
    for _ in 0..4 {
        event_loop.notify(id);
        event_loop.turn_at(now);
    }
    // The last read is short, which spares the one that would say "blocked".
    assert_eq!(log.take(), ["0123", "4567", "89"]);
    near.close_write().unwrap();
    while event_loop.turn_at(now).is_some() {}
    assert_eq!(log.take(), ["closed"]);
}

#[test]
fn a_job_has_no_task_to_register_and_may_spawn_one() {
    let now = Instant::now();
    let mut event_loop = EventLoop::simulated(now);
    let log = Log::default();
    let inner = log.clone();
    event_loop.handle().run(move |cx: &mut Turn<'_>| {
        let (mut transport, _peer) = memory_pair(1);
        let refused = cx.register(&mut transport).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::Unsupported);
        assert_eq!(cx.id().to_string(), "job");
        let inner = Mutex::new(inner);
        cx.spawn(task(move |_| {
            inner.lock().unwrap().note("spawned");
            Next::Done
        }));
    });
    event_loop.turn_at(now);
    assert_eq!(event_loop.scheduler().panics(), 0);
    assert_eq!(log.take(), ["spawned"]);
}

#[test]
fn a_loop_without_a_kernel_says_so() {
    let now = Instant::now();
    let mut event_loop = EventLoop::simulated(now);
    assert_eq!(event_loop.turn(None).unwrap_err().kind(), io::ErrorKind::Unsupported);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut listener = mio::net::TcpListener::from_std(listener);
    event_loop.spawn(task(move |cx| {
        let refused = cx.register_source(&mut listener, mio::Interest::READABLE).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::Unsupported);
        Next::Done
    }));
    event_loop.turn_at(now);
    assert_eq!(event_loop.scheduler().panics(), 0);
}

#[test]
fn a_task_that_comes_after_the_order_to_stop_sees_it_too() {
    let now = Instant::now();
    let mut event_loop = EventLoop::simulated(now);
    let deadline = now + Duration::from_secs(9);
    event_loop.handle().stop(Stop { accept_until: now, idle_until: now, deadline });
    event_loop.turn_at(now);
    let log = Log::default();
    let inner = log.clone();
    event_loop.spawn(task(move |cx| {
        inner.note(format!("{:?}", cx.stopping().map(|stop| stop.deadline == deadline)));
        Next::Done
    }));
    event_loop.turn_at(now);
    assert_eq!(log.take(), ["Some(true)"]);
}
