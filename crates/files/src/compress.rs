//! Making codings of files on the worker pool.

mod streamed;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use avocet_encoding::{Coding, Level, encode_all};
use avocet_wire::{FieldBuf, InvalidField};
use bytes::Bytes;

use crate::metadata::Metadata;
use crate::representation::{About, Content, Described, Representation};

pub(crate) use streamed::streamed;

/// The fields of a coding that do not come from the file.
#[derive(Clone, Copy)]
pub(crate) struct Shape<'a> {
    pub(crate) cache_control: Option<&'a str>,
    pub(crate) extra: &'a FieldBuf,
}

/// Makes a coding of a file of at most [`KEPT`] bytes; nothing where it would not be shorter, or the
/// file has changed since it was found.
///
/// *Blocking*: on the file, and for as long as the compression takes.
pub(crate) fn make(
    plain: &Representation,
    coding: Coding,
    shape: Shape<'_>,
) -> Option<Representation> {
    let made = read(plain).and_then(|bytes| {
        let coded = encode_all(coding, Level::Default, &bytes).map_err(io::Error::other)?;
        Ok((bytes.len(), coded))
    });
    match made {
        Ok((before, coded)) if coded.len() < before => {
            let about = about(plain, coding, shape)
                .inspect_err(|error| log::error!("the fields of a coding: {error}"))
                .ok()?;
            let content = Content::Memory(Bytes::from(coded));
            Some(Representation { metadata: plain.metadata, content, about })
        }
        Ok(_) => None,
        Err(error) => {
            log::warn!("a file could not be sent in {coding}: {error}");
            None
        }
    }
}

/// What is said of a coding that is made here.
pub(crate) fn about(
    plain: &Representation,
    coding: Coding,
    shape: Shape<'_>,
) -> Result<About, InvalidField> {
    let (media_type, name) = (&plain.about.media_type, coding.name());
    let Shape { cache_control, extra } = shape;
    let coding = Some(name);
    let described =
        Described { media_type, coding, has_ranges: false, varies: true, cache_control, extra };
    About::new(plain.about.stamp.coded(name), &described)
}

fn read(plain: &Representation) -> io::Result<Bytes> {
    let file = match &plain.content {
        Content::Memory(bytes) => return Ok(bytes.clone()),
        Content::File(file) => file,
    };
    let size = usize::try_from(plain.len()).map_err(io::Error::other)?;
    let mut bytes = vec![0; size];
    file.read_exact_at(&mut bytes, 0)?;
    check(file, &plain.metadata)?;
    Ok(bytes.into())
}

/// Makes sure that what was read is the state that the response tells of.
fn check(file: &File, state: &Metadata) -> io::Result<()> {
    if Metadata::of(file)?.has_content_of(state) {
        return Ok(());
    }
    Err(io::Error::other("the file was changed while it was read"))
}

/// Files up to this size are compressed as a whole and the result is kept; longer ones are
/// compressed while they are sent, each time.
pub(crate) const KEPT: u64 = 1024 * 1024;
