//! What the programs that load and measure a server share.
//!
//! - `floor` answers canned bytes without reading what was asked: the limit that the kernel sets.
//! - `load` asks as fast as one core can, and checks every answer.
//! - `file_floor` sends one file for whatever is asked; `file_load` asks for files and throws them away.
//! - `client_floor` asks and reads without looking: the limit for clients.
//! - `crowd` holds many idle or slow connections.
//! - `stop` asks while it sends SIGTERM to the server, and counts what was lost.
//! - `tls_floor` and `tls_load` are the same for TLS, with the feature `tls`.
//!
//! `cargo xtask bench server`, `client`, `files` and `tls` and `cargo xtask stress` start them.
#![forbid(unsafe_code)]

pub mod any_response;
pub mod command_line;
pub mod histogram;
pub mod load;
pub mod response;
pub mod sockets;
pub mod tls;

/// The content that every server under test answers with.
pub const CONTENT: &[u8] = b"Hello, World!";
