//! The content of a request from the options that give it.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use avocet::client::Content;
use avocet::net::FileRange;
use avocet::wire::FieldBuf;

use super::args::Fetch;
use super::form;
use super::given::{Piece, read};
use crate::failure::Failure;

/// What is sent to each URL of a call, put together once: files are read or opened before any
/// connection is made, and standard input has its bytes for every URL.
pub(crate) struct Prepared {
    pieces: Vec<Piece>,
    /// The media type it has unless the user says another.
    pub(crate) media_type: Option<Cow<'static, str>>,
    /// What goes into the query.
    pub(crate) query: Option<String>,
}

impl Prepared {
    /// *Errors*: files that cannot be read, parts of forms that cannot be understood.
    pub(crate) fn new(options: &Fetch) -> Result<Self, Failure> {
        let sent = &options.sent;
        let mut query = Vec::new();
        let mut prepared = Self { pieces: Vec::new(), media_type: None, query: None };
        if !sent.json.is_empty() {
            let mut text = Vec::new();
            for part in &sent.json {
                text.extend_from_slice(&plain(part, Lines::Kept)?);
            }
            prepared.pieces.push(Piece::Bytes(text.into()));
            prepared.media_type = Some(JSON.into());
        } else if !sent.form.is_empty() || !sent.form_string.is_empty() {
            let (pieces, media_type) = form::form(sent)?;
            (prepared.pieces, prepared.media_type) = (pieces, Some(media_type.into()));
        } else if let Some(bytes) = urlencoded(options)? {
            if sent.get {
                query.push(bytes);
            } else {
                prepared.pieces.push(Piece::Bytes(bytes.into()));
                prepared.media_type = Some(FORM.into());
            }
        }
        for data in &sent.url_query {
            query.push(match data.strip_prefix('+') {
                Some(plain) => plain.as_bytes().to_vec(),
                None => encoded(data)?,
            });
        }
        if !query.is_empty() {
            let query = String::from_utf8(query.join(&b'&'));
            let query = query.map_err(|_| Failure::usage("the data for the query is not text"))?;
            prepared.query = Some(query);
        }
        Ok(prepared)
    }

    /// The content once more.
    pub(crate) fn content(&self) -> Content {
        let content = |piece: &Piece| match piece {
            Piece::Bytes(bytes) => Content::from(bytes.clone()),
            Piece::File(file, len) => {
                Content::File(FileRange { file: Arc::clone(file), offset: 0, len: *len })
            }
        };
        match &*self.pieces {
            [] => Content::Empty,
            [piece] => content(piece),
            pieces => Content::Parts(pieces.iter().map(content).collect()),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lines {
    Kept,
    Joined,
}

/// The pieces in the order in which they were given, joined by `&`; `None` if there are none.
fn urlencoded(options: &Fetch) -> Result<Option<Vec<u8>>, Failure> {
    let sent = &options.sent;
    let mut pieces = Vec::new();
    for data in &sent.data {
        pieces.push((data.place, plain(&data.value, Lines::Joined)?));
    }
    for data in &sent.data_raw {
        pieces.push((data.place, data.value.clone().into_bytes()));
    }
    for data in &sent.data_binary {
        pieces.push((data.place, plain(&data.value, Lines::Kept)?));
    }
    for data in &sent.data_urlencode {
        pieces.push((data.place, encoded(&data.value)?));
    }
    pieces.sort_by_key(|(place, _)| *place);
    let pieces: Vec<Vec<u8>> = pieces.into_iter().map(|(_, piece)| piece).collect();
    Ok((!pieces.is_empty()).then(|| pieces.join(&b'&')))
}

fn plain(data: &str, lines: Lines) -> Result<Vec<u8>, Failure> {
    let Some(path) = data.strip_prefix('@') else { return Ok(data.as_bytes().to_vec()) };
    let mut bytes = read(path)?;
    if lines == Lines::Joined {
        bytes.retain(|byte| !matches!(byte, b'\r' | b'\n' | 0));
    }
    Ok(bytes)
}

/// `text`, `=text`, `name=text`, `@file` or `name@file`; only the text is encoded.
fn encoded(data: &str) -> Result<Vec<u8>, Failure> {
    let (name, text) = match data.find(['=', '@']) {
        None => ("", data.as_bytes().to_vec()),
        Some(at) if data.as_bytes()[at] == b'=' => (&data[..at], data[at + 1..].into()),
        Some(at) => (&data[..at], read(&data[at + 1..])?),
    };
    let mut encoded = Vec::new();
    if !name.is_empty() {
        encoded.extend_from_slice(name.as_bytes());
        encoded.push(b'=');
    }
    for byte in text {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(byte);
            }
            _ => encoded.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    Ok(encoded)
}

/// The content of a file that is sent by itself.
///
/// *Errors*: it cannot be read.
pub(crate) fn upload(path: &Path) -> Result<Content, Failure> {
    // curl reads standard input for a dot, too, and only waits for it in another way.
    if path == Path::new("-") || path == Path::new(".") {
        let reader = Box::new(io::stdin());
        return Ok(Content::Reader { size: None, reader, trailers: FieldBuf::new() });
    }
    let failed = |error: io::Error| {
        Failure::with_status(26, format_args!("cannot read {}: {error}", path.display()))
    };
    let file = File::open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        let reader = Box::new(file);
        return Ok(Content::Reader { size: None, reader, trailers: FieldBuf::new() });
    }
    Content::file(file).map_err(failed)
}

const FORM: &str = "application/x-www-form-urlencoded";
pub(crate) const JSON: &str = "application/json";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_encoded_where_that_is_asked_for() {
        assert_eq!(encoded("q=a b&c").unwrap(), b"q=a%20b%26c");
        assert_eq!(encoded("a+b").unwrap(), b"a%2Bb");
        assert_eq!(encoded("=\u{e9}").unwrap(), b"%C3%A9");
        assert!(encoded("x@/no/such/file").is_err());
    }
}
