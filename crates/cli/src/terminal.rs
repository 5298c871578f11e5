//! Content on its way to a terminal, without what a terminal would obey.

use std::io::{self, Write};

use crate::output::printable;

/// Passes text on with control characters escaped; what is no UTF-8 becomes `\xHH`. Characters that
/// are cut by the pieces in which content comes stay whole; [`Write::flush`] ends the text.
pub(crate) struct Terminal<W> {
    out: W,
    /// The beginning of a character, or a carriage return that a line feed may follow.
    tail: Vec<u8>,
}

impl<W: Write> Terminal<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out, tail: Vec::new() }
    }

    fn pass(&mut self, bytes: &[u8], is_end: bool) -> io::Result<()> {
        let mut text = std::mem::take(&mut self.tail);
        text.extend_from_slice(bytes);
        if !is_end {
            let kept = unfinished(&text);
            self.tail = text.split_off(text.len() - kept);
        }
        let mut safe = String::with_capacity(text.len());
        for chunk in text.utf8_chunks() {
            safe.push_str(&printable(&chunk.valid().replace("\r\n", "\n")));
            for byte in chunk.invalid() {
                safe.push_str(&format!("\\x{byte:02x}"));
            }
        }
        self.out.write_all(safe.as_bytes())
    }
}

impl<W: Write> Write for Terminal<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pass(bytes, false)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass(b"", true)?;
        self.out.flush()
    }
}

/// How many bytes at the end are to wait for what follows.
fn unfinished(text: &[u8]) -> usize {
    if text.ends_with(b"\r") {
        return 1;
    }
    // Four bytes at most make a character, so its beginning is among the last three.
    let starts = (1..=text.len().min(3)).rev();
    let is_cut = |len: &usize| {
        let end = &text[text.len() - len..];
        end[0] >= 0xc0
            && std::str::from_utf8(end)
                .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    };
    starts.into_iter().find(is_cut).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_the_same_however_it_is_cut() {
        let text = "a\u{e9}\u{20ac}\u{1f600}\r\nb\x1b[31m\u{9b}\u{202e}\rc".as_bytes();
        let text = [text, b"\xff\xe2\x82z\xf0\x9f"].concat();
        let expected = "a\u{e9}\u{20ac}\u{1f600}\nb\\u{1b}[31m\\u{9b}\\u{202e}\\rc\
                        \\xff\\xe2\\x82z\\xf0\\x9f";
        for size in 1..=text.len() {
            let mut terminal = Terminal::new(Vec::new());
            for piece in text.chunks(size) {
                terminal.write_all(piece).unwrap();
            }
            terminal.flush().unwrap();
            assert_eq!(String::from_utf8(terminal.out).unwrap(), expected, "{size}");
        }
    }
}
