//! One form of a file that can be sent: its bytes and the fields that tell of them.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::SystemTime;

use avocet_net::FileRange;
use avocet_server::Body;
use avocet_wire::{FieldBuf, InvalidField};
use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, LAST_MODIFIED, VARY,
};
use rustix::io::Errno;

use crate::cache::Weight;
use crate::dictionaries::USE_AS_DICTIONARY;
use crate::metadata::Metadata;
use crate::pieces::Pieces;
use crate::validators::Stamp;

/// A form of a file, ready to be sent any number of times.
#[derive(Debug)]
pub(crate) struct Representation {
    /// The state of the file that the bytes are in.
    pub(crate) metadata: Metadata,
    pub(crate) content: Content,
    pub(crate) about: About,
}

/// Where the bytes are.
#[derive(Debug)]
pub(crate) enum Content {
    /// Here, all of them.
    Memory(Bytes),
    /// In the file: as many as its size was when it was opened, or those of something within it.
    File(FileRange),
}

/// What a response says of its content.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) stamp: Stamp,
    /// Content-Type; parts of a response in several ranges repeat it.
    pub(crate) media_type: String,
    /// The fields of a response with content.
    pub(crate) fields: FieldBuf,
    /// The fields of a 304: those that a cache must know, and no others (RFC 9110 §15.4.5).
    pub(crate) unchanged: FieldBuf,
}

/// What the fields of a representation are made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Described<'a> {
    pub(crate) media_type: &'a str,
    pub(crate) coding: Option<&'a str>,
    /// Whether ranges of it are given.
    pub(crate) has_ranges: bool,
    /// Whether another client could get another coding.
    pub(crate) varies: bool,
    pub(crate) cache_control: Option<&'a str>,
    /// The value of Use-As-Dictionary.
    pub(crate) as_dictionary: Option<&'a str>,
    /// Fields that every response has.
    pub(crate) extra: &'a FieldBuf,
}

impl Representation {
    /// Takes a file that was opened, and its content when it is small.
    ///
    /// *Errors*: of the system; the file is read.
    pub(crate) fn load(
        file: OwnedFd,
        metadata: Metadata,
        described: &Described<'_>,
    ) -> Result<Self, LoadError> {
        let file = File::from(file);
        let (metadata, now, content) = take(file, metadata)?;
        let about = About::new(Stamp::new(&metadata, now), described)?;
        Ok(Self { metadata, content, about })
    }

    /// All of it as the content of a response.
    pub(crate) fn body(&self) -> Body {
        match &self.content {
            Content::Memory(bytes) => Body::Shared(bytes.clone()),
            Content::File(place) => Pieces::of_range(place.clone(), &self.metadata),
        }
    }

    /// What a cache has to account for.
    pub(crate) fn weight(&self) -> Weight {
        let about = self.about.fields.as_bytes().len() + self.about.unchanged.as_bytes().len();
        let (bytes, files) = match &self.content {
            Content::Memory(bytes) => (bytes.len(), 0),
            Content::File(_) => (0, 1),
        };
        Weight { bytes: bytes + about + OVERHEAD, files }
    }

    pub(crate) fn len(&self) -> u64 {
        match &self.content {
            Content::Memory(bytes) => bytes.len() as u64,
            Content::File(place) => place.len,
        }
    }
}

impl About {
    pub(crate) fn new(stamp: Stamp, described: &Described<'_>) -> Result<Self, InvalidField> {
        let mut fields = FieldBuf::with_capacity(256);
        fields.push(&CONTENT_TYPE, described.media_type)?;
        fields.push(&LAST_MODIFIED, stamp.date())?;
        if described.has_ranges {
            fields.push(&ACCEPT_RANGES, "bytes")?;
        }
        if let Some(coding) = described.coding {
            fields.push(&CONTENT_ENCODING, coding)?;
        }
        if let Some(value) = described.as_dictionary {
            fields.push(&USE_AS_DICTIONARY, value)?;
        }
        let mut unchanged = FieldBuf::new();
        unchanged.push(&ETAG, stamp.tag())?;
        if described.as_dictionary.is_some() {
            unchanged.push(&VARY, "Accept-Encoding, Available-Dictionary")?;
        } else if described.varies {
            unchanged.push(&VARY, "Accept-Encoding")?;
        }
        if let Some(value) = described.cache_control {
            unchanged.push(&CACHE_CONTROL, value)?;
        }
        unchanged.extend(described.extra);
        fields.extend(&unchanged);
        Ok(Self { stamp, media_type: described.media_type.to_owned(), fields, unchanged })
    }
}

/// Why a file that could be opened could not be taken.
#[derive(Debug)]
pub(crate) enum LoadError {
    System(Errno),
    /// A setting gives a field that cannot be sent.
    Field(InvalidField),
}

impl From<Errno> for LoadError {
    fn from(error: Errno) -> Self {
        Self::System(error)
    }
}

impl From<InvalidField> for LoadError {
    fn from(error: InvalidField) -> Self {
        Self::Field(error)
    }
}

/// Reads a small file as a whole. What is read belongs to the state that is told of it only if the
/// state is the same before and after; a file that keeps changing is left where it is.
fn take(file: File, mut metadata: Metadata) -> Result<(Metadata, SystemTime, Content), Errno> {
    let mut now = SystemTime::now();
    for _ in 0..ATTEMPTS {
        let size = usize::try_from(metadata.size).unwrap_or(usize::MAX);
        if size > SMALL {
            break;
        }
        let mut bytes = vec![0; size];
        let read = file.read_exact_at(&mut bytes, 0);
        let after = SystemTime::now();
        let current = Metadata::of(&file)?;
        if read.is_ok() && current.has_content_of(&metadata) {
            return Ok((metadata, now, Content::Memory(Bytes::from(bytes))));
        }
        if let Err(error) = read
            && error.kind() != std::io::ErrorKind::UnexpectedEof
        {
            return Err(Errno::from_io_error(&error).unwrap_or(Errno::IO));
        }
        (metadata, now) = (current, after);
    }
    let place = FileRange { file: Arc::new(file), offset: 0, len: metadata.size };
    Ok((metadata, now, Content::File(place)))
}

/// Up to this size the bytes of a file are taken into memory: sending them from there costs less
/// than another call for the file.
const SMALL: usize = 16 * 1024;

/// What a representation takes beside its content and fields, generously.
const OVERHEAD: usize = 512;

/// How often a file is read that changes meanwhile.
const ATTEMPTS: usize = 3;
