//! Deadlines: never early, at most a tick late, whatever the loop is doing meanwhile.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use avocet_net::{EventLoop, Next, Task, Turn};

/// A task from a closure.
struct Run<F>(F);

impl<F: FnMut(&mut Turn<'_>) -> Next + Send> Task for Run<F> {
    fn turn(&mut self, cx: &mut Turn<'_>) -> Next {
        (self.0)(cx)
    }
}

fn task(f: impl FnMut(&mut Turn<'_>) -> Next + Send + 'static) -> Box<dyn Task> {
    Box::new(Run(f))
}

#[test]
fn a_turn_that_takes_long_does_not_move_the_deadlines_behind_it() {
    let mut event_loop = EventLoop::new().unwrap();
    let start = Instant::now();
    let fired = Arc::new(Mutex::new(None));
    let (slow, late) = (Duration::from_millis(400), fired.clone());
    let deadline = start + Duration::from_millis(390);
    event_loop.spawn(task(move |_| {
        while start.elapsed() < slow {}
        Next::Done
    }));
    event_loop.spawn(task(move |cx| {
        if cx.now() < deadline {
            return Next::Wait(Some(deadline));
        }
        *late.lock().unwrap() = Some(Instant::now());
        Next::Done
    }));
    while !event_loop.scheduler().is_empty() {
        event_loop.turn(None).unwrap();
    }
    let fired = fired.lock().unwrap().unwrap();
    // A loop that reckons from the beginning of its turn would sleep 390 ms behind the slow 400.
    assert!(fired - start < Duration::from_millis(700), "{:?}", fired - start);
}

#[test]
fn a_deadline_that_comes_forward_or_moves_on_is_met_where_it_stands_then() {
    let mut event_loop = EventLoop::new().unwrap();
    let start = Instant::now();
    let fired = Arc::new(Mutex::new(Vec::new()));
    // The first sleep is for the late one; the others come forward, each while the loop sleeps for a
    // later one, and the last moves on once before it is met.
    for (name, millis, moved) in [("late", 300, 300), ("early", 80, 80), ("moved", 40, 160)] {
        let (fired, handle) = (fired.clone(), event_loop.handle());
        let spawn = move || {
            handle.run(move |cx| {
                let mut due = start + Duration::from_millis(millis);
                cx.spawn(task(move |cx| {
                    if cx.now() < due {
                        return Next::Wait(Some(due));
                    }
                    if due < start + Duration::from_millis(moved) {
                        due = start + Duration::from_millis(moved);
                        return Next::Wait(Some(due));
                    }
                    fired.lock().unwrap().push((name, due.elapsed()));
                    Next::Done
                }));
            })
        };
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(10));
            assert!(spawn());
        });
    }
    while fired.lock().unwrap().len() < 3 {
        event_loop.turn(None).unwrap();
    }
    let fired = fired.lock().unwrap();
    assert_eq!(fired.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["early", "moved", "late"]);
    assert!(fired.iter().all(|(_, late)| *late < Duration::from_millis(200)), "{fired:?}");
}

#[test]
fn a_deadline_beyond_all_time_is_no_panic() {
    let now = Instant::now();
    let mut event_loop = EventLoop::simulated(now);
    let far = now.checked_add(Duration::from_secs(1 << 60)).unwrap();
    event_loop.spawn(task(move |_| Next::Wait(Some(far))));
    assert!(event_loop.turn_at(now).is_some());
    assert_eq!(event_loop.scheduler().len(), 1);
    assert_eq!(event_loop.scheduler().panics(), 0);
}

#[test]
fn timers_100_000_fire_in_order_never_early_and_at_most_a_tick_late() {
    const COUNT: u32 = 100_000;
    let start = Instant::now();
    let mut event_loop = EventLoop::simulated(start);
    let fired = Arc::new(Mutex::new(Vec::with_capacity(COUNT as usize)));
    let mut state = 88_172_645_463_325_252_u64;
    for _ in 0..COUNT {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        // Up to ten minutes: many revolutions of the wheel.
        let deadline = start + Duration::from_micros(state % 600_000_000);
        let fired = fired.clone();
        let mut armed = false;
        event_loop.spawn(task(move |cx| {
            if !std::mem::replace(&mut armed, true) {
                return Next::Wait(Some(deadline));
            }
            if cx.now() < deadline {
                return Next::Wait(Some(deadline));
            }
            fired.lock().unwrap().push((deadline, cx.now()));
            Next::Done
        }));
    }
    let mut now = start;
    let mut turns = 0_u32;
    while let Some(sleep) = event_loop.turn_at(now) {
        now += sleep;
        turns += 1;
    }
    let fired = fired.lock().unwrap();
    assert_eq!(fired.len(), COUNT as usize);
    for (deadline, at) in fired.iter() {
        assert!(at >= deadline, "early");
        assert!(*at - *deadline <= Duration::from_millis(8), "{:?} late", *at - *deadline);
    }
    assert!(fired.windows(2).all(|pair| pair[0].1 <= pair[1].1));
    // 600 s hold 75,000 ticks: the loop sleeps from tick to tick and does not spin.
    assert!(turns <= 75_001 + 20, "{turns} turns");
}

#[test]
fn a_deadline_that_moves_on_with_every_turn_fires_once_after_the_last() {
    let start = Instant::now();
    let mut event_loop = EventLoop::simulated(start);
    let turns = Arc::new(Mutex::new(Vec::new()));
    let seen = turns.clone();
    let id = event_loop.spawn(task(move |cx| {
        seen.lock().unwrap().push(cx.now());
        Next::Wait(Some(cx.now() + Duration::from_secs(60)))
    }));
    let handle = event_loop.handle();
    let mut now = start;
    event_loop.turn_at(now);
    for _ in 0..1000 {
        now += Duration::from_millis(100);
        handle.run(move |cx| cx.notify(id));
        event_loop.turn_at(now);
    }
    let last = now;
    let before = turns.lock().unwrap().len();
    loop {
        let sleep = event_loop.turn_at(now).unwrap();
        if turns.lock().unwrap().len() > before {
            break;
        }
        now += sleep;
        assert!(now <= last + Duration::from_millis(60_008), "late");
    }
    let fired = *turns.lock().unwrap().last().unwrap();
    assert!(fired >= last + Duration::from_secs(60), "early by {:?}", last - fired);
}

#[test]
fn a_clock_that_stands_still_or_jumps_a_year_is_no_panic() {
    let start = Instant::now();
    let mut event_loop = EventLoop::simulated(start);
    let turns = Arc::new(Mutex::new(0));
    let seen = turns.clone();
    event_loop.spawn(task(move |cx| {
        *seen.lock().unwrap() += 1;
        Next::Wait(Some(cx.now() + Duration::from_secs(3600)))
    }));
    event_loop.turn_at(start);
    event_loop.turn_at(start);
    assert_eq!(*turns.lock().unwrap(), 1);
    let later = start + Duration::from_secs(365 * 86_400);
    event_loop.turn_at(later);
    assert_eq!(*turns.lock().unwrap(), 2);
    event_loop.turn_at(start);
    let sleep = event_loop.turn_at(later).unwrap();
    assert!(sleep <= Duration::from_secs(3601), "{sleep:?}");
    assert_eq!(*turns.lock().unwrap(), 2);
}
