//! An answer, read by the letter of RFC 9112.

use avocet_semantics::grammar;

/// A response that follows the grammar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// `HTTP/1.1` or `HTTP/1.0`.
    pub version: String,
    /// Three digits.
    pub status: u16,
    /// What follows the status; may be empty.
    pub reason: String,
    /// Names and values in their order.
    pub fields: Vec<(String, String)>,
    /// The content without its framing.
    pub content: Vec<u8>,
    /// The fields behind chunked content.
    pub trailers: Vec<(String, String)>,
}

impl Answer {
    /// The value of a field, which must not be there twice.
    ///
    /// # Panics
    ///
    /// If it is.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut values = self.fields.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} is there twice: {:?}", self.fields);
        value
    }

    /// Whether a comma list has an element, letter case aside.
    pub fn lists(&self, name: &str, element: &str) -> bool {
        let value = self.field(name).unwrap_or_default();
        value.split(',').any(|known| known.trim().eq_ignore_ascii_case(element))
    }

    /// Whether the connection ends with this answer.
    pub fn closes(&self) -> bool {
        let stays = self.lists("connection", "keep-alive");
        self.lists("connection", "close") || (self.version == "HTTP/1.0" && !stays)
    }

    /// The content as text.
    ///
    /// # Panics
    ///
    /// If it is none.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.content).expect("the content is text")
    }

    /// One answer at the start of the bytes, with its length; `None` where more has to come.
    ///
    /// # Panics
    ///
    /// With what is wrong, where the bytes can be no answer.
    pub(super) fn read(bytes: &[u8], is_head: bool, is_ended: bool) -> Option<(Self, usize)> {
        let head_len = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let head = text(&bytes[..head_len - 2]);
        let (status_line, rest) = head.split_once("\r\n").expect("a head has a line");
        let (version, status, reason) = status_line_parts(status_line);
        let fields = fields(rest);
        let mut answer =
            Self { version, status, reason, fields, content: Vec::new(), trailers: Vec::new() };
        let after = &bytes[head_len..];
        let has_none = is_head || status / 100 == 1 || matches!(status, 204 | 304);
        let body_len = if has_none {
            answer.check_no_framing();
            0
        } else {
            answer.read_content(after, is_ended)?
        };
        Some((answer, head_len + body_len))
    }

    /// "A server MUST NOT send a Transfer-Encoding [or Content-Length] header field in any response
    /// with a status code of 1xx (Informational) or 204 (No Content)." (§6.1, and RFC 9110 §8.6)
    fn check_no_framing(&self) {
        if self.status / 100 == 1 || self.status == 204 {
            assert_eq!(self.field("transfer-encoding"), None, "in {}", self.status);
            assert_eq!(self.field("content-length"), None, "in {}", self.status);
        }
    }

    /// Gives the length of the content with its framing.
    fn read_content(&mut self, bytes: &[u8], is_ended: bool) -> Option<usize> {
        let length = self.field("content-length").map(str::to_owned);
        if let Some(coding) = self.field("transfer-encoding") {
            assert_eq!(coding, "chunked");
            assert_eq!(length, None, "beside a Transfer-Encoding");
            assert_eq!(self.version, "HTTP/1.1");
            return self.read_chunks(bytes);
        }
        let len = match length {
            Some(length) => {
                let is_number = length.bytes().all(|byte| byte.is_ascii_digit());
                length.parse().ok().filter(|_| is_number).expect("a length is a number")
            }
            None if is_ended => bytes.len(),
            None => return None,
        };
        self.content = bytes.get(..len)?.to_vec();
        Some(len)
    }

    fn read_chunks(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            let line_len = bytes[at..].windows(2).position(|window| window == b"\r\n")?;
            let line = text(&bytes[at..at + line_len]);
            at += line_len + 2;
            let is_hex = (1..=16).contains(&line.len());
            let size = usize::from_str_radix(&line, 16).ok().filter(|_| is_hex);
            let size = size.unwrap_or_else(|| panic!("{line:?} is no size of a chunk"));
            if size == 0 {
                break;
            }
            let data = bytes.get(at..at + size)?;
            let end = bytes.get(at + size..at + size + 2)?;
            assert_eq!(end, b"\r\n", "behind a chunk");
            self.content.extend_from_slice(data);
            at += size + 2;
        }
        let rest = &bytes[at..];
        if rest.starts_with(b"\r\n") {
            return Some(at + 2);
        }
        let len = rest.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        self.trailers = fields(&text(&rest[..len - 2]));
        Some(at + len)
    }
}

/// `HTTP/1.1 200 OK`
fn status_line_parts(line: &str) -> (String, u16, String) {
    let mut parts = line.splitn(3, ' ');
    let version = parts.next().unwrap_or_default();
    assert!(matches!(version, "HTTP/1.1" | "HTTP/1.0"), "{line:?} has no version");
    let status = parts.next().unwrap_or_default();
    let is_status = status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit());
    let status = status.parse().ok().filter(|_| is_status);
    // "A server MUST send the space that separates the status-code from the reason-phrase even when
    // the reason-phrase is absent" (§4).
    let reason = parts.next().unwrap_or_else(|| panic!("{line:?} has no space after the status"));
    assert!(!reason.contains(char::is_control), "{line:?} has a control character");
    (version.to_owned(), status.expect("a status has three digits"), reason.to_owned())
}

fn fields(lines: &str) -> Vec<(String, String)> {
    let field = |line: &str| {
        let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("{line:?} is no field"));
        assert!(grammar::is_token(name.as_bytes()), "{line:?} has no name");
        let value = value.trim_matches([' ', '\t']);
        let is_clean = value.chars().all(|letter| letter == '\t' || !letter.is_control());
        assert!(is_clean, "{line:?} has a control character");
        (name.to_owned(), value.to_owned())
    };
    lines.split_terminator("\r\n").map(field).collect()
}

/// A head as text. Lines end with CRLF only, and there is nothing beyond ASCII.
fn text(bytes: &[u8]) -> String {
    let text = std::str::from_utf8(bytes).expect("a head is text").to_owned();
    assert!(text.is_ascii(), "{text:?} is not ASCII");
    let bare = text.replace("\r\n", "");
    assert!(!bare.contains(['\r', '\n']), "{text:?} has a line that does not end with CRLF");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(Answer, usize)> {
        Answer::read(text.as_bytes(), false, false)
    }

    #[test]
    fn an_answer_is_read_to_its_end_and_not_beyond() {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nA: b \r\n\r\nokHTTP";
        let (answer, len) = read(text).unwrap();
        assert_eq!((answer.text(), answer.field("a"), len), ("ok", Some("b"), text.len() - 4));
        for cut in 0..len {
            assert_eq!(read(&text[..cut]), None, "{cut}");
        }
    }

    #[test]
    fn chunks_and_trailers() {
        let text =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nT: 1\r\n\r\n";
        let (answer, len) = read(text).unwrap();
        assert_eq!((answer.text(), len), ("ok", text.len()));
        assert_eq!(answer.trailers, [("T".to_owned(), "1".to_owned())]);
        for cut in 0..len {
            assert_eq!(read(&text[..cut]), None, "{cut}");
        }
    }

    #[test]
    fn an_answer_without_framing_ends_with_the_connection() {
        let text = b"HTTP/1.0 200 OK\r\n\r\nabc";
        assert_eq!(Answer::read(text, false, false), None);
        let (answer, len) = Answer::read(text, false, true).unwrap();
        assert_eq!((answer.text(), len), ("abc", text.len()));
        assert!(answer.closes());
    }

    #[test]
    fn an_answer_to_head_has_no_content() {
        let text = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
        let (answer, len) = Answer::read(text, true, false).unwrap();
        assert_eq!((answer.content.len(), len), (0, text.len()));
    }

    #[test]
    fn broken_answers_are_not_read() {
        let broken = [
            "HTTP/1.1 200\r\n\r\n",
            "HTTP/2 200 OK\r\n\r\n",
            "HTTP/1.1 20 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
            "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
        ];
        for text in broken {
            let result = std::panic::catch_unwind(|| read(text));
            assert!(result.is_err(), "{text:?}");
        }
    }
}
