//! The public face of the crate, over transports in memory.

mod handshakes;
mod records;
mod reload;
mod security;
mod support;
mod trust;
