//! Where a field value ends, and that it holds no control character: one search for both.

use memchr::memchr;

use crate::bytes::is_control;
use crate::error::{Fault, ReadError};

/// The end of a line as seen from the byte after the colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LineEnd {
    /// The length of the value, with the blanks around it.
    pub(crate) value: usize,
    /// The place of the next line.
    pub(crate) next: usize,
}

/// Finds the end of the value at the start of `bytes`; `None` while it has not come.
///
/// RFC 9110 §5.5: "Field values containing CR, LF, or NUL characters are invalid and dangerous"; other
/// control characters are invalid as well, but for HTAB. `bare_lf` lets LF alone end the line.
///
/// Most values are short, and eight bytes at a time find their end sooner than a call of `memchr` does. Long
/// ones are left to `memchr`, and to a count of their bytes that compilers turn into vector code.
#[inline]
pub(crate) fn line_end(bytes: &[u8], bare_lf: bool) -> Result<Option<LineEnd>, ReadError> {
    let mut at = 0;
    let mut rest = bytes;
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        let controls = controls(u64::from_le_bytes(*word));
        if controls != 0 {
            let value = at + (controls.trailing_zeros() / 8) as usize;
            return match bytes.get(value..) {
                Some([b'\r', b'\n', ..]) => Ok(Some(LineEnd { value, next: value + 2 })),
                _ => odd_line_end(bytes, value, bare_lf),
            };
        }
        at += 8;
        rest = after;
        if at == SHORT {
            return long_line_end(bytes, rest, bare_lf);
        }
    }
    // The last line of a head that nothing follows, with a value of some bytes.
    let value = at + rest.iter().position(|&byte| is_control(byte)).unwrap_or(rest.len());
    match bytes.get(value..) {
        Some([b'\r', b'\n', ..]) => Ok(Some(LineEnd { value, next: value + 2 })),
        _ => odd_line_end(bytes, at, bare_lf),
    }
}

/// Where `memchr` begins to pay.
const SHORT: usize = 64;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x80 * ONES;

/// Marks control characters by the high bits of their bytes. Exact up to the first mark: a borrow can only
/// come from a byte that is marked itself.
#[inline]
fn controls(word: u64) -> u64 {
    let below_blank = word.wrapping_sub(0x20 * ONES) & !word;
    let not_delete = word ^ (0x7f * ONES);
    let is_delete = not_delete.wrapping_sub(ONES) & !not_delete;
    (below_blank | is_delete) & HIGH
}

/// The end of a value of which [`SHORT`] bytes were looked at and only `rest` is left.
#[inline(never)]
fn long_line_end(bytes: &[u8], rest: &[u8], bare_lf: bool) -> Result<Option<LineEnd>, ReadError> {
    let from = bytes.len() - rest.len();
    if let Some(length) = memchr(b'\n', rest)
        && let Some([value @ .., b'\r']) = rest.get(..length)
        && all_usual(value)
    {
        return Ok(Some(LineEnd { value: from + length - 1, next: from + length + 1 }));
    }
    odd_line_end(bytes, from, bare_lf)
}

/// Whether every byte is visible ASCII or a blank, as nearly all are.
#[inline]
fn all_usual(bytes: &[u8]) -> bool {
    !bytes.iter().fold(false, |unusual, byte| unusual | (byte.wrapping_sub(0x20) > 0x5e))
}

/// Byte by byte: for values with HTAB, for long ones with bytes above 0x7F, for unfinished ones, and to tell
/// what is wrong. The bytes before `from` are fine.
#[cold]
#[inline(never)]
fn odd_line_end(bytes: &[u8], from: usize, bare_lf: bool) -> Result<Option<LineEnd>, ReadError> {
    let rest = bytes.get(from..).unwrap_or_default();
    let Some(offset) = rest.iter().position(|&byte| is_control(byte) && byte != b'\t') else {
        return Ok(None);
    };
    let value = from + offset;
    match rest.get(offset..) {
        Some([b'\r', b'\n', ..]) => Ok(Some(LineEnd { value, next: value + 2 })),
        Some([b'\r']) => Ok(None),
        Some([b'\r', ..]) => Err(ReadError::malformed(Fault::BareCr, value)),
        Some([b'\n', ..]) if bare_lf => Ok(Some(LineEnd { value, next: value + 1 })),
        Some([b'\n', ..]) => Err(ReadError::malformed(Fault::BareLf, value)),
        _ => Err(ReadError::malformed(Fault::FieldValue, value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the grammar says, byte by byte.
    fn naive(bytes: &[u8]) -> Result<Option<LineEnd>, ReadError> {
        odd_line_end(bytes, 0, false)
    }

    #[test]
    fn the_fast_ways_agree_with_the_plain_one_at_every_length_and_for_every_byte() {
        for length in [0, 1, 7, 8, 9, 55, 56, 63, 64, 65, 71, 72, 79, 80, 81, 127, 128, 200] {
            for at in 0..length {
                for byte in 0..=255u8 {
                    if at % 7 != 0
                        && !matches!(byte, b'\t' | b'\r' | b'\n' | 0 | 0x7f | 0x80 | 0xff)
                    {
                        continue;
                    }
                    let mut line = vec![b'x'; length];
                    line[at] = byte;
                    assert_eq!(line_end(&line, false), naive(&line), "{byte} at {at} of {length}");
                    line.extend_from_slice(b"\r\nnext: line\r\n\r\n");
                    assert_eq!(line_end(&line, false), naive(&line), "{byte} at {at} of {length}");
                }
            }
        }
    }

    #[test]
    fn line_feeds_alone_end_a_line_only_where_they_may() {
        for length in [0, 5, 8, 70] {
            let mut line = vec![b'x'; length];
            line.extend_from_slice(b"\nnext: line\r\n");
            let end = LineEnd { value: length, next: length + 1 };
            assert_eq!(line_end(&line, true), Ok(Some(end)));
            assert_eq!(line_end(&line, false), Err(ReadError::malformed(Fault::BareLf, length)));
        }
        assert_eq!(line_end(b"x\r", true), Ok(None));
        assert_eq!(line_end(b"x\r\r\n", true), Err(ReadError::malformed(Fault::BareCr, 1)));
    }
}
