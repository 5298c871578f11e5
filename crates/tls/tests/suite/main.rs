//! The public face of the crate, over transports in memory.

#![expect(clippy::unwrap_used, reason = "a test stops where its premise fails")]

// Certificates for the tests are made with keys of one of these.
#[cfg(not(any(feature = "aws-lc", feature = "ring")))]
compile_error!("these tests need the feature `aws-lc` or `ring`");

#[cfg(feature = "issue")]
mod authority;
mod handshakes;
mod late_messages;
mod providers;
mod records;
mod reload;
mod security;
mod support;
mod trust;
