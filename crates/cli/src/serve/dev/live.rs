//! Telling pages of changes, by server-sent events.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use avocet::net::{Notifier, Segment};
use avocet::server::{Body, BodySource, Handler, Pulled, Reply, Request, Response};
use avocet::wire::FieldBuf;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use http::{Method, StatusCode};

use super::inject::inject;

/// The script and its events, beside the pages of a handler.
pub(super) struct LivePages {
    inner: Arc<dyn Handler>,
    live: Arc<Live>,
}

/// What has changed so far, and the pages that wait for more.
#[derive(Default)]
pub(super) struct Live(Mutex<State>);

#[derive(Default)]
struct State {
    /// Counts changes.
    changes: u64,
    /// Whether the last one was of style sheets alone.
    style: bool,
    stopped: bool,
    next_page: u64,
    waiting: HashMap<u64, Notifier>,
}

/// The events of one page.
struct Events {
    live: Arc<Live>,
    page: u64,
    seen: u64,
    greeted: bool,
}

impl LivePages {
    pub(super) fn new(inner: Arc<dyn Handler>, live: Arc<Live>) -> Self {
        Self { inner, live }
    }
}

impl Handler for LivePages {
    fn handle(&self, request: &Request<'_>, reply: Reply<'_>) {
        if *request.method() == Method::GET && request.path() == EVENTS {
            let source = Box::new(Events::new(self.live.clone()));
            let body = Body::Source { size: None, source };
            return reply.send(of_type("text/event-stream", body));
        }
        if *request.method() == Method::GET && request.path() == SCRIPT {
            return reply.send(of_type("text/javascript; charset=utf-8", Body::from(LISTENER)));
        }
        self.inner.handle(request, reply.filtered(|response| inject(response, TAG)));
    }
}

impl Live {
    /// Something has changed; style sheets alone if `style`.
    pub(super) fn change(&self, style: bool) {
        let mut state = self.state();
        state.changes += 1;
        state.style = style;
        state.wake();
    }

    pub(super) fn stop(&self) {
        let mut state = self.state();
        state.stopped = true;
        state.wake();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wake(&mut self) {
        for (_, page) in self.waiting.drain() {
            page.wake();
        }
    }
}

impl Events {
    fn new(live: Arc<Live>) -> Self {
        let mut state = live.state();
        state.next_page += 1;
        let (page, seen) = (state.next_page, state.changes);
        drop(state);
        Self { live, page, seen, greeted: false }
    }
}

impl BodySource for Events {
    fn pull(&mut self, _most: usize, wake: &dyn Fn() -> Notifier) -> io::Result<Pulled> {
        let mut state = self.live.state();
        if state.stopped {
            return Ok(Pulled::End(FieldBuf::new()));
        }
        // The first line comes at once, so that a browser knows the stream is there.
        if !std::mem::replace(&mut self.greeted, true) {
            return Ok(Pulled::Piece(Segment::Static(b"retry: 500\n: listening\n\n")));
        }
        if state.changes == self.seen {
            state.waiting.insert(self.page, wake());
            return Ok(Pulled::Pending);
        }
        // What happened twice in between is told as one: all of it.
        let style = state.style && state.changes == self.seen + 1;
        self.seen = state.changes;
        let event: &[u8] = if style { b"data: style\n\n" } else { b"data: page\n\n" };
        Ok(Pulled::Piece(Segment::Owned(event.to_vec())))
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.live.state().waiting.remove(&self.page);
    }
}

fn of_type(media_type: &str, body: Body) -> Response {
    let of = |response: Response, name: &HeaderName, value: &str| response.with_field(name, value);
    let response = Response::new(StatusCode::OK).with_body(body);
    let response = of(response, &CONTENT_TYPE, media_type);
    response.and_then(|response| of(response, &CACHE_CONTROL, "no-store")).unwrap_or_else(|error| {
        Response::error_because(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    })
}

/// Where the script and its events are; no file of a folder has such a name unless somebody means it.
const SCRIPT: &str = "/.avocet/live.js";
const EVENTS: &str = "/.avocet/live";

/// What is put at the end of pages.
const TAG: &str = "\n<script src=\"/.avocet/live.js\"></script>\n";

/// Style sheets are exchanged in their place; anything else loads the page again, as does a server that
/// comes back after it was gone.
const LISTENER: &str = "\
(() => {
  const events = new EventSource('/.avocet/live');
  let lost = false;
  events.onopen = () => { if (lost) location.reload(); };
  events.onerror = () => { lost = true; };
  events.onmessage = (event) => {
    if (event.data !== 'style') return location.reload();
    for (const link of document.querySelectorAll('link[rel~=stylesheet]')) {
      const url = new URL(link.href);
      if (url.origin !== location.origin) continue;
      url.searchParams.set('live', Date.now());
      link.href = url;
    }
  };
})();
";
