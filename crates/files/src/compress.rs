//! Making codings of files on the worker pool.

mod encoded;
mod streamed;

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use avocet_encoding::{Coding, EncodeError, Level, encode_all};
use avocet_wire::{FieldBuf, InvalidField};
use bytes::Bytes;

use crate::metadata::Metadata;
use crate::representation::{About, Content, Described, Representation};

pub(crate) use encoded::{Input, PIECE, encoded};
pub(crate) use streamed::streamed;

/// The fields of a coding that do not come from the file.
#[derive(Clone)]
pub(crate) struct Shape<'a> {
    pub(crate) cache_control: Option<&'a str>,
    /// The value of Use-As-Dictionary.
    pub(crate) as_dictionary: Option<&'a str>,
    pub(crate) extra: Cow<'a, FieldBuf>,
}

/// What a coding is called.
#[derive(Clone, Copy)]
pub(crate) struct Named<'a> {
    /// As Content-Encoding has it.
    pub(crate) coding: &'a str,
    /// What makes its tag another than those of the other forms.
    pub(crate) tag: &'a str,
}

impl From<Coding> for Named<'_> {
    fn from(coding: Coding) -> Self {
        Self { coding: coding.name(), tag: coding.name() }
    }
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
    let encode = |bytes: &[u8]| encode_all(coding, Level::Default, bytes);
    make_by(plain, coding.into(), shape, plain.len(), encode)
}

/// The same by any function, for what comes out shorter than `bound`.
pub(crate) fn make_by(
    plain: &Representation,
    named: Named<'_>,
    shape: Shape<'_>,
    bound: u64,
    encode: impl FnOnce(&[u8]) -> Result<Vec<u8>, EncodeError>,
) -> Option<Representation> {
    let made = read(plain).and_then(|bytes| encode(&bytes).map_err(io::Error::other));
    match made {
        Ok(coded) if (coded.len() as u64) < bound => {
            let about = about(plain, named, shape)
                .inspect_err(|error| log::error!("the fields of a coding: {error}"))
                .ok()?;
            let content = Content::Memory(Bytes::from(coded));
            Some(Representation { metadata: plain.metadata, content, about })
        }
        Ok(_) => None,
        Err(error) => {
            log::warn!("a file could not be sent in {}: {error}", named.coding);
            None
        }
    }
}

/// What is said of a coding that is made here.
pub(crate) fn about(
    plain: &Representation,
    named: Named<'_>,
    shape: Shape<'_>,
) -> Result<About, InvalidField> {
    let Shape { cache_control, as_dictionary, extra } = shape;
    let described = Described {
        media_type: &plain.about.media_type,
        coding: Some(named.coding),
        has_ranges: false,
        varies: true,
        cache_control,
        as_dictionary,
        extra: &extra,
    };
    About::new(plain.about.stamp.coded(named.tag), &described)
}

/// The content of a file of at most [`KEPT`] bytes.
///
/// *Errors*: of the system, and for a file that was changed since it was found.
pub(crate) fn read(plain: &Representation) -> io::Result<Bytes> {
    let place = match &plain.content {
        Content::Memory(bytes) => return Ok(bytes.clone()),
        Content::File(place) => place,
    };
    let size = usize::try_from(plain.len()).map_err(io::Error::other)?;
    let mut bytes = vec![0; size];
    place.file.read_exact_at(&mut bytes, place.offset)?;
    check(&place.file, &plain.metadata)?;
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
