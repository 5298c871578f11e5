//! Answering with a coding that has to be made first.

use std::sync::Arc;
use std::time::SystemTime;

use avocet_net::WorkerPool;
use avocet_semantics::conditions::{Conditions, Outcome};
use avocet_semantics::dates;
use avocet_server::{Reply, Request, Response};
use http::StatusCode;

use crate::compress::{self, KEPT, streamed};
use crate::deferred::Deferred;
use crate::form::Wait;
use crate::path::FilePath;
use crate::representation::{About, Content, Representation};
use crate::resource::{Coded, Resource};
use crate::respond::{past, respond};
use crate::service::{Shared, or_500};

/// A coding that one request wants.
pub(crate) struct Making<'a> {
    pub(crate) shared: &'a Arc<Shared>,
    pub(crate) pool: &'a Arc<WorkerPool>,
    pub(crate) path: &'a FilePath<'a>,
    pub(crate) resource: &'a Arc<Resource>,
    pub(crate) coded: &'a Coded,
}

impl Making<'_> {
    pub(crate) fn respond(&self, request: &Request<'_>, reply: Reply<'_>) {
        let settings = &self.shared.settings;
        let shape = self.resource.shape(settings);
        let about = match compress::about(&self.resource.plain, self.coded.coding.into(), shape) {
            Ok(about) => about,
            Err(error) => return reply.send(or_500(Err(error))),
        };
        // Who has it already need not wait for it to be made.
        let Some(reply) = past(evaluate(request, &about), settings, reply, &about) else { return };
        match &self.resource.plain.content {
            Content::File(place) if self.resource.plain.len() > KEPT => {
                let state = &self.resource.plain.metadata;
                self.shared.keep_beside(self.resource, self.coded.coding);
                match streamed(&place.file, state, self.coded.coding, self.pool) {
                    Ok(body) => reply.send_parts(StatusCode::OK, &about.fields, body),
                    Err(error) => {
                        log::error!("a file is sent without a coding: {error}");
                        respond(settings, request, reply, &self.resource.plain);
                    }
                }
            }
            _ => self.wait(request, reply),
        }
    }

    fn wait(&self, request: &Request<'_>, reply: Reply<'_>) {
        let mut reply = Some(reply);
        let wait = self.coded.form.wait(|| reply.take().map(|reply| Deferred::new(reply.defer())));
        match (wait, reply) {
            (Wait::First, _) => self.start(),
            (Wait::Joined, _) => {}
            (Wait::Over, Some(reply)) => {
                let found = self.coded.ready().unwrap_or(&self.resource.plain);
                respond(&self.shared.settings, request, reply, found);
            }
            (Wait::Over, None) => {}
        }
    }

    /// Has the coding made. Where no thread has time for it the file is sent as it is.
    fn start(&self) {
        let job = Job {
            shared: self.shared.clone(),
            key: self.path.key().into(),
            resource: self.resource.clone(),
            coding: self.coded.coding,
        };
        if self.pool.execute(move || job.run()).is_err() {
            log::warn!("the worker pool is full, a file is sent without a coding");
        }
    }
}

/// What the conditions of a request come to.
pub(crate) fn evaluate(request: &Request<'_>, about: &About) -> Outcome {
    let conditions = Conditions::from_fields(request.fields());
    if conditions.is_empty() {
        return Outcome::Proceed;
    }
    let now = dates::seconds(SystemTime::now());
    conditions.evaluate(request.method(), Some(&about.stamp.validators()), now)
}

/// The making of one coding; those who wait are answered however it ends.
struct Job {
    shared: Arc<Shared>,
    key: Box<[u8]>,
    resource: Arc<Resource>,
    coding: avocet_encoding::Coding,
}

impl Job {
    fn run(self) {
        let shape = self.resource.shape(&self.shared.settings);
        let made = compress::make(&self.resource.plain, self.coding, shape);
        if let Some(coded) = self.resource.coding(self.coding) {
            let is_made = made.is_some();
            let waiting = coded.form.finish(made);
            self.shared.reweigh(&self.key, &self.resource);
            answer(waiting, coded.ready().unwrap_or(&self.resource.plain));
            if is_made {
                self.shared.keep_beside(&self.resource, self.coding);
            }
        }
    }
}

impl Drop for Job {
    /// After [`run`](Self::run) nobody waits any more.
    fn drop(&mut self) {
        if let Some(coded) = self.resource.coding(self.coding) {
            answer(coded.form.give_up(), &self.resource.plain);
        }
    }
}

/// Answers all who waited.
pub(crate) fn answer(waiting: Vec<Deferred>, found: &Representation) {
    for deferred in waiting {
        let mut response = Response::ok(found.body());
        response.fields_mut().extend(&found.about.fields);
        deferred.send(response);
    }
}
