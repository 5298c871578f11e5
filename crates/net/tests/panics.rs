//! A panic costs the task it happened in, never the loop.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use avocet_net::{EventLoop, Next, Task, Turn};

struct InTurn;

impl Task for InTurn {
    fn turn(&mut self, _: &mut Turn<'_>) -> Next {
        panic!("on purpose, in a turn")
    }
}

struct InDrop;

impl Task for InDrop {
    fn turn(&mut self, _: &mut Turn<'_>) -> Next {
        Next::Done
    }
}

impl Drop for InDrop {
    fn drop(&mut self) {
        panic!("on purpose, in a drop")
    }
}

struct Good(Arc<AtomicU32>);

impl Task for Good {
    fn turn(&mut self, _: &mut Turn<'_>) -> Next {
        self.0.fetch_add(1, Ordering::Relaxed);
        Next::Done
    }
}

#[test]
fn panics_in_a_turn_in_a_drop_and_in_a_job_leave_the_other_tasks_alone() {
    let now = Instant::now();
    let mut event_loop = EventLoop::simulated(now);
    let turns = Arc::new(AtomicU32::new(0));
    event_loop.spawn(Box::new(InTurn));
    event_loop.spawn(Box::new(InDrop));
    event_loop.handle().run(|_| panic!("on purpose, in a job"));
    event_loop.spawn(Box::new(Good(turns.clone())));
    event_loop.turn_at(now);
    assert_eq!(turns.load(Ordering::Relaxed), 1);
    assert_eq!(event_loop.scheduler().panics(), 3);
    assert!(event_loop.scheduler().is_empty());
}

/// A task that took the loop's scratch and outbox with it into its panic.
struct WithBuffers;

impl Task for WithBuffers {
    fn turn(&mut self, cx: &mut Turn<'_>) -> Next {
        let _scratch = cx.take_scratch();
        let mut outbox = cx.take_outbox();
        outbox.push_slice(b"secret of this task");
        panic!("on purpose, with the loop's buffers")
    }
}

struct AfterIt;

impl Task for AfterIt {
    fn turn(&mut self, cx: &mut Turn<'_>) -> Next {
        let scratch = cx.take_scratch();
        assert_eq!(scratch.len(), 128 * 1024);
        cx.put_scratch(scratch);
        assert!(cx.take_outbox().is_empty());
        Next::Done
    }
}

#[test]
fn buffers_lost_in_a_panic_are_replaced_by_clean_ones() {
    let now = Instant::now();
    let mut event_loop = EventLoop::simulated(now);
    event_loop.spawn(Box::new(WithBuffers));
    event_loop.spawn(Box::new(AfterIt));
    event_loop.turn_at(now);
    assert_eq!(event_loop.scheduler().panics(), 1);
}

struct InDropAtRest(Arc<AtomicU32>);

impl Task for InDropAtRest {
    fn turn(&mut self, _: &mut Turn<'_>) -> Next {
        Next::Wait(None)
    }
}

impl Drop for InDropAtRest {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
        panic!("on purpose, in the drop of the loop")
    }
}

#[test]
fn a_panic_in_the_drop_of_one_task_does_not_keep_the_loop_from_dropping_the_others() {
    let now = Instant::now();
    let mut event_loop = EventLoop::simulated(now);
    let drops = Arc::new(AtomicU32::new(0));
    for _ in 0..3 {
        event_loop.spawn(Box::new(InDropAtRest(drops.clone())));
    }
    event_loop.turn_at(now);
    drop(event_loop);
    assert_eq!(drops.load(Ordering::Relaxed), 3);
}
