//! Uploads that go on after an interruption (draft-ietf-httpbis-resumable-upload-12).
//!
//! An upload that asks for it gets a resource of its own, the path of the file with `?upload-token=` and a
//! name that nobody can foresee, which the access log does not show. What has come is kept there; `HEAD` tells how much, `PATCH` appends,
//! `DELETE` gives up. The state is kept in memory: after a restart the client begins anew.

mod fields;
mod uploads;

use std::sync::Arc;

use avocet_semantics::media_types::MediaType;
use avocet_server::{Reply, Request, Response};
use avocet_wire::{FieldBuf, InvalidField};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};

use super::draft::Draft;
use super::intake::{Intake, Receiver};
use super::put::Target;
use super::refusal::Refused;
use super::{Change, UPLOAD_LIMIT, refusal};
use crate::random;
use crate::service::{Shared, or_500};

pub(super) use fields::Wanted;
pub(crate) use fields::{ACCEPT_PATCH, PARTIAL_UPLOAD};
use fields::{UPLOAD_COMPLETE, UPLOAD_LENGTH, UPLOAD_OFFSET, VERSION, VERSION_FIELD, boolean};
pub(super) use uploads::Uploads;
use uploads::{Found, Slot};

/// The name of an upload in the query of a request.
pub(super) fn token<'a>(request: &Request<'a>) -> Option<&'a str> {
    request.query()?.split('&').find_map(|pair| pair.strip_prefix("upload-token="))
}

impl Change<'_> {
    /// Begins an upload.
    pub(super) fn put_resumable(&self, mut reply: Reply<'_>, target: Target, wanted: Wanted) {
        // A client that is not told by 104 where to resume learns it from the answer, or never.
        if wanted.is_last && !wanted.knows_interim {
            return self.put_at_once(reply, target, &wanted);
        }
        let largest = self.shared.changes.rules.largest;
        let length = match wanted.total(0) {
            Ok(length) if length.is_some_and(|length| length > largest) => {
                return self.refuse(reply, refusal::too_large(largest));
            }
            Ok(length) => length,
            Err(refused) => return self.refuse(reply, refused),
        };
        let token = match random::token() {
            Ok(token) => token,
            Err(error) => return self.refuse(reply, refusal::of_io(&error)),
        };
        let Some(slot) = self.shared.changes.uploads.insert(&token, target, length) else {
            log::warn!("too many uploads wait to be resumed");
            let busy = Response::error(StatusCode::SERVICE_UNAVAILABLE);
            let busy = or_500(busy.with_field(&http::header::RETRY_AFTER, "60"));
            return self.refuse(reply, busy);
        };
        if wanted.knows_interim {
            let told =
                slot.interim(self.shared).map_err(|error| error.to_string()).and_then(|fields| {
                    let status = StatusCode::from_u16(104).map_err(|error| error.to_string())?;
                    reply.interim(status, &fields).map_err(|error| error.to_string())
                });
            if let Err(error) = told {
                log::debug!("no 104 for an upload: {error}");
            }
        }
        let shared = self.shared.clone();
        self.append(reply, slot.clone(), &wanted, true, move || {
            let opened = slot.target.open(&shared, length.unwrap_or(0));
            opened.inspect_err(|_| shared.changes.uploads.remove(&slot.token))
        });
    }

    fn put_at_once(&self, reply: Reply<'_>, target: Target, wanted: &Wanted) {
        let length = match wanted.total(0) {
            Ok(length) => length,
            Err(refused) => return self.refuse(reply, refused),
        };
        let slot = Slot::alone(target, length);
        let shared = self.shared.clone();
        self.append(reply, slot.clone(), wanted, true, move || {
            slot.target.open(&shared, length.unwrap_or(0))
        });
    }

    /// Takes content to the end of a draft.
    fn append(
        &self,
        reply: Reply<'_>,
        slot: Arc<Slot>,
        wanted: &Wanted,
        is_new: bool,
        open: impl FnOnce() -> Result<Draft, Refused> + Send + 'static,
    ) {
        let (shared, settings) = (self.shared.clone(), self.shared.clone());
        let complete = move |response| settings.settings.complete(response);
        let is_last = wanted.is_last;
        Intake::start(self.pool, reply, complete, |intake| {
            Box::new(move || {
                let draft = open()?;
                slot.begin(intake);
                Ok(Box::new(Append { shared, slot, draft: Some(draft), is_last, is_new }))
            })
        });
    }

    /// A request for an upload that was begun.
    pub(super) fn resume(&self, request: &Request<'_>, reply: Reply<'_>, token: &str) {
        let slot = self.shared.changes.uploads.find(token);
        let Some(slot) = slot.filter(|slot| slot.target.path == *self.path) else {
            return self.refuse(reply, Response::error(StatusCode::NOT_FOUND));
        };
        match request.method().as_str() {
            "HEAD" => self.work(reply, move |shared, _| slot.tell(shared)),
            "DELETE" => self.work(reply, move |shared, _| {
                shared.changes.uploads.remove(&slot.token);
                drop(slot.take());
                Response::new(StatusCode::NO_CONTENT)
            }),
            _ => self.patch(request, reply, slot),
        }
    }

    fn patch(&self, request: &Request<'_>, reply: Reply<'_>, slot: Arc<Slot>) {
        let content_type = request.field(&CONTENT_TYPE).unwrap_or_default();
        let is_part = MediaType::parse(content_type)
            .is_ok_and(|media_type| media_type.is("application", "partial-upload"));
        if !is_part {
            let refused = Response::error(StatusCode::UNSUPPORTED_MEDIA_TYPE);
            let refused = refused.with_field(&ACCEPT_PATCH, PARTIAL_UPLOAD);
            return self.refuse(reply, or_500(refused));
        }
        let (Some(wanted), Some(offset)) =
            (Wanted::of(request), fields::number(request, &UPLOAD_OFFSET))
        else {
            let explanation = "Upload-Complete and Upload-Offset are needed.";
            let refused = refusal::because(StatusCode::BAD_REQUEST, explanation);
            return self.refuse(reply, refused);
        };
        let taking = slot.clone();
        let is_empty = !request.has_content();
        let wanted_then = wanted.clone();
        self.append(reply, slot, &wanted, false, move || {
            let draft = match taking.take() {
                Found::Draft(draft) => draft,
                Found::Complete => return Err(fields::completed(is_empty)),
                Found::Nothing => return Err(refusal::plain(StatusCode::NOT_FOUND)),
                Found::Busy => return Err(fields::still_busy()),
            };
            let checked = taking.check(offset, draft.len(), &wanted_then);
            match checked {
                Ok(()) => Ok(draft),
                Err(refused) => {
                    taking.rest(draft);
                    Err(refused)
                }
            }
        });
    }
}

/// Content on its way to the end of a draft. When it is cut off, what has come stays.
struct Append {
    shared: Arc<Shared>,
    slot: Arc<Slot>,
    draft: Option<Draft>,
    is_last: bool,
    /// Whether the request began the upload.
    is_new: bool,
}

impl Append {
    /// The upload is of no more use: "marking the upload resource invalid and rejecting any further
    /// interaction with it" (section 4.4.2 of the draft).
    fn give_up(&mut self, refused: Refused) -> Refused {
        self.draft = None;
        self.slot.forget();
        refused
    }

    fn respond(&self, offset: u64) -> Result<Response, InvalidField> {
        let status = if self.is_new { StatusCode::CREATED } else { StatusCode::NO_CONTENT };
        Response::new(status)
            .with_field(&UPLOAD_COMPLETE, boolean(false))?
            .with_field(&UPLOAD_OFFSET, offset.to_string())?
            .with_field(&UPLOAD_LIMIT, self.slot.limit(&self.shared))?
            .with_field(&LOCATION, self.slot.url(&self.shared))
    }
}

impl Receiver for Append {
    fn take(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        let Some(draft) = &mut self.draft else {
            return Err(refusal::plain(StatusCode::NOT_FOUND));
        };
        let len = draft.len().saturating_add(bytes.len() as u64);
        if self.slot.length().is_some_and(|length| len > length) {
            return Err(self.give_up(fields::inconsistent()));
        }
        match draft.write(bytes) {
            Ok(()) => Ok(()),
            Err(refused) => Err(self.give_up(refused)),
        }
    }

    fn finish(mut self: Box<Self>) -> Response {
        let Some(draft) = self.draft.take() else {
            return Response::error(StatusCode::NOT_FOUND);
        };
        let len = draft.len();
        if !self.is_last {
            self.slot.rest(draft);
            return or_500(self.respond(len));
        }
        if self.slot.length().is_some_and(|length| length != len) {
            drop(draft);
            return self.give_up(fields::inconsistent()).into();
        }
        let response = self.slot.target.publish(&self.shared, draft);
        self.slot.complete(len);
        or_500(response.with_field(&UPLOAD_COMPLETE, boolean(true)))
    }
}

impl Drop for Append {
    fn drop(&mut self) {
        match self.draft.take() {
            Some(draft) => self.slot.rest(draft),
            None => self.slot.settle(),
        }
    }
}

impl Slot {
    fn url(&self, shared: &Shared) -> String {
        format!("{}?upload-token={}", self.target.url(shared), self.token)
    }

    /// The fields of the 104 that tells where the upload can be resumed.
    fn interim(&self, shared: &Shared) -> Result<FieldBuf, InvalidField> {
        let mut fields = FieldBuf::new();
        fields.push(&VERSION_FIELD, VERSION)?;
        fields.push(&LOCATION, self.url(shared))?;
        fields.push(&UPLOAD_LIMIT, self.limit(shared))?;
        Ok(fields)
    }

    fn limit(&self, shared: &Shared) -> String {
        let largest = shared.changes.rules.largest;
        format!("max-size={largest}, max-age={}", self.seconds_left())
    }

    /// The answer to `HEAD`.
    fn tell(&self, shared: &Shared) -> Response {
        let (offset, is_complete) = match self.take() {
            Found::Draft(draft) => {
                let len = draft.len();
                self.rest(draft);
                (len, false)
            }
            Found::Complete => (self.length().unwrap_or(0), true),
            Found::Nothing => return Response::error(StatusCode::NOT_FOUND),
            Found::Busy => return fields::still_busy().into(),
        };
        let told = || {
            let response = Response::new(StatusCode::NO_CONTENT)
                .with_field(&UPLOAD_OFFSET, offset.to_string())?
                .with_field(&UPLOAD_COMPLETE, boolean(is_complete))?
                .with_field(&UPLOAD_LIMIT, self.limit(shared))?
                .with_field(&CACHE_CONTROL, "no-store")?;
            match self.length() {
                Some(length) => response.with_field(&UPLOAD_LENGTH, length.to_string()),
                None => Ok(response),
            }
        };
        or_500(told())
    }

    /// Whether content for this offset may be appended.
    fn check(&self, offset: u64, current: u64, wanted: &Wanted) -> Result<(), Refused> {
        if offset != current {
            return Err(fields::mismatching(current, offset));
        }
        let length = wanted.total(current)?;
        if self.agree_on(length) { Ok(()) } else { Err(fields::inconsistent()) }
    }
}
