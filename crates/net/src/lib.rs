#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod acceptor;
mod address;
mod alarm;
mod count;
mod dial;
mod event_loop;
mod incoming;
mod inlet;
mod memory;
mod outbox;
mod pool;
mod readiness;
mod resolver;
mod scheduler;
mod secured;
#[cfg(feature = "signals")]
mod signals;
mod socket;
mod stream;
mod task;
mod transport;
mod turn;
mod wheel;

pub use acceptor::Acceptor;
pub use address::{Address, BindError, ListenAddress, Listener, ParseListenError};
pub use count::{ConnectionCount, ConnectionPermit};
pub use dial::{
    Attempt, DialError, DialErrorKind, DialOptions, Dialed, Dialing, Families, Local, Outcome,
    Target, connect_tcp, connect_unix,
};
pub use event_loop::{EventLoop, LoopHandle, LoopSeed};
pub use incoming::Incoming;
pub use memory::{MemoryConnector, MemoryListener, MemoryTransport, memory_listener, memory_pair};
pub use outbox::{FileRange, Front, Outbox, Pause, Segment};
pub use pool::{Full, WorkerPool};
pub use readiness::Readiness;
pub use resolver::{Addresses, Lookup, ResolveError, Resolver};
pub use scheduler::{Scheduler, Stop};
pub use secured::{Identity, Secured};
#[cfg(feature = "signals")]
pub use signals::{Signal, on_signals};
pub use socket::SocketTransport;
pub use task::{Next, Notifier, Task, TaskId};
pub use transport::{Established, PeerInfo, Registration, Transport};
pub use turn::{Input, Turn};
