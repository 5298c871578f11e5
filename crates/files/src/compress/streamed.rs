//! A file compressed while it is sent.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};

use avocet_encoding::{Coding, EncodeError, Encoder, Level};
use avocet_net::{Notifier, Segment, WorkerPool};
use avocet_server::{Body, BodySource, Pulled};
use avocet_wire::FieldBuf;

use super::check;
use crate::metadata::Metadata;

/// The content of a long file in a coding, made piece by piece on the pool and only as fast as the
/// client takes it, so that a slow client holds neither a thread nor more than one piece.
///
/// *Errors*: a coding that this build lacks.
pub(crate) fn streamed(
    file: &Arc<File>,
    state: &Metadata,
    coding: Coding,
    pool: &Arc<WorkerPool>,
) -> Result<Body, EncodeError> {
    let work = Work {
        file: Arc::clone(file),
        state: *state,
        encoder: Encoder::new(coding, Level::Default)?,
        read: 0,
        is_over: false,
    };
    let shared = Arc::new(Mutex::new(State::Idle(Box::new(work))));
    let source = Box::new(Streamed { shared, pool: Arc::clone(pool) });
    Ok(Body::Source { size: None, source })
}

struct Streamed {
    shared: Arc<Mutex<State>>,
    pool: Arc<WorkerPool>,
}

/// Where the next piece is.
enum State {
    /// Nobody works on it.
    Idle(Box<Work>),
    /// A thread of the pool does.
    Busy,
    /// It is made; the rest can go on.
    Made(Vec<u8>, Box<Work>),
    Failed(io::Error),
}

struct Work {
    file: Arc<File>,
    state: Metadata,
    encoder: Encoder,
    read: u64,
    is_over: bool,
}

impl BodySource for Streamed {
    fn pull(&mut self, _most: usize, wake: &dyn Fn() -> Notifier) -> io::Result<Pulled> {
        let mut state = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let work = match std::mem::replace(&mut *state, State::Busy) {
            State::Busy => return Ok(Pulled::Pending),
            State::Failed(error) => return Err(error),
            State::Made(piece, work) => {
                *state = State::Idle(work);
                return Ok(Pulled::Piece(Segment::Owned(piece)));
            }
            State::Idle(work) if work.is_over => return Ok(Pulled::End(FieldBuf::new())),
            State::Idle(work) => work,
        };
        drop(state);
        let (shared, notifier) = (self.shared.clone(), wake());
        let job = Job { shared, notifier, work: Some(work), is_done: false };
        self.pool
            .execute(move || job.run())
            .map_err(|_| io::Error::other("the worker pool is full, compression cannot go on"))?;
        Ok(Pulled::Pending)
    }
}

/// One piece to be made. Dropped before that, or by a panic, it leaves a failure behind.
struct Job {
    shared: Arc<Mutex<State>>,
    notifier: Notifier,
    work: Option<Box<Work>>,
    is_done: bool,
}

impl Job {
    fn run(mut self) {
        let Some(mut work) = self.work.take() else { return };
        let state = match work.step() {
            Ok(piece) => State::Made(piece, work),
            Err(error) => State::Failed(error),
        };
        self.leave(state);
    }

    fn leave(&mut self, state: State) {
        self.is_done = true;
        *self.shared.lock().unwrap_or_else(PoisonError::into_inner) = state;
        // A loop that has ended has no use for the piece.
        self.notifier.wake();
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if !self.is_done {
            self.leave(State::Failed(io::Error::other("compression was given up")));
        }
    }
}

impl Work {
    /// Makes about [`PIECE`] bytes, or the rest.
    fn step(&mut self) -> io::Result<Vec<u8>> {
        let mut piece = vec![0; PIECE];
        let mut len = 0;
        let mut input = vec![0; PIECE];
        while len < PIECE && !self.is_over {
            let rest = usize::try_from(self.state.size - self.read).unwrap_or(usize::MAX);
            if rest == 0 {
                let drained = self.encoder.finish(&mut piece[len..]).map_err(io::Error::other)?;
                len += drained.written;
                self.is_over = drained.is_done;
                continue;
            }
            let wanted = &mut input[..rest.min(PIECE)];
            self.file.read_exact_at(wanted, self.read)?;
            let progress =
                self.encoder.encode(wanted, &mut piece[len..]).map_err(io::Error::other)?;
            len += progress.written;
            self.read += progress.read as u64;
            if self.read == self.state.size {
                check(&self.file, &self.state)?;
            }
        }
        piece.truncate(len);
        Ok(piece)
    }
}

/// Bytes that are read, and bytes that are made, at a time.
const PIECE: usize = 64 * 1024;
