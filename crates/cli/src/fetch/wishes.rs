//! Lines of -H that are about the message itself, and what they ask for.
//!
//! The connection writes such fields, so that two that disagree can never leave. What a line says is
//! done, or refused where that cannot be.

use avocet::client::{Content, Request};
use avocet::wire::FieldBuf;
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HeaderName, TRANSFER_ENCODING};

use super::args::Fetch;
use super::given::lines;
use crate::failure::Failure;

/// What is asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wishes {
    close: bool,
    chunked: bool,
    length: Option<u64>,
    expect: Option<bool>,
}

impl Wishes {
    /// Whether fields of this name are written by the connection.
    pub(super) fn are_about(name: &HeaderName) -> bool {
        [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, EXPECT].contains(name)
    }

    /// Reads the lines of -H.
    ///
    /// *Errors*: what cannot be done.
    pub(super) fn of(options: &Fetch) -> Result<Self, Failure> {
        let mut wishes = Self::default();
        for line in lines(&options.header)? {
            wishes.take(&line)?;
        }
        Ok(wishes)
    }

    fn take(&mut self, line: &str) -> Result<(), Failure> {
        let Some((name, value)) = line.split_once(':') else { return Ok(()) };
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { return Ok(()) };
        let value = value.trim().to_ascii_lowercase();
        let cannot = || {
            let message = format!("`{line}`: the connection writes this field, and not so");
            Failure::usage(message)
        };
        match (name, &*value) {
            (CONNECTION, "close") => self.close = true,
            (CONNECTION, "keep-alive" | "") => {}
            (CONTENT_LENGTH, "") | (TRANSFER_ENCODING, "") => {}
            (CONTENT_LENGTH, length) => {
                self.length = Some(length.parse().map_err(|_| cannot())?);
            }
            (TRANSFER_ENCODING, "chunked") => self.chunked = true,
            (EXPECT, "") => self.expect = Some(false),
            (EXPECT, "100-continue") => self.expect = Some(true),
            (CONNECTION | TRANSFER_ENCODING | EXPECT, _) => return Err(cannot()),
            _ => {}
        }
        Ok(())
    }

    /// Lets a request be sent as it was asked for.
    ///
    /// *Errors*: another length than that of the content.
    pub(super) fn apply(
        &self,
        request: &mut Request,
        content: Content,
    ) -> Result<Content, Failure> {
        request.options_mut().close = self.close;
        request.options_mut().expect_continue = self.expect;
        let size = content.size();
        if let Some(length) = self.length.filter(|length| !self.chunked && size != Some(*length)) {
            let has =
                size.map_or_else(|| "no known length".to_owned(), |size| format!("{size} bytes"));
            let message = format!("`Content-Length: {length}`: the content has {has}");
            return Err(Failure::usage(message));
        }
        // Without a size it goes in chunks.
        Ok(match content {
            Content::Bytes(bytes) if self.chunked => Content::Reader {
                size: None,
                reader: Box::new(std::io::Cursor::new(bytes)),
                trailers: FieldBuf::new(),
            },
            Content::File(range) if self.chunked => {
                let file = range.file.try_clone().map_err(Failure::failed)?;
                Content::Reader { size: None, reader: Box::new(file), trailers: FieldBuf::new() }
            }
            Content::Reader { reader, trailers, .. } if self.chunked => {
                Content::Reader { size: None, reader, trailers }
            }
            Content::Parts(_) if self.chunked => {
                let message = "a form goes with its length, not in chunks";
                return Err(Failure::usage(message));
            }
            content => content,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_done_and_what_cannot() {
        let mut wishes = Wishes::default();
        for line in ["connection: Close", "Transfer-Encoding:chunked", "Expect:", "X: close"] {
            wishes.take(line).unwrap();
        }
        let expected = Wishes { close: true, chunked: true, length: None, expect: Some(false) };
        assert_eq!(wishes, expected);
        for line in
            ["Connection: upgrade", "Transfer-Encoding: gzip", "Content-Length: x", "Expect: y"]
        {
            assert!(wishes.take(line).is_err(), "{line}");
        }
    }
}
