//! Enough of HTTP/1.1 to see where a reply ends, written without the crates under test.

/// A reply as its client reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpReply {
    /// The three digits of the first line.
    pub status: u16,
    /// The head as it came, with its last empty line.
    pub head: String,
    /// The content, with the chunked coding removed.
    pub content: Vec<u8>,
}

impl HttpReply {
    /// Reads the reply at the front of `bytes`, with its length there; `None` while it is not whole.
    ///
    /// `to_head`: it answers a HEAD request. `ended`: the server has ended its side, which is where
    /// a reply ends that says nothing else.
    ///
    /// # Panics
    /// If the bytes are no reply: a test wants to know.
    pub fn read(bytes: &[u8], to_head: bool, ended: bool) -> Option<(Self, usize)> {
        let end = find(bytes, b"\r\n\r\n")? + 4;
        let head = std::str::from_utf8(&bytes[..end]).expect("a head is text").to_owned();
        let status = status_of(&head);
        let rest = &bytes[end..];
        let (content, length) = if to_head || status < 200 || status == 204 || status == 304 {
            (Vec::new(), 0)
        } else if field(&head, "transfer-encoding").is_some_and(|value| value == "chunked") {
            dechunk(rest)?
        } else if let Some(value) = field(&head, "content-length") {
            let length = value.parse().expect("a content length is a number");
            (rest.get(..length)?.to_vec(), length)
        } else if ended {
            (rest.to_vec(), rest.len())
        } else {
            return None;
        };
        Some((Self { status, head, content }, end + length))
    }

    /// The value of a field, white space around it removed; the first one if there are several.
    pub fn field(&self, name: &str) -> Option<&str> {
        field(&self.head, name)
    }

    /// The content as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.content).into_owned()
    }
}

fn status_of(head: &str) -> u16 {
    let line = head.lines().next().unwrap_or_default();
    let digits = line.strip_prefix("HTTP/1.1 ").or_else(|| line.strip_prefix("HTTP/1.0 "));
    let status = digits.and_then(|rest| rest.get(..3)).and_then(|digits| digits.parse().ok());
    status.unwrap_or_else(|| panic!("`{line}` is no status line"))
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.split("\r\n").skip(1);
    let mut fields = lines.filter_map(|line| line.split_once(':'));
    fields.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// The content of a chunked body and the length of the body, trailers included.
fn dechunk(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut content = Vec::new();
    let mut at = 0;
    loop {
        let line = find(&bytes[at..], b"\r\n")?;
        let text = std::str::from_utf8(&bytes[at..at + line]).expect("a chunk line is text");
        let digits = text.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(digits, 16).expect("a chunk has a size");
        at += line + 2;
        if size == 0 {
            break;
        }
        content.extend_from_slice(bytes.get(at..at + size)?);
        assert_eq!(bytes.get(at + size..at + size + 2)?, b"\r\n", "a chunk ends its line");
        at += size + 2;
    }
    loop {
        let line = find(&bytes[at..], b"\r\n")?;
        at += line + 2;
        if line == 0 {
            return Some((content, at));
        }
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str, to_head: bool) -> HttpReply {
        for cut in 0..text.len() {
            assert_eq!(HttpReply::read(&text.as_bytes()[..cut], to_head, false), None, "{cut}");
        }
        let longer = format!("{text}HTTP/1.1 200 OK");
        let (reply, length) = HttpReply::read(longer.as_bytes(), to_head, false).unwrap();
        assert_eq!(length, text.len());
        reply
    }

    #[test]
    fn replies_end_where_they_say() {
        let reply = whole("HTTP/1.1 200 OK\r\nContent-length:  5 \r\n\r\nhello", false);
        assert_eq!((reply.status, reply.text().as_str()), (200, "hello"));
        assert_eq!(reply.field("CONTENT-LENGTH"), Some("5"));
        let reply = whole("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", false);
        assert!(reply.content.is_empty());
        let reply = whole("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", true);
        assert!(reply.content.is_empty());
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                       5;x=y\r\nhello\r\nA\r\n, world!!!\r\n0\r\nTrailer: 1\r\n\r\n";
        assert_eq!(whole(chunked, false).text(), "hello, world!!!");
    }

    #[test]
    fn a_reply_without_a_length_ends_with_its_connection() {
        let text = b"HTTP/1.1 200 OK\r\n\r\nall of it";
        assert_eq!(HttpReply::read(text, false, false), None);
        let (reply, length) = HttpReply::read(text, false, true).unwrap();
        assert_eq!((reply.text().as_str(), length), ("all of it", text.len()));
    }
}
