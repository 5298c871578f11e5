//! Uploads that go on after an interruption (draft-ietf-httpbis-resumable-upload-12).
//!
//! An upload that asks for it gets a resource of its own, the path of the file with `?upload-token=` and a
//! name that nobody can foresee, which the access log does not show. What has come is kept there; `HEAD` and `GET` tell how much, `PATCH`
//! appends, `DELETE` gives up. All that a client is told of lies on the disk by then, so that it may go on after the program, or the machine,
//! was started anew.

mod fields;
mod part;
mod record;
mod uploads;

use std::sync::Arc;
use std::time::{Duration, Instant};

use avocet_semantics::media_types::MediaType;
use avocet_server::{Reply, Request, Response};
use avocet_wire::{FieldBuf, InvalidField};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, RETRY_AFTER};

use super::intake::{Intake, Receiver};
use super::put::Target;
use super::refusal::Refused;
use super::{Change, UPLOAD_LIMIT, refusal};
use crate::path::FilePath;
use crate::random;
use crate::service::{Shared, or_500};

pub(super) use fields::Wanted;
pub(crate) use fields::{ACCEPT_PATCH, PARTIAL_UPLOAD};
use fields::{UPLOAD_COMPLETE, UPLOAD_LENGTH, UPLOAD_OFFSET, VERSION, VERSION_FIELD, boolean};
use part::Part;
pub(super) use uploads::Uploads;
use uploads::{Found, Slot};

/// The name of an upload in the query of a request.
pub(super) fn token<'a>(request: &Request<'a>) -> Option<&'a str> {
    request.query()?.split('&').find_map(|pair| pair.strip_prefix("upload-token="))
}

impl Change<'_> {
    /// Begins an upload.
    pub(super) fn put_resumable(&self, reply: Reply<'_>, target: Target, wanted: Wanted) {
        let largest = self.shared.changes.rules.largest;
        let length = match wanted.total(0) {
            Ok(length) if length.is_some_and(|length| length > largest) => {
                return self.refuse(reply, refusal::too_large(largest));
            }
            Ok(length) => length,
            Err(refused) => return self.refuse(reply, refused),
        };
        let shared = self.shared.clone();
        // A client that is not told by 104 where to resume learns it from the answer, or never.
        if wanted.is_last && !wanted.knows_interim {
            return self.append(reply, &wanted, true, move || {
                let slot = Slot::alone(target, length);
                let part = Part::new(&shared, &slot.target, None, length)?;
                Ok((slot, Box::new(part)))
            });
        }
        self.append(reply, &wanted, true, move || {
            let token = random::token().map_err(|error| refusal::of_io(&error))?;
            let uploads = &shared.changes.uploads;
            let Some(slot) = uploads.insert(&token, target, length) else {
                log::warn!("too many uploads wait to be resumed");
                return Err(too_many());
            };
            match Part::new(&shared, &slot.target, Some(&token), length) {
                Ok(part) => Ok((slot, Box::new(part))),
                Err(refused) => {
                    uploads.remove(&token);
                    Err(refused)
                }
            }
        });
    }

    /// Takes content to the end of what `open` gives.
    fn append(
        &self,
        reply: Reply<'_>,
        wanted: &Wanted,
        is_new: bool,
        open: impl FnOnce() -> Result<(Arc<Slot>, Box<Part>), Refused> + Send + 'static,
    ) {
        let (shared, settings) = (self.shared.clone(), self.shared.clone());
        let complete = move |response| settings.settings.complete(response);
        let (is_last, knows_interim) = (wanted.is_last, wanted.knows_interim);
        Intake::start(self.pool, reply, complete, |intake| {
            Box::new(move || {
                let opened = open();
                let (slot, part) =
                    if is_new { opened.map_err(fields::of_target)? } else { opened? };
                slot.begin(intake.clone());
                let client = (knows_interim && slot.name().is_some()).then_some(intake);
                if let (true, Some(client)) = (is_new, &client) {
                    tell(client, slot.place(&shared));
                }
                let (part, due) = (Some(part), Instant::now() + SAVED_EVERY);
                Ok(Box::new(Append { shared, slot, part, is_last, is_new, client, due }))
            })
        });
    }

    /// A request for an upload that was begun.
    pub(super) fn resume(&self, request: &Request<'_>, reply: Reply<'_>, token: &str) {
        let token = token.to_owned();
        let find = move |shared: &Arc<Shared>, path: &FilePath<'_>| {
            let found = shared.changes.uploads.find(shared, path, &token)?;
            found.ok_or_else(|| refusal::plain(StatusCode::NOT_FOUND))
        };
        match request.method().as_str() {
            "HEAD" | "GET" => self.work(reply, move |shared, path| match find(shared, path) {
                Ok(slot) => slot.tell(shared),
                Err(refused) => refused.into(),
            }),
            "DELETE" => self.work(reply, move |shared, path| {
                match find(shared, path).and_then(|slot| slot.cancel(shared)) {
                    Ok(()) => Response::new(StatusCode::NO_CONTENT),
                    Err(refused) => refused.into(),
                }
            }),
            _ => self.patch(request, reply, find),
        }
    }

    fn patch(
        &self,
        request: &Request<'_>,
        reply: Reply<'_>,
        find: impl FnOnce(&Arc<Shared>, &FilePath<'_>) -> Result<Arc<Slot>, Refused> + Send + 'static,
    ) {
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
        let is_empty = !request.has_content();
        let (shared, path, says) = (self.shared.clone(), self.path.to_owned(), wanted.clone());
        self.append(reply, &wanted, false, move || {
            let slot = find(&shared, &path)?;
            let mut part = match slot.take() {
                Found::Part(part) => part,
                Found::Complete => return Err(fields::completed(is_empty)),
                Found::Nothing => return Err(refusal::plain(StatusCode::NOT_FOUND)),
                Found::Busy => return Err(refusal::busy()),
            };
            if let Err(refused) = slot.check(offset, part.len(), &says) {
                slot.rest(part)?;
                return Err(refused);
            }
            part.follow(&shared);
            Ok((slot, part))
        });
    }
}

/// The answer where no more uploads may wait.
fn too_many() -> Refused {
    let busy = Response::error(StatusCode::SERVICE_UNAVAILABLE);
    or_500(busy.with_field(&RETRY_AFTER, "60")).into()
}

/// Tells a client how its upload goes on.
fn tell(client: &Intake, fields: Result<FieldBuf, InvalidField>) {
    let status = StatusCode::from_u16(104);
    match (status, fields) {
        (Ok(status), Ok(fields)) => client.interim(status, fields),
        (_, Err(error)) => log::error!("no 104 for an upload: {error}"),
        (Err(error), _) => log::error!("no 104 for an upload: {error}"),
    }
}

/// Content on its way to the end of a draft. When it is cut off, what has come stays.
struct Append {
    shared: Arc<Shared>,
    slot: Arc<Slot>,
    part: Option<Box<Part>>,
    is_last: bool,
    /// Whether the request began the upload.
    is_new: bool,
    /// A client that understands how it is told of the progress.
    client: Option<Intake>,
    /// When to make sure of what has come.
    due: Instant,
}

impl Append {
    /// The upload is of no more use: "marking the upload resource invalid and rejecting any further
    /// interaction with it" (section 4.4.2 of the draft).
    fn give_up(&mut self, refused: Refused) -> Refused {
        if let Some(part) = self.part.take() {
            part.discard();
        }
        self.slot.forget();
        fields::of_target(refused)
    }

    /// Makes sure of what has come, now and then, and tells the client, which needs to keep that no
    /// longer.
    fn save(&mut self) -> Result<(), Refused> {
        let begin = Instant::now();
        if self.slot.name().is_none() || begin < self.due {
            return Ok(());
        }
        let Some(part) = &mut self.part else { return Ok(()) };
        part.save(&self.slot.target.terms, self.slot.length())?;
        if let Some(client) = &self.client {
            tell(client, progress(part.len()));
        }
        // A slow disk is busy with this for a tenth of the time at most.
        self.due = Instant::now() + SAVED_EVERY.max(begin.elapsed() * 9);
        Ok(())
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
        let Some(part) = &mut self.part else {
            return Err(refusal::plain(StatusCode::NOT_FOUND));
        };
        let len = part.len().saturating_add(bytes.len() as u64);
        if self.slot.length().is_some_and(|length| len > length) {
            return Err(self.give_up(fields::inconsistent()));
        }
        let written = part.write(bytes).and_then(|()| self.save());
        written.map_err(|refused| self.give_up(refused))
    }

    fn finish(mut self: Box<Self>) -> Response {
        let Some(part) = self.part.take() else {
            return Response::error(StatusCode::NOT_FOUND);
        };
        let len = part.len();
        if !self.is_last {
            return match self.slot.rest(part) {
                Ok(()) => or_500(self.respond(len)),
                Err(refused) => refused.into(),
            };
        }
        if self.slot.length().is_some_and(|length| length != len) {
            part.discard();
            return self.give_up(fields::inconsistent()).into();
        }
        let response = part.publish(&self.shared, &self.slot.target);
        self.slot.complete(len);
        or_500(response.with_field(&UPLOAD_COMPLETE, boolean(true)))
    }

    fn cut_off(mut self: Box<Self>) {
        if let Some(part) = self.part.take()
            && let Err(refused) = self.slot.rest(part)
        {
            log::warn!("an upload that was cut off is lost: {}", refused.status());
        }
    }
}

impl Drop for Append {
    /// Comes with a part only where the pool had no room for another job; that is no place to wait for
    /// the disk.
    fn drop(&mut self) {
        match self.part.take() {
            Some(part) => self.slot.put_back(part),
            None => self.slot.settle(),
        }
    }
}

/// The fields of a 104 about how much is on the disk.
fn progress(offset: u64) -> Result<FieldBuf, InvalidField> {
    let mut fields = FieldBuf::new();
    fields.push(&VERSION_FIELD, VERSION)?;
    fields.push(&UPLOAD_OFFSET, offset.to_string())?;
    Ok(fields)
}

impl Slot {
    fn url(&self, shared: &Shared) -> String {
        format!("{}?upload-token={}", self.target.url(shared), self.token)
    }

    /// The fields of a 104 about where the upload can be resumed.
    fn place(&self, shared: &Shared) -> Result<FieldBuf, InvalidField> {
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

    /// Gives it up.
    fn cancel(&self, shared: &Shared) -> Result<(), Refused> {
        match self.take() {
            Found::Part(part) => part.discard(),
            Found::Busy => return Err(refusal::busy()),
            Found::Complete | Found::Nothing => {}
        }
        self.forget();
        shared.changes.uploads.remove(&self.token);
        Ok(())
    }

    /// The answer to `HEAD`, and to `GET`, which is not given any content either.
    fn tell(&self, shared: &Shared) -> Response {
        let (offset, is_complete) = match self.take() {
            Found::Part(part) => {
                let len = part.len();
                part.touch();
                if let Err(refused) = self.rest(part) {
                    return refused.into();
                }
                (len, false)
            }
            Found::Complete => (self.length().unwrap_or(0), true),
            Found::Nothing => return Response::error(StatusCode::NOT_FOUND),
            Found::Busy => return refusal::busy().into(),
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

/// How often what has come is made sure of, and a client told. What comes later than that is sent again
/// after a crash.
const SAVED_EVERY: Duration = Duration::from_secs(1);
