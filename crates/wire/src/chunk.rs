//! The chunk-size line (RFC 9112 §7.1).

use memchr::memchr;

use crate::bytes::{is_control, token_len};
use crate::error::{Fault, Limit, ReadError};

/// Most digits of a chunk size: what fits in 64 bits.
const MOST_DIGITS: usize = 16;

/// A chunk-size line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChunkLine {
    /// The size of the chunk; 0 marks the last.
    pub(crate) size: u64,
    /// The length of the line with its CRLF.
    pub(crate) used: usize,
    /// The bytes of its extensions.
    pub(crate) extensions: usize,
}

/// Reads the line at the start of `input`; `None` while its end has not come. The first `scanned` bytes
/// are known to hold no line feed.
///
/// `chunk-size [ chunk-ext ] CRLF`, where the size is `1*HEXDIG`, here at most 16.
pub(crate) fn parse(
    input: &[u8],
    scanned: usize,
    longest: usize,
) -> Result<Option<ChunkLine>, ReadError> {
    let window = input.get(..longest).unwrap_or(input);
    let (size, digits) = size(window)?;
    if let Some([b'\r', b'\n', ..]) = window.get(digits..) {
        return Ok(Some(ChunkLine { size, used: digits + 2, extensions: 0 }));
    }
    let fresh = window.get(scanned..).unwrap_or_default();
    let Some(lf) = memchr(b'\n', fresh).map(|offset| scanned + offset) else {
        return if input.len() >= longest {
            Err(ReadError::exceeded(Limit::ChunkLine, longest, longest))
        } else {
            Ok(None)
        };
    };
    let Some([line @ .., b'\r']) = window.get(..lf) else {
        return Err(ReadError::malformed(Fault::BareLf, lf));
    };
    let extensions = line.get(digits..).unwrap_or_default();
    check_extensions(extensions)
        .map_err(|at| ReadError::malformed(Fault::ChunkExtension, digits + at))?;
    Ok(Some(ChunkLine { size, used: lf + 1, extensions: extensions.len() }))
}

/// The size and the number of its digits. What cannot become a size is refused before the line ends.
fn size(line: &[u8]) -> Result<(u64, usize), ReadError> {
    let mut size = 0u64;
    let mut digits = 0;
    for &byte in line {
        let Some(digit) = char::from(byte).to_digit(16) else { break };
        if digits == MOST_DIGITS {
            return Err(ReadError::malformed(Fault::ChunkSize, digits));
        }
        size = size << 4 | u64::from(digit);
        digits += 1;
    }
    match line.get(digits) {
        None => Ok((size, digits)),
        Some(b'\r' | b'\n' | b';' | b' ' | b'\t') if digits > 0 => Ok((size, digits)),
        Some(_) => Err(ReadError::malformed(Fault::ChunkSize, digits)),
    }
}

/// `*( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )`, the value being a token or a quoted
/// string. Gives the position of what does not fit.
fn check_extensions(bytes: &[u8]) -> Result<(), usize> {
    let mut at = 0;
    let skip_blanks = |at: usize| {
        at + bytes.iter().skip(at).take_while(|byte| matches!(byte, b' ' | b'\t')).count()
    };
    while at < bytes.len() {
        at = skip_blanks(at);
        if bytes.get(at) != Some(&b';') {
            return Err(at);
        }
        at = skip_blanks(at + 1);
        at = token_end(bytes, at)?;
        let equals = skip_blanks(at);
        if bytes.get(equals) == Some(&b'=') {
            at = skip_blanks(equals + 1);
            at = if bytes.get(at) == Some(&b'"') {
                quoted_end(bytes, at)?
            } else {
                token_end(bytes, at)?
            };
        }
    }
    Ok(())
}

fn token_end(bytes: &[u8], at: usize) -> Result<usize, usize> {
    match token_len(bytes.get(at..).unwrap_or_default()) {
        0 => Err(at),
        length => Ok(at + length),
    }
}

/// The end of the quoted string that begins at `at` (RFC 9110 §5.6.4).
fn quoted_end(bytes: &[u8], at: usize) -> Result<usize, usize> {
    let mut escaped = false;
    for (position, &byte) in bytes.iter().enumerate().skip(at + 1) {
        if is_control(byte) && byte != b'\t' {
            return Err(position);
        }
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Ok(position + 1),
            _ => {}
        }
    }
    Err(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Result<Option<ChunkLine>, ReadError> {
        parse(text.as_bytes(), 0, 4096)
    }

    #[test]
    fn sizes_and_extensions() {
        for (text, size, extensions) in [
            ("5\r\n", 5, 0),
            ("00aF\r\n", 0xaf, 0),
            ("ffffffffffffffff\r\n", u64::MAX, 0),
            ("5;a\r\n", 5, 2),
            ("5 ; a = b;c=\"d;\\\"e\"\r\n", 5, 18),
            ("0;z\r\n", 0, 2),
        ] {
            let line = line(text).unwrap().unwrap();
            assert_eq!((line.size, line.extensions, line.used), (size, extensions, text.len()));
        }
    }

    #[test]
    fn malformed_lines() {
        for bad in [
            "\r\n",
            ";x\r\n",
            " 5\r\n",
            "5 \r\n",
            "+5\r\n",
            "-5\r\n",
            "0x5\r\n",
            "1_0\r\n",
            "5;\r\n",
            "5;;a\r\n",
            "5;bad[=x\r\n",
            "5;a=\r\n",
            "5;a=\"b\r\n",
            "5;a=\"b\"c\r\n",
            "5;a\rb\r\n",
            "5;\0\r\n",
            "5;a=\"\x01\"\r\n",
            "5;a \r\n",
            "5 a\r\n",
            "5\n",
            "5;a\n",
            "00000000000000000\r\n",
            "10000000000000000\r\n",
            "g\r\n",
            "5,\r\n",
            "\u{664}\r\n",
        ] {
            assert!(line(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn unfinished_lines_and_the_limit() {
        for partial in ["", "5", "5\r", "5;a", "5;a=\"b", "5 "] {
            assert_eq!(line(partial), Ok(None), "{partial:?}");
        }
        assert!(parse(b"5;abcdef", 0, 8).is_err());
        assert!(parse(b"5;abcde\r\n", 0, 8).is_err());
        assert!(parse(b"5;abcde\r\n", 0, 9).is_ok());
    }
}
