//! A response's content from another thread, within a bound.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use avocet_net::{Notifier, Segment};
use avocet_wire::FieldBuf;
use bytes::Bytes;

use crate::body::{Body, BodySource, Pulled};

/// Two ends of a response's content: the sender for another thread and the body for a response.
///
/// *Bounds*: at most `capacity` bytes wait, and one piece beyond it. How long the body may stay
/// without a piece is the sender's to bound.
///
/// *Errors*: content that does not have the `size` that was given is cut off.
pub fn channel(capacity: usize, size: Option<u64>) -> (BodySender, Body) {
    let shared = Arc::new(Shared { state: Mutex::default(), room: Condvar::new(), capacity });
    let source = Box::new(Receiver(shared.clone()));
    (BodySender { shared, ended: false }, Body::Source { size, source })
}

/// Sends content. Dropping it without [`BodySender::finish`] cuts the response off.
pub struct BodySender {
    shared: Arc<Shared>,
    ended: bool,
}

struct Receiver(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    room: Condvar,
    capacity: usize,
}

#[derive(Default)]
struct State {
    pieces: VecDeque<Bytes>,
    waiting: usize,
    end: Option<End>,
    receiver_gone: bool,
    notifier: Option<Notifier>,
}

enum End {
    Finished(FieldBuf),
    CutOff,
    Panicked,
}

/// The sender was dropped by a panic.
#[derive(Debug)]
pub(crate) struct SenderPanicked;

impl fmt::Display for SenderPanicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the sender of the content panicked")
    }
}

impl Error for SenderPanicked {}

impl BodySender {
    /// Sends a piece when there is room.
    ///
    /// *Blocking*: until the client has taken enough. *Errors*: `BrokenPipe` when nobody will.
    pub fn send(&mut self, piece: Bytes) -> io::Result<()> {
        let mut state = self.shared.lock();
        while !state.receiver_gone && state.waiting >= self.shared.capacity {
            state = self.shared.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.receiver_gone {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        state.waiting += piece.len();
        state.pieces.push_back(piece);
        state.wake();
        Ok(())
    }

    /// Ends the content, with trailer fields.
    pub fn finish(mut self, trailers: FieldBuf) {
        self.end(End::Finished(trailers));
    }

    fn end(&mut self, end: End) {
        self.ended = true;
        let mut state = self.shared.lock();
        state.end = Some(end);
        state.wake();
    }
}

impl Drop for BodySender {
    fn drop(&mut self) {
        if !self.ended {
            self.end(if thread::panicking() { End::Panicked } else { End::CutOff });
        }
    }
}

impl BodySource for Receiver {
    fn pull(&mut self, _most: usize, wake: &dyn Fn() -> Notifier) -> io::Result<Pulled> {
        let mut state = self.0.lock();
        if let Some(piece) = state.pieces.pop_front() {
            state.waiting -= piece.len();
            self.0.room.notify_one();
            return Ok(Pulled::Piece(Segment::Shared(piece)));
        }
        match state.end.take() {
            Some(End::Finished(trailers)) => Ok(Pulled::End(trailers)),
            Some(End::CutOff) => {
                Err(io::Error::other("the content was not finished by its sender"))
            }
            Some(End::Panicked) => Err(io::Error::other(SenderPanicked)),
            None => {
                state.notifier = Some(wake());
                Ok(Pulled::Pending)
            }
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.0.lock().receiver_gone = true;
        self.0.room.notify_all();
    }
}

impl Shared {
    /// The state is plain data that is never left half changed.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wake(&mut self) {
        if let Some(notifier) = self.notifier.take()
            && !notifier.wake()
        {
            self.receiver_gone = true;
        }
    }
}
