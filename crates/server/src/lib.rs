#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod access_log;
mod blocking;
mod body;
mod channel;
mod config;
mod connections;
mod counters;
mod error_page;
mod escape;
mod exchange;
mod handler;
mod log_line;
mod methods;
mod per_address;
mod postponed;
mod reply;
mod request;
mod response;
mod router;
mod server;
mod service;
mod session;
mod ticket;
mod worker;

pub use access_log::{AccessLog, Entry, LineLog};
pub use blocking::{BodyReader, OwnedRequest, Responder, blocking};
pub use body::{Body, BodySource, Pulled};
pub use channel::{BodySender, channel};
pub use config::{Config, Timeouts};
pub use connections::Connections;
pub use counters::Totals;
pub use error_page::ErrorPages;
pub use handler::{Handler, respond};
pub use log_line::LogFormat;
pub use methods::Methods;
pub use postponed::Postponed;
pub use reply::{Feed, Reply, Sink, Upgraded};
pub use request::Request;
pub use response::Response;
pub use router::{InvalidRoute, Router};
pub use server::{Bound, Grace, Handle, Server};
pub use service::http_service;
pub use ticket::Ticket;
