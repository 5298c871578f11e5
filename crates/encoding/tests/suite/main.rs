//! The public face of the crate: the corpus, the limits, faults, round trips and any cut of the
//! input.

mod bombs;
mod corpus;
mod dictionaries;
mod encoders;
mod faults;
mod io_adapters;
mod pieces;
#[cfg(any(feature = "gzip", feature = "brotli", feature = "zstd"))]
mod round_trips;
mod samples;
