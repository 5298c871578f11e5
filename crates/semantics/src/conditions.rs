//! Conditional requests: whether to go on, and whether a range holds.
//!
//! *Spec*: RFC 9110 §13.
//!
//! ```
//! use avocet_semantics::conditions::{Conditions, Outcome, Validators};
//! use avocet_semantics::entity_tags::EntityTag;
//! use http::Method;
//!
//! let now = 1_700_000_000;
//! let current = Validators { tag: EntityTag::strong(b"v2"), modified: Some(1_600_000_000) };
//! let fields = [("If-None-Match", br#""v1", "v2""#.as_slice())];
//! let conditions = Conditions::from_fields(fields);
//! assert_eq!(conditions.evaluate(&Method::GET, Some(&current), now), Outcome::NotModified);
//! ```

use http::Method;

use crate::dates;
use crate::entity_tags::{EntityTag, entity_tags};
use crate::grammar;

/// The fields of a request that make it conditional.
#[derive(Clone, Debug, Default)]
pub struct Conditions<'v> {
    if_match: Lines<'v>,
    if_none_match: Lines<'v>,
    if_modified_since: Lines<'v>,
    if_unmodified_since: Lines<'v>,
    if_range: Lines<'v>,
    range: Lines<'v>,
}

/// What tells one state of a representation from another.
#[derive(Clone, Copy, Debug, Default)]
pub struct Validators<'v> {
    /// Its entity tag, if it has one.
    pub tag: Option<EntityTag<'v>>,
    /// When it was last modified, in seconds since the epoch, if that is known.
    pub modified: Option<i64>,
}

/// What the conditions say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Do what the request asks.
    Proceed,
    /// Answer 304: the client has this state already.
    NotModified,
    /// Answer 412 and change nothing.
    PreconditionFailed,
}

impl<'v> Conditions<'v> {
    /// Picks the conditional fields out of a request's fields.
    ///
    /// *Bounds*: allocates only where a field has several lines.
    pub fn from_fields(fields: impl IntoIterator<Item = (&'v str, &'v [u8])>) -> Self {
        let mut found = Self::default();
        for (name, value) in fields {
            // All names start with the same letter but one, so most fields leave here.
            if !matches!(name.as_bytes().first(), Some(b'i' | b'I' | b'r' | b'R')) {
                continue;
            }
            let lines = match name {
                _ if name.eq_ignore_ascii_case("if-match") => &mut found.if_match,
                _ if name.eq_ignore_ascii_case("if-none-match") => &mut found.if_none_match,
                _ if name.eq_ignore_ascii_case("if-modified-since") => &mut found.if_modified_since,
                _ if name.eq_ignore_ascii_case("if-unmodified-since") => {
                    &mut found.if_unmodified_since
                }
                _ if name.eq_ignore_ascii_case("if-range") => &mut found.if_range,
                _ if name.eq_ignore_ascii_case("range") => &mut found.range,
                _ => continue,
            };
            lines.push(grammar::trim(value));
        }
        found
    }

    /// Whether none of the fields is there, so that nothing has to be evaluated.
    pub fn is_empty(&self) -> bool {
        [
            &self.if_match,
            &self.if_none_match,
            &self.if_modified_since,
            &self.if_unmodified_since,
            &self.range,
        ]
        .iter()
        .all(|lines| !lines.is_present())
    }

    /// Evaluates the conditions in their order.
    ///
    /// `current` is the selected representation, `None` where there is none yet. To be called only
    /// where the answer without conditions would be a success: conditions on anything else are
    /// ignored. `now`, in seconds since the epoch, is needed for dates with two digits of the year.
    ///
    /// A list of tags that is broken counts up to the break: a broken `If-Match` fails, a broken
    /// `If-None-Match` holds, which are the answers that lose nothing.
    ///
    /// *Spec*: RFC 9110 §13.2.2.
    pub fn evaluate(&self, method: &Method, current: Option<&Validators<'_>>, now: i64) -> Outcome {
        // "A server MUST ignore the conditional request header fields [...] when received with a
        // request method that does not involve the selection or modification of a selected
        // representation, such as CONNECT, OPTIONS, or TRACE." (§13.2.1)
        if matches!(*method, Method::CONNECT | Method::OPTIONS | Method::TRACE) {
            return Outcome::Proceed;
        }
        let is_read = matches!(*method, Method::GET | Method::HEAD);
        let modified = current.and_then(|current| current.modified);

        // Steps 1 and 2: If-Match, or else If-Unmodified-Since.
        let lost = if self.if_match.is_present() {
            !self.if_match.names(current, EntityTag::strong_eq)
        } else {
            match (self.if_unmodified_since.date(now), modified) {
                (Some(since), Some(modified)) => modified > since,
                _ => false,
            }
        };
        if lost {
            return Outcome::PreconditionFailed;
        }

        // Steps 3 and 4: If-None-Match, or else If-Modified-Since on a read.
        let known = if self.if_none_match.is_present() {
            self.if_none_match.names(current, EntityTag::weak_eq)
        } else {
            match (self.if_modified_since.date(now), modified) {
                (Some(since), Some(modified)) if is_read => modified <= since,
                _ => false,
            }
        };
        match (known, is_read) {
            (false, _) => Outcome::Proceed,
            (true, true) => Outcome::NotModified,
            (true, false) => Outcome::PreconditionFailed,
        }
    }

    /// The Range field, where there is one that counts.
    ///
    /// It counts on GET only, and where `If-Range` is there it must name the current state: a
    /// strong tag equal to the current one, or the very date of the last modification, if that lies
    /// two seconds or more before `now`. A younger date could hide a second change within its
    /// second and would join the halves of two files.
    ///
    /// To be called after [`evaluate`](Self::evaluate) said [`Proceed`](Outcome::Proceed).
    ///
    /// *Spec*: RFC 9110 §13.1.5, §13.2.2 step 5, §14.2.
    pub fn range(&self, method: &Method, current: &Validators<'_>, now: i64) -> Option<&'v [u8]> {
        if *method != Method::GET {
            return None;
        }
        let range = self.range.single()?;
        let holds = !self.if_range.is_present()
            || self.if_range.single().is_some_and(|value| is_current(value, current, now));
        holds.then_some(range)
    }
}

/// Whether the value of an `If-Range` names the current state, strongly.
fn is_current(value: &[u8], current: &Validators<'_>, now: i64) -> bool {
    if let Ok(given) = EntityTag::parse(value) {
        return current.tag.is_some_and(|tag| tag.strong_eq(&given));
    }
    let Some(modified) = current.modified else { return false };
    dates::parse(value, now) == Some(modified) && modified <= now.saturating_sub(2)
}

/// The lines of one field, hardly ever more than one.
#[derive(Clone, Debug, Default)]
enum Lines<'v> {
    #[default]
    None,
    One(&'v [u8]),
    Many(Vec<&'v [u8]>),
}

impl<'v> Lines<'v> {
    fn push(&mut self, value: &'v [u8]) {
        match self {
            Self::None => *self = Self::One(value),
            Self::One(first) => *self = Self::Many(vec![*first, value]),
            Self::Many(values) => values.push(value),
        }
    }

    fn is_present(&self) -> bool {
        !matches!(self, Self::None)
    }

    fn all(&self) -> &[&'v [u8]] {
        match self {
            Self::None => &[],
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }

    /// The value of a field that is no list; several lines make it invalid, and so ignored.
    fn single(&self) -> Option<&'v [u8]> {
        match self {
            Self::One(value) => Some(value),
            Self::None | Self::Many(_) => None,
        }
    }

    fn date(&self, now: i64) -> Option<i64> {
        dates::parse(self.single()?, now)
    }

    /// Whether the list is `*` and there is something, or names its tag.
    fn names(
        &self,
        current: Option<&Validators<'_>>,
        same: impl Fn(&EntityTag<'v>, &EntityTag<'_>) -> bool,
    ) -> bool {
        let Some(current) = current else { return false };
        if self.single() == Some(b"*") {
            return true;
        }
        let Some(tag) = current.tag else { return false };
        // The lines of a list are one list, and one that breaks off ends there.
        let mut listed = self.all().iter().flat_map(|line| entity_tags(line));
        listed.by_ref().map_while(Result::ok).any(|given| same(&given, &tag))
    }
}

#[cfg(test)]
mod tests;
