//! An answer, read as leniently as a probe must: it looks at what came, whatever that was.

use std::collections::BTreeMap;

/// An answer with a status line. Bytes beyond ASCII are question marks.
#[derive(Clone, Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    fields: BTreeMap<String, String>,
    /// What follows the first empty line, up to 4 KiB.
    pub(super) content: String,
    /// All of it, up to 8 KiB.
    pub(super) raw: String,
}

impl Response {
    /// `None` where nothing came or it does not start with a status line.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let text: String = bytes
            .iter()
            .map(|&byte| if byte.is_ascii() { char::from(byte) } else { '?' })
            .collect();
        let (status_line, rest) = text.split_once('\n')?;
        let status = status_line.trim_end_matches('\r').split(' ').nth(1)?;
        let status = status.trim().parse::<u16>().ok()?;
        let content = match text.split_once("\r\n\r\n") {
            Some((_, content)) => first(content, CONTENT_SEEN),
            None => String::new(),
        };
        Some(Self { status, fields: fields(rest), content, raw: first(&text, RAW_SEEN) })
    }

    /// The value of a field, several lines of it joined by a comma.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(&name.to_ascii_lowercase()).map(String::as_str)
    }

    /// The content without its chunks, or without line ends behind it.
    pub(super) fn decoded(&self) -> String {
        let coding = self.field("transfer-encoding").unwrap_or_default();
        let is_chunked = coding.to_ascii_lowercase().contains("chunked");
        let dechunked = if is_chunked { dechunk(&self.content) } else { None };
        dechunked.unwrap_or_else(|| self.content.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// How many status lines of HTTP/x.y stand in all that came, content included.
    pub(super) fn status_lines(&self) -> usize {
        self.raw.match_indices("HTTP/").filter(|(at, _)| is_version(&self.raw[at + 5..])).count()
    }
}

/// `1.1 200` and the like.
fn is_version(text: &str) -> bool {
    match text.as_bytes() {
        [major, b'.', minor, b' ', status @ ..] => {
            let three = status.get(..3).is_some_and(|digits| digits.iter().all(u8::is_ascii_digit));
            major.is_ascii_digit() && minor.is_ascii_digit() && three
        }
        _ => false,
    }
}

/// The lines up to the first empty one; a line without a name is passed over.
fn fields(text: &str) -> BTreeMap<String, String> {
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    for line in text.split('\n').map(|line| line.trim_end_matches('\r')) {
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(':').filter(|(name, _)| !name.is_empty()) else {
            continue;
        };
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        fields
            .entry(name)
            .and_modify(|known| {
                known.push_str(", ");
                known.push_str(value);
            })
            .or_insert_with(|| value.to_owned());
    }
    fields
}

/// The data of chunks; `None` where they break off or are none.
fn dechunk(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (line, after) = rest.split_once("\r\n")?;
        let size = line.split(';').next()?.trim();
        let is_size = (1..=8).contains(&size.len()) && size.bytes().all(|b| b.is_ascii_hexdigit());
        let size = usize::from_str_radix(size, 16).ok().filter(|_| is_size)?;
        if size == 0 {
            break;
        }
        out.push_str(after.get(..size)?);
        let after = &after[size..];
        rest = after.strip_prefix("\r\n").or_else(|| after.get(1..)).unwrap_or_default();
    }
    Some(out)
}

/// The text is ASCII, so every index is a boundary.
fn first(text: &str, len: usize) -> String {
    text[..text.len().min(len)].to_owned()
}

const CONTENT_SEEN: usize = 4_096;
const RAW_SEEN: usize = 8_192;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_in_parts() {
        let bytes = b"HTTP/1.1 200 OK\r\nA: 1\r\na:2\r\nTransfer-Encoding: chunked\r\n\r\n\
                      3\r\nabc\r\n0\r\n\r\nHTTP/1.1 400 Bad Request\r\n\r\n";
        let response = Response::read(bytes).unwrap();
        assert_eq!(response.status, 200);
        assert_eq!(response.field("A"), Some("1, 2"));
        assert_eq!(response.decoded(), "abc");
        assert_eq!(response.status_lines(), 2);
    }

    #[test]
    fn what_is_no_answer() {
        for bytes in [&b""[..], b"HTTP/1.1 200 OK", b"<html>\n", b"HTTP/1.1 abc\n"] {
            assert!(Response::read(bytes).is_none());
        }
        let bare = Response::read(b"HTTP/1.0 204\n").unwrap();
        assert_eq!((bare.status, bare.content.as_str()), (204, ""));
    }

    #[test]
    fn broken_chunks_are_shown_as_they_are() {
        let bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc\r\n";
        assert_eq!(Response::read(bytes).unwrap().decoded(), "9\r\nabc");
    }
}
