//! Where the URLs come from.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use crate::failure::Failure;

/// The URLs of the arguments, then those of a file, read as they are needed.
pub(crate) struct Addresses<'a> {
    arguments: std::slice::Iter<'a, String>,
    lines: Option<Box<dyn BufRead>>,
    name: String,
}

impl<'a> Addresses<'a> {
    /// *Errors*: a file that cannot be opened.
    pub(crate) fn open(arguments: &'a [String], input: Option<&Path>) -> Result<Self, Failure> {
        let arguments = arguments.iter();
        let Some(path) = input else {
            return Ok(Self { arguments, lines: None, name: String::new() });
        };
        if path == Path::new("-") {
            let lines = Box::new(BufReader::new(io::stdin()));
            return Ok(Self { arguments, lines: Some(lines), name: "standard input".to_owned() });
        }
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| cannot_read(&name, &error))?;
        Ok(Self { arguments, lines: Some(Box::new(BufReader::new(file))), name })
    }

    /// The next one.
    ///
    /// *Errors*: a line that cannot be read, is no text or is longer than any URL.
    pub(crate) fn next_address(&mut self) -> Result<Option<String>, Failure> {
        if let Some(url) = self.arguments.next() {
            return Ok(Some(url.clone()));
        }
        let Some(lines) = &mut self.lines else { return Ok(None) };
        loop {
            let mut line = String::new();
            let read = lines.take(LONGEST).read_line(&mut line);
            if read.map_err(|error| cannot_read(&self.name, &error))? == 0 {
                return Ok(None);
            }
            if line.len() as u64 == LONGEST {
                return Err(Failure::usage(format_args!("{}: a line is too long", self.name)));
            }
            let url = line.trim();
            if !url.is_empty() && !url.starts_with('#') {
                return Ok(Some(url.to_owned()));
            }
        }
    }
}

fn cannot_read(name: &str, error: &io::Error) -> Failure {
    Failure::usage(format_args!("cannot read {name}: {error}"))
}

/// A line of more bytes names no page.
const LONGEST: u64 = 64 * 1024;
