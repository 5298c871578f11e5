//! A wire of which one end is a transport and the other is in somebody's hand. It allocates nothing
//! while it is used, so that what is counted is not its own.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use avocet_net::{Address, Outbox, PeerInfo, Registration, Transport};

/// The end that is a transport.
pub(crate) struct Wire {
    state: Arc<Mutex<State>>,
    info: PeerInfo,
}

/// The end in somebody's hand.
pub(crate) struct Other(Arc<Mutex<State>>);

struct State {
    /// To the transport.
    coming: VecDeque<u8>,
    ended: bool,
    /// From the transport, and how many bytes more it may say.
    going: VecDeque<u8>,
    room: usize,
    interrupt: bool,
}

pub(crate) fn wire() -> (Wire, Other) {
    let state = Arc::new(Mutex::new(State {
        coming: VecDeque::with_capacity(CAPACITY),
        ended: false,
        going: VecDeque::with_capacity(CAPACITY),
        room: CAPACITY,
        interrupt: false,
    }));
    let info = PeerInfo::new(Address::Memory, Address::Memory);
    (Wire { state: state.clone(), info }, Other(state))
}

impl Other {
    pub(crate) fn give(&self, bytes: &[u8]) {
        lock(&self.0).coming.extend(bytes);
    }

    /// What the transport has said; it may say as much again.
    pub(crate) fn take(&self) -> Vec<u8> {
        let mut state = lock(&self.0);
        state.room = CAPACITY;
        state.going.drain(..).collect()
    }

    pub(crate) fn waiting(&self) -> usize {
        lock(&self.0).coming.len()
    }

    pub(crate) fn end(&self) {
        lock(&self.0).ended = true;
    }

    pub(crate) fn room(&self, room: usize) {
        let mut state = lock(&self.0);
        state.room = room.min(CAPACITY - state.going.len());
    }

    /// The next read or write is interrupted.
    pub(crate) fn interrupt(&self) {
        lock(&self.0).interrupt = true;
    }
}

impl State {
    fn interrupted(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.interrupt) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        Ok(())
    }

    /// Takes what there is room for.
    fn say(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.room);
        self.going.extend(&bytes[..count]);
        self.room -= count;
        count
    }
}

impl Transport for Wire {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut state = lock(&self.state);
        state.interrupted()?;
        let count = state.coming.len().min(buf.len());
        if count == 0 && !state.ended {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        for (to, from) in buf.iter_mut().zip(state.coming.drain(..count)) {
            *to = from;
        }
        Ok(count)
    }

    fn write(&mut self, out: &mut Outbox) -> io::Result<bool> {
        let mut state = lock(&self.state);
        while !out.is_empty() {
            let mut slices = [IoSlice::new(&[])];
            let count = match out.gather(&mut slices, usize::MAX) {
                (0, _) => unreachable!("no files are written here"),
                _ => state.say(&slices[0]),
            };
            if count == 0 {
                return Ok(false);
            }
            out.consume(count as u64);
        }
        Ok(true)
    }

    fn write_slices(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut state = lock(&self.state);
        state.interrupted()?;
        let count = slices.iter().map(|slice| state.say(slice)).sum();
        if count == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(count) }
    }

    fn close_write(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn reset(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn info(&self) -> &PeerInfo {
        &self.info
    }

    fn register(&mut self, _: &Registration<'_>) -> io::Result<()> {
        Ok(())
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes on the wire in each direction.
const CAPACITY: usize = 256 * 1024;
