//! Threads for work that may block: a fixed number, a bounded queue, and an answer when it is full.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// A fixed number of threads behind a bounded queue.
///
/// *Bounds*: by default four threads per core and 1,024 jobs that wait; a full queue is an error at
/// once, never a wait. Threads start with the first job; where the system gives fewer than were
/// asked for, the pool works with those and says so once.
pub struct WorkerPool {
    jobs: Option<SyncSender<Job>>,
    queue: Arc<Mutex<Receiver<Job>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    started: AtomicBool,
    size: usize,
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

    /// A pool of `size` threads, at least one, with room for `waiting` jobs.
    pub fn with_bounds(size: usize, waiting: usize) -> Self {
        let (jobs, queue) = sync_channel(waiting);
        let queue = Arc::new(Mutex::new(queue));
        let (threads, started) = (Mutex::new(Vec::new()), AtomicBool::new(false));
        Self { jobs: Some(jobs), queue, threads, started, size: size.max(1) }
    }

    /// Queues a job. A job that panics is logged and costs nothing but itself.
    ///
    /// *Errors*: [`Full`] when the queue is at its bound or no thread could be started.
    pub fn execute(&self, job: impl FnOnce() + Send + 'static) -> Result<(), Full> {
        let Some(jobs) = &self.jobs else { return Err(Full) };
        if !self.started.load(Ordering::Acquire) && !self.start() {
            return Err(Full);
        }
        jobs.try_send(Box::new(job)).map_err(|error| match error {
            TrySendError::Full(_) | TrySendError::Disconnected(_) => Full,
        })
    }

    /// Starts the threads; false when there is none at all.
    fn start(&self) -> bool {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        while threads.len() < self.size {
            let queue = self.queue.clone();
            let name = format!("worker-{}", threads.len());
            match thread::Builder::new().name(name).spawn(move || work(&queue)) {
                Ok(thread) => threads.push(thread),
                Err(error) => {
                    let count = threads.len();
                    log::error!("only {count} of {} worker threads started: {error}", self.size);
                    break;
                }
            }
        }
        let some = !threads.is_empty();
        self.started.store(some, Ordering::Release);
        some
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

fn work(queue: &Mutex<Receiver<Job>>) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            log::error!("a job of the worker pool panicked");
        }
    }
}

#[cfg(test)]
mod tests {
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
}
