//! What the tests of this workspace share.
//!
//! [`program`] starts the program under test, or finds the one that `AVOCET_TARGET` names.
//! [`probe`] runs cases of bytes and verdicts against it. [`raw`] is a client for tests that say
//! themselves what they send and what they expect; [`scripted`] is a server for such tests of
//! clients, [`run`] runs the program to its end, and [`terminal`] on a terminal.
#![forbid(unsafe_code)]

pub mod corpus;
pub mod probe;
pub mod program;
pub mod raw;
pub mod run;
pub mod scripted;
pub mod terminal;

/// The README, so that its example is compiled with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
