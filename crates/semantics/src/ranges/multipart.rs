//! Several ranges in one answer.

use std::io::Write;

use super::{ByteRange, ContentRange};

/// The frame around the ranges of a `multipart/byteranges` answer: what stands before each, what
/// stands after the last, and how long all of it is. The content itself stays with the caller.
///
/// *Spec*: RFC 9110 §14.6.
///
/// ```
/// use avocet_semantics::ranges::{ByteRange, Multipart};
///
/// let ranges = [ByteRange { first: 0, last: 1 }, ByteRange { first: 24, last: 25 }];
/// let frame = Multipart { boundary: "b0unda4y", content_type: b"text/plain", complete: 26 };
/// let file = b"abcdefghijklmnopqrstuvwxyz";
/// let mut answer = Vec::new();
/// for range in ranges {
///     frame.write_part_head(range, &mut answer);
///     answer.extend_from_slice(&file[range.first as usize..=range.last as usize]);
/// }
/// frame.write_end(&mut answer);
/// assert_eq!(frame.length(&ranges), Some(answer.len() as u64));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Multipart<'v> {
    /// The text between the parts: 1 to 70 letters and digits, so random that no file has it.
    pub boundary: &'v str,
    /// The media type of the representation; empty if it has none.
    pub content_type: &'v [u8],
    /// The length of the representation in bytes.
    pub complete: u64,
}

impl Multipart<'_> {
    /// The value of the answer's own Content-Type.
    pub fn content_type(&self) -> String {
        format!("multipart/byteranges; boundary={}", self.boundary)
    }

    /// Writes the delimiter and the fields that go before the bytes of a range.
    pub fn write_part_head(&self, range: ByteRange, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\r\n--");
        out.extend_from_slice(self.boundary.as_bytes());
        if !self.content_type.is_empty() {
            out.extend_from_slice(b"\r\nContent-Type: ");
            out.extend_from_slice(self.content_type);
        }
        let field = ContentRange::Range { range, complete: Some(self.complete) };
        write!(out, "\r\nContent-Range: {field}\r\n\r\n").expect("a vector takes every write");
    }

    /// Writes what goes after the bytes of the last range.
    pub fn write_end(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\r\n--");
        out.extend_from_slice(self.boundary.as_bytes());
        out.extend_from_slice(b"--\r\n");
    }

    /// The length of the whole answer, `None` beyond 64 bits.
    pub fn length(&self, ranges: &[ByteRange]) -> Option<u64> {
        let mut frame = Vec::new();
        let mut length: u64 = 0;
        for &range in ranges {
            frame.clear();
            self.write_part_head(range, &mut frame);
            let head = u64::try_from(frame.len()).ok()?;
            length = length.checked_add(head)?.checked_add(range.len())?;
        }
        frame.clear();
        self.write_end(&mut frame);
        length.checked_add(u64::try_from(frame.len()).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_as_it_goes_out() {
        let frame = Multipart { boundary: "X", content_type: b"text/plain", complete: 26 };
        let mut out = Vec::new();
        frame.write_part_head(ByteRange { first: 0, last: 1 }, &mut out);
        out.extend_from_slice(b"ab");
        frame.write_end(&mut out);
        let expected = "\r\n--X\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/26\r\n\r\nab\
                        \r\n--X--\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        assert_eq!(frame.content_type(), "multipart/byteranges; boundary=X");
    }

    #[test]
    fn a_type_that_is_not_known_is_not_said() {
        let frame = Multipart { boundary: "X", content_type: b"", complete: 26 };
        let mut out = Vec::new();
        frame.write_part_head(ByteRange { first: 3, last: 4 }, &mut out);
        assert_eq!(out, b"\r\n--X\r\nContent-Range: bytes 3-4/26\r\n\r\n");
    }

    #[test]
    fn a_length_beyond_64_bits_is_none() {
        let frame = Multipart { boundary: "X", content_type: b"", complete: u64::MAX };
        let all = ByteRange { first: 0, last: u64::MAX - 1 };
        assert_eq!(frame.length(&[all]), None);
    }
}
