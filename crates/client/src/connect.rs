//! Where a connection goes and who makes it.

mod chain;
mod dialer;
mod route;
mod tunnel;

use std::time::Instant;

use avocet_net::{Transport, Turn};

use crate::error::{Error, Phase};
use crate::report::Dialed;

pub(crate) use chain::Handshake;
pub use dialer::{ConnectTo, Dialer};
pub use route::Route;
pub(crate) use route::place;

/// Makes connections.
pub trait Connector: Send + Sync {
    /// Begins a connection.
    fn connect(&self, route: &Route) -> Box<dyn Connect>;
}

/// A connection in the making.
pub trait Connect {
    /// Does what is possible now. The transport that comes out is established, and registered with
    /// the task whose turn this is.
    fn turn(&mut self, cx: &mut Turn<'_>) -> Result<Option<Box<dyn Transport>>, Error>;

    /// When a turn is wanted although nothing happens.
    fn deadline(&self) -> Option<Instant>;

    /// The phase it is in.
    fn phase(&self) -> Phase;

    /// What it has done so far to reach an address, where it keeps a record.
    fn dialed(&self) -> Option<Dialed> {
        None
    }
}
