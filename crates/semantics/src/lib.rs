#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod conditions;
pub mod dates;
pub mod entity_tags;
mod error;
pub mod grammar;
pub mod lists;
pub mod parameters;
pub mod ranges;
pub mod status;

pub use error::Error;
