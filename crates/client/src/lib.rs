#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod agenda;
mod auth;
mod authority;
mod builder;
mod charset;
mod compose;
mod config;
mod connect;
#[cfg(feature = "download")]
mod download;
mod error;
pub mod forms;
mod hook;
mod hub;
mod ids;
mod link;
mod multi;
mod multipart;
mod pool;
mod proxy;
mod raw;
mod redirect;
mod report;
mod request;
mod response;
mod retry;
mod secure;
mod socks;
mod transfer;
mod urls;

pub use auth::{Credentials, Login, Netrc, NetrcError, Passwords, Vault};
pub use builder::{Client, RequestBuilder};
pub use config::{Config, Decoding, Filter, PoolLimits, Redirects, Timeouts};
pub use connect::{Connect, ConnectTo, Connector, Dialer, Route};
#[cfg(feature = "download")]
pub use download::{Checksum, ChecksumKind, Download, DownloadError, Downloaded, Progress, Split};
pub use error::{Error, ErrorKind, Phase};
pub use hook::{Hook, Hop, Verdict};
pub use ids::TransferId;
pub use multi::{Multi, TransferEvent, Waker};
pub use multipart::{Multipart, Part};
pub use proxy::{ChooseProxy, HostPatterns, NoProxy, Proxies, Proxy, ProxyKind};
pub use raw::{Direction, Misuse, PutOptions, RawConnection, RawResponse};
pub use report::{DialAttempt, Dialed, Past, Report, Times, Traffic};
pub use request::{Content, Options, Request};
pub use response::Response;
pub use retry::Retry;
pub use secure::{Peer, Secure};
pub use transfer::Receiver;
