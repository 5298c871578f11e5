//! Where a response ends, checked byte by byte the first time and by its frame afterwards.

use std::fmt;

use memchr::memmem;

use crate::CONTENT;

/// A response that stands whole at the start of the bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Response {
    /// Its bytes, head and content.
    pub len: usize,
    /// Whether it carries `Connection: close`.
    pub closes: bool,
}

/// Why bytes are not the response that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The first line is not `HTTP/1.1 200`.
    Status,
    /// There is no Content-Length, or not the right one.
    Length,
    /// The content is not what every server is to answer with.
    Content,
    /// A head of more than [`LONGEST_HEAD`] bytes.
    Head,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Status => "the status is not 200",
            Self::Length => "the length is missing or wrong",
            Self::Content => "the content is not the expected one",
            Self::Head => "the head does not end",
        })
    }
}

/// The longest head that is waited for.
pub const LONGEST_HEAD: usize = 8192;

/// Finds the ends of the responses of one connection.
///
/// Servers send the same response again and again, only the Date changes. So the length of the last
/// one is tried first, and holds if an empty line and the content stand exactly at its end.
#[derive(Default)]
pub struct Responses {
    last: usize,
}

impl Responses {
    /// The response at the start of `bytes`, or `None` if it is not whole yet.
    ///
    /// # Errors
    ///
    /// The bytes can not become the expected response.
    pub fn next(&mut self, bytes: &[u8]) -> Result<Option<Response>, Fault> {
        if self.last > 0
            && let Some(candidate) = bytes.get(..self.last)
            && candidate.starts_with(b"HTTP/1.1 200")
            && let Some(head) = candidate.strip_suffix(CONTENT)
            && head.ends_with(b"\r\n\r\n")
        {
            return Ok(Some(Response { len: self.last, closes: false }));
        }
        let Some(end) = memmem::find(bytes, b"\r\n\r\n") else {
            return if bytes.len() > LONGEST_HEAD { Err(Fault::Head) } else { Ok(None) };
        };
        let head = &bytes[..end + 2];
        if !head.starts_with(b"HTTP/1.1 200") {
            return Err(Fault::Status);
        }
        let length: usize = field(head, "content-length")
            .and_then(|value| std::str::from_utf8(value).ok()?.parse().ok())
            .ok_or(Fault::Length)?;
        if length != CONTENT.len() {
            return Err(Fault::Length);
        }
        let Some(content) = bytes[end + 4..].get(..length) else { return Ok(None) };
        if content != CONTENT {
            return Err(Fault::Content);
        }
        let closes =
            field(head, "connection").is_some_and(|value| value.eq_ignore_ascii_case(b"close"));
        let len = end + 4 + length;
        self.last = if closes { 0 } else { len };
        Ok(Some(Response { len, closes }))
    }
}

/// The value of the first field of that name in a head whose lines end in CRLF.
pub(crate) fn field<'a>(head: &'a [u8], name: &str) -> Option<&'a [u8]> {
    head.split(|&byte| byte == b'\n').find_map(|line| {
        let colon = line.iter().position(|&byte| byte == b':')?;
        let (known, value) = (&line[..colon], &line[colon + 1..]);
        known.eq_ignore_ascii_case(name.as_bytes()).then(|| value.trim_ascii())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 13\r\n\r\nHello, World!";

    #[test]
    fn each_cut_of_two_responses_gives_two() {
        let both = format!("{ONE}{ONE}").into_bytes();
        for cut in 0..both.len() {
            let mut responses = Responses::default();
            let mut found = 0;
            let mut start = 0;
            for end in [cut, both.len()] {
                while let Some(response) = responses.next(&both[start..end]).unwrap() {
                    start += response.len;
                    found += 1;
                }
            }
            assert_eq!((found, start), (2, both.len()), "cut at {cut}");
        }
    }

    #[test]
    fn a_changed_length_is_noticed() {
        let mut responses = Responses::default();
        let longer = ONE.replace("Date: x", "Date: longer");
        for text in [ONE, &longer, ONE] {
            let response = responses.next(text.as_bytes()).unwrap().unwrap();
            assert_eq!(response, Response { len: text.len(), closes: false });
        }
    }

    #[test]
    fn faults_are_told_apart() {
        let fault = |text: &str| Responses::default().next(text.as_bytes()).unwrap_err();
        assert_eq!(fault(&ONE.replace("200", "404")), Fault::Status);
        assert_eq!(fault(&ONE.replace("13", "14")), Fault::Length);
        assert_eq!(fault(&ONE.replace("Content-Length", "Content-Size")), Fault::Length);
        assert_eq!(fault(&ONE.replace("World", "Wurld")), Fault::Content);
        assert_eq!(fault(&"x".repeat(LONGEST_HEAD + 1)), Fault::Head);
        let mut responses = Responses::default();
        assert!(responses.next(ONE.as_bytes()).unwrap().is_some());
        assert_eq!(responses.next(ONE.replace("World", "Wurld").as_bytes()), Err(Fault::Content));
    }

    #[test]
    fn a_closing_response_says_so() {
        let text = ONE.replace("Date: x", "connection:  Close");
        assert!(Responses::default().next(text.as_bytes()).unwrap().unwrap().closes);
    }
}
