//! Values that know where they stood among the arguments.

use std::convert::Infallible;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::builder::{OsStringValueParser, TypedValueParser};

/// A value with its place among those of all options: data is joined, and files are given to URLs, in
/// the order of the line.
#[derive(Clone, Debug)]
pub(crate) struct Placed<T = String> {
    pub(crate) place: usize,
    pub(crate) value: T,
}

/// The values are read in the order in which they stand there.
fn at_next<T>(value: T) -> Placed<T> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    Placed { place: NEXT.fetch_add(1, Ordering::Relaxed), value }
}

/// Reads a text.
pub(super) fn placed(text: &str) -> Result<Placed, Infallible> {
    Ok(at_next(text.to_owned()))
}

/// Reads the name of a file, which need not be text.
pub(super) fn placed_path() -> impl TypedValueParser<Value = Placed<PathBuf>> {
    OsStringValueParser::new().map(|path: OsString| at_next(PathBuf::from(path)))
}

/// Reads a switch that may stand several times. It takes no value.
pub(super) fn placed_switch(text: &str) -> Result<Placed<()>, &'static str> {
    if text.is_empty() { Ok(at_next(())) } else { Err("it takes no value") }
}
