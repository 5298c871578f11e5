//! Forms with files in them: multipart/form-data (RFC 7578).

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::Path;

use avocet_wire::FieldBuf;

use crate::request::Content;

/// A form of several parts. Its content is streamed: files leave as they are and are read when they
/// are sent, and it can be sent again unless a part is a reader.
///
/// ```no_run
/// use avocet_client::{Client, Multipart};
///
/// let form = Multipart::new().text("title", "Lake").file("picture", "lake.jpg")?;
/// Client::new().post("http://localhost:8080/upload").multipart(form).send()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Multipart {
    boundary: String,
    parts: Vec<Part>,
}

/// A part of a form.
#[derive(Debug)]
pub struct Part {
    content: Content,
    file_name: Option<String>,
    media_type: Option<String>,
    fields: FieldBuf,
    name: String,
}

impl Multipart {
    /// An empty form with a boundary that nobody can foresee, so that no content can contain it on
    /// purpose.
    pub fn new() -> Self {
        let number = || RandomState::new().hash_one(0);
        Self { boundary: format!("avocet-{:016x}{:016x}", number(), number()), parts: Vec::new() }
    }

    /// The same with a value.
    #[must_use]
    pub fn text(self, name: &str, value: impl Into<String>) -> Self {
        self.part(Part::new(name, value.into()))
    }

    /// The same with a file under its own name; its type is guessed from the name.
    ///
    /// *Errors*: those of opening it. *Blocking*: opens the file.
    pub fn file(self, name: &str, path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let content = Content::file(File::open(path)?)?;
        let file_name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        Ok(self.part(Part::new(name, content).named(&file_name.unwrap_or_default())))
    }

    /// The same with any part.
    #[must_use]
    pub fn part(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    /// The value of Content-Type for this form.
    pub fn media_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }

    /// The form as content of a request.
    pub fn into_content(self) -> Content {
        let mut contents = Vec::with_capacity(2 * self.parts.len() + 1);
        let mut between = format!("--{}\r\n", self.boundary).into_bytes();
        for part in self.parts {
            part.write_head(&mut between);
            contents.push(Content::from(std::mem::take(&mut between)));
            contents.push(part.content);
            between.extend_from_slice(format!("\r\n--{}\r\n", self.boundary).as_bytes());
        }
        // The last delimiter ends otherwise.
        between.truncate(between.len() - 2);
        between.extend_from_slice(b"--\r\n");
        contents.push(Content::from(between));
        Content::Parts(contents)
    }
}

impl Default for Multipart {
    fn default() -> Self {
        Self::new()
    }
}

impl Part {
    /// A part with a name and any content.
    pub fn new(name: &str, content: impl Into<Content>) -> Self {
        let (content, fields) = (content.into(), FieldBuf::new());
        Self { name: name.to_owned(), content, file_name: None, media_type: None, fields }
    }

    /// The same as a file of this name; unless a type is given, it is guessed from it.
    #[must_use]
    pub fn named(mut self, file_name: &str) -> Self {
        self.file_name = Some(file_name.to_owned());
        self
    }

    /// The same with a media type. Control characters are left out of it.
    #[must_use]
    pub fn media_type(mut self, media_type: &str) -> Self {
        self.media_type = Some(media_type.chars().filter(|c| !c.is_control()).collect());
        self
    }

    /// The same with further fields.
    #[must_use]
    pub fn fields(mut self, fields: FieldBuf) -> Self {
        self.fields = fields;
        self
    }

    fn write_head(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"Content-Disposition: form-data; name=\"");
        escape(&self.name, out);
        out.push(b'"');
        if let Some(file_name) = &self.file_name {
            out.extend_from_slice(b"; filename=\"");
            escape(file_name, out);
            out.push(b'"');
        }
        out.extend_from_slice(b"\r\n");
        let guessed = self.file_name.as_deref().map(guess);
        if let Some(media_type) = self.media_type.as_deref().or(guessed) {
            out.extend_from_slice(format!("Content-Type: {media_type}\r\n").as_bytes());
        }
        out.extend_from_slice(self.fields.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
}

/// RFC 7578 §2 leaves to the writer how names are escaped; this is how browsers do (HTML standard,
/// multipart/form-data encoding algorithm).
fn escape(name: &str, out: &mut Vec<u8>) {
    for byte in name.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"%22"),
            b'\r' => out.extend_from_slice(b"%0D"),
            b'\n' => out.extend_from_slice(b"%0A"),
            byte => out.push(byte),
        }
    }
}

/// The type of a file that its name suggests.
fn guess(file_name: &str) -> &'static str {
    let extension = file_name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let known = TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(extension));
    known.map_or("application/octet-stream", |(_, media_type)| media_type)
}

const TYPES: [(&str, &str); 12] = [
    ("css", "text/css"),
    ("csv", "text/csv"),
    ("gif", "image/gif"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("json", "application/json"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("txt", "text/plain"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn written(content: &Content) -> String {
        match content {
            Content::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Content::Parts(parts) => parts.iter().map(written).collect(),
            other => format!("({other:?})"),
        }
    }

    #[test]
    fn parts_between_delimiters() {
        let mut form = Multipart::new();
        form.boundary = "b".to_owned();
        let form = form
            .text("a \"b\"\r\n", "1")
            .part(Part::new("f", "text").named("\u{e9}\".TXT"))
            .part(Part::new("g", vec![b'x']).named("g").media_type("image/x\r\nX: y"));
        assert_eq!(form.media_type(), "multipart/form-data; boundary=b");
        let content = form.into_content();
        assert_eq!(
            written(&content),
            "--b\r\nContent-Disposition: form-data; name=\"a %22b%22%0D%0A\"\r\n\r\n1\r\n\
             --b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"\u{e9}%22.TXT\"\r\n\
             Content-Type: text/plain\r\n\r\ntext\r\n\
             --b\r\nContent-Disposition: form-data; name=\"g\"; filename=\"g\"\r\n\
             Content-Type: image/xX: y\r\n\r\nx\r\n--b--\r\n"
        );
        assert_eq!(content.size(), Some(written(&content).len() as u64));
        assert!(content.is_repeatable());
    }

    #[test]
    fn a_form_without_parts_is_its_end_and_boundaries_differ() {
        let mut form = Multipart::new();
        assert_ne!(form.boundary, Multipart::new().boundary);
        form.boundary = "b".to_owned();
        assert_eq!(written(&form.into_content()), "--b--\r\n");
        assert!(Multipart::new().file("f", "/nonexistent/file").is_err());
    }
}
