//! The content of a request from the options that give it.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use avocet::client::Content;
use avocet::wire::FieldBuf;

use super::args::Fetch;
use super::form;
use crate::failure::Failure;

/// Content, and the media type it has unless the user says another.
pub(crate) struct Given {
    pub(crate) content: Content,
    pub(crate) media_type: Option<Cow<'static, str>>,
    /// What -G puts into the query.
    pub(crate) query: Option<String>,
}

/// Puts the content together; files are read before any connection is made.
pub(crate) fn given(options: &Fetch) -> Result<Given, Failure> {
    if let Some(path) = &options.upload_file {
        return Ok(Given { content: upload(path)?, media_type: None, query: None });
    }
    if !options.json.is_empty() {
        let mut text = Vec::new();
        for part in &options.json {
            text.extend_from_slice(&plain(part, Lines::Kept)?);
        }
        return Ok(Given { content: text.into(), media_type: Some(JSON.into()), query: None });
    }
    if !options.form.is_empty() || !options.form_string.is_empty() {
        let (content, media_type) = form::form(&options.form, &options.form_string)?;
        return Ok(Given { content, media_type: Some(media_type.into()), query: None });
    }
    let form = urlencoded(options)?;
    if !form.is_given {
        return Ok(Given { content: Content::Empty, media_type: None, query: None });
    }
    if options.get {
        let query = String::from_utf8(form.bytes)
            .map_err(|_| Failure::usage("the data for the query is not text"))?;
        return Ok(Given { content: Content::Empty, media_type: None, query: Some(query) });
    }
    Ok(Given { content: form.bytes.into(), media_type: Some(FORM.into()), query: None })
}

struct Urlencoded {
    bytes: Vec<u8>,
    is_given: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lines {
    Kept,
    Joined,
}

/// The pieces in the order in which they were given, joined by `&`.
fn urlencoded(options: &Fetch) -> Result<Urlencoded, Failure> {
    let mut pieces = Vec::new();
    for data in &options.data {
        pieces.push((data.place, plain(&data.text, Lines::Joined)?));
    }
    for data in &options.data_raw {
        pieces.push((data.place, data.text.clone().into_bytes()));
    }
    for data in &options.data_binary {
        pieces.push((data.place, plain(&data.text, Lines::Kept)?));
    }
    for data in &options.data_urlencode {
        pieces.push((data.place, encoded(&data.text)?));
    }
    pieces.sort_by_key(|(place, _)| *place);
    let pieces: Vec<Vec<u8>> = pieces.into_iter().map(|(_, piece)| piece).collect();
    Ok(Urlencoded { is_given: !pieces.is_empty(), bytes: pieces.join(&b'&') })
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

pub(super) fn read(path: &str) -> Result<Vec<u8>, Failure> {
    let read = if path == "-" {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    read.map_err(|error| Failure::with_status(26, format_args!("cannot read {path}: {error}")))
}

fn upload(path: &Path) -> Result<Content, Failure> {
    if path == Path::new("-") {
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
