#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(all(feature = "client", feature = "encoding"))]
mod codings;
#[cfg(all(feature = "server", feature = "encoding"))]
mod compress;
#[cfg(all(feature = "client", feature = "cookies"))]
mod cookie_hook;
#[cfg(feature = "tls-only")]
pub mod https;

pub use avocet_semantics as semantics;
pub use avocet_wire as wire;

#[cfg(feature = "client")]
pub use avocet_client as client;
#[cfg(feature = "cookies")]
pub use avocet_cookies as cookies;
#[cfg(feature = "encoding")]
pub use avocet_encoding as encoding;
#[cfg(feature = "files")]
pub use avocet_files as files;
#[cfg(any(feature = "client", feature = "server", feature = "tls-only"))]
pub use avocet_net as net;
#[cfg(feature = "server")]
pub use avocet_server as server;
#[cfg(feature = "tls-only")]
pub use avocet_tls as tls;

#[cfg(all(feature = "client", feature = "encoding"))]
pub use codings::Codings;
#[cfg(all(feature = "server", feature = "encoding"))]
pub use compress::Compress;
#[cfg(all(feature = "client", feature = "cookies"))]
pub use cookie_hook::CookieHook;
