//! The public face of the client, over loopback sockets and, where time or the order of events
//! matter, in memory under virtual time. One file per topic.

#![expect(clippy::unwrap_used, reason = "a test stops where its premise fails")]

mod cancelling;
mod costs;
mod dialing;
mod early_answers;
mod flow;
mod forms;
mod logins;
mod parity;
mod pooling;
mod proxies;
mod raw;
mod redirects;
mod replay;
mod responses;
mod retries;
mod security;
mod support;
mod timeouts;
