//! What the tests have in common.

pub(crate) mod simulated;

pub(crate) use simulated::{Far, World};
