//! A stream of bytes in both directions, whatever carries it.

use std::io::{self, IoSlice};
use std::sync::Arc;

use mio::event::Source;
use mio::{Interest, Registry};

use crate::address::Address;
use crate::outbox::Outbox;
use crate::secured::Secured;
use crate::task::Notifier;

/// A non-blocking stream. TLS is a transport around a transport.
pub trait Transport: Send {
    /// Completes what has to be completed before bytes flow: the connection, a TLS handshake. To be
    /// called on every turn until it says that it is done.
    fn establish(&mut self) -> io::Result<Established> {
        Ok(Established::Done)
    }

    /// Reads. 0 is the end; `WouldBlock` promises an event. A transport that buffers fills `buf` as
    /// far as it can, so that a short read means that nothing is left.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize>;

    /// Whether the next read gives something without an event: bytes that were left, the end or an
    /// error, which the transport knows of already. A short read means less then.
    fn holds_input(&self) -> bool {
        false
    }

    /// Writes from the front of the outbox until it is empty (true) or the transport is full
    /// (false, which promises an event). A transport that stops for another reason says so by
    /// [`Outbox::pause`] and false; one that writes through another outbox passes that one's
    /// [`Outbox::take_pause`] on.
    fn write(&mut self, out: &mut Outbox) -> io::Result<bool>;

    /// Writes a part of these bytes, at least one, without an outbox between: for transports around
    /// this one that hold their output themselves. `WouldBlock` promises an event; `Interrupted`
    /// means that it stopped for another reason and that the caller pauses with [`Pause::Doubt`].
    ///
    /// Kinds of streams that have nothing better copy the bytes into an outbox.
    ///
    /// [`Pause::Doubt`]: crate::Pause::Doubt
    fn write_slices(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut out = Outbox::new();
        slices.iter().for_each(|slice| out.push_slice(slice));
        let offered = out.len();
        self.write(&mut out)?;
        match (offered - out.len(), out.take_pause()) {
            (0, None) if offered > 0 => Err(io::ErrorKind::WouldBlock.into()),
            (0, Some(_)) => Err(io::ErrorKind::Interrupted.into()),
            (written, _) => Ok(usize::try_from(written).unwrap_or(usize::MAX)),
        }
    }

    /// Ends the sending side; the peer reads the end after what was written. `WouldBlock` promises an
    /// event: a transport that says goodbye has found no room for it, and is to be asked again.
    fn close_write(&mut self) -> io::Result<()>;

    /// Makes the end of this transport, when it is dropped, a reset instead of an orderly close, so
    /// that the peer cannot take the part that it got for the whole. What was written and has not
    /// left yet is lost. A kind of stream that knows no reset does nothing.
    fn reset(&mut self) -> io::Result<()>;

    /// Who is on the other side.
    fn info(&self) -> &PeerInfo;

    /// Connects the readiness of this transport with a task.
    fn register(&mut self, registration: &Registration<'_>) -> io::Result<()>;
}

impl<T: Transport + ?Sized> Transport for Box<T> {
    fn establish(&mut self) -> io::Result<Established> {
        (**self).establish()
    }

    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (**self).read(buf)
    }

    fn holds_input(&self) -> bool {
        (**self).holds_input()
    }

    fn write(&mut self, out: &mut Outbox) -> io::Result<bool> {
        (**self).write(out)
    }

    fn write_slices(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        (**self).write_slices(slices)
    }

    fn close_write(&mut self) -> io::Result<()> {
        (**self).close_write()
    }

    fn reset(&mut self) -> io::Result<()> {
        (**self).reset()
    }

    fn info(&self) -> &PeerInfo {
        (**self).info()
    }

    fn register(&mut self, registration: &Registration<'_>) -> io::Result<()> {
        (**self).register(registration)
    }
}

/// How far a transport has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Established {
    /// Bytes can flow.
    Done,
    /// An event will come.
    Pending,
}

/// What connects a transport with a task: the kernel's registry where there is one, and a notifier
/// for transports in memory.
pub struct Registration<'a> {
    pub(crate) registry: Option<&'a Registry>,
    pub(crate) notifier: Notifier,
}

impl Registration<'_> {
    /// The task's notifier.
    pub fn notifier(&self) -> &Notifier {
        &self.notifier
    }

    /// Registers a source of events for reading and writing, edge-triggered.
    ///
    /// *Errors*: `Unsupported` on a loop without a kernel, and those of the kernel.
    pub fn source(&self, source: &mut dyn Source) -> io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.registry()?.register(source, self.notifier.id().token(), interest)
    }

    /// Registers a source again, which makes the kernel tell its present readiness as a new event.
    pub(crate) fn again(&self, source: &mut dyn Source) -> io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.registry()?.reregister(source, self.notifier.id().token(), interest)
    }

    /// Takes a source out of the loop.
    ///
    /// *Errors*: as for [`Registration::source`].
    pub fn remove(&self, source: &mut dyn Source) -> io::Result<()> {
        self.registry()?.deregister(source)
    }

    fn registry(&self) -> io::Result<&Registry> {
        let missing = || io::Error::new(io::ErrorKind::Unsupported, "this loop has no kernel");
        self.registry.ok_or_else(missing)
    }
}

/// The two ends of a connection, and what protects it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PeerInfo {
    /// The other side.
    pub remote: Address,
    /// Where it was accepted: the address of the listener, or our own end of a connection we made.
    pub local: Address,
    /// What TLS has made sure of, once it has; `None` on a connection in the clear.
    pub secured: Option<Arc<Secured>>,
}

impl PeerInfo {
    /// The ends of a connection in the clear.
    pub const fn new(remote: Address, local: Address) -> Self {
        Self { remote, local, secured: None }
    }
}
