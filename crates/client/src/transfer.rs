//! One transfer from its first request to the end of its last response.

use std::io;
use std::rc::Rc;
use std::time::Instant;

use avocet_net::TaskId;
use avocet_wire::{FieldBuf, Fields, Framing, OwnedResponseHead, ResponseHead};
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_RANGE};
use http::{Method, StatusCode};
use url::Url;

use crate::config::{Config, Filter};
use crate::connect::Route;
use crate::error::{Error, ErrorKind, Phase};
use crate::hook::{Hop, Verdict};
use crate::multi::TransferEvent;
use crate::redirect;
use crate::request::{Content, Options, Request};

/// The state of a transfer.
pub(crate) struct Transfer {
    pub(crate) first: Url,
    pub(crate) url: Url,
    pub(crate) method: Method,
    pub(crate) fields: FieldBuf,
    pub(crate) content: Content,
    pub(crate) options: Options,
    /// Fields that a hook wants in the repetition of this hop.
    pub(crate) extra: FieldBuf,
    pub(crate) redirects: u32,
    pub(crate) repeats: u32,
    /// Whether it was sent a second time after a kept connection failed.
    pub(crate) replayed: bool,
    pub(crate) history: Vec<Past>,
    pub(crate) times: Times,
    pub(crate) deadline: Option<Instant>,
    pub(crate) route: Rc<Route>,
    pub(crate) task: Option<TaskId>,
    pub(crate) paused: bool,
    /// Content bytes that were given out and not taken yet.
    pub(crate) backlog: usize,
    delivery: Delivery,
    filter: Option<Box<dyn Filter>>,
    follow: Option<Follow>,
}

/// A response on the way to the last one.
#[derive(Clone, Debug)]
pub struct Past {
    /// The URL that was asked.
    pub url: Url,
    /// The status of its answer.
    pub status: StatusCode,
}

/// When things happened, for the last hop; `started` is that of the transfer.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Times {
    /// The transfer began.
    pub started: Instant,
    /// The hop was given a connection, a new one or one that was kept.
    pub assigned: Option<Instant>,
    /// The connection was ready.
    pub connected: Option<Instant>,
    /// Whether it had been used before.
    pub reused: bool,
    /// The request was written.
    pub sent: Option<Instant>,
    /// The head of the response was complete.
    pub head: Option<Instant>,
    /// The end.
    pub ended: Option<Instant>,
}

/// Takes content where it lies, without a copy. It is called on the engine's thread.
pub type Receiver = Box<dyn FnMut(&[u8]) -> io::Result<()>>;

/// Where the response goes.
pub(crate) enum Delivery {
    /// Into the events of the engine.
    Events,
    /// To a receiver; head and end are events.
    Receiver(Receiver),
    /// Where a blocking reader finds it.
    Inbox(Inbox),
}

/// What has come for a blocking reader.
#[derive(Default)]
pub(crate) struct Inbox {
    pub(crate) head: Option<OwnedResponseHead>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) taken: usize,
    pub(crate) end: Option<Result<FieldBuf, Error>>,
}

/// What comes after a response that is not the last.
enum Follow {
    Redirect(Box<redirect::Target>),
    Repeat(FieldBuf),
}

/// What the connection does with a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reaction {
    Deliver,
    /// Another hop follows; the content is read away if it is little.
    Discard,
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
            first: url.clone(),
            url,
            method,
            fields,
            content,
            extra: FieldBuf::new(),
            redirects: 0,
            repeats: 0,
            replayed: false,
            history: Vec::new(),
            times: Times::starting(now),
            deadline: total.map(|total| now + total),
            route,
            task: None,
            paused: false,
            backlog: 0,
            delivery,
            filter: None,
            follow: None,
            options,
        }
    }

    pub(crate) fn hop(&self) -> Hop<'_> {
        Hop {
            url: &self.url,
            first: &self.first,
            method: &self.method,
            redirects: self.redirects,
            repeats: self.repeats,
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

    /// The final head of a hop has come.
    pub(crate) fn on_head(
        &mut self,
        config: &Config,
        head: &ResponseHead<'_>,
        framing: Framing,
        now: Instant,
        emit: &mut dyn FnMut(TransferEvent),
    ) -> Result<Reaction, Error> {
        self.times.head = Some(now);
        for hook in &config.hooks {
            if let Verdict::Repeat(fields) = hook.on_response(&self.hop(), head)
                && self.repeats < MOST_REPEATS
                && self.content.again().is_some()
            {
                self.follow = Some(Follow::Repeat(fields));
                return Ok(Reaction::Discard);
            }
        }
        let most = self.options.redirects.unwrap_or(config.redirects.most);
        if most > 0
            && let Some(target) = redirect::target(self, head, most, &config.redirects)?
        {
            self.follow = Some(Follow::Redirect(Box::new(target)));
            return Ok(Reaction::Discard);
        }
        self.filter = self.choose_filter(config, head, framing)?;
        let owned = head.to_owned();
        match &mut self.delivery {
            Delivery::Inbox(inbox) => inbox.head = Some(owned),
            Delivery::Events | Delivery::Receiver(_) => {
                emit(TransferEvent::Head(Box::new(owned)));
            }
        }
        Ok(Reaction::Deliver)
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
            Error::new(ErrorKind::Decode, Phase::Content, message).about(&self.url)
        })
    }

    pub(crate) fn on_data(
        &mut self,
        bytes: &[u8],
        emit: &mut dyn FnMut(TransferEvent),
    ) -> Result<(), Error> {
        let (delivery, backlog) = (&mut self.delivery, &mut self.backlog);
        let mut deliver = |bytes: &[u8]| deliver(delivery, backlog, bytes, emit);
        match &mut self.filter {
            Some(filter) => filter.push(bytes, &mut deliver),
            None => deliver(bytes),
        }
    }

    /// The response has ended. `None` when another hop follows.
    pub(crate) fn on_end(
        &mut self,
        trailers: Fields<'_>,
        now: Instant,
        emit: &mut dyn FnMut(TransferEvent),
    ) -> Result<(), Error> {
        if let Some(mut filter) = self.filter.take() {
            let (delivery, backlog) = (&mut self.delivery, &mut self.backlog);
            filter.finish(&mut |bytes| deliver(delivery, backlog, bytes, emit))?;
        }
        self.times.ended = Some(now);
        let mut kept = FieldBuf::new();
        for (name, value) in trailers.iter() {
            // What could be read can be written, framing fields apart, which trailers must not hold.
            if let Err(error) = kept.push_raw(name, value) {
                log::debug!("a trailer field was dropped: {error}");
            }
        }
        match &mut self.delivery {
            Delivery::Inbox(inbox) => inbox.end = Some(Ok(kept)),
            Delivery::Events | Delivery::Receiver(_) => emit(TransferEvent::End(kept)),
        }
        Ok(())
    }

    pub(crate) fn on_failure(&mut self, error: Error, emit: &mut dyn FnMut(TransferEvent)) {
        let error = error.about(&self.url);
        match &mut self.delivery {
            Delivery::Inbox(inbox) => inbox.end = Some(Err(error)),
            Delivery::Events | Delivery::Receiver(_) => emit(TransferEvent::Failed(error)),
        }
    }

    /// Whether another hop follows the response that is being read.
    pub(crate) fn is_followed(&self) -> bool {
        self.follow.is_some()
    }

    /// Turns to the next hop; the route may have changed.
    pub(crate) fn take_follow(&mut self, config: &Config) -> Result<(), Error> {
        match self.follow.take() {
            None => {}
            Some(Follow::Repeat(fields)) => {
                self.repeats += 1;
                self.extra = fields;
            }
            Some(Follow::Redirect(target)) => {
                redirect::follow(self, *target);
                let via = config.proxies.choose(&self.url)?;
                self.route = Rc::new(Route::of(&self.url, via)?);
            }
        }
        self.filter = None;
        Ok(())
    }
}

fn deliver(
    delivery: &mut Delivery,
    backlog: &mut usize,
    bytes: &[u8],
    emit: &mut dyn FnMut(TransferEvent),
) -> Result<(), Error> {
    match delivery {
        Delivery::Receiver(receive) => receive(bytes).map_err(|error| {
            Error::new(ErrorKind::Receiver, Phase::Content, &error).caused_by(error)
        }),
        Delivery::Events => {
            *backlog += bytes.len();
            emit(TransferEvent::Data(Bytes::copy_from_slice(bytes)));
            Ok(())
        }
        Delivery::Inbox(inbox) => {
            *backlog += bytes.len();
            inbox.bytes.extend_from_slice(bytes);
            Ok(())
        }
    }
}

impl Times {
    fn starting(started: Instant) -> Self {
        Self {
            started,
            assigned: None,
            connected: None,
            reused: false,
            sent: None,
            head: None,
            ended: None,
        }
    }
}

/// Content given out and not taken beyond which no more is read from the connection.
const BACKLOG: usize = 256 * 1024;

const MOST_REPEATS: u32 = 3;
