#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod access;
mod archive;
mod base;
mod cache;
mod changes;
mod compress;
mod deferred;
mod dictionaries;
mod folder;
mod form;
mod front;
mod instead;
mod listing;
mod making;
mod metadata;
mod outcome;
mod pace;
mod path;
mod pattern;
mod pieces;
mod random;
mod representation;
mod resource;
mod respond;
mod root;
mod service;
mod settings;
mod sidecars;
mod steps;
mod types;
mod validators;
mod zipped;

pub use access::{Access, InvalidHash, InvalidPart, LinkError, LinkKey, Password};
pub use changes::Changes;
pub use folder::Folder;
pub use root::Links;
pub use service::Service;
pub use types::Types;
pub use zipped::ZipService;
