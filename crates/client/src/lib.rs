#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod builder;
mod config;
mod connect;
#[cfg(feature = "download")]
mod download;
mod error;
mod hook;
mod hub;
mod link;
mod multi;
mod redirect;
mod request;
mod response;
mod tcp;
mod transfer;

pub use builder::{Client, RequestBuilder};
pub use config::{ChooseProxy, Config, Decoding, Filter, NoProxy, PoolLimits, Redirects, Timeouts};
pub use connect::{Connect, Connector, Proxy, ProxyKind, Route};
#[cfg(feature = "download")]
pub use download::{Checksum, ChecksumKind, Download, DownloadError, Downloaded, Progress, Split};
pub use error::{Error, ErrorKind, Phase};
pub use hook::{Hook, Hop, Verdict};
pub use multi::{Multi, TransferEvent, TransferId};
pub use request::{Content, Options, Request};
pub use response::Response;
pub use tcp::TcpConnector;
pub use transfer::{Past, Receiver, Times};
