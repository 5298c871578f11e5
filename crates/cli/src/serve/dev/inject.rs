//! Text at the end of pages.

use std::io;

use avocet::net::{Notifier, Segment};
use avocet::server::{Body, BodySource, Pulled, Response};
use http::StatusCode;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderName, LAST_MODIFIED,
};

/// A page with this text at its end; anything else as it is.
pub(super) fn inject(response: Response, text: &'static str) -> Response {
    let is_page = response
        .fields()
        .get(&CONTENT_TYPE)
        .is_some_and(|value| value.len() >= 9 && value[..9].eq_ignore_ascii_case(b"text/html"));
    let is_part = response.status() == StatusCode::PARTIAL_CONTENT;
    let is_coded = response.fields().contains(&CONTENT_ENCODING);
    if !is_page || is_part || is_coded || matches!(response.body(), Body::Empty) {
        return response;
    }
    let (status, mut fields, body) = response.into_parts();
    // These tell of the file and not of the page that is sent now; a copy that was kept would have the
    // script in it for ever.
    let of_file: [HeaderName; 4] = [ETAG, LAST_MODIFIED, ACCEPT_RANGES, CACHE_CONTROL];
    for name in &of_file {
        fields.remove(name);
    }
    if let Err(error) = fields.push(&CACHE_CONTROL, "no-store") {
        log::error!("a page without Cache-Control: {error}");
    }
    let mut response = Response::new(status).with_body(with_end(body, text));
    *response.fields_mut() = fields;
    response
}

fn with_end(body: Body, text: &'static str) -> Body {
    let joined = |start: &[u8]| Body::Owned([start, text.as_bytes()].concat());
    let after = |size: Option<u64>, first: First| Body::Source {
        size: size.map(|size| size + text.len() as u64),
        source: Box::new(After { first, text: Some(text) }),
    };
    match body {
        Body::Empty => joined(b""),
        Body::Static(bytes) => joined(bytes),
        Body::Owned(bytes) => joined(&bytes),
        Body::Shared(bytes) => joined(&bytes),
        Body::File(range) => after(Some(range.len), First::Segment(Some(Segment::File(range)))),
        Body::Source { size, source } => after(size, First::Source(source)),
    }
}

/// Content and then a text.
struct After {
    first: First,
    text: Option<&'static str>,
}

enum First {
    Segment(Option<Segment>),
    Source(Box<dyn BodySource>),
}

impl BodySource for After {
    fn pull(&mut self, most: usize, wake: &dyn Fn() -> Notifier) -> io::Result<Pulled> {
        let end = match &mut self.first {
            First::Segment(segment) => match segment.take() {
                Some(segment) => return Ok(Pulled::Piece(segment)),
                None => Default::default(),
            },
            First::Source(_) if self.text.is_none() => Default::default(),
            First::Source(source) => match source.pull(most, wake)? {
                Pulled::End(trailers) => trailers,
                other => return Ok(other),
            },
        };
        match self.text.take() {
            Some(text) => Ok(Pulled::Piece(Segment::Static(text.as_bytes()))),
            None => Ok(Pulled::End(end)),
        }
    }
}

#[cfg(test)]
mod tests {
    use avocet::server::Response;

    use super::*;

    #[test]
    fn only_pages_get_it() {
        let page = inject(Response::html("<p>"), "X");
        assert!(matches!(page.body(), Body::Owned(bytes) if bytes == b"<p>X"));
        assert_eq!(page.fields().get(&CACHE_CONTROL), Some(&b"no-store"[..]));
        let text = inject(Response::text("<p>"), "X");
        assert!(matches!(text.body(), Body::Static(b"<p>")));
        let part = Response::html("<p>").with_status(StatusCode::PARTIAL_CONTENT);
        assert!(matches!(inject(part, "X").body(), Body::Static(b"<p>")));
        let coded = Response::html("<p>").with_field(&CONTENT_ENCODING, "gzip").unwrap();
        assert!(matches!(inject(coded, "X").body(), Body::Static(b"<p>")));
        let empty = Response::html("").with_body(Body::Empty);
        assert!(matches!(inject(empty, "X").body(), Body::Empty));
    }
}
