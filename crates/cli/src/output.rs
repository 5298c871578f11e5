//! Lines for the person at the terminal.

use std::fmt;
use std::io::{self, IsTerminal, Write};

use crate::failure::Failure;

/// Prints a line to standard output. A reader that has gone is no reason to stop serving.
pub(crate) fn line(text: impl fmt::Display) {
    let text = printable(&text.to_string());
    let mut out = io::stdout().lock();
    if let Err(error) = writeln!(out, "{text}").and_then(|()| out.flush()) {
        log::debug!("cannot write to standard output: {error}");
    }
}

/// Prints a line that was asked for.
///
/// *Errors*: one that cannot be written.
pub(crate) fn answer(text: impl fmt::Display) -> Result<(), Failure> {
    exact(printable(&text.to_string()).as_bytes())?;
    exact(b"\n")
}

/// Prints a JSON value on a line of its own.
///
/// *Errors*: one that cannot be written.
pub(crate) fn json(value: &serde_json::Value) -> Result<(), Failure> {
    exact(json_text(value).as_bytes())?;
    exact(b"\n")
}

/// Writes bytes to standard output.
///
/// *Errors*: those that cannot be written.
pub(crate) fn exact(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| {
        Failure::with_status(23, format_args!("cannot write to standard output: {error}"))
    })
}

/// JSON in which everything is escaped that a terminal would obey.
pub(crate) fn json_text(value: &serde_json::Value) -> String {
    let mut safe = String::new();
    for character in value.to_string().chars() {
        // All of them lie within 16 bits, where one escape of JSON is one character.
        if is_obeyed(character) {
            safe.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            safe.push(character);
        }
    }
    safe
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
            '\n' | '\t' => safe.push(character),
            _ if is_obeyed(character) => safe.extend(character.escape_default()),
            _ => safe.push(character),
        }
    }
    safe
}

/// Whether a terminal does something at this character instead of showing it.
fn is_obeyed(character: char) -> bool {
    let turns = matches!(character, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || character.is_control()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        assert_eq!(printable("a\x1b[31mb\u{9b}1\u{202e}c\r"), "a\\u{1b}[31mb\\u{9b}1\\u{202e}c\\r");
        assert_eq!(printable("Ünicode\tand\nlines"), "Ünicode\tand\nlines");
    }

    #[test]
    fn json_stays_json_when_it_is_escaped() {
        let value = serde_json::json!({ "a": "\x1b\u{9b}\u{202e}\x7f\n\"" });
        let text = json_text(&value);
        assert_eq!(text, r#"{"a":"\u001b\u009b\u202e\u007f\n\""}"#);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
