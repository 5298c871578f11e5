//! One transfer from its first request to the end of its last response.

mod delivery;

use std::rc::Rc;
use std::time::Instant;

use avocet_net::TaskId;
use avocet_wire::{FieldBuf, Framing, RequestVersion, ResponseHead};
use http::header::{CONTENT_ENCODING, CONTENT_RANGE};
use http::{Method, StatusCode};
use url::Url;

use crate::config::{Config, Filter};
use crate::connect::Route;
use crate::error::{Error, ErrorKind, Phase};
use crate::hook::{Hop, Verdict};
use crate::multi::TransferEvent;
use crate::pool::PlaceId;
use crate::report::Report;
use crate::request::{Content, Options, Request};
use crate::{redirect, retry};

pub use delivery::Receiver;
pub(crate) use delivery::{Delivery, Inbox};

/// The state of a transfer.
pub(crate) struct Transfer {
    /// Where it began, once it has been redirected.
    pub(crate) first: Option<Url>,
    pub(crate) method: Method,
    pub(crate) fields: FieldBuf,
    /// `None` once it was given away and cannot be given again.
    pub(crate) content: Option<Content>,
    pub(crate) options: Options,
    /// Fields that a hook wants in the repetition of this hop.
    pub(crate) extra: FieldBuf,
    pub(crate) repeats: u32,
    /// Whether this hop was sent a second time after a kept connection failed.
    pub(crate) replayed: bool,
    /// Whether this hop goes without Expect, since the server has refused it.
    pub(crate) unexpecting: bool,
    pub(crate) report: Report,
    pub(crate) deadline: Option<Instant>,
    pub(crate) route: Rc<Route>,
    pub(crate) seat: Seat,
    pub(crate) paused: bool,
    /// Content bytes that were given out and not taken yet.
    pub(crate) backlog: usize,
    /// Events of this transfer that were not taken yet.
    pub(crate) queued_events: usize,
    /// Whether a head was given to the caller.
    pub(crate) answered: bool,
    delivery: Delivery,
    filter: Option<Box<dyn Filter>>,
    follow: Option<Follow>,
}

/// Where a transfer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seat {
    /// Between two places.
    Nowhere,
    /// In the queue of a place.
    Waiting(PlaceId),
    /// Until this instant in no queue.
    Delayed(Instant),
    /// On a connection.
    Linked(TaskId),
    /// It is over.
    Ended,
}

/// What comes after a response that is not the last.
enum Follow {
    Redirect(Box<redirect::Target>),
    Repeat(FieldBuf),
    Retry(Instant),
}

/// What the connection does with a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reaction {
    /// Its content is given out.
    Deliver,
    /// Its content goes through a filter, which may give many bytes for few.
    Decode,
    /// Another hop follows; the content is read away if it is little.
    Discard,
}

/// What comes after a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// Nothing.
    End,
    /// The next hop.
    Hop,
    /// The same again, at this instant.
    Later(Instant),
}

impl Transfer {
    pub(crate) fn new(
        request: Request,
        route: Rc<Route>,
        delivery: Delivery,
        config: &Config,
        now: Instant,
    ) -> Self {
        let Request { method, url, fields, content, options } = request;
        let total = options.total.or(config.timeouts.total);
        Self {
            first: None,
            method,
            fields,
            content: Some(content),
            extra: FieldBuf::new(),
            repeats: 0,
            replayed: false,
            unexpecting: false,
            report: Report::starting(url, now),
            deadline: total.and_then(|total| now.checked_add(total)),
            route,
            seat: Seat::Nowhere,
            paused: false,
            backlog: 0,
            queued_events: 0,
            answered: false,
            delivery,
            filter: None,
            follow: None,
            options,
        }
    }

    pub(crate) fn hop(&self) -> Hop<'_> {
        Hop {
            url: &self.report.url,
            first: self.first.as_ref().unwrap_or(&self.report.url),
            method: &self.method,
            redirects: self.report.redirects(),
            repeats: self.repeats,
            replayed: self.replayed,
            fields: &self.fields,
            content: self.content.as_ref(),
            route: &self.route,
            tag: self.options.tag,
            target: self.options.target.as_deref(),
        }
    }

    pub(crate) fn inbox(&mut self) -> Option<&mut Inbox> {
        match &mut self.delivery {
            Delivery::Inbox(inbox) => Some(inbox),
            _ => None,
        }
    }

    /// Whether more content may come now.
    pub(crate) fn wants_data(&self) -> bool {
        !self.paused && self.backlog < BACKLOG
    }

    /// Whether it takes a connection that was used before.
    pub(crate) fn may_reuse(&self) -> bool {
        !self.options.fresh_connection && !self.replayed
    }

    /// RFC 9112 §9.3.1: a request of an idempotent method may be sent again when a kept connection
    /// was closed before any answer; once, on a fresh connection.
    pub(crate) fn may_replay(&self) -> bool {
        !self.replayed && self.method.is_idempotent() && self.content.is_some()
    }

    /// Whether it would be lost with a kept connection that turns out to be closed.
    pub(crate) fn is_fragile(&self) -> bool {
        !self.method.is_idempotent()
            || self.content.as_ref().is_none_or(|content| !content.is_repeatable())
    }

    /// Whether the content, which must be there, waits for 100 before it is sent.
    pub(crate) fn expects(&self) -> bool {
        let Some(content) = &self.content else { return false };
        let size = content.size();
        let wanted = self.options.expect_continue;
        !self.unexpecting
            && size != Some(0)
            && self.options.version == RequestVersion::Http11
            && wanted.unwrap_or_else(|| size.is_none_or(|size| size >= LARGE))
    }

    /// The instant at which it stands on the agenda.
    pub(crate) fn due(&self) -> Option<Instant> {
        match self.seat {
            Seat::Waiting(_) => self.deadline,
            Seat::Delayed(at) => Some(at),
            Seat::Nowhere | Seat::Linked(_) | Seat::Ended => None,
        }
    }

    /// Gives the content to a connection.
    ///
    /// *Errors*: it can be sent only once and has been.
    pub(crate) fn hand_out_content(&mut self) -> Result<Content, Error> {
        let content = self.content.take().ok_or_else(|| {
            let message = "the content can be sent only once, and has been";
            Error::new(ErrorKind::Content, Phase::Prepare, message)
        })?;
        self.content = content.again();
        Ok(content)
    }

    /// The final head of a hop has come.
    pub(crate) fn on_head(
        &mut self,
        config: &Config,
        head: &ResponseHead<'_>,
        framing: Framing,
        now: Instant,
        emit: &mut dyn FnMut(TransferEvent),
    ) -> Result<Reaction, Error> {
        self.report.times.head = Some(now);
        if let Some(follow) = self.choose_follow(config, head, now)? {
            self.follow = Some(follow);
            return Ok(Reaction::Discard);
        }
        self.filter = self.choose_filter(config, head, framing)?;
        self.answered = true;
        self.delivery.head(head.to_owned(), emit);
        Ok(if self.filter.is_some() { Reaction::Decode } else { Reaction::Deliver })
    }

    fn choose_follow(
        &mut self,
        config: &Config,
        head: &ResponseHead<'_>,
        now: Instant,
    ) -> Result<Option<Follow>, Error> {
        for hook in &config.hooks {
            if let Verdict::Repeat(fields) = hook.on_response(&self.hop(), head)
                && self.repeats < MOST_REPEATS
                && self.content.is_some()
            {
                return Ok(Some(Follow::Repeat(fields)));
            }
        }
        // RFC 9110 §10.1.1: "A client that receives a 417 (Expectation Failed) status code in response
        // to a request containing a 100-continue expectation SHOULD repeat that request without a
        // 100-continue expectation".
        if head.status == StatusCode::EXPECTATION_FAILED && self.expects() {
            self.unexpecting = true;
            return Ok(Some(Follow::Repeat(self.extra.clone())));
        }
        let most = self.options.redirects.unwrap_or(config.redirects.most);
        if most > 0
            && let Some(target) = redirect::target(self, head, most, config)?
        {
            return Ok(Some(Follow::Redirect(Box::new(target))));
        }
        if head.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED
            && let Some(proxy) = self.route.via.last().filter(|_| self.route.wants_absolute_form())
        {
            return Err(proxy.wants_password().about(&self.report.url));
        }
        Ok(retry::after_status(self, head, &config.retry, now).map(Follow::Retry))
    }

    /// Part of a representation cannot be decoded by itself, so it comes as it is.
    fn choose_filter(
        &self,
        config: &Config,
        head: &ResponseHead<'_>,
        framing: Framing,
    ) -> Result<Option<Box<dyn Filter>>, Error> {
        let Some(decoding) = &config.decoding else { return Ok(None) };
        if !self.options.decode || framing == Framing::Empty || head.fields.contains(&CONTENT_RANGE)
        {
            return Ok(None);
        }
        let codings: Vec<&[u8]> = head.fields.get_all(&CONTENT_ENCODING).collect();
        if codings.is_empty() {
            return Ok(None);
        }
        decoding.filter(&codings).map_err(|message| {
            Error::new(ErrorKind::Decode, Phase::Content, message).about(&self.report.url)
        })
    }

    pub(crate) fn on_data(
        &mut self,
        bytes: &[u8],
        emit: &mut dyn FnMut(TransferEvent),
    ) -> Result<(), Error> {
        let (delivery, backlog) = (&mut self.delivery, &mut self.backlog);
        let mut deliver = |bytes: &[u8]| delivery.data(bytes, backlog, emit);
        match &mut self.filter {
            Some(filter) => filter.push(bytes, &mut deliver),
            None => deliver(bytes),
        }
    }

    /// The response has ended; the transfer with it, or another hop follows.
    pub(crate) fn on_end(
        &mut self,
        config: &Config,
        trailers: FieldBuf,
        now: Instant,
        emit: &mut dyn FnMut(TransferEvent),
    ) -> Result<After, Error> {
        self.seat = Seat::Nowhere;
        if let Some(follow) = self.follow.take() {
            return self.go_on(follow, config);
        }
        if let Some(mut filter) = self.filter.take() {
            let (delivery, backlog) = (&mut self.delivery, &mut self.backlog);
            filter.finish(&mut |bytes| delivery.data(bytes, backlog, emit))?;
        }
        self.report.times.ended = Some(now);
        self.delivery.end(Ok(trailers), emit);
        Ok(After::End)
    }

    pub(crate) fn on_failure(
        &mut self,
        error: Error,
        now: Instant,
        emit: &mut dyn FnMut(TransferEvent),
    ) {
        self.report.times.ended = Some(now);
        self.delivery.end(Err(error.about(&self.report.url)), emit);
    }

    /// Lets go of what belongs to the user, once it is over.
    pub(crate) fn finish(&mut self) {
        self.seat = Seat::Ended;
        self.filter = None;
        self.content = None;
        if let Delivery::Receiver(_) = self.delivery {
            self.delivery = Delivery::Events;
        }
    }

    /// Lets go of everything that takes memory, but for what is small.
    pub(crate) fn empty(&mut self) {
        self.finish();
        self.delivery = Delivery::Events;
        self.fields = FieldBuf::new();
        self.extra = FieldBuf::new();
        self.report.history = Vec::new();
    }

    /// Turns to the next hop; the route may have changed.
    fn go_on(&mut self, follow: Follow, config: &Config) -> Result<After, Error> {
        match follow {
            Follow::Retry(at) => return Ok(After::Later(at)),
            Follow::Repeat(fields) => {
                self.repeats += 1;
                self.extra = fields;
                self.replayed = false;
            }
            Follow::Redirect(target) => {
                redirect::follow(self, *target, &config.redirects);
                let via = config.proxies.choose(&self.report.url)?;
                if !self.route.leads_to(&self.report.url, &via) {
                    self.route = Rc::new(Route::of(&self.report.url, via)?);
                }
                self.begin_again();
            }
        }
        self.report.times.next_hop();
        Ok(After::Hop)
    }

    /// Forgets what a hop has gathered, before it is made again or another one begins.
    pub(crate) fn begin_again(&mut self) {
        self.repeats = 0;
        self.replayed = false;
        self.unexpecting = false;
        self.extra.clear();
        self.filter = None;
        self.follow = None;
        self.report.times.next_hop();
    }
}

/// Content given out and not taken beyond which no more is read from the connection.
const BACKLOG: usize = 256 * 1024;

/// Content of this size asks first, whether it is welcome.
const LARGE: u64 = 1024 * 1024;

const MOST_REPEATS: u32 = 3;
