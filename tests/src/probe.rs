//! Cases of raw bytes against a server: what is sent, and which answers are right.
//!
//! A file of cases names its suite and origin. A case has steps on one connection and rules; the
//! first rule whose condition holds gives the verdict. See `docs/internals/conformance.md`.

mod case;
mod condition;
mod exchange;
mod response;
mod suite;
mod template;

pub use self::suite::{Settings, run};
