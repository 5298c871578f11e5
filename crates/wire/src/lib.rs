#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod bytes;
mod chunk;
mod client;
mod connection;
mod content;
mod convert;
mod cycle;
mod error;
mod field_buf;
mod fields;
mod framing;
mod host;
mod limits;
mod line;
mod list;
mod name;
mod owned;
mod request;
mod response;
mod role;
mod section;
mod send_error;
mod server;
mod table;
mod target;
mod trailers;
mod unfinished;
mod value;

pub use client::RequestVersion;
pub use connection::{BodySize, Connection, Eof, Event, Step};
pub use convert::HeadError;
pub use cycle::CloseReason;
pub use error::{Fault, Feature, Limit, Part, ReadError};
pub use field_buf::{FieldBuf, InvalidField};
pub use fields::{FieldIter, Fields, NotSingle};
pub use framing::Framing;
pub use limits::{Leniency, Limits};
pub use list::ListItems;
pub use owned::{OwnedHead, OwnedResponseHead};
pub use request::RequestHead;
pub use response::ResponseHead;
pub use role::{Client, Role, Server};
pub use send_error::SendError;
pub use table::FieldTable;
pub use target::{Target, TargetForm};
