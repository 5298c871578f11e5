//! One part of a form as it stands on the command line.

use std::path::Path;

use crate::failure::Failure;
use crate::fetch::given;

/// A part.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    /// `None` within another part.
    pub(super) name: Option<String>,
    pub(super) file_name: Option<String>,
    media_type: Option<String>,
    /// Further fields, line by line.
    pub(super) fields: Vec<String>,
    pub(super) body: Body,
}

/// What is in a part.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body {
    Text(String),
    File(Source),
    /// Several files under one name.
    Files(Vec<Part>),
}

/// A file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// `-` for standard input.
    pub(super) path: String,
}

impl Part {
    /// `name=value`, `name=@FILE[,FILE]...` or `name=<FILE`, each with attributes behind it.
    ///
    /// *Errors*: no name, an attribute that makes no sense, a file of fields that cannot be read.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let (name, rest) = split(text)?;
        let mut reading = Reading { rest: rest.trim_start(), end: None };
        let mut part = if let Some(files) = rest.strip_prefix('@') {
            Self::files(files)?
        } else if let Some(file) = rest.strip_prefix('<') {
            reading.rest = file.trim_start();
            let (path, attributes) = reading.all()?;
            if attributes.file_name.is_some() {
                let message = format!("`{text}`: what `<` reads has no name of a file");
                return Err(Failure::usage(message));
            }
            attributes.part(Body::File(Source { path }))
        } else {
            let (value, attributes) = reading.all()?;
            attributes.part(Body::Text(value))
        };
        part.name = Some(name.to_owned());
        Ok(part)
    }

    /// `name=value` with nothing special about the value.
    ///
    /// *Errors*: no name.
    pub(super) fn literal(text: &str) -> Result<Self, Failure> {
        let (name, value) = split(text)?;
        Ok(Self { name: Some(name.to_owned()), body: Body::Text(value.into()), ..Self::default() })
    }

    /// The media type: the one that was given, or one that the name of the file tells.
    pub(super) fn media_type(&self) -> Option<&str> {
        if let Some(given) = &self.media_type {
            return Some(given);
        }
        let name = self.file_name.as_deref();
        match &self.body {
            Body::Files(_) => Some("multipart/mixed"),
            Body::Text(_) => by_ending(name?),
            // What comes from standard input has a name that tells nothing.
            Body::File(source) if source.path == "-" => by_ending(name?),
            Body::File(source) => {
                let known = name.and_then(by_ending).or_else(|| by_ending(&source.path));
                match name {
                    Some(_) => known.or(Some("application/octet-stream")),
                    None => known.filter(|known| *known != "text/plain"),
                }
            }
        }
    }

    /// One file, or several that are parts of their own within this one.
    fn files(text: &str) -> Result<Self, Failure> {
        let mut reading = Reading { rest: text, end: Some(',') };
        let mut files = Vec::new();
        loop {
            reading.rest = reading.rest.trim_start();
            let (path, mut attributes) = reading.all()?;
            let last = Path::new(&path).file_name().map(|name| name.to_string_lossy().into_owned());
            attributes.file_name = attributes.file_name.or(last).or_else(|| Some(path.clone()));
            files.push(attributes.part(Body::File(Source { path })));
            match reading.rest.strip_prefix(',') {
                Some(rest) => reading.rest = rest,
                None if files.len() == 1 => return Ok(files.remove(0)),
                None => return Ok(Self { body: Body::Files(files), ..Self::default() }),
            }
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

#[derive(Default)]
struct Attributes {
    file_name: Option<String>,
    media_type: Option<String>,
    fields: Vec<String>,
}

impl Attributes {
    fn part(self, body: Body) -> Part {
        let Self { file_name, media_type, fields } = self;
        Part { name: None, file_name, media_type, fields, body }
    }
}

/// A value while it is read.
struct Reading<'a> {
    rest: &'a str,
    /// What else than a semicolon ends a word.
    end: Option<char>,
}

impl<'a> Reading<'a> {
    /// A value and its attributes, up to the end or to what ends it.
    fn all(&mut self) -> Result<(String, Attributes), Failure> {
        let (mut value, quoted) = self.word();
        let mut attributes = Attributes::default();
        let mut any = false;
        while let Some(rest) = self.rest.strip_prefix(';') {
            let start = rest.trim_start();
            let known = ATTRIBUTES.iter().find(|name| {
                start.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
            });
            let Some(known) = known else {
                if quoted || any {
                    let unknown = start.split(';').next().unwrap_or_default();
                    let message = format!("`{unknown}` is no attribute of a part of a form");
                    return Err(Failure::usage(message));
                }
                // A semicolon that nothing known follows belongs to the value.
                let length = self.plain_length(rest);
                value.push(';');
                value.push_str(&rest[..length]);
                self.rest = &rest[length..];
                continue;
            };
            any = true;
            self.rest = start[known.len()..].trim_start();
            match *known {
                "type=" => attributes.media_type = Some(self.media_type()?),
                "filename=" => attributes.file_name = Some(one_line(self.trimmed_word())?),
                "headers=" => attributes.fields.extend(self.fields()?),
                _ => return Err(Failure::usage("encoder= is for mail, not for forms of pages")),
            }
        }
        let value = if quoted { value } else { value.trim_end().to_owned() };
        Ok((value, attributes))
    }

    /// Up to what ends it; in quotes those are letters like others, and `\"` and `\\` stand for what
    /// follows the backslash. Whether it was in quotes.
    fn word(&mut self) -> (String, bool) {
        if let Some((word, rest)) = self.quoted() {
            self.rest = rest;
            return (word, true);
        }
        let (word, rest) = self.rest.split_at(self.plain_length(self.rest));
        self.rest = rest;
        (word.to_owned(), false)
    }

    fn trimmed_word(&mut self) -> String {
        match self.word() {
            (word, true) => word,
            (word, false) => word.trim_end().to_owned(),
        }
    }

    fn plain_length(&self, text: &str) -> usize {
        text.find(|c| c == ';' || Some(c) == self.end).unwrap_or(text.len())
    }

    /// A word in quotes that are closed and that nothing follows but what ends it.
    fn quoted(&self) -> Option<(String, &'a str)> {
        let inside = self.rest.strip_prefix('"')?;
        let mut word = String::new();
        let mut letters = inside.char_indices().peekable();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    let rest = inside[at + 1..].trim_start();
                    let ends = rest.is_empty() || rest.starts_with(';');
                    return (ends || self.end.is_some_and(|end| rest.starts_with(end)))
                        .then_some((word, rest));
                }
                '\\' if letters.peek().is_some_and(|(_, next)| matches!(next, '"' | '\\')) => {
                    word.extend(letters.next().map(|(_, escaped)| escaped));
                }
                _ => word.push(letter),
            }
        }
        None
    }

    /// A media type with its parameters, which are parted by semicolons too.
    fn media_type(&mut self) -> Result<String, Failure> {
        let mut length = self.plain_length(self.rest);
        while let Some(rest) = self.rest[length..].strip_prefix(';') {
            let start = rest.trim_start();
            if ATTRIBUTES[1..].iter().any(|name| start.starts_with(name)) {
                break;
            }
            length += 1 + self.plain_length(rest);
        }
        let (media_type, rest) = self.rest.split_at(length);
        self.rest = rest;
        let media_type = one_line(media_type.trim_end().to_owned())?;
        let whole = media_type.split_once('/').is_some_and(|(kind, rest)| {
            !kind.is_empty() && !rest.is_empty() && !kind.contains(' ')
        });
        if whole {
            Ok(media_type)
        } else {
            Err(Failure::usage(format_args!("`{media_type}` is no media type")))
        }
    }

    /// One field, or with `@` or `<` those on the lines of a file.
    fn fields(&mut self) -> Result<Vec<String>, Failure> {
        let Some(rest) = self.rest.strip_prefix(['@', '<']) else {
            return Ok(vec![field(self.trimmed_word())?]);
        };
        self.rest = rest.trim_start();
        let bytes = given::read(&self.trimmed_word())?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let lines = text.lines().map(str::trim_end);
        lines
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(|line| field(line.to_owned()))
            .collect()
    }
}

fn split(text: &str) -> Result<(&str, &str), Failure> {
    text.split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| Failure::usage(format_args!("`{text}` is no part: use NAME=VALUE")))
}

fn field(line: String) -> Result<String, Failure> {
    match line.split_once(':') {
        Some((name, _)) if !name.trim().is_empty() => one_line(line),
        _ => Err(Failure::usage(format_args!("`{line}` is no field of a part: use NAME: VALUE"))),
    }
}

fn one_line(text: String) -> Result<String, Failure> {
    if text.contains(['\r', '\n', '\0']) {
        return Err(Failure::usage("a line end in an attribute of a part of a form"));
    }
    Ok(text)
}

/// The media types that matter for forms; a server looks for itself.
fn by_ending(name: &str) -> Option<&'static str> {
    let ending = name.rsplit_once('.')?.1.to_ascii_lowercase();
    Some(match &*ending {
        "gif" => "image/gif",
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain",
        "htm" | "html" => "text/html",
        "pdf" => "application/pdf",
        "xml" => "application/xml",
        _ => return None,
    })
}

const ATTRIBUTES: [&str; 4] = ["type=", "filename=", "headers=", "encoder="];

#[cfg(test)]
mod tests {
    use super::*;

    fn part(text: &str) -> Part {
        Part::parse(text).unwrap_or_else(|failure| panic!("{text}: {failure}"))
    }

    fn text(text: &str) -> Body {
        Body::Text(text.to_owned())
    }

    fn file(path: &str) -> Body {
        Body::File(Source { path: path.to_owned() })
    }

    #[test]
    fn values_as_curl_reads_them_and_none_cut_off() {
        for (given, expected) in [
            ("x=a=b", "a=b"),
            ("x= v ", "v"),
            ("x=\"a;b\"", "a;b"),
            ("x=\" a\\\"b\\\\c\\d \" ;type=a/b", " a\"b\\c\\d "),
            ("x=\"ab", "\"ab"),
            ("x=\"ab\" cd", "\"ab\" cd"),
            ("x=a;b", "a;b"),
            ("x=a; b;type=text/x", "a; b"),
            ("x=a,b", "a,b"),
            ("x=(v)", "(v)"),
            ("x=", ""),
        ] {
            assert_eq!(part(given).body, text(expected), "{given}");
        }
        assert_eq!(Part::literal("x=@\"a\";type=b").unwrap().body, text("@\"a\";type=b"));
    }

    #[test]
    fn attributes_belong_to_what_stands_before_them() {
        let got = part("x=v;type=text/plain; charset=utf-8;filename=\"a;b.gif\"");
        assert_eq!(got.media_type(), Some("text/plain; charset=utf-8"));
        assert_eq!(got.file_name.as_deref(), Some("a;b.gif"));
        assert_eq!(part("x=v;filename=y.pdf").media_type(), Some("application/pdf"));
        assert_eq!(part("x=v;filename=y.zzz").media_type(), None);
        assert_eq!(part("x=v;HEADERS=\"X: a;b\"").fields, ["X: a;b"]);
        for wrong in [
            "novalue",
            "=v",
            "x=v;type=foo",
            "x=v;type=text/x\r\nY: z",
            "x=v;filename=a\nb",
            "x=v;headers=none",
            "x=v;encoder=base64",
            "x=\"v\";b",
            "x=v;type=a/b;filename=c;d",
            "x=<f;filename=g",
            "x=v;headers=@/no/such/file",
        ] {
            assert_eq!(Part::parse(wrong).err().map(|failure| failure.status() == 1), Some(false));
        }
    }

    #[test]
    fn files_have_names_and_several_are_parts_within_one() {
        let got = part("x=@ dir/a.txt ;type=image/gif");
        assert_eq!((&got.body, got.file_name.as_deref()), (&file("dir/a.txt"), Some("a.txt")));
        assert_eq!(got.media_type(), Some("image/gif"));
        assert_eq!(part("x=@\"c,d.bin\"").media_type(), Some("application/octet-stream"));
        assert_eq!(part("x=@a;b").body, file("a;b"));
        let got = part("x=@-");
        assert_eq!((got.file_name.as_deref(), got.media_type()), (Some("-"), None));
        assert_eq!(part("x=<b.html").media_type(), Some("text/html"));
        assert_eq!(part("x=<a.txt").media_type(), None);
        assert_eq!(part("x=<a.txt;type=text/plain").media_type(), Some("text/plain"));
        let got = part("x=@a.txt;type=image/gif,b.html;filename=z");
        let Body::Files(files) = &got.body else { panic!("{got:?}") };
        let types: Vec<_> = files.iter().map(|file| file.media_type().unwrap()).collect();
        assert_eq!(types, ["image/gif", "text/html"]);
        assert_eq!(files[1].file_name.as_deref(), Some("z"));
        assert_eq!((got.name.as_deref(), got.media_type()), (Some("x"), Some("multipart/mixed")));
    }
}
