#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod deferred;
mod folder;
mod listing;
mod metadata;
mod outcome;
mod path;
mod pieces;
mod representation;
mod respond;
mod root;
mod service;
mod types;
mod validators;

pub use folder::Folder;
pub use root::Links;
pub use service::Service;
pub use types::Types;
