//! What the programs that load and measure a server share.
//!
//! - `floor` answers canned bytes without reading what was asked: the limit that the kernel sets.
//! - `load` asks as fast as one core can, and checks every answer.
//! - `crowd` holds many idle or slow connections.
//! - `stop` asks while it sends SIGTERM to the server, and counts what was lost.
//!
//! `cargo xtask bench server` and `cargo xtask stress` start them.
#![forbid(unsafe_code)]

pub mod command_line;
pub mod histogram;
pub mod load;
pub mod response;
pub mod sockets;

/// The content that every server under test answers with.
pub const CONTENT: &[u8] = b"Hello, World!";
