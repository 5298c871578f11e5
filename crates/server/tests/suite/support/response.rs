//! A reader of responses.

/// What was asked decides whether a response has content.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Head,
    Other,
}

/// A response as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) status: u16,
    /// The status line and the field lines, without the empty line.
    pub(crate) head: String,
    pub(crate) content: Vec<u8>,
    /// The trailer lines of chunked content.
    pub(crate) trailers: String,
}

impl Received {
    /// The response at the start of `bytes` and its length; `None` while it is incomplete. Content
    /// without a declared end lasts until `ended`.
    pub(crate) fn parse(bytes: &[u8], asked: Asked, ended: bool) -> Option<(Self, usize)> {
        let head_len = find(bytes, b"\r\n\r\n")? + 4;
        let head = std::str::from_utf8(&bytes[..head_len - 4]).expect("heads are text").to_owned();
        assert!(head.starts_with("HTTP/1.1 "), "no status line: {head:?}");
        let status = head[9..12].parse().expect("a status of three digits");
        let mut received = Self { status, head, content: Vec::new(), trailers: String::new() };
        let rest = &bytes[head_len..];
        let has_none = asked == Asked::Head || status < 200 || status == 204 || status == 304;
        let used = if has_none {
            0
        } else if received.field("Transfer-Encoding") == Some("chunked") {
            received.read_chunks(rest)?
        } else if let Some(length) = received.field("Content-Length") {
            let length = length.parse().expect("a length in digits");
            received.content = rest.get(..length)?.to_vec();
            length
        } else if ended {
            received.content = rest.to_vec();
            rest.len()
        } else {
            return None;
        };
        Some((received, head_len + used))
    }

    fn read_chunks(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            let line_len = find(&bytes[at..], b"\r\n")?;
            let line = std::str::from_utf8(&bytes[at..at + line_len]).expect("a chunk size");
            let size = usize::from_str_radix(line, 16).expect("a chunk size in hex");
            at += line_len + 2;
            if size == 0 {
                break;
            }
            self.content.extend_from_slice(bytes.get(at..at + size)?);
            assert_eq!(bytes.get(at + size..at + size + 2)?, b"\r\n", "the end of a chunk");
            at += size + 2;
        }
        let end = if bytes.get(at..at + 2)? == b"\r\n" {
            0
        } else {
            find(&bytes[at..], b"\r\n\r\n")? + 2
        };
        self.trailers = String::from_utf8(bytes[at..at + end].to_vec()).expect("trailers are text");
        Some(at + end + 2)
    }

    /// The value of the first field line of this name.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields(name).into_iter().next()
    }

    /// The values of all field lines of this name.
    pub(crate) fn fields(&self, name: &str) -> Vec<&str> {
        let lines = self.head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
        let named = lines.filter(|(other, _)| other.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.trim()).collect()
    }

    /// The content as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.content).expect("the content is text")
    }

    /// Whether the server says that it will close the connection.
    pub(crate) fn closes(&self) -> bool {
        self.field("Connection").is_some_and(|value| value.contains("close"))
    }
}

/// All responses in a stream that has ended; panics when it ends within one.
pub(crate) fn responses(mut bytes: &[u8]) -> Vec<Received> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let parsed = Received::parse(bytes, Asked::Other, true);
        let (received, used) = parsed.expect("the stream ends with a whole response");
        all.push(received);
        bytes = &bytes[used..];
    }
    all
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
