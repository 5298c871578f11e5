//! The files of cases.

use std::path::PathBuf;

use serde_json::Value;

/// Reads a file of cases from the folder that `AVOCET_CORPUS` names, or from `tests/corpus`.
///
/// # Panics
///
/// A file that is missing or broken ends the test with its path: a suite without cases must not
/// pass.
pub fn read(name: &str) -> Value {
    let folder = std::env::var_os("AVOCET_CORPUS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus"), PathBuf::from);
    let path = folder.join(name);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{} is no JSON: {error}", path.display()))
}
