//! Answering with a difference, and keeping what later ones are made from.

use std::sync::{Arc, PoisonError};

use avocet_encoding::{DictionaryCoding, Level, encode_with, negotiate_dictionary};
use avocet_net::WorkerPool;
use avocet_semantics::base64;
use avocet_server::{Reply, Request};
use http::HeaderName;
use http::header::ACCEPT_ENCODING;

use super::{AVAILABLE_DICTIONARY, Delta, Dictionaries, Known, Noted};
use crate::compress::{self, Named};
use crate::deferred::Deferred;
use crate::form::Wait;
use crate::making::{answer, evaluate};
use crate::path::FilePath;
use crate::resource::{Resource, wants_lasting_bytes};
use crate::respond::{past, respond};
use crate::service::{Shared, or_500};

/// A resource that is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Answering<'a> {
    pub(crate) shared: &'a Arc<Shared>,
    pub(crate) pool: &'a Arc<WorkerPool>,
    pub(crate) path: &'a FilePath<'a>,
    pub(crate) resource: &'a Arc<Resource>,
}

impl Answering<'_> {
    /// Sees to it that what is sent is known as a dictionary. A pool that is full leaves it to the next
    /// one who asks.
    pub(crate) fn note(&self) {
        let Some(field) = self.resource.as_dictionary() else { return };
        let state = &self.resource.noted;
        if !state.lock().unwrap_or_else(PoisonError::into_inner).begin() {
            return;
        }
        let noting = Noting {
            shared: self.shared.clone(),
            resource: self.resource.clone(),
            field: field.to_owned(),
            path: self.path.to_owned(),
            noted: Noted::No,
        };
        if self.pool.execute(move || noting.run()).is_err() {
            log::debug!("the worker pool is full, a file does not become a dictionary yet");
        }
    }

    /// The form to answer with, and the version that it is made from; none where the client names no
    /// version that is known, or may not have such an answer.
    pub(crate) fn delta(
        &self,
        dictionaries: &Dictionaries,
        request: &Request<'_>,
    ) -> Option<(Arc<Known>, Arc<Delta>)> {
        let field = self.resource.as_dictionary()?;
        let sha256 = named(request)?;
        if wants_lasting_bytes(request) || !is_readable(request) {
            return None;
        }
        let lines = request.fields().get_all(&ACCEPT_ENCODING);
        let coding = negotiate_dictionary(lines, &OFFERED)?;
        let known = dictionaries.find(&sha256, field)?;
        if !self.shared.gate.access().is_alike(self.path, &known.path) {
            return None;
        }
        let delta = self.resource.delta(coding, &sha256);
        delta.form.is_worth_making().then_some((known, delta))
    }

    pub(crate) fn respond(
        &self,
        request: &Request<'_>,
        reply: Reply<'_>,
        known: &Arc<Known>,
        delta: &Arc<Delta>,
    ) {
        let settings = &self.shared.settings;
        if let Some(made) = delta.form.made() {
            return respond(settings, request, reply, made);
        }
        let (tag, shape) = (delta.tag(), self.resource.shape(settings));
        let named = Named { coding: delta.coding.name(), tag: &tag };
        let about = match compress::about(&self.resource.plain, named, shape) {
            Ok(about) => about,
            Err(error) => return reply.send(or_500(Err(error))),
        };
        // Who has it already need not wait for it to be made.
        if let Some(reply) = past(evaluate(request, &about), settings, reply, &about) {
            self.wait(request, reply, known, delta);
        }
    }

    fn wait(
        &self,
        request: &Request<'_>,
        reply: Reply<'_>,
        known: &Arc<Known>,
        delta: &Arc<Delta>,
    ) {
        let mut reply = Some(reply);
        let wait = delta.form.wait(|| reply.take().map(|reply| Deferred::new(reply.defer())));
        match (wait, reply) {
            (Wait::First, _) => {
                let job = Job {
                    shared: self.shared.clone(),
                    key: self.path.key().into(),
                    resource: self.resource.clone(),
                    known: known.clone(),
                    delta: delta.clone(),
                };
                if self.pool.execute(move || job.run()).is_err() {
                    log::warn!("the worker pool is full, a file is sent without a coding");
                }
            }
            (Wait::Over, Some(reply)) => {
                let found = delta.form.made().unwrap_or(&self.resource.plain);
                respond(&self.shared.settings, request, reply, found);
            }
            (Wait::Joined | Wait::Over, _) => {}
        }
    }
}

/// The digest of the version that the client has. What is no digest names nothing.
///
/// *Spec*: RFC 9842 §2.2: one item of a structured field, a byte sequence.
fn named(request: &Request<'_>) -> Option<[u8; 32]> {
    let name = AVAILABLE_DICTIONARY;
    let mut lines = request.fields().get_all(&name);
    let (Some(line), None) = (lines.next(), lines.next()) else { return None };
    let text = line.trim_ascii().strip_prefix(b":")?.strip_suffix(b":")?;
    if text.len() != DIGEST_LEN {
        return None;
    }
    base64::decode(text)?.try_into().ok()
}

/// Whether the page that asks may read the answer. The length of a difference tells about the
/// content, and what is asked for by a page of another site must tell it nothing.
///
/// *Spec*: RFC 9842 §9.3.
fn is_readable(request: &Request<'_>) -> bool {
    request
        .fields()
        .get_all(&SEC_FETCH_SITE)
        .all(|site| matches!(site.trim_ascii(), b"same-origin" | b"none"))
}

/// The reading of one content; however it ends, the next one who asks may try again or not.
struct Noting {
    shared: Arc<Shared>,
    resource: Arc<Resource>,
    field: String,
    path: FilePath<'static>,
    noted: Noted,
}

impl Noting {
    fn run(mut self) {
        let Some(dictionaries) = &self.shared.dictionaries else { return };
        match compress::read(&self.resource.plain) {
            Ok(bytes) => {
                let (field, path) = (self.field.clone(), self.path.clone());
                let known = dictionaries.insert(Known::new(bytes, field, path));
                self.noted = Noted::As(Arc::downgrade(&known));
            }
            Err(error) => log::warn!("a file does not become a dictionary: {error}"),
        }
    }
}

impl Drop for Noting {
    fn drop(&mut self) {
        let mut state = self.resource.noted.lock().unwrap_or_else(PoisonError::into_inner);
        *state = std::mem::take(&mut self.noted);
    }
}

/// The making of one form; those who wait are answered however it ends.
struct Job {
    shared: Arc<Shared>,
    key: Box<[u8]>,
    resource: Arc<Resource>,
    known: Arc<Known>,
    delta: Arc<Delta>,
}

impl Job {
    fn run(self) {
        let Self { resource, delta, .. } = &self;
        let (tag, shape) = (delta.tag(), resource.shape(&self.shared.settings));
        let named = Named { coding: delta.coding.name(), tag: &tag };
        let made =
            compress::make_by(&resource.plain, named, shape, resource.shortest(), |content| {
                encode_with(delta.coding, Level::Default, &self.known.dictionary(), content)
            });
        let waiting = delta.form.finish(made);
        self.shared.reweigh(&self.key, resource);
        answer(waiting, delta.form.made().unwrap_or(&resource.plain));
    }
}

impl Drop for Job {
    /// After [`run`](Self::run) nobody waits any more.
    fn drop(&mut self) {
        answer(self.delta.form.give_up(), &self.resource.plain);
    }
}

/// The codings, best first: zstd takes less time for the same.
const OFFERED: [DictionaryCoding; 2] = [DictionaryCoding::Dcz, DictionaryCoding::Dcb];

/// The length of 32 bytes in base64.
const DIGEST_LEN: usize = 44;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
