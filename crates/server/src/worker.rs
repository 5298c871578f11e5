//! What the sessions of one loop share.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use avocet_net::Address;
use avocet_semantics::dates;
use avocet_wire::{FieldBuf, FieldTable, InvalidField, Leniency};
use http::header::{DATE, SERVER};

use crate::access_log::AccessLog;
use crate::config::Config;
use crate::counters::Counters;
use crate::handler::Handler;
use crate::per_address::{AddressCounts, AddressPermit, TooMany};

/// What all loops of a server share.
pub(crate) struct Shared {
    pub(crate) handler: Arc<dyn Handler>,
    pub(crate) config: Config,
    pub(crate) access_log: Option<Arc<dyn AccessLog>>,
    addresses: Option<Arc<AddressCounts>>,
    /// The Server field, if there is to be one.
    server: FieldBuf,
}

/// The state of one loop: tables and buffers that are used again, and its counters.
pub(crate) struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) table: RefCell<FieldTable>,
    /// What every response carries.
    common: RefCell<FieldBuf>,
    date_until: Cell<Option<Instant>>,
}

impl Shared {
    /// *Errors*: a server name that is no valid field value.
    pub(crate) fn new(
        handler: Arc<dyn Handler>,
        config: Config,
        access_log: Option<Arc<dyn AccessLog>>,
    ) -> Result<Self, InvalidField> {
        let mut server = FieldBuf::new();
        if let Some(name) = &config.server_name {
            server.push(&SERVER, name)?;
        }
        let addresses = config.max_per_address.map(AddressCounts::new);
        Ok(Self { handler, config, access_log, addresses, server })
    }

    /// Counts a connection of this client against the limit of its address, if there is one.
    pub(crate) fn enter(&self, remote: &Address) -> Result<Option<Box<AddressPermit>>, TooMany> {
        match &self.addresses {
            Some(addresses) => addresses.enter(remote),
            None => Ok(None),
        }
    }

    /// The fields that responses carry: Date if a time is given, Server where that is asked, and
    /// those of the configuration.
    fn common(&self, time: Option<SystemTime>, with_server: bool) -> FieldBuf {
        let mut fields = FieldBuf::new();
        if let Some(time) = time
            && let Err(error) = fields.push(&DATE, dates::format_imf(dates::seconds(time)))
        {
            log::error!("the Date field: {error}");
        }
        if with_server && !self.config.common_fields.has_server() {
            fields.extend(&self.server);
        }
        fields.extend(&self.config.common_fields);
        fields
    }
}

impl Worker {
    pub(crate) fn new(shared: Arc<Shared>, counters: Arc<Counters>) -> Self {
        let table = RefCell::new(FieldTable::new(shared.config.limits, Leniency::strict()));
        let common = RefCell::new(FieldBuf::new());
        Self { shared, counters, table, common, date_until: Cell::new(None) }
    }

    /// Calls `use_fields` with the fields that every response carries beside its own; a Date or
    /// Server of its own, as a proxy passes on, takes the place of ours. Date is made once a second.
    pub(crate) fn with_common<R>(
        &self,
        now: Instant,
        own: &FieldBuf,
        use_fields: impl FnOnce(&FieldBuf) -> R,
    ) -> R {
        if own.has_date() || own.has_server() {
            let time = (!own.has_date()).then(SystemTime::now);
            return use_fields(&self.shared.common(time, !own.has_server()));
        }
        if self.date_until.get().is_none_or(|until| now >= until) {
            self.renew_date(now);
        }
        use_fields(&self.common.borrow())
    }

    fn renew_date(&self, now: Instant) {
        let time = SystemTime::now();
        let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let rest = 1_000_000_000 - u64::from(since_epoch.subsec_nanos());
        self.date_until.set(Some(now + Duration::from_nanos(rest)));
        *self.common.borrow_mut() = self.shared.common(Some(time), true);
    }
}
