//! Request content on its way from the loop to the pool.
//!
//! The loop only ever appends to a buffer. Jobs of the pool take what is there, one at a time for
//! each request, so that a slow client holds no thread and a slow disk stops the client.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use avocet_net::{Notifier, WorkerPool};
use avocet_server::{Feed, Reply, Response};
use avocet_wire::{FieldBuf, Fields};
use http::StatusCode;

use super::refusal::Refused;
use crate::deferred::Deferred;

/// Takes content on a thread that may block.
pub(crate) trait Receiver: Send {
    /// Takes some bytes.
    ///
    /// *Errors*: the answer, where no more is wanted.
    fn take(&mut self, bytes: &[u8]) -> Result<(), Refused>;

    /// The content has ended; the answer. A receiver that is dropped without this call has seen only
    /// a part.
    fn finish(self: Box<Self>) -> Response;

    /// The content was cut off.
    fn cut_off(self: Box<Self>) {}
}

/// What is asked first, before the client may send its content.
pub(crate) type Open = Box<dyn FnOnce() -> Result<Box<dyn Receiver>, Refused> + Send>;

/// A request's content, from outside: it can be cut off.
#[derive(Clone)]
pub(crate) struct Intake(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    pool: Arc<WorkerPool>,
    notifier: Notifier,
}

struct State {
    waiting: Vec<u8>,
    /// The content has ended, as a whole or not.
    end: Option<End>,
    stage: Stage,
    answer: Option<Deferred>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Complete,
    CutOff,
}

enum Stage {
    Opening,
    /// Nobody works on it.
    Idle(Box<dyn Receiver>),
    /// A job does.
    Busy,
    Over,
}

impl Intake {
    /// Arranges that a request is answered by a receiver, which `open` makes on the pool. It is told
    /// of the intake by which it is fed.
    pub(crate) fn start(
        pool: &Arc<WorkerPool>,
        reply: Reply<'_>,
        complete: impl Fn(Response) -> Response + Send + Sync + 'static,
        open: impl FnOnce(Self) -> Open,
    ) {
        let state = State { waiting: Vec::new(), end: None, stage: Stage::Opening, answer: None };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            pool: pool.clone(),
            notifier: reply.notifier(),
        });
        let open = open(Self(shared.clone()));
        let ticket = reply.feed(Box::new(Entrance(shared.clone())));
        shared.lock().answer = Some(Deferred::new(ticket).completed(complete));
        let job = Job { shared: shared.clone(), work: Some(Work::Open(open)) };
        shared.execute(job);
    }

    /// Has an interim response sent to the client, unless it does not take those before.
    pub(crate) fn interim(&self, status: StatusCode, fields: FieldBuf) {
        let state = self.0.lock();
        if let Some(answer) = &state.answer
            && !answer.interim(status, fields)
        {
            log::debug!("a client does not take {status}");
        }
    }

    /// Ends the request as if its client had gone.
    pub(crate) fn cut_off(&self) {
        self.0.end(End::CutOff);
    }
}

/// The loop's end.
struct Entrance(Arc<Shared>);

impl Feed for Entrance {
    fn data(&mut self, bytes: &[u8]) {
        let mut state = self.0.lock();
        if matches!(state.stage, Stage::Over) || state.end.is_some() {
            return;
        }
        state.waiting.extend_from_slice(bytes);
        if state.waiting.len() >= PIECE {
            self.0.start_job(state);
        }
    }

    fn ready(&mut self) -> bool {
        let state = self.0.lock();
        !matches!(state.stage, Stage::Opening | Stage::Over) && state.waiting.len() < MOST_WAITING
    }

    fn is_abandoned(&self) -> bool {
        matches!(self.0.lock().stage, Stage::Over)
    }

    fn end(&mut self, _trailers: Fields<'_>) {
        self.0.end(End::Complete);
    }
}

impl Drop for Entrance {
    fn drop(&mut self) {
        self.0.end(End::CutOff);
    }
}

impl Shared {
    /// The state is plain data that is never left half changed.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(self: &Arc<Self>, end: End) {
        let mut state = self.lock();
        if state.end.is_none() {
            state.end = Some(end);
            self.start_job(state);
        }
    }

    /// Has what waits taken, unless that happens already.
    fn start_job(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        let stage = std::mem::replace(&mut state.stage, Stage::Busy);
        let Stage::Idle(receiver) = stage else {
            state.stage = stage;
            return;
        };
        let (bytes, end) = (std::mem::take(&mut state.waiting), state.end);
        drop(state);
        self.execute(Job { shared: self.clone(), work: Some(Work::Take(receiver, bytes, end)) });
    }

    fn execute(&self, job: Job) {
        if self.pool.execute(move || job.run()).is_err() {
            log::warn!("the worker pool is full, an upload was refused");
        }
    }

    /// Nothing more is taken; the answer goes out.
    fn finish(&self, response: Option<Response>) {
        let mut state = self.lock();
        state.stage = Stage::Over;
        state.waiting = Vec::new();
        let answer = state.answer.take();
        drop(state);
        if let (Some(answer), Some(response)) = (answer, response) {
            answer.send(response);
        }
    }
}

/// One piece of work. Dropped undone, or by a panic, it ends the request.
struct Job {
    shared: Arc<Shared>,
    work: Option<Work>,
}

enum Work {
    Open(Open),
    Take(Box<dyn Receiver>, Vec<u8>, Option<End>),
}

impl Job {
    fn run(mut self) {
        let Some(work) = self.work.take() else { return };
        let result = match work {
            Work::Open(open) => open().map(Some),
            Work::Take(mut receiver, bytes, end) => match (receiver.take(&bytes), end) {
                (Err(refused), _) => Err(refused),
                (Ok(()), None) => Ok(Some(receiver)),
                (Ok(()), Some(End::Complete)) => Err(receiver.finish().into()),
                (Ok(()), Some(End::CutOff)) => {
                    receiver.cut_off();
                    Ok(None)
                }
            },
        };
        match result {
            Ok(Some(receiver)) => self.rest(receiver),
            Ok(None) => {
                let gone = Response::error(StatusCode::CONFLICT).closing();
                self.shared.finish(Some(gone));
            }
            Err(refused) => self.shared.finish(Some(refused.into())),
        }
    }

    /// Leaves the receiver for the next job, which is due at once where there is enough.
    fn rest(&self, receiver: Box<dyn Receiver>) {
        let mut state = self.shared.lock();
        state.stage = Stage::Idle(receiver);
        if state.end.is_some() || state.waiting.len() >= PIECE {
            self.shared.start_job(state);
        } else {
            drop(state);
        }
        self.shared.notifier.wake();
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let is_undone = self.work.take().is_some();
        if is_undone || std::thread::panicking() {
            // The answer is given by its own drop: 503, or 500 for a panic.
            self.shared.finish(None);
        }
    }
}

/// Bytes that are worth a job.
const PIECE: usize = 64 * 1024;

/// Bytes that may wait for the disk.
const MOST_WAITING: usize = 128 * 1024;
