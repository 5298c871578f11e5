//! The public face of the crate, over transports in memory.

#![expect(clippy::unwrap_used, reason = "a test stops where its premise fails")]

#[cfg(feature = "issue")]
mod authority;
mod handshakes;
mod records;
mod reload;
mod security;
mod support;
mod trust;
