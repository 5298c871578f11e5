//! Sending a representation: preconditions first, then ranges.

use std::sync::Arc;
use std::time::SystemTime;

use avocet_net::FileRange;
use avocet_semantics::conditions::{Conditions, Outcome};
use avocet_semantics::dates;
use avocet_semantics::ranges::{ByteRange, ContentRange, Limits, Multipart, Selection, select};
use avocet_server::{Body, Reply, Request, Response};
use avocet_wire::{FieldBuf, InvalidField};
use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_RANGE, CONTENT_TYPE};

use crate::pieces::{Piece, Pieces};
use crate::representation::{About, Content, Representation};
use crate::service::or_500;
use crate::settings::Settings;

/// Answers a GET or HEAD with this representation.
///
/// *Spec*: RFC 9110 §13.2.2 for the order, §14 for ranges.
pub(crate) fn respond(
    settings: &Settings,
    request: &Request<'_>,
    reply: Reply<'_>,
    found: &Representation,
) {
    let conditions = Conditions::from_fields(request.fields());
    if conditions.is_empty() {
        return whole(reply, found);
    }
    let now = dates::seconds(SystemTime::now());
    let validators = found.about.stamp.validators();
    let outcome = conditions.evaluate(request.method(), Some(&validators), now);
    let Some(reply) = past(outcome, settings, reply, &found.about) else { return };
    let wanted = conditions.range(request.method(), &validators, now);
    match wanted.map(|range| select(range, found.len(), &Limits::default())) {
        None | Some(Selection::Whole) => whole(reply, found),
        Some(Selection::Single(range)) => part(reply, found, range),
        Some(Selection::Multiple(ranges)) => parts(reply, found, &ranges),
        Some(Selection::Unsatisfiable) => {
            reply.send(settings.complete(or_500(unsatisfiable(found))));
        }
    }
}

/// Answers where the conditions of a request decide alone; gives the reply back where they do not.
pub(crate) fn past<'a>(
    outcome: Outcome,
    settings: &Settings,
    reply: Reply<'a>,
    about: &About,
) -> Option<Reply<'a>> {
    match outcome {
        Outcome::NotModified => {
            reply.send_parts(StatusCode::NOT_MODIFIED, &about.unchanged, Body::Empty);
        }
        Outcome::PreconditionFailed => {
            let failed = Response::error(StatusCode::PRECONDITION_FAILED);
            reply.send(settings.complete(failed));
        }
        Outcome::Proceed => return Some(reply),
    }
    None
}

fn whole(reply: Reply<'_>, found: &Representation) {
    reply.send_parts(StatusCode::OK, &found.about.fields, found.body());
}

fn part(reply: Reply<'_>, found: &Representation, range: ByteRange) {
    let field = ContentRange::Range { range, complete: Some(found.len()) }.value();
    let mut fields = FieldBuf::with_capacity(found.about.fields.as_bytes().len() + 64);
    fields.extend(&found.about.fields);
    match fields.push(&CONTENT_RANGE, field) {
        Ok(()) => {
            reply.send_parts(StatusCode::PARTIAL_CONTENT, &fields, bytes_of(found, range));
        }
        Err(error) => reply.send(or_500(Err(error))),
    }
}

/// The bytes of one range.
fn bytes_of(found: &Representation, range: ByteRange) -> Body {
    match &found.content {
        Content::Memory(bytes) => Body::Shared(slice(bytes, range)),
        Content::File(place) => Pieces::of_range(within(place, range), &found.metadata),
    }
}

/// A range of what lies at a place of a file.
fn within(place: &FileRange, range: ByteRange) -> FileRange {
    debug_assert!(range.last < place.len, "ranges are selected of the length that there is");
    let file = Arc::clone(&place.file);
    FileRange { file, offset: place.offset + range.first, len: range.len() }
}

fn parts(reply: Reply<'_>, found: &Representation, ranges: &[ByteRange]) {
    let boundary = boundary();
    let media_type = found.about.media_type.as_bytes();
    let frame = Multipart { boundary: &boundary, content_type: media_type, complete: found.len() };
    let Some(size) = frame.length(ranges) else { return whole(reply, found) };
    let fields = match parts_fields(found, &frame) {
        Ok(fields) => fields,
        Err(error) => return reply.send(or_500(Err(error))),
    };
    let mut pieces = Vec::with_capacity(2 * ranges.len() + 1);
    for &range in ranges {
        let mut head = Vec::new();
        frame.write_part_head(range, &mut head);
        pieces.push(Piece::Bytes(head.into()));
        pieces.push(match &found.content {
            Content::Memory(bytes) => Piece::Bytes(slice(bytes, range)),
            Content::File(place) => Piece::File(within(place, range)),
        });
    }
    let mut end = Vec::new();
    frame.write_end(&mut end);
    pieces.push(Piece::Bytes(end.into()));
    let body = Pieces::of_parts(pieces, &found.metadata, size);
    reply.send_parts(StatusCode::PARTIAL_CONTENT, &fields, body);
}

fn parts_fields(found: &Representation, frame: &Multipart<'_>) -> Result<FieldBuf, InvalidField> {
    let mut fields = FieldBuf::new();
    fields.push(&CONTENT_TYPE, frame.content_type())?;
    for (name, value) in found.about.fields.iter() {
        if !name.eq_ignore_ascii_case(CONTENT_TYPE.as_str()) {
            fields.push_raw(name, value)?;
        }
    }
    Ok(fields)
}

fn unsatisfiable(found: &Representation) -> Result<Response, InvalidField> {
    let field = ContentRange::Unsatisfied { complete: found.len() }.value();
    Response::error(StatusCode::RANGE_NOT_SATISFIABLE).with_field(&CONTENT_RANGE, field)
}

fn slice(bytes: &Bytes, range: ByteRange) -> Bytes {
    let place = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
    let end = place(range.last.saturating_add(1)).min(bytes.len());
    bytes.slice(place(range.first).min(end)..end)
}

/// A line that content cannot foresee: 128 bits that nobody outside knows.
fn boundary() -> String {
    use std::hash::{BuildHasher, RandomState};
    let random = RandomState::new();
    format!("{:016x}{:016x}", random.hash_one(0_u8), random.hash_one(1_u8))
}
