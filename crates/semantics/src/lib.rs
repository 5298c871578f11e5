#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod accept;
pub mod allow;
pub mod auth;
pub mod base64;
pub mod conditions;
pub mod content_disposition;
pub mod dates;
pub mod entity_tags;
mod error;
pub mod file_names;
pub mod forwarded;
pub mod grammar;
pub mod hop_by_hop;
pub mod lists;
pub mod media_types;
pub mod multipart;
pub mod parameters;
pub mod quality;
pub mod ranges;
pub mod retry_after;
pub mod status;

pub use error::Error;
