//! What the user gives in files, or on standard input, instead of on the command line.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use bytes::Bytes;

use crate::failure::Failure;

/// A piece of content that can be sent any number of times.
pub(super) enum Piece {
    Bytes(Bytes),
    File(Arc<File>, u64),
}

/// All that a file holds, or standard input for `-`.
///
/// *Errors*: it cannot be read.
pub(super) fn read(path: &str) -> Result<Vec<u8>, Failure> {
    let read = if path == "-" {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    read.map_err(|error| Failure::with_status(26, format_args!("cannot read {path}: {error}")))
}

/// Lines of fields; `@FILE` stands for those of a file.
///
/// *Errors*: the file cannot be read.
pub(super) fn lines(given: &[String]) -> Result<Vec<String>, Failure> {
    let mut all = Vec::new();
    for line in given {
        match line.strip_prefix('@') {
            None => all.push(line.clone()),
            Some(path) => {
                let text = String::from_utf8_lossy(&read(path)?).into_owned();
                let full = text.lines().filter(|line| !line.trim().is_empty());
                all.extend(full.map(str::to_owned));
            }
        }
    }
    Ok(all)
}
