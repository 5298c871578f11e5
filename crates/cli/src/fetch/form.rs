//! `-F`: the parts of a form, as multipart/form-data (RFC 7578).

use std::collections::hash_map::RandomState;
use std::fs::File;
use std::hash::BuildHasher;
use std::io::{self, Cursor, Read};
use std::path::Path;

use avocet::client::Content;
use avocet::wire::FieldBuf;

use super::args::Placed;
use crate::failure::Failure;

/// Puts the parts together: the content and its media type, which names the boundary. Every file is
/// opened now, before any connection is made.
///
/// *Errors*: parts that cannot be understood, files that cannot be read.
pub(super) fn form(parts: &[Placed], literal: &[Placed]) -> Result<(Content, String), Failure> {
    let mut all: Vec<(&Placed, bool)> = parts.iter().map(|part| (part, false)).collect();
    all.extend(literal.iter().map(|part| (part, true)));
    all.sort_by_key(|(part, _)| part.place);
    let parse = |(part, literal): (&Placed, bool)| match literal {
        true => Part::literal(&part.text),
        false => Part::parse(&part.text),
    };
    let parts = all.into_iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let boundary = boundary();
    let media_type = format!("multipart/form-data; boundary={boundary}");
    Ok((content(parts, &boundary)?, media_type))
}

struct Part {
    name: String,
    value: Value,
    file_name: Option<String>,
    media_type: Option<String>,
}

enum Value {
    Bytes(Vec<u8>),
    /// A file with its size.
    File(File, u64),
}

impl Part {
    /// `name=value`, `name=@FILE` or `name=<FILE`, followed by `;type=TYPE` and `;filename=NAME`.
    fn parse(text: &str) -> Result<Self, Failure> {
        let (name, rest) = split(text)?;
        let (rest, mut file_name, media_type) = attributes(rest);
        let value = match rest.strip_prefix(['@', '<']) {
            None => Value::Bytes(unquoted(rest).into_bytes()),
            Some(path) => {
                if rest.starts_with('@') && file_name.is_none() {
                    let last = Path::new(path).file_name().unwrap_or_default();
                    file_name = Some(last.to_string_lossy().into_owned());
                }
                Value::open(path)?
            }
        };
        for text in [&file_name, &media_type].into_iter().flatten() {
            if text.contains(['\r', '\n', '\0']) {
                return Err(Failure::usage("a line end in an attribute of a part"));
            }
        }
        Ok(Self { name: name.to_owned(), value, file_name, media_type })
    }

    fn literal(text: &str) -> Result<Self, Failure> {
        let (name, value) = split(text)?;
        let value = Value::Bytes(value.as_bytes().to_vec());
        Ok(Self { name: name.to_owned(), value, file_name: None, media_type: None })
    }

    fn head(&self, boundary: &str) -> String {
        let mut head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"",
            quoted(&self.name)
        );
        if let Some(name) = &self.file_name {
            head.push_str(&format!("; filename=\"{}\"", quoted(name)));
        }
        let media_type = match (&self.media_type, &self.file_name) {
            (Some(given), _) => Some(given.as_str()),
            (None, Some(name)) => Some(by_ending(name)),
            (None, None) => None,
        };
        if let Some(media_type) = media_type {
            head.push_str(&format!("\r\nContent-Type: {media_type}"));
        }
        head + "\r\n\r\n"
    }
}

impl Value {
    fn open(path: &str) -> Result<Self, Failure> {
        let failed = |error: io::Error| {
            Failure::with_status(26, format_args!("cannot read {path}: {error}"))
        };
        if path == "-" {
            let mut bytes = Vec::new();
            io::stdin().lock().read_to_end(&mut bytes).map_err(failed)?;
            return Ok(Self::Bytes(bytes));
        }
        let mut file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_file() && metadata.len() > KEPT {
            return Ok(Self::File(file, metadata.len()));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        Ok(Self::Bytes(bytes))
    }
}

/// Small forms are kept in memory, so that they can be sent again after a redirect; large files are
/// read while they are sent.
fn content(parts: Vec<Part>, boundary: &str) -> Result<Content, Failure> {
    let mut readers: Vec<Box<dyn Read + Send>> = Vec::new();
    let (mut bytes, mut size) = (Vec::new(), 0_u64);
    for part in parts {
        bytes.extend_from_slice(part.head(boundary).as_bytes());
        match part.value {
            Value::Bytes(value) => bytes.extend_from_slice(&value),
            Value::File(file, len) => {
                size += bytes.len() as u64 + len;
                readers.push(Box::new(Cursor::new(std::mem::take(&mut bytes))));
                readers.push(Box::new(file.take(len)));
            }
        }
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    if readers.is_empty() {
        return Ok(bytes.into());
    }
    size += bytes.len() as u64;
    readers.push(Box::new(Cursor::new(bytes)));
    let reader = readers.into_iter().reduce(|first, next| Box::new(first.chain(next)));
    let reader = reader.unwrap_or_else(|| Box::new(io::empty()));
    Ok(Content::Reader { size: Some(size), reader, trailers: FieldBuf::new() })
}

fn split(text: &str) -> Result<(&str, &str), Failure> {
    text.split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| Failure::usage(format_args!("`{text}` is no part: use NAME=VALUE")))
}

/// Takes the attributes off the end of a value. A semicolon before anything else belongs to the value.
fn attributes(mut text: &str) -> (&str, Option<String>, Option<String>) {
    let (mut file_name, mut media_type) = (None, None);
    while let Some((rest, last)) = text.rsplit_once(';') {
        match last.trim_start().split_once('=') {
            Some(("filename", value)) => file_name = Some(value.trim_matches('"').to_owned()),
            Some(("type", value)) => media_type = Some(value.to_owned()),
            _ => break,
        }
        text = rest;
    }
    (text, file_name, media_type)
}

/// A value in quotes may hold semicolons; `\"` and `\\` stand for what follows the backslash.
fn unquoted(text: &str) -> String {
    let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(inner) => inner.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => text.to_owned(),
    }
}

/// As browsers write names: a quote and line ends are percent-encoded.
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

/// The media types that matter for forms; a server looks for itself.
fn by_ending(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    match ending.as_deref() {
        Some("gif") => "image/gif",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("png") => "image/png",
        Some("svg") => "image/svg+xml",
        Some("txt") => "text/plain",
        Some("htm" | "html") => "text/html",
        Some("pdf") => "application/pdf",
        Some("xml") => "application/xml",
        _ => "application/octet-stream",
    }
}

/// 128 bits at random, so that no content holds them.
fn boundary() -> String {
    let random = || RandomState::new().hash_one(0);
    format!("------------------------{:016x}{:016x}", random(), random())
}

/// Files up to this many bytes are kept in memory.
const KEPT: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_taken_from_the_end() {
        let (text, name, kind) = attributes("@a;b;type=text/plain;filename=\"c.txt\"");
        assert_eq!(
            (text, name.as_deref(), kind.as_deref()),
            ("@a;b", Some("c.txt"), Some("text/plain"))
        );
        assert_eq!(attributes("a;b=c").0, "a;b=c");
    }

    #[test]
    fn names_cannot_leave_their_quotes() {
        let part = Part::parse("a\"\r\nX: y=@/dev/null;filename=q\".txt").unwrap();
        let head = part.head("B");
        assert_eq!(
            head,
            "--B\r\nContent-Disposition: form-data; name=\"a%22%0D%0AX: y\"; filename=\"q%22.txt\"\
             \r\nContent-Type: text/plain\r\n\r\n"
        );
        assert!(Part::parse("a=b;type=text/x\r\nY: z").is_err());
        assert_eq!(unquoted("\"a;\\\"b\\\"\""), "a;\"b\"");
        assert_eq!(unquoted("\""), "\"");
        assert!(Part::parse("novalue").is_err());
        assert!(Part::parse("a=@/no/such/file").is_err());
    }
}
