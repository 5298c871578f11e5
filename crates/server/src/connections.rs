//! Sessions for connections that come from elsewhere than the server's own listeners.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use avocet_net::{ConnectionPermit, Task, Transport};

use crate::counters::{Counters, Totals};
use crate::per_address::{AddressPermit, TooMany};
use crate::session::Session;
use crate::worker::{Shared, Worker};

/// Puts a transport around an accepted one: TLS, the PROXY protocol.
pub(crate) type Wrap = Arc<dyn Fn(Box<dyn Transport>) -> Box<dyn Transport> + Send + Sync>;

/// Makes the tasks of connections for one loop, whatever carries them: sockets that a program has
/// accepted itself, tunnels, pairs in memory under virtual time. Made by
/// [`Server::connections`](crate::Server::connections), once for each loop.
///
/// ```
/// use std::time::Instant;
///
/// use avocet_net::{EventLoop, Outbox, Transport, memory_pair};
/// use avocet_server::{Response, Server, respond};
///
/// let now = Instant::now();
/// let mut event_loop = EventLoop::simulated(now);
/// let server = Server::new(respond(|_| Response::text("Hello from memory!\n")));
/// let connections = server.connections()?;
///
/// let (mut client, accepted) = memory_pair(64 * 1024);
/// event_loop.spawn(connections.task(Box::new(accepted), None, now));
/// let mut request = Outbox::new();
/// request.push_slice(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n");
/// client.write(&mut request)?;
/// event_loop.turn_at(now);
///
/// let mut buf = [0; 1024];
/// let count = client.read(&mut buf)?;
/// assert!(buf[..count].starts_with(b"HTTP/1.1 200 OK\r\n"));
/// assert_eq!(connections.totals().requests, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Connections {
    worker: Rc<Worker>,
    wrap: Option<Wrap>,
}

/// What a connection gives back when it ends.
pub(crate) struct Permits {
    pub(crate) _connection: Option<ConnectionPermit>,
    pub(crate) _address: Option<Box<AddressPermit>>,
}

impl Connections {
    pub(crate) fn new(shared: Arc<Shared>, counters: Arc<Counters>, wrap: Option<Wrap>) -> Self {
        Self { worker: Rc::new(Worker::new(shared, counters)), wrap }
    }

    /// The task of one connection, to be spawned on the loop. The permit is kept as long as the
    /// task lives; a caller who counts otherwise gives none.
    ///
    /// *Bounds*: those of [`Config`](crate::Config), except the number of all connections, which is
    /// the caller's. A client beyond [`Config::max_per_address`](crate::Config::max_per_address) is
    /// refused as by [`Connections::refuse`].
    pub fn task(
        &self,
        transport: Box<dyn Transport>,
        permit: Option<ConnectionPermit>,
        now: Instant,
    ) -> Box<dyn Task> {
        let (address, refused) = match self.worker.shared.enter(&transport.info().remote) {
            Ok(address) => (address, false),
            Err(TooMany) => (None, true),
        };
        self.session(transport, Permits { _connection: permit, _address: address }, refused, now)
    }

    /// The task of a connection for which there is no room: it is answered 503 with Retry-After and
    /// closed.
    ///
    /// *Bounds*: it is gone when the client has ended its side, at the latest after the time-outs of
    /// a handshake and of lingering.
    pub fn refuse(
        &self,
        transport: Box<dyn Transport>,
        permit: Option<ConnectionPermit>,
        now: Instant,
    ) -> Box<dyn Task> {
        self.session(transport, Permits { _connection: permit, _address: None }, true, now)
    }

    fn session(
        &self,
        transport: Box<dyn Transport>,
        permits: Permits,
        refused: bool,
        now: Instant,
    ) -> Box<dyn Task> {
        let transport = match &self.wrap {
            Some(wrap) => wrap(transport),
            None => transport,
        };
        Box::new(Session::new(transport, self.worker.clone(), permits, refused, now))
    }

    /// The counters of this loop.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        self.worker.counters.add_to(&mut totals);
        totals
    }
}
