//! The conditions of a request that changes something, and what it says of its content, kept for the time
//! when that counts.

use std::time::SystemTime;

use avocet_semantics::conditions::{Conditions, Outcome};
use avocet_semantics::dates;
use avocet_server::Request;
use http::{Method, StatusCode};

use super::digests::{Broken, Digests};
use super::place::Taken;
use super::refusal::{self, Refused};
use crate::validators::Stamp;

/// The fields that say on which conditions something may be changed, and to what: each with its place
/// among [`NAMES`] and its value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Terms(Vec<(usize, Vec<u8>)>);

impl Terms {
    /// *Errors*: an answer, where the fields are longer than anybody needs, or tell of a digest that
    /// cannot be one.
    ///
    /// *Bounds*: 4 KiB of values.
    pub(crate) fn of(request: &Request<'_>) -> Result<Self, Refused> {
        let mut terms = Self::default();
        for (name, value) in request.fields() {
            terms.add(name, value);
        }
        if terms.0.iter().map(|(_, value)| value.len()).sum::<usize>() > LONGEST {
            return Err(refusal::plain(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
        }
        terms.digests()?;
        Ok(terms)
    }

    /// The digests that the content must have.
    ///
    /// *Errors*: 400, as an answer.
    pub(crate) fn digests(&self) -> Result<Digests, Refused> {
        let mut digests = Digests::default();
        for (_, value) in self.iter().filter(|(name, _)| *name == REPR_DIGEST) {
            digests.add(value).map_err(|Broken| {
                let explanation = "Repr-Digest has a digest that cannot be one.";
                refusal::because(StatusCode::BAD_REQUEST, explanation)
            })?;
        }
        Ok(digests)
    }

    /// Adds a field, if it is one of those.
    pub(crate) fn add(&mut self, name: &str, value: &[u8]) -> bool {
        let found = NAMES.iter().position(|known| name.eq_ignore_ascii_case(known));
        self.0.extend(found.map(|index| (index, value.to_vec())));
        found.is_some()
    }

    /// The fields, with names in small letters.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(index, value)| (NAMES[*index], value.as_slice()))
    }

    /// Whether what has the name now may be replaced, or deleted.
    ///
    /// *Errors*: 412, as an answer.
    pub(crate) fn check(&self, taken: &Taken) -> Result<(), Refused> {
        if self.0.is_empty() {
            return Ok(());
        }
        let now = SystemTime::now();
        let stamp = match taken {
            Taken::File(metadata) => Some(Stamp::new(metadata, now)),
            _ => None,
        };
        let validators = stamp.as_ref().map(Stamp::validators);
        let conditions = Conditions::from_fields(self.iter());
        // All that conditions want to know of the method is that it is not one that reads.
        match conditions.evaluate(&Method::PUT, validators.as_ref(), dates::seconds(now)) {
            Outcome::PreconditionFailed => Err(refusal::plain(StatusCode::PRECONDITION_FAILED)),
            Outcome::Proceed | Outcome::NotModified => Ok(()),
        }
    }
}

/// The conditions that there are (RFC 9110 §13.1), but for `If-Range`, which is about reading, and the
/// digest of the whole (RFC 9530 §3).
pub(crate) const NAMES: [&str; 5] =
    ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since", REPR_DIGEST];

const REPR_DIGEST: &str = "repr-digest";

/// Bytes of values that are kept.
const LONGEST: usize = 4096;
