//! A client that a test holds in its hand.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use avocet_net::{MemoryTransport, Outbox, Transport};

use crate::reply::HttpReply;

/// The client's end of a simulated connection. What it is told to send leaves when the simulation
/// runs; what has arrived by then can be looked at.
///
/// Clones are the same client. Dropping the last one closes the connection.
#[derive(Clone)]
pub struct Client(Arc<Mutex<State>>);

/// A client that is gone once the test has dropped it.
pub(crate) struct WeakClient(Weak<Mutex<State>>);

impl WeakClient {
    pub(crate) fn get(&self) -> Option<Client> {
        self.0.upgrade().map(Client)
    }
}

/// How a connection ended, as its client sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// The server has ended its side.
    End,
    /// The connection was reset, or failed otherwise.
    Reset,
}

pub(crate) struct State {
    transport: MemoryTransport,
    out: Outbox,
    received: Vec<u8>,
    reading: bool,
    end: bool,
    end_sent: bool,
    closed: Option<Closed>,
}

impl Client {
    pub(crate) fn new(transport: MemoryTransport) -> Self {
        Self(Arc::new(Mutex::new(State {
            transport,
            out: Outbox::new(),
            received: Vec::new(),
            reading: true,
            end: false,
            end_sent: false,
            closed: None,
        })))
    }

    /// Sends bytes behind those that were sent before.
    pub fn send(&self, bytes: impl AsRef<[u8]>) {
        self.lock().out.push_slice(bytes.as_ref());
    }

    /// Ends the sending side after what was sent.
    pub fn end(&self) {
        self.lock().end = true;
    }

    /// Stops reading: what the server sends stays on the way, until there is no room for more.
    pub fn stop_reading(&self) {
        self.lock().reading = false;
    }

    /// Reads again.
    pub fn read_again(&self) {
        self.lock().reading = true;
    }

    /// Resets the connection.
    pub fn reset(&self) {
        let mut state = self.lock();
        state.transport.reset().expect("an end in memory can always be reset");
        state.closed = Some(Closed::Reset);
    }

    /// What has arrived and was not taken.
    pub fn received(&self) -> Vec<u8> {
        self.lock().received.clone()
    }

    /// What has arrived as text, for comparing and printing.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.lock().received).into_owned()
    }

    /// Takes what has arrived.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.lock().received)
    }

    /// Takes the reply at the front of what has arrived, once it is whole. `to_head` says that it
    /// answers a HEAD request and has no content whatever its fields say.
    pub fn take_reply(&self, to_head: bool) -> Option<HttpReply> {
        let mut state = self.lock();
        let ended = state.closed == Some(Closed::End);
        let (reply, length) = HttpReply::read(&state.received, to_head, ended)?;
        state.received.drain(..length);
        Some(reply)
    }

    /// How the connection ended; `None` while it is open.
    pub fn closed(&self) -> Option<Closed> {
        self.lock().closed
    }

    /// The bytes that were to be sent and have not left yet.
    pub fn unsent(&self) -> u64 {
        self.lock().out.len()
    }

    pub(crate) fn downgrade(&self) -> WeakClient {
        WeakClient(Arc::downgrade(&self.0))
    }

    /// Writes and reads what is possible; whether anything moved.
    pub(crate) fn pump(&self) -> bool {
        let state = &mut *self.lock();
        if state.closed == Some(Closed::Reset) {
            return false;
        }
        let (before, had) = (state.out.len(), state.received.len());
        let was = (state.closed, state.end_sent);
        // Read first: what arrived before the connection failed is the client's.
        if state.read().is_err() || state.write().is_err() {
            state.closed.get_or_insert(Closed::Reset);
        }
        before != state.out.len()
            || had != state.received.len()
            || was != (state.closed, state.end_sent)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn write(&mut self) -> io::Result<()> {
        if self.transport.write(&mut self.out)? && self.end && !self.end_sent {
            self.transport.close_write()?;
            self.end_sent = true;
        }
        Ok(())
    }

    fn read(&mut self) -> io::Result<()> {
        let mut buf = [0; 4096];
        while self.reading && self.closed.is_none() {
            match self.transport.read(&mut buf) {
                Ok(0) => self.closed = Some(Closed::End),
                Ok(count) => self.received.extend_from_slice(&buf[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
