#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod context;
mod cookie;
pub mod dates;
mod error;
mod file;
mod host;
mod import;
mod jar;
mod limits;
mod octets;
mod path;
mod policy;
mod receive;
pub mod server;
mod set_cookie;
mod shared;
mod time;
mod verdict;

pub use self::{
    context::Context,
    cookie::{Cookie, CookieBuilder, SameSite},
    error::{Error, ErrorKind},
    file::{Fault, Format, JarFile, Loaded, Reading},
    host::{canonical_host, domain_match, is_public_suffix, schemeful_site, site},
    import::{Browser, Imported, LeftOut, Obstacle, import},
    jar::{Explanation, Jar},
    limits::Limits,
    octets::escape,
    path::{default_path, path_match},
    policy::{DomainLists, Policy, PythonPolicy},
    set_cookie::{SetCookieLine, parse_set_cookie},
    shared::SharedJar,
    verdict::{Accepted, Note, Refusal, Withheld},
};
