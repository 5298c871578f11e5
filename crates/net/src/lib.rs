#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod acceptor;
mod address;
mod event_loop;
mod memory;
mod outbox;
mod pool;
mod readiness;
mod scheduler;
mod signals;
mod socket;
mod task;
mod transport;
mod wheel;

pub use acceptor::{Acceptor, ConnectionCount, ConnectionPermit};
pub use address::{Address, BindError, ListenAddress, Listener, ParseListenError};
pub use event_loop::{EventLoop, LoopHandle, LoopSeed};
pub use memory::{MemoryTransport, memory_pair};
pub use outbox::{FileRange, Outbox, Segment};
pub use pool::{Full, WorkerPool};
pub use readiness::Readiness;
pub use scheduler::{Input, Scheduler, Stop, Turn};
pub use signals::{Signal, on_signals};
pub use socket::SocketTransport;
pub use task::{Next, Notifier, Task, TaskId};
pub use transport::{Established, PeerInfo, Registration, Transport};
