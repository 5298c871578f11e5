//! Transports and listeners that behave as badly as the contract lets them.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use avocet_net::{
    Address, Established, Front, Incoming, Notifier, Outbox, Pause, PeerInfo, Readiness,
    Registration, Transport,
};

use crate::random::Random;

/// How often which fault happens: once in so many operations on average, 0 for never.
///
/// None of them breaks the contract of [`Transport`], but for `reset_after`, which a peer may do:
/// whoever works with transports gives the same output with any of them as with none.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Reads that give less than there is; an event tells of the rest.
    pub short_read: u32,
    /// Writes that take less than there is room for; an event tells of the rest.
    pub short_write: u32,
    /// `WouldBlock` although something is possible; an event follows.
    pub would_block: u32,
    /// Reads that were interrupted by a signal.
    pub interrupted: u32,
    /// Writes that stop for the sake of other tasks.
    pub pause: u32,
    /// Events without a reason.
    pub spurious: u32,
    /// The connection is reset after so many bytes of both directions.
    pub reset_after: Option<u64>,
}

impl Faults {
    /// Each kind of fault now and then, but no reset.
    pub fn rough(random: &mut Random) -> Self {
        let mut often = || random.size(0..=16) as u32;
        Self {
            short_read: often(),
            short_write: often(),
            would_block: often().max(2) - 2,
            interrupted: often(),
            pause: often(),
            spurious: often(),
            reset_after: None,
        }
        .bounded()
    }

    /// A fault that happened every time would let nothing happen but it.
    fn bounded(mut self) -> Self {
        for often in [&mut self.would_block, &mut self.interrupted, &mut self.pause] {
            if *often == 1 {
                *often = 2;
            }
        }
        self
    }
}

/// A transport with faults around another one.
pub struct FaultyTransport<T> {
    inner: T,
    faults: Faults,
    random: Random,
    notifier: Option<Notifier>,
    moved: u64,
}

impl<T: Transport> FaultyTransport<T> {
    /// Adds faults, chosen by `random`, to a transport.
    pub fn new(inner: T, faults: Faults, random: Random) -> Self {
        Self { inner, faults: faults.bounded(), random, notifier: None, moved: 0 }
    }

    fn event(&self, bits: Readiness) {
        if let Some(notifier) = &self.notifier {
            notifier.ready(bits);
        }
    }

    /// What happens before any operation.
    fn begin(&mut self, bits: Readiness) -> io::Result<()> {
        if self.faults.reset_after.is_some_and(|after| self.moved >= after) {
            self.event(Readiness::FRESH | Readiness::READ_CLOSED);
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        if self.random.one_in(self.faults.spurious) {
            let bits = if self.random.one_in(2) { Readiness::FRESH } else { Readiness::NONE };
            self.event(bits);
        }
        if self.random.one_in(self.faults.would_block) {
            self.event(bits);
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(())
    }

    /// Writes a part of the front of the outbox.
    fn write_part(&mut self, out: &mut Outbox, most: usize) -> io::Result<bool> {
        let mut part = Outbox::new();
        match out.front() {
            None => return Ok(true),
            Some(Front::Bytes(bytes)) => part.push_slice(&bytes[..bytes.len().min(most)]),
            Some(Front::File(range)) => {
                let mut buf = vec![0; most];
                let count = Outbox::read_file(range, &mut buf)?;
                part.push_slice(&buf[..count]);
            }
        }
        let offered = part.len();
        let written = self.inner.write(&mut part);
        out.consume(offered - part.len());
        written
    }
}

impl<T: Transport> Transport for FaultyTransport<T> {
    fn establish(&mut self) -> io::Result<Established> {
        if self.random.one_in(self.faults.would_block) {
            self.event(Readiness::FRESH);
            return Ok(Established::Pending);
        }
        self.inner.establish()
    }

    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.begin(Readiness::READABLE)?;
        if self.random.one_in(self.faults.interrupted) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let most = if self.random.one_in(self.faults.short_read) {
            self.random.size(1..=buf.len())
        } else {
            buf.len()
        };
        let count = self.inner.read(&mut buf[..most])?;
        if most < buf.len() {
            self.event(Readiness::READABLE);
        }
        self.moved += count as u64;
        Ok(count)
    }

    fn holds_input(&self) -> bool {
        self.inner.holds_input()
    }

    fn write(&mut self, out: &mut Outbox) -> io::Result<bool> {
        let before = out.len();
        match self.begin(Readiness::WRITABLE) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            result => result?,
        }
        let written = if self.random.one_in(self.faults.short_write) {
            let most = self.random.size(1..=70_000);
            let taken = self.write_part(out, most);
            if matches!(taken, Ok(true)) && !out.is_empty() {
                self.event(Readiness::WRITABLE);
            }
            taken.map(|_| out.is_empty())
        } else if self.random.one_in(self.faults.pause) {
            let most = self.random.size(1..=70_000);
            let taken = self.write_part(out, most);
            if matches!(taken, Ok(true)) && !out.is_empty() {
                out.pause(if self.random.one_in(2) { Pause::Share } else { Pause::Doubt });
            }
            taken.map(|_| out.is_empty())
        } else {
            self.inner.write(out)
        };
        self.moved += before - out.len();
        written
    }

    fn close_write(&mut self) -> io::Result<()> {
        self.inner.close_write()
    }

    fn reset(&mut self) -> io::Result<()> {
        self.inner.reset()
    }

    fn info(&self) -> &PeerInfo {
        self.inner.info()
    }

    fn register(&mut self, registration: &Registration<'_>) -> io::Result<()> {
        let notifier = registration.notifier().clone();
        // What was announced before there was anybody to tell.
        notifier.ready(Readiness::FRESH);
        self.notifier = Some(notifier);
        self.inner.register(registration)
    }
}

/// A listener whose accept fails as it is told to, and whose connections get faults.
pub struct FaultyIncoming<I> {
    inner: I,
    errors: Arc<Mutex<VecDeque<io::Error>>>,
    faults: Faults,
    random: Random,
}

impl<I: Incoming> FaultyIncoming<I> {
    /// Gives every connection these faults.
    pub fn new(inner: I, faults: Faults, random: Random) -> Self {
        Self { inner, errors: Arc::default(), faults, random }
    }

    /// The errors that the next accepts answer with, one each; more can be pushed at any time.
    pub fn errors(&self) -> Arc<Mutex<VecDeque<io::Error>>> {
        self.errors.clone()
    }
}

impl<I: Incoming> Incoming for FaultyIncoming<I> {
    fn accept(&mut self) -> io::Result<Box<dyn Transport>> {
        let error = self.errors.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        if let Some(error) = error {
            return Err(error);
        }
        let transport = self.inner.accept()?;
        let random = self.random.fork();
        Ok(Box::new(FaultyTransport::new(transport, self.faults.clone(), random)))
    }

    fn waits(&mut self) -> bool {
        self.inner.waits()
    }

    fn local(&self) -> &Address {
        self.inner.local()
    }

    fn register(&mut self, registration: &Registration<'_>) -> io::Result<()> {
        self.inner.register(registration)
    }

    fn deregister(&mut self, registration: &Registration<'_>) -> io::Result<()> {
        self.inner.deregister(registration)
    }
}
