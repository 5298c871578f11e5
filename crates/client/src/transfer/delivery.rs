//! Where the response of a transfer goes.

use std::io;

use avocet_wire::{FieldBuf, OwnedResponseHead};
use bytes::Bytes;

use crate::error::{Error, ErrorKind, Phase};
use crate::multi::TransferEvent;

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
    pub(crate) end: Option<Result<FieldBuf, Error>>,
}

impl Delivery {
    pub(crate) fn head(&mut self, head: OwnedResponseHead, emit: &mut dyn FnMut(TransferEvent)) {
        match self {
            Self::Inbox(inbox) => inbox.head = Some(head),
            Self::Events | Self::Receiver(_) => emit(TransferEvent::Head(Box::new(head))),
        }
    }

    /// Gives content out; what nobody has taken yet is added to the backlog.
    pub(crate) fn data(
        &mut self,
        bytes: &[u8],
        backlog: &mut usize,
        emit: &mut dyn FnMut(TransferEvent),
    ) -> Result<(), Error> {
        match self {
            Self::Receiver(receive) => receive(bytes).map_err(|error| {
                Error::new(ErrorKind::Receiver, Phase::Content, &error).caused_by(error)
            }),
            Self::Events => {
                *backlog += bytes.len();
                emit(TransferEvent::Data(Bytes::copy_from_slice(bytes)));
                Ok(())
            }
            Self::Inbox(inbox) => {
                *backlog += bytes.len();
                inbox.bytes.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    pub(crate) fn end(
        &mut self,
        end: Result<FieldBuf, Error>,
        emit: &mut dyn FnMut(TransferEvent),
    ) {
        match (self, end) {
            (Self::Inbox(inbox), end) => inbox.end = Some(end),
            (_, Ok(trailers)) => emit(TransferEvent::End(trailers)),
            (_, Err(error)) => emit(TransferEvent::Failed(error)),
        }
    }
}
