//! What stands before every answer: the pace at which it leaves, and who may ask.

use avocet_net::WorkerPool;
use avocet_server::{Reply, Request};

use crate::access::Gate;
use crate::pace::Pace;
use crate::path::FilePath;
use crate::service::below;
use crate::settings::Settings;

/// A service with a front.
pub(crate) trait Fronted: Clone + 'static {
    fn gate(&self) -> &Gate;
    fn pace(&self) -> Option<&Pace>;
    fn settings(&self) -> &Settings;
    fn pool(&self) -> &WorkerPool;

    /// Answers a request of somebody who may ask.
    fn serve(&self, request: &Request<'_>, reply: Reply<'_>);
}

/// Answers a request, or refuses it.
pub(crate) fn handle(service: &impl Fronted, request: &Request<'_>, reply: Reply<'_>) {
    let reply = match service.pace() {
        Some(pace) => {
            let pace = pace.clone();
            reply.filtered(move |response| pace.slowed(response))
        }
        None => reply,
    };
    let gate = service.gate();
    if gate.access().is_open() {
        return service.serve(request, reply);
    }
    let Some(Ok(path)) = below(&service.settings().at, request.path()).map(FilePath::parse) else {
        // A path that names nothing is answered so, whoever asks.
        return service.serve(request, reply);
    };
    let (this, that) = (service.clone(), service.clone());
    let then = move |request: &Request<'_>, reply: Reply<'_>| this.serve(request, reply);
    let complete = move |response| that.settings().complete(response);
    gate.pass(service.pool(), request, reply, &path, then, complete);
}
