//! Responses that leave no faster than they may.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use avocet_net::{FileRange, Notifier, Segment};
use avocet_server::{Body, BodySource, Pulled, Response};
use avocet_wire::FieldBuf;

/// A bound on the bytes of content per second, for each response by itself.
#[derive(Clone)]
pub(crate) struct Pace {
    rate: u64,
    clock: Arc<Clock>,
}

impl Pace {
    /// *Errors*: a thread that cannot be started.
    pub(crate) fn new(rate: u64) -> io::Result<Self> {
        Ok(Self { rate: rate.max(SLOWEST), clock: Clock::start()? })
    }

    /// The same response, at this pace.
    pub(crate) fn slowed(&self, response: Response) -> Response {
        response.map_body(|body| {
            let (size, ahead, inner) = match body {
                Body::Empty => return Body::Empty,
                Body::Source { size, source } => (size, None, Some(source)),
                Body::Static(bytes) => whole(Segment::Static(bytes)),
                Body::Owned(bytes) => whole(Segment::Owned(bytes)),
                Body::Shared(bytes) => whole(Segment::Shared(bytes)),
                Body::File(range) => whole(Segment::File(range)),
            };
            let source = Paced { pace: self.clone(), ahead, inner, due: Instant::now() };
            Body::Source { size, source: Box::new(source) }
        })
    }

    /// Bytes of one piece: an eighth of a second.
    fn piece(&self) -> u64 {
        (self.rate / 8).min(256 * 1024)
    }
}

/// Content that is held back.
struct Paced {
    pace: Pace,
    /// What the source gave and has not left yet.
    ahead: Option<Segment>,
    inner: Option<Box<dyn BodySource>>,
    /// When the next piece may leave.
    due: Instant,
}

impl BodySource for Paced {
    fn pull(&mut self, most: usize, wake: &dyn Fn() -> Notifier) -> io::Result<Pulled> {
        let now = Instant::now();
        if now < self.due {
            self.pace.clock.wake_at(self.due, wake());
            return Ok(Pulled::Pending);
        }
        let segment = match (self.ahead.take(), &mut self.inner) {
            (Some(segment), _) => segment,
            (None, Some(inner)) => match inner.pull(most, wake)? {
                Pulled::Piece(segment) => segment,
                other => return Ok(other),
            },
            (None, None) => return Ok(Pulled::End(FieldBuf::new())),
        };
        let (piece, rest) = split(segment, self.pace.piece());
        self.ahead = rest;
        let nanos = u128::from(len(&piece)) * 1_000_000_000 / u128::from(self.pace.rate);
        // Time in which nothing was there to be sent is not saved up.
        self.due = now + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX / 2));
        Ok(Pulled::Piece(piece))
    }
}

type Parts = (Option<u64>, Option<Segment>, Option<Box<dyn BodySource>>);

/// Content that is there already.
fn whole(segment: Segment) -> Parts {
    (Some(len(&segment)), Some(segment), None)
}

fn len(segment: &Segment) -> u64 {
    match segment {
        Segment::Owned(bytes) => bytes.len() as u64,
        Segment::Shared(bytes) => bytes.len() as u64,
        Segment::Static(bytes) => bytes.len() as u64,
        Segment::File(range) => range.len,
    }
}

/// The first bytes of a segment, and the rest.
fn split(segment: Segment, most: u64) -> (Segment, Option<Segment>) {
    if len(&segment) <= most {
        return (segment, None);
    }
    let at = usize::try_from(most).unwrap_or(usize::MAX);
    let mut bytes = match segment {
        Segment::File(range) => {
            let rest = FileRange {
                file: range.file.clone(),
                offset: range.offset + most,
                len: range.len - most,
            };
            return (Segment::File(FileRange { len: most, ..range }), Some(Segment::File(rest)));
        }
        Segment::Owned(bytes) => bytes::Bytes::from(bytes),
        Segment::Shared(bytes) => bytes,
        Segment::Static(bytes) => bytes.into(),
    };
    let rest = bytes.split_off(at);
    (Segment::Shared(bytes), Some(Segment::Shared(rest)))
}

/// A thread that wakes requests at their times.
struct Clock {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// By time, and by number where times are equal.
    waiting: BTreeMap<(Instant, u64), Notifier>,
    count: u64,
    is_over: bool,
}

impl Clock {
    fn start() -> io::Result<Arc<Self>> {
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let running = shared.clone();
        let thread = thread::Builder::new().name("pace".to_owned()).spawn(move || running.run())?;
        Ok(Arc::new(Self { shared, thread: Some(thread) }))
    }

    fn wake_at(&self, at: Instant, notifier: Notifier) {
        let mut state = self.shared.lock();
        state.count += 1;
        let key = (at, state.count);
        let is_first = state.waiting.first_key_value().is_none_or(|(first, _)| key < *first);
        state.waiting.insert(key, notifier);
        drop(state);
        if is_first {
            self.shared.changed.notify_one();
        }
    }
}

impl Shared {
    fn run(&self) {
        let mut state = self.lock();
        while !state.is_over {
            let now = Instant::now();
            let Some((&(at, number), _)) = state.waiting.first_key_value() else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            if at > now {
                let waited = self.changed.wait_timeout(state, at - now);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            if let Some(notifier) = state.waiting.remove(&(at, number)) {
                notifier.wake();
            }
        }
    }

    /// The state is plain data that is never left half changed.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.shared.lock().is_over = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("the thread that keeps the pace has panicked");
        }
    }
}

/// Slower than this a client would be cut off for taking nothing.
const SLOWEST: u64 = 1024;
