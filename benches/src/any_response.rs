//! Where any response ends, whatever its content is; content is counted and not kept.

use memchr::memmem;

use crate::response::{LONGEST_HEAD, field};

/// What is expected of each response of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    /// The status.
    pub status: u16,
    /// Whether responses have no content: those to HEAD, and 304.
    pub bare: bool,
}

/// The responses of one connection, one after the other.
#[derive(Default)]
pub struct Reader {
    state: State,
    /// Bytes of a head, or of a line of chunked content, that has not ended yet.
    held: Vec<u8>,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Head,
    /// Content of a known length, of which this is left.
    Sized(u64),
    /// The line with the size of a chunk.
    Size,
    /// A chunk, of which this is left, and the line end behind it.
    Chunk(u64),
    /// The lines behind the last chunk.
    Trailers,
}

/// What some bytes brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Brought {
    /// Responses that ended.
    pub ended: u64,
    /// Bytes of content, with what frames its chunks.
    pub content: u64,
}

impl Reader {
    /// How many bytes may be thrown away unseen.
    pub fn unseen(&self) -> u64 {
        match self.state {
            State::Sized(left) => left,
            _ => 0,
        }
    }

    /// Takes note of bytes that were thrown away, of which [`Reader::unseen`] has allowed so many.
    pub fn skip(&mut self, count: u64) -> Brought {
        let mut brought = Brought { ended: 0, content: count };
        if let State::Sized(left) = self.state {
            self.state = State::Sized(left - count.min(left));
            if count >= left {
                (self.state, brought.ended) = (State::Head, 1);
            }
        }
        brought
    }

    /// Reads bytes that came.
    ///
    /// # Errors
    ///
    /// They are no response, or not the expected one.
    pub fn read(&mut self, mut bytes: &[u8], expected: Expected) -> Result<Brought, String> {
        let mut brought = Brought::default();
        while !bytes.is_empty() {
            match self.state {
                State::Head => {
                    let before = self.held.len();
                    self.held.extend_from_slice(bytes);
                    let from = before.saturating_sub(3);
                    let Some(end) = memmem::find(&self.held[from..], b"\r\n\r\n") else {
                        if self.held.len() > LONGEST_HEAD {
                            return Err("the head does not end".to_owned());
                        }
                        return Ok(brought);
                    };
                    let len = from + end + 4;
                    self.state = after_head(&self.held[..len], expected)?;
                    bytes = &bytes[len - before..];
                    self.held.clear();
                    brought.ended += u64::from(self.state == State::Head);
                }
                State::Sized(left) => {
                    let here = left.min(bytes.len() as u64);
                    bytes = &bytes[here as usize..];
                    let part = self.skip(here);
                    brought.ended += part.ended;
                    brought.content += part.content;
                }
                State::Chunk(left) => {
                    let here = left.min(bytes.len() as u64);
                    bytes = &bytes[here as usize..];
                    brought.content += here;
                    self.state = if here == left { State::Size } else { State::Chunk(left - here) };
                }
                State::Size | State::Trailers => {
                    let Some(end) = memchr::memchr(b'\n', bytes) else {
                        self.held.extend_from_slice(bytes);
                        return Ok(brought);
                    };
                    self.held.extend_from_slice(&bytes[..=end]);
                    bytes = &bytes[end + 1..];
                    brought.content += self.held.len() as u64;
                    let line = std::mem::take(&mut self.held);
                    let line = line.trim_ascii_end();
                    self.state = match (self.state, line) {
                        (State::Trailers, b"") => State::Head,
                        (State::Trailers, _) => State::Trailers,
                        (_, line) => match chunk_size(line)? {
                            0 => State::Trailers,
                            size => State::Chunk(size + 2),
                        },
                    };
                    brought.ended += u64::from(self.state == State::Head);
                }
            }
        }
        Ok(brought)
    }
}

fn after_head(head: &[u8], expected: Expected) -> Result<State, String> {
    let status = head.get(9..12).and_then(|status| std::str::from_utf8(status).ok());
    let status: u16 = status.and_then(|status| status.parse().ok()).ok_or("no status line")?;
    if status != expected.status {
        return Err(format!("the status is {status} and not {}", expected.status));
    }
    if expected.bare {
        return Ok(State::Head);
    }
    let chunked = field(head, "transfer-encoding").is_some_and(|value| value == b"chunked");
    if chunked {
        return Ok(State::Size);
    }
    let length = field(head, "content-length");
    let length = length.and_then(|value| std::str::from_utf8(value).ok()?.parse().ok());
    match length.ok_or("no length")? {
        0 => Ok(State::Head),
        length => Ok(State::Sized(length)),
    }
}

fn chunk_size(line: &[u8]) -> Result<u64, String> {
    let digits = line.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
    let text = std::str::from_utf8(digits).map_err(|error| error.to_string())?;
    u64::from_str_radix(text, 16).map_err(|_| format!("no size of a chunk: {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: Expected = Expected { status: 200, bare: false };

    #[test]
    fn every_cut_of_responses_of_every_kind_gives_the_same() {
        let text = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n\
            Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\na;x=y\r\n0123456789\r\n0\r\nT: 1\r\n\r\n\
            HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        let all = Reader::default().read(text, WHOLE).unwrap();
        assert_eq!(all.ended, 3);
        for cut in 0..text.len() {
            let mut reader = Reader::default();
            let first = reader.read(&text[..cut], WHOLE).unwrap();
            let second = reader.read(&text[cut..], WHOLE).unwrap();
            assert_eq!(first.ended + second.ended, 3, "cut at {cut}");
            assert_eq!(first.content + second.content, all.content, "cut at {cut}");
        }
    }

    #[test]
    fn responses_without_content_and_content_unseen() {
        let bare = Expected { status: 304, bare: true };
        let text = b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n";
        assert_eq!(Reader::default().read(&text.repeat(2), bare).unwrap().ended, 2);
        let mut reader = Reader::default();
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nab";
        assert_eq!(reader.read(head, WHOLE).unwrap(), Brought { ended: 0, content: 2 });
        assert_eq!(reader.unseen(), 998);
        assert_eq!(reader.skip(990).ended, 0);
        assert_eq!(reader.skip(8), Brought { ended: 1, content: 8 });
        assert_eq!(reader.unseen(), 0);
    }

    #[test]
    fn what_was_not_expected_is_a_fault() {
        let fault = |text: &[u8]| Reader::default().read(text, WHOLE).unwrap_err();
        assert_eq!(fault(b"HTTP/1.1 404 No\r\n\r\n"), "the status is 404 and not 200");
        assert_eq!(fault(b"HTTP/1.1 200 OK\r\n\r\n"), "no length");
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n";
        assert!(fault(chunked).starts_with("no size"));
        assert_eq!(fault(&[b'x'; LONGEST_HEAD + 1]), "the head does not end");
    }
}
