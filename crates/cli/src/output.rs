//! Lines for the person at the terminal.

use std::fmt;
use std::io::{self, IsTerminal, Write};

/// Prints a line to standard output. A reader that has gone is no reason to stop serving.
pub(crate) fn line(text: impl fmt::Display) {
    let text = printable(&text.to_string());
    let mut out = io::stdout().lock();
    if let Err(error) = writeln!(out, "{text}").and_then(|()| out.flush()) {
        log::debug!("cannot write to standard output: {error}");
    }
}

/// Prints a line that was asked for: one that cannot be written is an error.
///
/// *Errors*: what the system says of standard output.
pub(crate) fn answer(text: impl fmt::Display) -> io::Result<()> {
    let text = printable(&text.to_string());
    let mut out = io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush())
}

/// Prints the line of a failure to standard error.
pub(crate) fn error(failure: impl fmt::Display) {
    let text = printable(&failure.to_string());
    if let Err(error) = writeln!(io::stderr().lock(), "avocet: {text}") {
        log::debug!("cannot write to standard error: {error}");
    }
}

/// Bytes of a peer for standard output: as they are for a file or a pipe, escaped for a terminal.
pub(crate) fn for_stdout(bytes: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    if io::stdout().is_terminal() {
        let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
        return printable(&text).into_bytes().into();
    }
    bytes.into()
}

/// The text with everything escaped that a terminal would obey: control characters, and those that
/// turn the direction of text around.
pub(crate) fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                safe.extend(character.escape_unicode());
            }
            '\n' | '\t' => safe.push(character),
            _ if character.is_control() => safe.extend(character.escape_default()),
            _ => safe.push(character),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        assert_eq!(printable("a\x1b[31mb\u{9b}1\u{202e}c\r"), "a\\u{1b}[31mb\\u{9b}1\\u{202e}c\\r");
        assert_eq!(printable("Ünicode\tand\nlines"), "Ünicode\tand\nlines");
    }
}
