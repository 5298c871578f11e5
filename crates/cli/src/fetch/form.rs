//! `-F`: the parts of a form, as multipart/form-data (RFC 7578).

mod part;

use std::collections::hash_map::RandomState;
use std::fs::File;
use std::hash::BuildHasher;
use std::io::Read;
use std::sync::Arc;

use self::part::{Body, Part, Source};
use super::args::{Placed, Sent};
use super::given::{self, Piece};
use crate::failure::Failure;

/// Puts the parts together: their bytes and the media type of all, which names the boundary. Every file
/// is opened now, before any connection is made.
///
/// *Errors*: parts that cannot be understood, files that cannot be read.
pub(super) fn form(sent: &Sent) -> Result<(Vec<Piece>, String), Failure> {
    let mut all: Vec<(&Placed, bool)> = sent.form.iter().map(|part| (part, false)).collect();
    all.extend(sent.form_string.iter().map(|part| (part, true)));
    all.sort_by_key(|(part, _)| part.place);
    let parse = |(part, literal): (&Placed, bool)| match literal {
        true => Part::literal(&part.value),
        false => Part::parse(&part.value),
    };
    let parts = all.into_iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let boundary = boundary();
    let escape = if sent.form_escape { Escape::Backslash } else { Escape::Percent };
    let mut writing = Writing { escape, bytes: Vec::new(), pieces: Vec::new() };
    writing.parts(&parts, &boundary, "form-data")?;
    Ok((writing.end(), format!("multipart/form-data; boundary={boundary}")))
}

/// How a quote in a name is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escape {
    /// As browsers write it; a line end, too.
    Percent,
    /// As mail has it.
    Backslash,
}

/// The bytes of a form while they are put together.
struct Writing {
    escape: Escape,
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
}

impl Writing {
    fn parts(&mut self, parts: &[Part], boundary: &str, kind: &str) -> Result<(), Failure> {
        for part in parts {
            self.part(part, boundary, kind)?;
        }
        self.text(&format!("--{boundary}--\r\n"));
        Ok(())
    }

    fn part(&mut self, part: &Part, boundary: &str, kind: &str) -> Result<(), Failure> {
        self.text(&format!("--{boundary}\r\nContent-Disposition: {kind}"));
        for (attribute, name) in [("name", &part.name), ("filename", &part.file_name)] {
            if let Some(name) = name {
                let name = self.quoted(name)?;
                self.text(&format!("; {attribute}=\"{name}\""));
            }
        }
        let inner = matches!(part.body, Body::Files(_)).then(self::boundary);
        match (part.media_type(), &inner) {
            (Some(media_type), Some(inner)) => {
                self.text(&format!("\r\nContent-Type: {media_type}; boundary={inner}"));
            }
            (Some(media_type), None) => self.text(&format!("\r\nContent-Type: {media_type}")),
            (None, _) => {}
        }
        for line in &part.fields {
            self.text(&format!("\r\n{line}"));
        }
        self.text("\r\n\r\n");
        match &part.body {
            Body::Text(text) => self.text(text),
            Body::File(source) => self.file(source)?,
            Body::Files(files) => {
                self.parts(files, inner.as_deref().unwrap_or_default(), "attachment")?;
            }
        }
        self.text("\r\n");
        Ok(())
    }

    /// What is small is read at once; what is large is read while it is sent.
    fn file(&mut self, Source { path }: &Source) -> Result<(), Failure> {
        if path == "-" {
            self.bytes.extend_from_slice(&given::read(path)?);
            return Ok(());
        }
        let failed = |error: std::io::Error| {
            Failure::with_status(26, format_args!("cannot read {path}: {error}"))
        };
        let mut file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_file() && metadata.len() > KEPT {
            self.cut();
            self.pieces.push(Piece::File(Arc::new(file), metadata.len()));
            return Ok(());
        }
        file.read_to_end(&mut self.bytes).map_err(failed)?;
        Ok(())
    }

    fn text(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn cut(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        self.pieces.push(Piece::Bytes(bytes.into()));
    }

    fn end(mut self) -> Vec<Piece> {
        self.cut();
        self.pieces
    }

    /// *Errors*: a line end that cannot be written.
    fn quoted(&self, name: &str) -> Result<String, Failure> {
        match self.escape {
            Escape::Percent => {
                Ok(name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A"))
            }
            Escape::Backslash if name.contains(['\r', '\n']) => {
                Err(Failure::usage("with --form-escape no name can have a line end in it"))
            }
            Escape::Backslash => Ok(name.replace('\\', "\\\\").replace('"', "\\\"")),
        }
    }
}

/// 128 bits at random, so that no content holds them.
fn boundary() -> String {
    let random = || RandomState::new().hash_one(0);
    format!("------------------------{:016x}{:016x}", random(), random())
}

/// Files up to this many bytes are kept in memory.
const KEPT: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn written(part: &str, escape: Escape) -> Result<String, Failure> {
        let mut writing = Writing { escape, bytes: Vec::new(), pieces: Vec::new() };
        writing.part(&Part::parse(part)?, "B", "form-data")?;
        Ok(String::from_utf8(writing.bytes).unwrap())
    }

    #[test]
    fn names_cannot_leave_their_quotes() {
        let part = "a\"\r\nX: y=@/dev/null;filename=q\".txt";
        let expected = "--B\r\nContent-Disposition: form-data; name=\"a%22%0D%0AX: y\"; \
                        filename=\"q%22.txt\"\r\nContent-Type: text/plain\r\n\r\n\r\n";
        assert_eq!(written(part, Escape::Percent).unwrap(), expected);
        assert!(written(part, Escape::Backslash).is_err());
        let text = written("a\"b\\=v", Escape::Backslash).unwrap();
        assert!(text.contains("name=\"a\\\"b\\\\\"\r\n\r\nv\r\n"), "{text}");
        assert!(written("a=@/no/such/file", Escape::Percent).is_err());
    }
}
