#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod accept;
mod coding;
mod content_codings;
mod decoder;
mod error;
mod limits;
mod progress;

pub use accept::{Choice, accept_encoding, negotiate};
pub use coding::Coding;
pub use content_codings::ContentCodings;
pub use decoder::Decoder;
pub use error::DecodeError;
pub use limits::Limits;
pub use progress::{Next, Progress};
