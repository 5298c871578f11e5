#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod agenda;
mod builder;
mod compose;
mod config;
mod connect;
#[cfg(feature = "download")]
mod download;
mod error;
mod hook;
mod hub;
mod ids;
mod link;
mod multi;
mod pool;
mod redirect;
mod report;
mod request;
mod response;
mod retry;
mod tcp;
mod transfer;

pub use builder::{Client, RequestBuilder};
pub use config::{ChooseProxy, Config, Decoding, Filter, NoProxy, PoolLimits, Redirects, Timeouts};
pub use connect::{Connect, Connector, Proxy, ProxyKind, Route};
#[cfg(feature = "download")]
pub use download::{Checksum, ChecksumKind, Download, DownloadError, Downloaded, Progress, Split};
pub use error::{Error, ErrorKind, Phase};
pub use hook::{Hook, Hop, Verdict};
pub use ids::TransferId;
pub use multi::{Multi, TransferEvent, Waker};
pub use report::{Past, Report, Times, Traffic};
pub use request::{Content, Options, Request};
pub use response::Response;
pub use retry::Retry;
pub use tcp::TcpConnector;
pub use transfer::Receiver;
