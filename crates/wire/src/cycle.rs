//! Every change of state of a connection: the two half machines, and the rules that join them.

use std::fmt;

use http::Version;

use crate::framing::Options;

/// The half that reads messages of the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// A head is due.
    Head,
    /// Content or trailers are due.
    Content,
    /// The content is complete, its end was not told yet.
    End,
    /// The message is complete.
    Done,
    /// What follows belongs to another protocol.
    Switched,
    /// The peer has closed at a place where it may.
    Closed,
    /// The peer has sent what cannot be read on.
    Failed,
}

/// What happens to the reading half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadStep {
    /// An interim response came.
    Interim,
    /// A head came, and content follows.
    HeadBeforeContent,
    /// A head came, and no content follows.
    HeadAlone,
    /// The last byte of the content came.
    LastContent,
    /// The end was told.
    EndTold,
    /// Both sides agreed on another protocol.
    Switch,
    /// The peer closed, and nothing is missing.
    Close,
    /// The peer broke a rule or closed too early.
    Fail,
    /// The next message may begin.
    Next,
}

impl Reading {
    /// The state after `step`; `None` if the step cannot happen in this state.
    pub(crate) const fn after(self, step: ReadStep) -> Option<Self> {
        use ReadStep as S;
        Some(match (self, step) {
            (Self::Head, S::Interim) => Self::Head,
            (Self::Head, S::HeadBeforeContent) => Self::Content,
            (Self::Head, S::HeadAlone) => Self::End,
            (Self::Head, S::Close) => Self::Closed,
            (Self::Content, S::LastContent) => Self::End,
            (Self::Content, S::Close) => Self::Closed,
            (Self::End, S::EndTold) => Self::Done,
            (Self::End, S::Close) => Self::Closed,
            (Self::Done, S::Switch) => Self::Switched,
            (Self::Done, S::Close) => Self::Closed,
            (Self::Done, S::Next) => Self::Head,
            (Self::Closed, S::Switch) => Self::Switched,
            (Self::Closed, S::Close) => Self::Closed,
            (Self::Switched, S::Close) => Self::Switched,
            (_, S::Fail) => Self::Failed,
            _ => return None,
        })
    }
}

/// The half that sends messages to the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sending {
    /// A head may be sent.
    Head,
    /// Content may be sent.
    Content,
    /// The message is complete.
    Done,
    /// What follows belongs to another protocol.
    Switched,
}

/// What happens to the sending half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SendStep {
    /// An interim response went out.
    Interim,
    /// A head went out, and content follows.
    HeadBeforeContent,
    /// A head went out, and no content follows.
    HeadAlone,
    /// The last byte of the content went out.
    LastContent,
    /// Both sides agreed on another protocol.
    Switch,
    /// The next message may begin.
    Next,
}

impl Sending {
    /// The state after `step`; `None` if the step cannot happen in this state.
    pub(crate) const fn after(self, step: SendStep) -> Option<Self> {
        use SendStep as S;
        Some(match (self, step) {
            (Self::Head, S::Interim) => Self::Head,
            (Self::Head, S::HeadBeforeContent) => Self::Content,
            (Self::Head, S::HeadAlone) => Self::Done,
            (Self::Content, S::LastContent) => Self::Done,
            (Self::Done, S::Switch) => Self::Switched,
            (Self::Done, S::Next) => Self::Head,
            _ => return None,
        })
    }
}

/// Facts about the exchange or the connection that no state tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facts(u16);

impl Facts {
    pub(crate) const NONE: Self = Self(0);
    /// We want to close after this exchange.
    pub(crate) const CLOSE: Self = Self(1);
    /// The peer said `Connection: close`.
    pub(crate) const PEER_CLOSE: Self = Self(2);
    /// The peer's message was HTTP/1.0.
    pub(crate) const OLD_PEER: Self = Self(4);
    /// The peer's HTTP/1.0 message said `Connection: keep-alive`.
    pub(crate) const KEEP_ALIVE: Self = Self(8);
    /// The end of a message is, or was, the end of the connection.
    pub(crate) const UNTIL_CLOSE: Self = Self(16);
    /// The framing of a response was in doubt.
    pub(crate) const DOUBT: Self = Self(32);
    /// The request is CONNECT.
    pub(crate) const CONNECT: Self = Self(64);
    /// The request asks for another protocol.
    pub(crate) const UPGRADE: Self = Self(128);
    /// The response agrees to switch.
    pub(crate) const SWITCHES: Self = Self(256);
    /// The client waits for 100 before it sends its content.
    pub(crate) const AWAITS: Self = Self(512);
    /// The message being sent is chunked.
    pub(crate) const CHUNKED: Self = Self(1024);
    /// The message being sent lasts until the close.
    pub(crate) const ENDLESS: Self = Self(4096);
    /// The message that was sent had no content on the wire.
    pub(crate) const NO_CONTENT: Self = Self(2048);

    /// What survives an exchange: nothing but what ends the connection anyway.
    const LASTING: Self = Self(Self::CLOSE.0);

    #[inline]
    pub(crate) const fn has(self, fact: Self) -> bool {
        self.0 & fact.0 != 0
    }

    #[inline]
    pub(crate) fn add(&mut self, fact: Self) {
        self.0 |= fact.0;
    }

    #[inline]
    pub(crate) fn remove(&mut self, fact: Self) {
        self.0 &= !fact.0;
    }

    #[inline]
    pub(crate) fn set(&mut self, fact: Self, on: bool) {
        let wanted = u16::from(on).wrapping_neg();
        self.0 = (self.0 & !fact.0) | (fact.0 & wanted);
    }

    /// Notes what a message that was read says about the persistence of the connection.
    ///
    /// RFC 9112 §9.3: "If the close connection option is present, the connection will not persist after the
    /// current response; else, if the received protocol is HTTP/1.1 (or later), the connection will persist
    /// after the current response; else, if the received protocol is HTTP/1.0, the keep-alive connection
    /// option is present [...], the connection will persist".
    #[inline]
    pub(crate) fn note_persistence(&mut self, options: Options, version: Version) {
        self.set(Self::OLD_PEER, version == Version::HTTP_10);
        self.set(Self::KEEP_ALIVE, options.keep_alive);
        if options.close {
            self.add(Self::PEER_CLOSE);
        }
    }
}

/// The requests that were sent or read and have no final response yet, oldest first: bit 0 of `heads`
/// tells whether the oldest is HEAD.
///
/// A server has at most one. A client has at most [`Cycle::MOST_OUTSTANDING`], and sends none after a
/// request that could change the protocol or end the connection, so that this is always the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outstanding {
    heads: u16,
    count: u8,
    /// Interim responses to the oldest.
    interims: u8,
}

/// Both halves and what joins them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cycle {
    pub(crate) reading: Reading,
    pub(crate) sending: Sending,
    pub(crate) facts: Facts,
    outstanding: Outstanding,
}

impl Cycle {
    /// Most requests of a client without a final response.
    pub(crate) const MOST_OUTSTANDING: u8 = 16;

    pub(crate) const fn new() -> Self {
        Self {
            reading: Reading::Head,
            sending: Sending::Head,
            facts: Facts::NONE,
            outstanding: Outstanding { heads: 0, count: 0, interims: 0 },
        }
    }

    /// Moves the reading half. The caller must have seen that the step can happen.
    pub(crate) fn read(&mut self, step: ReadStep) {
        let next = self.reading.after(step);
        debug_assert!(next.is_some(), "{:?} after {step:?}", self.reading);
        if let Some(next) = next {
            self.reading = next;
        }
    }

    /// Moves the sending half. The caller must have seen that the step can happen.
    pub(crate) fn send(&mut self, step: SendStep) {
        let next = self.sending.after(step);
        debug_assert!(next.is_some(), "{:?} after {step:?}", self.sending);
        if let Some(next) = next {
            self.sending = next;
        }
    }

    /// Notes a request that waits for its response.
    pub(crate) fn begin_exchange(&mut self, is_head: bool) {
        debug_assert!(self.outstanding.count < Self::MOST_OUTSTANDING);
        if is_head {
            self.outstanding.heads |= 1 << self.outstanding.count;
        }
        self.outstanding.count += 1;
    }

    /// The number of requests without a final response.
    pub(crate) fn outstanding(&self) -> u8 {
        self.outstanding.count
    }

    /// Counts an interim response to the oldest request, and gives the number of them.
    pub(crate) fn count_interim(&mut self) -> u32 {
        self.outstanding.interims = self.outstanding.interims.saturating_add(1);
        u32::from(self.outstanding.interims)
    }

    /// Whether the oldest request without a final response is HEAD.
    pub(crate) fn asked_head(&self) -> bool {
        self.outstanding.heads & 1 != 0
    }

    /// Whether the last of the outstanding requests is the one being answered.
    pub(crate) fn answers_last(&self) -> bool {
        self.outstanding.count <= 1
    }

    /// Whether the connection must end with this exchange, as far as is known by now.
    pub(crate) fn will_close(&self) -> bool {
        self.close_reason().is_some()
    }

    fn close_reason(&self) -> Option<CloseReason> {
        let facts = self.facts;
        if self.reading == Reading::Failed {
            Some(CloseReason::Fault)
        } else if facts.has(Facts::UNTIL_CLOSE) {
            Some(CloseReason::ContentUntilClose)
        } else if facts.has(Facts::DOUBT) {
            Some(CloseReason::FramingInDoubt)
        } else if facts.has(Facts::PEER_CLOSE) {
            Some(CloseReason::PeerAsked)
        } else if facts.has(Facts::OLD_PEER) && !facts.has(Facts::KEEP_ALIVE) {
            Some(CloseReason::Http10)
        } else if facts.has(Facts::CLOSE) {
            Some(CloseReason::Wanted)
        } else if self.reading == Reading::Closed {
            Some(CloseReason::PeerClosed)
        } else {
            None
        }
    }

    /// Switches the protocol once the response agreed to it and the halves allow: the sending half when
    /// its message is complete, the reading half when its message is.
    pub(crate) fn switch_when_due(&mut self) {
        if !self.facts.has(Facts::SWITCHES) {
            return;
        }
        if self.sending == Sending::Done {
            self.send(SendStep::Switch);
        }
        // No byte is handed over before the switch was agreed upon in writing. A client may have closed its
        // side by then, and still wants to hear the other protocol.
        if self.sending == Sending::Switched
            && matches!(self.reading, Reading::Done | Reading::Closed)
        {
            self.read(ReadStep::Switch);
        }
    }

    /// Ends the exchange and lets the next begin. A client's sending half may have run ahead to later
    /// requests, and then goes on undisturbed.
    pub(crate) fn next(&mut self) -> Result<(), CloseReason> {
        if self.reading == Reading::Switched || self.sending == Sending::Switched {
            return Err(CloseReason::Switched);
        }
        if self.reading == Reading::Failed {
            return Err(CloseReason::Fault);
        }
        if self.sending != Sending::Done && self.answers_last() {
            return Err(CloseReason::SendingUnfinished);
        }
        if !matches!(self.reading, Reading::Done | Reading::Closed) {
            return Err(CloseReason::ReadingUnfinished);
        }
        if let Some(reason) = self.close_reason() {
            return Err(reason);
        }
        self.read(ReadStep::Next);
        self.outstanding.heads >>= 1;
        self.outstanding.interims = 0;
        self.outstanding.count = self.outstanding.count.saturating_sub(1);
        if self.outstanding.count == 0 {
            self.send(SendStep::Next);
            self.facts = Facts(self.facts.0 & Facts::LASTING.0);
        }
        Ok(())
    }
}

/// Why no further exchange can follow on a connection, or none yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// The message that is being read is not complete. Read on to its end, or close.
    ReadingUnfinished,
    /// The message that is being sent is not complete. Send on to its end, or close.
    SendingUnfinished,
    /// [`close_after_cycle`](crate::Connection::close_after_cycle) was called.
    Wanted,
    /// The peer said `Connection: close`.
    PeerAsked,
    /// The peer speaks HTTP/1.0 without `Connection: keep-alive`.
    Http10,
    /// Content ended, or ends, with the connection.
    ContentUntilClose,
    /// The framing of a response was in doubt.
    FramingInDoubt,
    /// The connection carries another protocol.
    Switched,
    /// The peer has closed.
    PeerClosed,
    /// The peer sent what could not be read.
    Fault,
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReadingUnfinished => "the message being read is not complete",
            Self::SendingUnfinished => "the message being sent is not complete",
            Self::Wanted => "closing was wanted",
            Self::PeerAsked => "the peer asked to close",
            Self::Http10 => "the peer speaks http/1.0 without keep-alive",
            Self::ContentUntilClose => "content ends with the connection",
            Self::FramingInDoubt => "the framing of a response was in doubt",
            Self::Switched => "the connection carries another protocol",
            Self::PeerClosed => "the peer has closed",
            Self::Fault => "the peer sent what could not be read",
        })
    }
}

impl std::error::Error for CloseReason {}

#[cfg(test)]
mod tests;
