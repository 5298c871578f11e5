//! What a folder shows: read and sorted at once, rendered piece by piece.

mod coded;
mod entries;
pub(crate) mod json;
mod page;
mod query;
mod text;

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use avocet_encoding::{Coding, Encoder, Level, encode_all};
use avocet_net::{Notifier, Segment, WorkerPool};
use avocet_server::{Body, BodySource, Pulled, Response};
use avocet_wire::{FieldBuf, InvalidField};
use http::StatusCode;
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER, VARY,
    X_CONTENT_TYPE_OPTIONS,
};

use crate::changes::Changes;
use crate::outcome::Outcome;
use crate::path::FilePath;
use crate::service::{Shared, failure, or_500};

pub(crate) use query::{Format, Query, form_value};

pub(crate) use entries::Entries;

use page::{POLICY, Page, Readme};

/// The memory that all listings under way may take together; what is beyond is answered 503.
#[derive(Default)]
pub(crate) struct Budget(AtomicUsize);

/// A part of the budget, given back when it is dropped.
struct Share {
    budget: Arc<Budget>,
    bytes: usize,
}

/// One listing on its way out.
struct Listing {
    entries: Entries,
    look: Look,
    /// How many entries are rendered already.
    done: usize,
    stage: Stage,
    _share: Share,
}

enum Look {
    Page(Page),
    Json { url: String },
}

enum Stage {
    Start,
    Entries,
    Over,
}

/// Reads a folder and makes the response that shows it.
///
/// *Blocking*: on the file system, once per entry.
pub(crate) fn respond(
    shared: &Arc<Shared>,
    folder: OwnedFd,
    path: &FilePath<'_>,
    query: Query,
    codings: Option<Codings>,
) -> Response {
    let root = shared.base.root();
    let entries = match entries::read(&root, &shared.rules, folder, path, &query.search) {
        Ok(entries) => entries,
        Err(error) => return failure(&Outcome::of_error(error)),
    };
    let readme =
        (query.format == Format::Html).then(|| Readme::find(&root, path, &entries)).flatten();
    let (changes, archives) = (shared.changes.rules.clone(), shared.settings.archives);
    show(entries, path, query, &shared.listings, Extras { readme, changes, archives, codings })
}

/// The codings that a listing may be sent in.
pub(crate) struct Codings {
    /// The one that the client wants most, if any.
    pub(crate) wanted: Option<Coding>,
    /// Where they are made.
    pub(crate) pool: Arc<WorkerPool>,
}

/// What a page shows beside the entries.
#[derive(Default)]
pub(crate) struct Extras {
    readme: Option<Readme>,
    changes: Changes,
    archives: bool,
    codings: Option<Codings>,
}

/// Makes the response that shows entries.
pub(crate) fn show(
    mut entries: Entries,
    path: &FilePath<'_>,
    query: Query,
    budget: &Arc<Budget>,
    mut extras: Extras,
) -> Response {
    let Some(share) = Share::take(budget, entries.bytes()) else {
        log::warn!("listings under way take too much memory, one was refused");
        let busy = Response::error(StatusCode::SERVICE_UNAVAILABLE);
        return or_500(busy.with_field(&RETRY_AFTER, "1"));
    };
    entries.sort(query.sort, query.order);
    let media_type = match query.format {
        Format::Html => "text/html; charset=utf-8",
        Format::Json => "application/json",
    };
    let codings = extras.codings.take();
    let look = match query.format {
        Format::Html => Look::Page(Page::new(path, query, extras)),
        Format::Json => Look::Json { url: path.to_url(true) },
    };
    let listing = Listing { entries, look, done: 0, stage: Stage::Start, _share: share };
    or_500(listing.respond(media_type, codings, budget))
}

impl Listing {
    fn respond(
        self,
        media_type: &str,
        codings: Option<Codings>,
        budget: &Arc<Budget>,
    ) -> Result<Response, InvalidField> {
        let varies = if codings.is_some() { "Accept, Accept-Encoding" } else { "Accept" };
        let (body, coding) = self.into_body(codings, budget);
        let response = Response::ok(body)
            .with_field(&CONTENT_TYPE, media_type)?
            .with_field(&VARY, varies)?
            .with_field(&CACHE_CONTROL, "no-cache")?
            .with_field(&X_CONTENT_TYPE_OPTIONS, "nosniff")?
            .with_field(&CONTENT_SECURITY_POLICY, POLICY)?;
        match coding {
            Some(coding) => response.with_field(&CONTENT_ENCODING, coding.to_string()),
            None => Ok(response),
        }
    }

    /// The content, and the coding that it is in.
    fn into_body(
        mut self,
        codings: Option<Codings>,
        budget: &Arc<Budget>,
    ) -> (Body, Option<Coding>) {
        let wanted = codings.and_then(|codings| Some((codings.wanted?, codings.pool)));
        // What fits one piece gets a length.
        if self.entries.len() <= AT_ONCE {
            let mut whole = String::new();
            while self.render(&mut whole, usize::MAX) {}
            let Some((coding, _)) = wanted else { return (whole.into(), None) };
            return match encode_all(coding, Level::Default, whole.as_bytes()) {
                Ok(coded) => (coded.into(), Some(coding)),
                Err(error) => {
                    log::error!("a listing is sent without a coding: {error}");
                    (whole.into(), None)
                }
            };
        }
        if let Some((coding, pool)) = wanted
            && let Some(room) = Share::take(budget, ENCODER)
        {
            match Encoder::new(coding, Level::Default) {
                Ok(encoder) => return (coded::body(self, encoder, room, &pool), Some(coding)),
                Err(error) => log::error!("a listing is sent without a coding: {error}"),
            }
        }
        (Body::Source { size: None, source: Box::new(self) }, None)
    }

    /// Appends about `most` bytes; false at the end.
    fn render(&mut self, out: &mut String, most: usize) -> bool {
        match self.stage {
            Stage::Start => {
                match &self.look {
                    Look::Page(page) => page.start(&self.entries, out),
                    Look::Json { url } => json::start(url, out),
                }
                self.stage = Stage::Entries;
            }
            Stage::Entries => {
                while out.len() < most
                    && let Some(entry) = self.entries.get(self.done)
                {
                    match &self.look {
                        Look::Page(page) => page.entry(&entry, out),
                        Look::Json { .. } => json::entry(&entry, self.done == 0, out),
                    }
                    self.done += 1;
                }
                if self.done == self.entries.len() {
                    match &self.look {
                        Look::Page(page) => page.end(&self.entries, out),
                        Look::Json { .. } => json::end(&self.entries, out),
                    }
                    self.stage = Stage::Over;
                }
            }
            Stage::Over => return false,
        }
        true
    }
}

impl BodySource for Listing {
    fn pull(&mut self, most: usize, _wake: &dyn Fn() -> Notifier) -> io::Result<Pulled> {
        let mut piece = String::with_capacity(most + 1024);
        Ok(if self.render(&mut piece, most) {
            Pulled::Piece(Segment::Owned(piece.into_bytes()))
        } else {
            Pulled::End(FieldBuf::new())
        })
    }
}

impl Share {
    fn take(budget: &Arc<Budget>, bytes: usize) -> Option<Self> {
        let before = budget.0.fetch_add(bytes, Ordering::Relaxed);
        let share = Self { budget: budget.clone(), bytes };
        // A single one is always let through: its own bound is on the number of entries.
        (before == 0 || before.saturating_add(bytes) <= MEMORY).then_some(share)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Entries that are rendered in one piece.
const AT_ONCE: usize = 256;

/// What an encoder takes for its window and tables, generously.
const ENCODER: usize = 4 * 1024 * 1024;

/// Bytes of listings under way, over all connections.
const MEMORY: usize = 64 * 1024 * 1024;
