//! Handlers in the types of the `http` crate.

use avocet_wire::{FieldBuf, ListItems};
use http::StatusCode;
use http::header::CONNECTION;

use crate::handler::Handler;
use crate::reply::Reply;
use crate::request::Request;
use crate::response::Response;

/// A handler from a function over `http::Request` and `http::Response`. It runs on the loop's
/// thread: it must not block.
///
/// *Bounds*: content is collected up to 1 MiB, beyond that the answer is 413.
///
/// *Errors*: framing fields of the response are left out, for they are the library's own; a field
/// that cannot be sent is answered 500.
///
/// ```
/// use avocet_server::http_service;
///
/// let echo = http_service(|request: http::Request<Vec<u8>>| {
///     http::Response::new(request.into_body())
/// });
/// # fn is_handler(_: impl avocet_server::Handler) {}
/// # is_handler(echo);
/// ```
pub fn http_service<F>(answer: F) -> impl Handler
where
    F: Fn(http::Request<Vec<u8>>) -> http::Response<Vec<u8>> + Send + Sync + Clone + 'static,
{
    HttpService(answer)
}

struct HttpService<F>(F);

impl<F> Handler for HttpService<F>
where
    F: Fn(http::Request<Vec<u8>>) -> http::Response<Vec<u8>> + Send + Sync + Clone + 'static,
{
    fn handle(&self, _request: &Request<'_>, reply: Reply<'_>) {
        let answer = self.0.clone();
        reply.collect(MOST, move |request, content, reply| {
            let request = match request.head().to_http() {
                Ok(head) => head.map(|()| content),
                Err(error) => {
                    let status = StatusCode::BAD_REQUEST;
                    return reply.send(Response::error_because(status, error.to_string()));
                }
            };
            reply.send(translate(answer(request)));
        });
    }
}

/// Leaves out the framing fields, which are the library's own.
fn translate(response: http::Response<Vec<u8>>) -> Response {
    let (parts, body) = response.into_parts();
    let mut fields = FieldBuf::new();
    for (name, value) in &parts.headers {
        match fields.push(name, value) {
            Ok(()) | Err(avocet_wire::InvalidField::Reserved) => {}
            Err(error) => {
                log::error!("a response's field {name}: {error}");
                return Response::error(StatusCode::INTERNAL_SERVER_ERROR);
            }
        }
    }
    let mut translated = Response::new(parts.status).with_body(body);
    translated.fields = fields;
    // RFC 9110 §7.6.1: what a service says about the connection is a wish to the server.
    let options = parts.headers.get_all(CONNECTION).iter();
    translated.close = options
        .flat_map(|value| ListItems::new(value.as_bytes()))
        .any(|option| option.eq_ignore_ascii_case(b"close"));
    translated
}

const MOST: u64 = 1024 * 1024;
