//! `--dry-run`: the request as it would be sent, without a connection.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use avocet::client::{
    Config, Connect, Connector, Content, Error, ErrorKind, Hook, Hop, Phase, Proxy, Route,
};
use avocet::net::{MemoryTransport, Transport, Turn, memory_pair};
use avocet::wire::FieldBuf;

use super::trace::{note, shown};
use crate::output;

/// Makes the client connect to nobody and end each request when it is complete.
pub(super) fn prepare(config: &mut Config) {
    config.connector = Arc::new(Nobody::default());
    // The last one sees what the others have made of the request.
    config.hooks.push(Arc::new(Printed));
}

/// Whether a transfer ended because nothing was to be sent.
pub(super) fn is_end(error: &Error) -> bool {
    error.kind() == ErrorKind::Cancelled
}

struct Printed;

impl Hook for Printed {
    fn on_request(&self, hop: &Hop<'_>, fields: &mut FieldBuf) -> Result<(), Error> {
        if let Some(Proxy { host, port, .. }) = hop.route.via.first() {
            note('*', format_args!("by the proxy {host}:{port}"));
        }
        output::line(format_args!("{} {} HTTP/1.1", hop.method, hop.target()));
        for (name, value) in fields.iter() {
            output::line(format_args!("{name}: {}", shown(name, value)));
        }
        match hop.content.map(Content::size) {
            Some(Some(0)) | None => {}
            Some(Some(size)) => output::line(format_args!("\n({size} bytes of content)")),
            Some(None) => output::line("\n(content of unknown size)"),
        }
        Err(Error::new(ErrorKind::Cancelled, Phase::Prepare, "nothing is sent"))
    }
}

/// Is reached at once, and says nothing.
#[derive(Default)]
struct Nobody(Arc<Mutex<Vec<MemoryTransport>>>);

impl Connector for Nobody {
    fn connect(&self, _: &Route) -> Box<dyn Connect> {
        Box::new(Self(self.0.clone()))
    }
}

impl Connect for Nobody {
    fn turn(&mut self, cx: &mut Turn<'_>) -> Result<Option<Box<dyn Transport>>, Error> {
        let (mut near, far) = memory_pair(1);
        cx.register(&mut near)
            .map_err(|error| Error::new(ErrorKind::Connect, Phase::Connect, error))?;
        // While the other end is held the connection looks alive.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(far);
        Ok(Some(Box::new(near)))
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn phase(&self) -> Phase {
        Phase::Connect
    }
}
