//! Threads for work that may block: a bounded number, a bounded queue, and an answer when it is full.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// At most so many threads behind a bounded queue.
///
/// *Bounds*: by default four threads per core and 1,024 jobs that wait; a full queue is an error at
/// once, never a wait. Threads start as jobs come that find the others busy, and stay.
pub struct WorkerPool {
    jobs: Option<SyncSender<Job>>,
    queue: Arc<Mutex<Receiver<Job>>>,
    /// Jobs that wait or run.
    load: Arc<AtomicUsize>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// The threads that there are, and the most that there will be.
    started: AtomicUsize,
    size: AtomicUsize,
}

type Job = Box<dyn FnOnce() + Send>;

/// The queue of a pool was full; the job was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl WorkerPool {
    /// A pool with the default bounds.
    pub fn new() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self::with_bounds(4 * cores, 1024)
    }

    /// A pool of at most `size` threads, at least one, with room for `waiting` jobs, at least one.
    pub fn with_bounds(size: usize, waiting: usize) -> Self {
        let (jobs, queue) = sync_channel(waiting.max(1));
        Self {
            jobs: Some(jobs),
            queue: Arc::new(Mutex::new(queue)),
            load: Arc::default(),
            threads: Mutex::default(),
            started: AtomicUsize::new(0),
            size: AtomicUsize::new(size.max(1)),
        }
    }

    /// Queues a job. A job that panics is logged and costs nothing but itself.
    ///
    /// *Errors*: [`Full`] when the queue is at its bound or no thread could be started.
    pub fn execute(&self, job: impl FnOnce() + Send + 'static) -> Result<(), Full> {
        let Some(jobs) = &self.jobs else { return Err(Full) };
        let load = self.load.fetch_add(1, Ordering::AcqRel) + 1;
        let queued = self.has_threads_for(load)
            && match jobs.try_send(Box::new(job)) {
                Ok(()) => true,
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
            };
        if !queued {
            self.load.fetch_sub(1, Ordering::AcqRel);
            return Err(Full);
        }
        Ok(())
    }

    /// Starts another thread if these are all busy; false when there is none at all.
    fn has_threads_for(&self, load: usize) -> bool {
        let started = self.started.load(Ordering::Acquire);
        if started >= load || started >= self.size.load(Ordering::Acquire) {
            return true;
        }
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let count = threads.len();
        if count >= self.size.load(Ordering::Acquire) {
            return true;
        }
        let (queue, load) = (self.queue.clone(), self.load.clone());
        let thread = thread::Builder::new().name(format!("worker-{count}"));
        match thread.spawn(move || work(&queue, &load)) {
            Ok(thread) => {
                threads.push(thread);
                self.started.store(count + 1, Ordering::Release);
                true
            }
            Err(error) => {
                log::error!("only {count} worker threads could be started: {error}");
                // With some the pool goes on; with none the next job tries again.
                if count > 0 {
                    self.size.store(count, Ordering::Release);
                }
                count > 0
            }
        }
    }
}

impl Default for WorkerPool {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for WorkerPool {
    /// Lets the queued jobs finish.
    ///
    /// *Blocking*: waits for them.
    fn drop(&mut self) {
        self.jobs = None;
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for worker in threads.drain(..) {
            // A job may hold the last reference to the pool; its own thread can't wait for itself.
            if worker.thread().id() != thread::current().id() && worker.join().is_err() {
                log::error!("a worker thread ended by a panic");
            }
        }
    }
}

fn work(queue: &Mutex<Receiver<Job>>, load: &AtomicUsize) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            log::error!("a job of the worker pool panicked");
        }
        load.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_full_queue_is_an_answer_and_a_panic_costs_one_job() {
        let pool = WorkerPool::with_bounds(1, 2);
        let (started, wait_for_start) = channel();
        let (release, held) = channel::<()>();
        pool.execute(move || {
            started.send(()).unwrap();
            held.recv().unwrap();
        })
        .unwrap();
        wait_for_start.recv().unwrap();
        let (done, results) = channel();
        pool.execute(|| panic!("on purpose")).unwrap();
        pool.execute(move || done.send(7).unwrap()).unwrap();
        assert_eq!(pool.execute(|| {}), Err(Full));
        release.send(()).unwrap();
        assert_eq!(results.recv(), Ok(7));
        drop(pool);
    }

    #[test]
    fn threads_start_when_the_others_are_busy_and_not_before() {
        let pool = WorkerPool::with_bounds(3, 100);
        let (done, results) = channel();
        for round in 0..50 {
            let done = done.clone();
            pool.execute(move || done.send(round).unwrap()).unwrap();
            assert_eq!(results.recv(), Ok(round));
            // The job has spoken, and is over once the load says so.
            while pool.load.load(Ordering::Acquire) > 0 {
                thread::yield_now();
            }
        }
        assert_eq!(pool.started.load(Ordering::Acquire), 1);
        // Three that wait for each other need three threads; a fourth job waits for one of them.
        let meeting = Arc::new(Barrier::new(3));
        for round in 0..3 {
            let (meeting, done) = (meeting.clone(), done.clone());
            pool.execute(move || {
                meeting.wait();
                done.send(round).unwrap();
            })
            .unwrap();
        }
        pool.execute(move || done.send(3).unwrap()).unwrap();
        let mut all: Vec<_> = results.iter().collect();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3]);
        assert_eq!(pool.started.load(Ordering::Acquire), 3);
    }

    #[test]
    fn a_job_may_hold_the_last_reference_to_its_pool() {
        let pool = Arc::new(WorkerPool::with_bounds(2, 4));
        let (release, held) = channel::<()>();
        let (done, result) = channel();
        let own = pool.clone();
        pool.execute(move || {
            held.recv().unwrap();
            drop(own);
            done.send(()).unwrap();
        })
        .unwrap();
        drop(pool);
        release.send(()).unwrap();
        assert_eq!(result.recv(), Ok(()));
    }
}
