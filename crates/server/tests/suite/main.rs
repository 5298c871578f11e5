//! The public face of the server, over loopback sockets and, where time matters, in memory under
//! virtual time. One file per topic.

#![expect(clippy::unwrap_used, reason = "a test stops where its premise fails")]

mod access_log;
mod blocking;
mod cut_off;
mod error_pages;
mod event_loop;
mod feeds;
mod fields;
mod framing;
mod half_close;
mod interim;
mod keep_alive;
mod limits;
mod methods;
mod parity;
mod pipelining;
mod request_content;
mod response_content;
mod rough;
mod slow_reader;
mod stop;
mod support;
mod tickets;
mod timeouts;
mod upgrade;
