//! `avocet echo`: answers with what was asked, for trying out clients and for conformance probes.

use std::sync::Arc;

use avocet::server::{Methods, Reply, Request, Response, Router, Sink};
use avocet::wire::Fields;
use clap::Args;
use http::header::{COOKIE, UPGRADE};
use http::{Method, StatusCode};

use crate::failure::Failure;
use crate::running::{Service, Serving};

/// Options of `echo`.
///
/// GET answers `OK`, POST the content it was sent; `/echo` lists the request's fields, `/cookie` its
/// cookies.
#[derive(Args)]
pub(crate) struct Echo {
    #[command(flatten)]
    serving: Serving,
}

impl Echo {
    pub(crate) fn run(self, quiet: bool) -> Result<(), Failure> {
        let router = router().map_err(Failure::failed)?;
        let what = "Echoing".to_owned();
        self.serving.run(Service::new(what, Arc::new(router)), quiet)
    }
}

fn router() -> Result<Router, avocet::server::InvalidRoute> {
    Ok(Router::new()
        .route("/echo", every_method(echo_fields))?
        .route("/cookie", every_method(echo_cookies))?
        .fallback(Methods::new().get(ok).post(echo_content)))
}

fn every_method(handler: fn(&Request<'_>, Reply<'_>)) -> Methods {
    [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH]
        .into_iter()
        .fold(Methods::new(), |methods, method| methods.on(method, handler))
}

fn ok(request: &Request<'_>, reply: Reply<'_>) {
    // RFC 6455 §4.4: a version that is not supported is told with the one that is.
    let wants_websocket =
        request.field(&UPGRADE).is_some_and(|v| v.eq_ignore_ascii_case(b"websocket"));
    let version = http::header::SEC_WEBSOCKET_VERSION;
    if wants_websocket && request.field(&version).is_some_and(|v| v != b"13") {
        let refusal = Response::error(StatusCode::UPGRADE_REQUIRED).with_field(&version, "13");
        let refusal = refusal.and_then(|response| response.with_field(&UPGRADE, "websocket"));
        return reply.send(refusal.unwrap_or_else(|error| {
            log::error!("the fields of a refusal: {error}");
            Response::error(StatusCode::INTERNAL_SERVER_ERROR)
        }));
    }
    reply.send(Response::text("OK"));
}

fn echo_content(_: &Request<'_>, reply: Reply<'_>) {
    reply.consume(Box::new(Content::default()));
}

/// Content that goes back. A client that declares more than it sends is waited for; only what really
/// comes counts against the bound.
#[derive(Default)]
struct Content {
    bytes: Vec<u8>,
    too_large: bool,
}

impl Sink for Content {
    fn data(&mut self, bytes: &[u8]) {
        if self.bytes.len() + bytes.len() > MOST {
            self.too_large = true;
            self.bytes = Vec::new();
        } else if !self.too_large {
            self.bytes.extend_from_slice(bytes);
        }
    }

    fn end(self: Box<Self>, _: &Request<'_>, _: Fields<'_>, reply: Reply<'_>) {
        reply.send(match self.too_large {
            true => Response::error(StatusCode::PAYLOAD_TOO_LARGE),
            false => Response::text(self.bytes),
        });
    }
}

fn echo_fields(request: &Request<'_>, reply: Reply<'_>) {
    let mut text = Vec::new();
    for (name, value) in request.fields().iter() {
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value);
        text.push(b'\n');
    }
    reply.send(Response::text(text));
}

fn echo_cookies(request: &Request<'_>, reply: Reply<'_>) {
    let mut text = Vec::new();
    for line in request.fields().get_all(&COOKIE) {
        for pair in line.split(|byte| *byte == b';') {
            let pair = pair.trim_ascii();
            if pair.contains(&b'=') {
                text.extend_from_slice(pair);
                text.push(b'\n');
            }
        }
    }
    reply.send(Response::text(text));
}

/// Content beyond this is answered 413.
const MOST: usize = 16 * 1024 * 1024;
