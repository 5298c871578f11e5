#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub use avocet_semantics as semantics;
pub use avocet_wire as wire;

#[cfg(feature = "files")]
pub use avocet_files as files;
#[cfg(feature = "server")]
pub use {avocet_net as net, avocet_server as server};
