#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod accept;
mod coding;
mod content_codings;
mod decoder;
mod dictionary;
mod encoder;
mod error;
mod inbox;
mod level;
mod limits;
mod progress;
mod reader;
mod whole;
mod writer;

pub use accept::{Choice, accept_encoding, negotiate};
pub use coding::Coding;
pub use content_codings::ContentCodings;
pub use decoder::Decoder;
pub use dictionary::{
    Dictionary, DictionaryCoding, decode_with, encode_with, negotiate_dictionary,
};
pub use encoder::{Drained, Encoder};
pub use error::{DecodeError, EncodeError};
pub use level::Level;
pub use limits::Limits;
pub use progress::{Next, Progress};
pub use reader::DecodeReader;
pub use whole::{decode_all, encode_all};
pub use writer::EncodeWriter;
