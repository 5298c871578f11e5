//! Files that come by a form.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use avocet_semantics::multipart::{Event, Parser, PartHead};
use avocet_semantics::{accept, file_names};
use avocet_server::{Reply, Request, Response};
use http::StatusCode;
use http::header::{ACCEPT, CONTENT_TYPE};

use super::actions::{back_to, reachable};
use super::draft::Draft;
use super::intake::{Intake, Receiver};
use super::place::Place;
use super::refusal::Refused;
use super::{Change, check_place, refusal};
use crate::listing::json;
use crate::path::{FilePath, encode};
use crate::service::{Shared, or_500};

impl Change<'_> {
    pub(super) fn post_files(&self, request: &Request<'_>, reply: Reply<'_>, content_type: &[u8]) {
        let parser = match Parser::for_form(content_type) {
            Ok(parser) => parser,
            Err(error) => {
                let refused = refusal::because(StatusCode::BAD_REQUEST, sentence(&error));
                return self.refuse(reply, refused);
            }
        };
        // A form may hold several files; none is larger than all of it.
        let limit = self.shared.changes.rules.quota.unwrap_or(u64::MAX);
        if request.content_length().is_some_and(|length| length > limit.saturating_add(OVERHEAD)) {
            return self.refuse(reply, refusal::over_quota());
        }
        let offers = ["application/json", "text/html"];
        let accept = request.field(&ACCEPT).unwrap_or_default();
        let is_browser = accept::preferred(accept, &offers) == Some(1);
        let (shared, path) = (self.shared.clone(), self.path.to_owned());
        let settings = self.shared.clone();
        let complete = move |response| settings.settings.complete(response);
        Intake::start(self.pool, reply, complete, |_| {
            Box::new(move || {
                if shared.rules.hides(&path) {
                    return Err(refusal::plain(StatusCode::NOT_FOUND));
                }
                let root = shared.base.root();
                let folder = root.locate_folder(path.as_bytes()).map_err(|error| {
                    log::debug!("no folder for an upload: {error}");
                    Response::error(StatusCode::NOT_FOUND)
                })?;
                let folder = Arc::new(folder);
                let (waiting, done) = (Vec::new(), Vec::new());
                let part = Part::Ignored;
                Ok(Box::new(Form { shared, path, folder, parser, waiting, part, done, is_browser }))
            })
        });
    }
}

/// A form on its way.
struct Form {
    shared: Arc<Shared>,
    path: FilePath<'static>,
    folder: Arc<OwnedFd>,
    parser: Parser,
    /// The beginning of something whose rest has not come.
    waiting: Vec<u8>,
    part: Part,
    /// Files that have come as a whole. They are published together, at the end.
    done: Vec<(String, Draft)>,
    is_browser: bool,
}

enum Part {
    File(String, Draft),
    /// A field without a file, such as that of a form in which none was chosen.
    Ignored,
}

impl Form {
    fn begin(&mut self, head: &PartHead) -> Result<Part, Refused> {
        let Some(filename) = head.filename.as_deref().filter(|name| !name.is_empty()) else {
            return Ok(Part::Ignored);
        };
        let name = file_names::safe(filename).ok_or_else(|| {
            refusal::because(StatusCode::BAD_REQUEST, "A file has a name that is none.")
        })?;
        let path = FilePath::from_clean(self.path.join(name.as_bytes()));
        let path = path.ok_or_else(|| refusal::plain(StatusCode::BAD_REQUEST))?;
        reachable(&self.shared, &self.path, path)?;
        // One of them would have to be refused when the other is there already.
        if self.done.iter().any(|(other, _)| *other == name) {
            let explanation = "Two files of the form have one name.";
            return Err(refusal::because(StatusCode::CONFLICT, explanation));
        }
        let place = Place::within(&self.folder, &name);
        let changes = &self.shared.changes;
        check_place(&changes.rules, &place.taken()?)?;
        let root = self.shared.base.root();
        let claim = changes.quota.claim(&root, 0).ok_or_else(refusal::over_quota)?;
        Ok(Part::File(name, Draft::new(place, claim, changes.rules.largest)?))
    }

    fn publish(self) -> Result<Response, Refused> {
        let mut text = String::from("{\"files\":[");
        if self.done.is_empty() {
            return Err(refusal::because(StatusCode::BAD_REQUEST, "No file was chosen."));
        }
        let changes = &self.shared.changes;
        for (index, (name, draft)) in self.done.into_iter().enumerate() {
            let published = draft.publish(changes, |taken| check_place(&changes.rules, taken))?;
            text.push_str(if index == 0 { "\n{\"name\":" } else { ",\n{\"name\":" });
            json::string(&name, &mut text);
            text.push_str(",\"href\":\"./");
            encode(name.as_bytes(), &mut text);
            text.push_str(&format!("\",\"size\":{}}}", published.metadata.size));
        }
        text.push_str("\n]}\n");
        Ok(or_500(if self.is_browser {
            back_to(&self.shared, &self.path)
        } else {
            let created = Response::new(StatusCode::CREATED).with_body(text);
            created.with_field(&CONTENT_TYPE, "application/json")
        }))
    }
}

impl Receiver for Form {
    fn take(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        self.waiting.extend_from_slice(bytes);
        let waiting = std::mem::take(&mut self.waiting);
        let mut rest = waiting.as_slice();
        loop {
            let step = self
                .parser
                .read(rest)
                .map_err(|error| refusal::because(StatusCode::BAD_REQUEST, sentence(&error)))?;
            rest = &rest[step.used..];
            match step.event {
                Event::Part(head) => self.part = self.begin(&head)?,
                Event::Data(bytes) => match &mut self.part {
                    Part::File(_, draft) => draft.write(bytes)?,
                    Part::Ignored => {}
                },
                Event::PartEnd => {
                    if let Part::File(name, mut draft) =
                        std::mem::replace(&mut self.part, Part::Ignored)
                    {
                        draft.complete()?;
                        self.done.push((name, draft));
                    }
                }
                Event::End | Event::NeedMore => break,
            }
        }
        self.waiting = rest.to_vec();
        Ok(())
    }

    fn finish(self: Box<Self>) -> Response {
        if !self.parser.is_complete() {
            return refusal::because(StatusCode::BAD_REQUEST, "The form was cut off.").into();
        }
        match self.publish() {
            Ok(response) => response,
            Err(refused) => refused.into(),
        }
    }
}

fn sentence(error: &avocet_semantics::Error) -> String {
    format!("The form cannot be read: {error}.")
}

/// What a form adds to its files, at most, before the files are looked at.
const OVERHEAD: u64 = 1024 * 1024;
