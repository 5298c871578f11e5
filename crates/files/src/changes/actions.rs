//! New folders and deletions, by method and by form.

use std::sync::Arc;

use avocet_semantics::file_names;
use avocet_semantics::media_types::MediaType;
use avocet_server::{Reply, Request, Response};
use avocet_wire::InvalidField;
use http::StatusCode;
use http::header::{ALLOW, CONTENT_TYPE, LOCATION};
use rustix::fs::{AtFlags, Mode, mkdirat, unlinkat};
use rustix::io::{Errno, retry_on_intr};

use super::place::{Place, Taken};
use super::refusal::Refused;
use super::terms::Terms;
use super::{Change, refusal};
use crate::listing::form_value;
use crate::path::FilePath;
use crate::service::{Shared, or_500};

impl Change<'_> {
    /// `MKCOL`, as RFC 4918 §9.3 has it.
    pub(super) fn make_folder(&self, request: &Request<'_>, reply: Reply<'_>) {
        if request.has_content() {
            // "If the server receives a MKCOL request entity type it does not support or understand,
            // it MUST respond with a 415" (RFC 4918 §9.3).
            return self.refuse(reply, Response::error(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        self.work(reply, |shared, path| match make_folder(shared, path) {
            Ok(()) => {
                let url = shared.settings.at.clone() + &path.to_url(true);
                or_500(Response::new(StatusCode::CREATED).with_field(&LOCATION, url))
            }
            Err(refused) => refused.into(),
        });
    }

    pub(super) fn delete(&self, request: &Request<'_>, reply: Reply<'_>) {
        let terms = match Terms::of(request) {
            Ok(terms) => terms,
            Err(refused) => return self.refuse(reply, refused),
        };
        self.work(reply, move |shared, path| match delete(shared, path, &terms) {
            Ok(()) => Response::new(StatusCode::NO_CONTENT),
            Err(refused) => refused.into(),
        });
    }

    /// The forms of the listing.
    pub(super) fn post(&self, request: &Request<'_>, reply: Reply<'_>) {
        let content_type = request.field(&CONTENT_TYPE).unwrap_or_default();
        let is = |kind, subtype| {
            MediaType::parse(content_type).is_ok_and(|media_type| media_type.is(kind, subtype))
        };
        if is("multipart", "form-data") && self.shared.changes.rules.uploads {
            return self.post_files(request, reply, content_type);
        }
        if !is("application", "x-www-form-urlencoded") {
            return self.refuse(reply, Response::error(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        let (shared, pool, path) = (self.shared.clone(), self.pool.clone(), self.path.to_owned());
        reply.collect(LARGEST_FORM, move |_, content, reply| {
            let change = Change { shared: &shared, pool: &pool, path: &path };
            change.work(reply, move |shared, path| act(shared, path, &content));
        });
    }
}

/// Does what a form says, and leads back to the listing.
fn act(shared: &Arc<Shared>, folder: &FilePath<'_>, content: &[u8]) -> Response {
    let content = String::from_utf8_lossy(content);
    let pairs = content.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let (mut action, mut names) = (String::new(), Vec::new());
    for (name, value) in pairs {
        match name {
            "action" => action = form_value(value),
            "name" => names.push(form_value(value)),
            _ => {}
        }
    }
    let rules = &shared.changes.rules;
    let done = match action.as_str() {
        "mkdir" if rules.folders => match names.as_slice() {
            [name] => named_folder(folder, name)
                .and_then(|path| reachable(shared, folder, path))
                .and_then(|path| make_folder(shared, &path)),
            _ => Err(refusal::because(StatusCode::BAD_REQUEST, "One name is needed.")),
        },
        "delete" if rules.deletes => names.iter().try_for_each(|name| {
            let path = reachable(shared, folder, listed(folder, name)?)?;
            delete(shared, &path, &Terms::default())
        }),
        _ => Err(refusal::because(StatusCode::BAD_REQUEST, "The form asks for nothing known.")),
    };
    match done {
        Ok(()) => or_500(back_to(shared, folder)),
        Err(refused) => refused.into(),
    }
}

/// After a form was sent the browser gets the folder anew, so that a reload sends nothing again.
pub(super) fn back_to(shared: &Shared, folder: &FilePath<'_>) -> Result<Response, InvalidField> {
    let url = shared.settings.at.clone() + &folder.to_url(true);
    Response::redirect(StatusCode::SEE_OTHER, &url)
}

/// A path that whoever may use the form may reach without it.
pub(super) fn reachable(
    shared: &Shared,
    folder: &FilePath<'_>,
    path: FilePath<'static>,
) -> Result<FilePath<'static>, Refused> {
    if shared.gate.access().is_alike(folder, &path) {
        return Ok(path);
    }
    Err(refusal::because(StatusCode::FORBIDDEN, "This has a password of its own."))
}

/// The path of a folder whose name a person has written.
fn named_folder(folder: &FilePath<'_>, name: &str) -> Result<FilePath<'static>, Refused> {
    let name = file_names::safe(name);
    let path = name.and_then(|name| FilePath::from_clean(folder.join(name.as_bytes())));
    path.ok_or_else(|| refusal::because(StatusCode::BAD_REQUEST, "This is no name of a folder."))
}

/// The path of an entry that a listing has named, encoded as in its link.
fn listed(folder: &FilePath<'_>, name: &str) -> Result<FilePath<'static>, Refused> {
    let invalid = || refusal::because(StatusCode::BAD_REQUEST, "This is no name of an entry.");
    let target = format!("/{name}");
    let parsed = FilePath::parse(&target).map_err(|_| invalid())?;
    if parsed.segments().count() != 1 {
        return Err(invalid());
    }
    FilePath::from_clean(folder.join(parsed.name())).ok_or_else(invalid)
}

fn make_folder(shared: &Shared, path: &FilePath<'_>) -> Result<(), Refused> {
    let place = Place::find(&shared.base.root(), &shared.rules, path)?;
    place.check_name(&shared.rules)?;
    let mode = Mode::from_raw_mode(0o777);
    match retry_on_intr(|| mkdirat(place.folder(), &place.name, mode)) {
        Ok(()) => {}
        // "MKCOL can only be executed on an unmapped URL" (RFC 4918 §9.3.1).
        Err(Errno::EXIST) => {
            let refused =
                Response::error_because(StatusCode::METHOD_NOT_ALLOWED, "The name is taken.");
            return Err(or_500(refused.with_field(&ALLOW, &shared.settings.methods)).into());
        }
        Err(error) => return Err(refusal::of_error(error)),
    }
    note_sync(place.sync());
    Ok(())
}

fn delete(shared: &Shared, path: &FilePath<'_>, terms: &Terms) -> Result<(), Refused> {
    let place = match Place::find(&shared.base.root(), &shared.rules, path) {
        // What is in no folder is not there.
        Err(refused) if refused.status() == StatusCode::CONFLICT && !path.is_root() => {
            return Err(refusal::plain(StatusCode::NOT_FOUND));
        }
        found => found?,
    };
    let _alone = shared.changes.alone();
    let taken = place.taken()?;
    terms.check(&taken)?;
    let (flags, size) = match taken {
        Taken::File(metadata) if !path.is_folder() => (AtFlags::empty(), metadata.size),
        Taken::Folder => (AtFlags::REMOVEDIR, 0),
        // A link goes, what it leads to stays.
        Taken::Other if !path.is_folder() => (AtFlags::empty(), 0),
        _ => return Err(refusal::plain(StatusCode::NOT_FOUND)),
    };
    match retry_on_intr(|| unlinkat(place.folder(), &place.name, flags)) {
        Ok(()) => {}
        Err(Errno::NOENT) => return Err(refusal::plain(StatusCode::NOT_FOUND)),
        Err(Errno::EXIST) => return Err(refusal::of_error(Errno::NOTEMPTY)),
        Err(error) => return Err(refusal::of_error(error)),
    }
    shared.changes.quota.give_back(size);
    note_sync(place.sync());
    Ok(())
}

/// The change is made; what is not certain is whether it outlasts a loss of power.
fn note_sync(synced: Result<(), Errno>) {
    if let Err(error) = synced {
        log::warn!("a folder could not be synced: {error}");
    }
}

/// Bytes of a form without files.
const LARGEST_FORM: u64 = 256 * 1024;
