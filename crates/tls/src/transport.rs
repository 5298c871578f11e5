//! TLS around a transport.

mod intake;
mod output;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use avocet_net::{Established, Outbox, PeerInfo, Registration, Transport};
use rustls::{Connection, IoState, ProtocolVersion};

use crate::describe::{Role, describe};
use crate::error::{ErrorKind, TlsError};
use crate::provider::Provider;
use crate::summary;
use output::Flushed;

/// TLS spoken over another transport, as server or client.
///
/// Made by [`ServerTls::wrap`](crate::ServerTls::wrap) and [`ClientTls::wrap`](crate::ClientTls::wrap).
/// [`Transport::establish`] makes the handshake; how long it may take is the task's deadline.
/// [`Transport::close_write`], and dropping the transport, send close_notify; a reset does not. The
/// end of the other side without one is an error of the kind `UnexpectedEof`.
///
/// *Bounds*: at most 128 KiB of output are encrypted ahead of the transport below; they still count in
/// the outbox until they have left. Of input it holds one record, and of a handshake's messages 64 KiB.
/// Nothing is held beyond that: not reading is back-pressure as without TLS.
pub struct TlsTransport<T: Transport> {
    inner: T,
    /// None where a handshake was refused: while the peer reads why, nothing is held for it.
    conn: Option<Connection>,
    stage: Stage,
    end: End,
    /// Plaintext that rustls holds for us.
    readable: usize,
    /// Whether the handshake ended without the transport below being read to where it blocks: whoever
    /// waits for it takes "pending" for "nothing to read".
    unread: bool,
    /// Plaintext at the front of the outbox that is encrypted but has not left.
    sealed: u64,
    /// The peer has asked for new keys within the connection and was refused: RFC 5246 §7.2.2 lets it
    /// go on or end the connection then.
    renegotiation: bool,
    info: PeerInfo,
    setup: Arc<Setup>,
    /// Whom a client wants to talk to.
    name: Option<Box<str>>,
}

/// What all connections of one configuration share beside that of rustls.
pub(crate) struct Setup {
    pub(crate) provider: Provider,
    /// Sent to a client that speaks something else.
    pub(crate) to_plaintext: Vec<u8>,
    /// Whether the certificates of peers are checked.
    pub(crate) verifies: bool,
}

enum Stage {
    /// The handshake; whether anything has come yet.
    Shaking {
        heard: bool,
    },
    Open,
    /// Our side is over; whether close_notify and the end below have been sent.
    Closed {
        sent: bool,
    },
    /// The handshake failed: what is left to be sent leaves, and what still comes is read away, so
    /// that no reset destroys our alert before the peer has read it.
    Refusing(Refusal),
    /// It is to end by a reset.
    Reset,
}

struct Refusal {
    error: Option<io::Error>,
    /// Bytes in the clear, and how many of them have left.
    answer: Outbox,
    closed: bool,
    drained: usize,
}

/// How the other side has ended.
enum End {
    Not,
    /// By close_notify.
    Closed,
    /// Without.
    Cut,
    /// By an error, given out once.
    Failed(Option<io::Error>),
}

impl<T: Transport> TlsTransport<T> {
    pub(crate) fn new(
        inner: T,
        mut conn: Connection,
        setup: Arc<Setup>,
        name: Option<Box<str>>,
    ) -> Self {
        conn.set_buffer_limit(Some(output::HELD));
        let info = inner.info().clone();
        Self {
            inner,
            conn: Some(conn),
            stage: Stage::Shaking { heard: false },
            end: End::Not,
            readable: 0,
            unread: false,
            sealed: 0,
            renegotiation: false,
            info,
            setup,
            name,
        }
    }

    fn role(&self) -> Role<'_> {
        match &self.name {
            Some(name) => Role::Client { name },
            None => Role::Server,
        }
    }

    /// Carries the handshake on as far as it goes.
    fn shake(&mut self) -> io::Result<Established> {
        if self.inner.establish()? == Established::Pending {
            return Ok(Established::Pending);
        }
        loop {
            let flushed = self.flush()?;
            if !live(&mut self.conn)?.is_handshaking() {
                if flushed != Flushed::All {
                    self.unread = true;
                    return Ok(Established::Pending);
                }
                self.open()?;
                return Ok(Established::Done);
            }
            match self.receive() {
                Ok(true) => {}
                Ok(false) => return Err(self.closed_early().into()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Established::Pending);
                }
                Err(error) => return self.refuse(error),
            }
        }
    }

    fn closed_early(&self) -> TlsError {
        let who = match self.role() {
            Role::Client { name } => name,
            Role::Server => "the client",
        };
        TlsError::new(ErrorKind::Closed, format!("{who} closed within the handshake"))
    }

    fn open(&mut self) -> io::Result<()> {
        let conn = live(&mut self.conn)?;
        self.stage = Stage::Open;
        self.info = self.inner.info().clone();
        let secured = summary::of(conn, &self.setup, self.name.as_deref());
        self.info.secured = Some(Arc::new(secured));
        Ok(())
    }

    /// Reads once during the handshake and steps; false at the end.
    fn receive(&mut self) -> io::Result<bool> {
        let (count, first) = self.pull()?;
        if count == 0 {
            return Ok(false);
        }
        if let Stage::Shaking { heard } = &mut self.stage
            && !std::mem::replace(heard, true)
            && first.is_ascii_alphabetic()
        {
            let message = match self.role() {
                Role::Client { name } => format!("{name} does not speak TLS on this port"),
                Role::Server => "the client does not speak TLS".to_owned(),
            };
            return Err(TlsError::new(ErrorKind::NotTls, message).into());
        }
        self.process().map(|()| true)
    }

    /// Lets rustls look at what came. Its alert, if it has one, leaves as far as it can.
    fn process(&mut self) -> io::Result<()> {
        let conn = live(&mut self.conn)?;
        match step(conn, &self.stage) {
            Ok(state) => {
                self.readable = state.plaintext_bytes_to_read();
                if state.peer_has_closed() && matches!(self.end, End::Not) {
                    self.end = End::Closed;
                }
                // Nothing of ours waits, so this is an answer to what came. Without it the peer
                // may wait forever: whoever reads need not write again.
                let is_open = matches!(self.stage, Stage::Open);
                if is_open && self.sealed == 0 && conn.wants_write() {
                    self.renegotiation |= conn.protocol_version() == Some(ProtocolVersion::TLSv1_2);
                    self.send_alert();
                }
                Ok(())
            }
            Err(error) => {
                let error = describe(error, self.role(), self.renegotiation);
                self.send_alert();
                Err(error.into())
            }
        }
    }

    fn send_alert(&mut self) {
        if let Err(failed) = self.flush() {
            log::debug!("sending an alert to {}: {failed}", self.info.remote);
        }
    }

    /// The handshake failed. A server stays until its alert is likely to have been read.
    fn refuse(&mut self, error: io::Error) -> io::Result<Established> {
        if self.name.is_some() {
            self.stage = Stage::Closed { sent: true };
            return Err(error);
        }
        log::debug!("refusing {}: {error}", self.info.remote);
        let mut answer = Outbox::new();
        if let Some(mut conn) = self.conn.take() {
            let mut alert = Vec::new();
            while conn.wants_write() {
                conn.write_tls(&mut alert)?;
            }
            answer.push_slice(&alert);
        }
        if TlsError::of(&error).is_some_and(|error| error.kind() == ErrorKind::NotTls) {
            answer.push_slice(&self.setup.to_plaintext);
        }
        self.stage =
            Stage::Refusing(Refusal { error: Some(error), answer, closed: false, drained: 0 });
        self.go_on_refusing()
    }

    fn go_on_refusing(&mut self) -> io::Result<Established> {
        let Stage::Refusing(refusal) = &mut self.stage else { return Ok(Established::Pending) };
        let mut over = || {
            let again = || io::Error::from(io::ErrorKind::NotConnected);
            Err(refusal.error.take().unwrap_or_else(again))
        };
        if !refusal.closed {
            match self.inner.write(&mut refusal.answer) {
                Ok(true) => {}
                Ok(false) => return Ok(Established::Pending),
                Err(_) => return over(),
            }
            refusal.closed = true;
            if self.inner.close_write().is_err() {
                return over();
            }
        }
        let mut scratch = [0; 1024];
        loop {
            match self.inner.read(&mut scratch) {
                Ok(0) => return over(),
                Ok(count) => {
                    refusal.drained += count;
                    if refusal.drained > MOST_DRAINED {
                        return over();
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Established::Pending);
                }
                Err(_) => return over(),
            }
        }
    }

    /// Sends what tells the peer that our side is over, as far as it goes.
    fn close(&mut self) -> io::Result<()> {
        if let Stage::Closed { sent: sent @ false } = &mut self.stage {
            *sent = true;
            if self.flush()? == Flushed::All {
                return self.inner.close_write();
            }
            self.stage = Stage::Closed { sent: false };
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(())
    }
}

impl<T: Transport> Transport for TlsTransport<T> {
    fn establish(&mut self) -> io::Result<Established> {
        match self.stage {
            Stage::Shaking { .. } => self.shake(),
            Stage::Refusing(_) => self.go_on_refusing(),
            Stage::Open | Stage::Closed { .. } | Stage::Reset => Ok(Established::Done),
        }
    }

    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.stage {
            Stage::Open => self.take(buf),
            Stage::Closed { .. } => {
                match self.close() {
                    Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                    _ => {}
                }
                self.take(buf)
            }
            _ => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn holds_input(&self) -> bool {
        self.readable > 0
            || self.unread
            || !matches!(self.end, End::Not)
            || self.inner.holds_input()
    }

    fn write(&mut self, out: &mut Outbox) -> io::Result<bool> {
        match self.stage {
            Stage::Open => self.send(out),
            Stage::Closed { .. } => Err(io::ErrorKind::BrokenPipe.into()),
            _ => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// The alert leaves at once where there is room; else with the next read, or when it is asked for
    /// again.
    fn close_write(&mut self) -> io::Result<()> {
        match self.stage {
            Stage::Open => {
                live(&mut self.conn)?.send_close_notify();
                self.stage = Stage::Closed { sent: false };
                self.close()
            }
            Stage::Closed { .. } => self.close(),
            _ => self.inner.close_write(),
        }
    }

    fn reset(&mut self) -> io::Result<()> {
        self.stage = Stage::Reset;
        self.inner.reset()
    }

    fn info(&self) -> &PeerInfo {
        &self.info
    }

    fn register(&mut self, registration: &Registration<'_>) -> io::Result<()> {
        self.inner.register(registration)
    }
}

impl<T: Transport> Drop for TlsTransport<T> {
    /// RFC 8446 §6.1: "Each party MUST send a close_notify alert before closing its write side of the
    /// connection, unless it has already sent some error alert." A socket that is full to the brim
    /// does not take it any more; the peer then sees a truncation, as it does after a crash.
    fn drop(&mut self) {
        if matches!((&self.stage, &self.end), (Stage::Open, End::Not | End::Closed))
            && let Some(conn) = &mut self.conn
        {
            conn.send_close_notify();
        }
        if matches!(self.stage, Stage::Open | Stage::Closed { sent: false })
            && let Err(error) = self.flush()
        {
            log::trace!("no close_notify to {}: {error}", self.info.remote);
        }
    }
}

/// What rustls is asked through, where there is something left to ask.
fn live(conn: &mut Option<Connection>) -> io::Result<&mut Connection> {
    conn.as_mut().ok_or_else(|| io::ErrorKind::NotConnected.into())
}

/// One look at what came.
///
/// Where rustls is built with assertions it insists that no alert of its own follows its close_notify,
/// and a malformed record that comes behind ours asks for one. Bytes of a peer must not panic in such a
/// build either.
fn step(conn: &mut Connection, stage: &Stage) -> Result<IoState, rustls::Error> {
    if cfg!(debug_assertions) && matches!(stage, Stage::Closed { .. }) {
        let step = catch_unwind(AssertUnwindSafe(|| conn.process_new_packets()));
        let malformed = "a malformed record, behind our close_notify";
        return step.unwrap_or_else(|_| Err(rustls::Error::General(malformed.to_owned())));
    }
    conn.process_new_packets()
}

/// Bytes of a refused peer that are read away.
const MOST_DRAINED: usize = 64 * 1024;
