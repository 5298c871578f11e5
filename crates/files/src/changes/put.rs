//! `PUT`: a file under the path of the request.

use std::sync::Arc;

use avocet_server::{Reply, Request, Response};
use avocet_wire::InvalidField;
use http::StatusCode;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_RANGE, ETAG, LOCATION};

use super::draft::{self, Draft, Published};
use super::intake::{Intake, Receiver};
use super::place::Place;
use super::refusal::Refused;
use super::terms::Terms;
use super::{Change, check_place, refusal, resumable};
use crate::path::FilePath;
use crate::service::{Shared, or_500};
use crate::validators::Stamp;

/// Where the content of a request is to go, and on which conditions.
pub(super) struct Target {
    pub(super) path: FilePath<'static>,
    /// Those of the request that began the upload.
    pub(super) terms: Terms,
}

impl Change<'_> {
    pub(super) fn put(&self, request: &Request<'_>, reply: Reply<'_>) {
        if let Err(refused) = self.check_put(request) {
            return self.refuse(reply, refused);
        }
        let terms = match Terms::of(request) {
            Ok(terms) => terms,
            Err(refused) => return self.refuse(reply, refused),
        };
        let target = Target { path: self.path.to_owned(), terms };
        if let Some(wanted) = resumable::Wanted::of(request) {
            return self.put_resumable(reply, target, wanted);
        }
        let length = request.content_length();
        let (shared, settings) = (self.shared.clone(), self.shared.clone());
        let complete = move |response| settings.settings.complete(response);
        Intake::start(self.pool, reply, complete, |_| {
            Box::new(move || {
                let draft = target.open(&shared, length.unwrap_or(0), &draft::new_name()?)?;
                Ok(Box::new(Put { shared, target, draft }))
            })
        });
    }

    /// What can be refused without a look at the disk.
    fn check_put(&self, request: &Request<'_>) -> Result<(), Refused> {
        let largest = self.shared.changes.rules.largest;
        if request.content_length().is_some_and(|length| length > largest) {
            return Err(refusal::too_large(largest));
        }
        // A part of a file must not take the place of the whole (RFC 9110 §14.5).
        if request.field(&CONTENT_RANGE).is_some() {
            let explanation = "A part of a file cannot be put in its place.";
            return Err(refusal::because(StatusCode::BAD_REQUEST, explanation));
        }
        // Files are kept as they come, and sent as what their names say.
        if request.field(&CONTENT_ENCODING).is_some() {
            let refused = Response::error(StatusCode::UNSUPPORTED_MEDIA_TYPE);
            return Err(or_500(refused.with_field(&ACCEPT_ENCODING, "identity")).into());
        }
        if self.path.is_folder() {
            let explanation = "A path that ends in a slash is that of a folder.";
            return Err(refusal::because(StatusCode::CONFLICT, explanation));
        }
        Ok(())
    }
}

impl Target {
    /// Makes the draft of what is to be uploaded, of which `length` bytes are foreseen.
    pub(super) fn open(&self, shared: &Shared, length: u64, draft: &str) -> Result<Draft, Refused> {
        let root = shared.base.root();
        let place = Place::find(&root, &shared.rules, &self.path)?;
        place.check_name(&shared.rules)?;
        let taken = place.taken()?;
        self.terms.check(&taken)?;
        check_place(&shared.changes.rules, &taken)?;
        let claim = shared.changes.quota.claim(&root, length).ok_or_else(refusal::over_quota)?;
        Draft::named(place, draft, claim, shared.changes.rules.largest)
    }

    /// Publishes what was uploaded.
    pub(super) fn publish(&self, shared: &Shared, draft: Draft) -> Response {
        let changes = &shared.changes;
        if let Err(refused) = self.terms.digests().and_then(|digests| draft.check(&digests)) {
            draft.discard();
            return refused.into();
        }
        let check = |taken: &_| {
            self.terms.check(taken)?;
            check_place(&changes.rules, taken)
        };
        match draft.publish(changes, check) {
            Ok(published) => or_500(self.respond(shared, &published)),
            Err(refused) => refused.into(),
        }
    }

    fn respond(&self, shared: &Shared, published: &Published) -> Result<Response, InvalidField> {
        let stamp = Stamp::new(&published.metadata, std::time::SystemTime::now());
        let status = if published.is_new { StatusCode::CREATED } else { StatusCode::NO_CONTENT };
        let response = Response::new(status).with_field(&ETAG, stamp.tag())?;
        if published.is_new {
            response.with_field(&LOCATION, self.url(shared))
        } else {
            Ok(response)
        }
    }

    pub(super) fn url(&self, shared: &Shared) -> String {
        shared.settings.at.clone() + &self.path.to_url(false)
    }
}

/// An upload in one request.
struct Put {
    shared: Arc<Shared>,
    target: Target,
    draft: Draft,
}

impl Receiver for Put {
    fn take(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        self.draft.write(bytes)
    }

    fn finish(self: Box<Self>) -> Response {
        self.target.publish(&self.shared, self.draft)
    }
}
