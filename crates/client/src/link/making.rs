//! The connection before it stands.

use std::time::Instant;

use avocet_net::{Next, Turn};

use super::{Duty, Ended, Exchange, Link, Stage};
use crate::connect::Connect;
use crate::error::{Error, ErrorKind, Phase};
use crate::hub::LATE;
use crate::ids::TransferId;

/// A connection in the making.
pub(super) struct Making {
    /// `None` before the first turn.
    connect: Option<Box<dyn Connect>>,
    id: TransferId,
    until: Instant,
    phase: Phase,
}

impl Making {
    pub(super) fn new(id: TransferId, until: Instant) -> Self {
        Self { connect: None, id, until, phase: Phase::Resolve }
    }
}

impl Link {
    /// Makes the connection; `None` once it is ready.
    pub(super) fn make(&mut self, cx: &mut Turn<'_>) -> Result<Option<Next>, Ended> {
        let Stage::Making(making) = &mut self.stage else { return Ok(None) };
        let (id, now) = (making.id, cx.now());
        // A transfer that was cancelled needs no connection.
        let Some(total) = self.hub.with(id, |transfer| transfer.deadline) else {
            return Err(self.give_up(None, now));
        };
        let timeouts = &self.hub.config.timeouts;
        let connect = making.connect.get_or_insert_with(|| {
            self.hub.with(id, |transfer| transfer.report.opened += 1);
            self.hub.config.connector.connect(&self.route)
        });
        let turned = connect.turn(cx);
        let phase = connect.phase();
        if phase != making.phase {
            if phase == Phase::Tls {
                making.until = now + timeouts.tls;
            }
            making.phase = phase;
        }
        let own = connect.deadline();
        let waits = matches!(turned, Ok(None)) && now < making.until;
        let dialed = if waits { None } else { connect.dialed() };
        self.hub.with(id, |transfer| {
            if dialed.is_some() {
                transfer.report.dialed = dialed;
            }
            let times = &mut transfer.report.times;
            if phase > Phase::Resolve {
                times.resolved.get_or_insert(now);
            }
            if phase > Phase::Connect {
                times.reached.get_or_insert(now);
            }
        });
        let failure = match turned {
            Ok(Some(transport)) => {
                self.hub.with(id, |transfer| {
                    let report = &mut transfer.report;
                    report.times.resolved.get_or_insert(now);
                    report.times.reached.get_or_insert(now);
                    report.times.connected = Some(now);
                    report.peer = Some(transport.info().clone());
                });
                self.stage = Stage::Ready(transport);
                self.exchange = Some(Exchange::new(id, now));
                return Ok(None);
            }
            Ok(None) if total.is_some_and(|total| now >= total) => {
                Error::new(ErrorKind::Timeout, phase, LATE)
            }
            Ok(None) if now >= making.until => {
                let tls = phase == Phase::Tls;
                let limit = if tls { timeouts.tls } else { timeouts.connect };
                let (what, host) = (if tls { "TLS" } else { "connection" }, &self.route.host);
                let late =
                    format!("no {what} with {host} port {} within {limit:?}", self.route.port);
                Error::new(ErrorKind::Timeout, phase, late)
            }
            Ok(None) => {
                let next = [own, total].into_iter().flatten().fold(making.until, Instant::min);
                return Ok(Some(Next::Wait(Some(next))));
            }
            Err(error) => error,
        };
        Err(self.give_up(Some(failure), now))
    }

    fn give_up(&mut self, failure: Option<Error>, now: Instant) -> Ended {
        self.hub.release(self.place);
        if let (Duty::Active(id), Some(failure)) = (self.duty, failure) {
            self.hub.fail(id, failure, now);
        }
        self.duty = Duty::None;
        Ended
    }
}
