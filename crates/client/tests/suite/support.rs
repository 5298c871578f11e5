//! What the tests have in common.

pub(crate) mod servers;
pub(crate) mod simulated;
pub(crate) mod veil;

pub(crate) use servers::Server;
pub(crate) use simulated::{Far, World};
