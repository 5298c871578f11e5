//! What the sessions of one loop share.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use avocet_semantics::dates;
use avocet_wire::{FieldBuf, FieldTable, InvalidField, Leniency};
use http::header::{DATE, SERVER};

use crate::access_log::AccessLog;
use crate::config::Config;
use crate::counters::Counters;
use crate::handler::Handler;

/// What all loops of a server share.
pub(crate) struct Shared {
    pub(crate) handler: Arc<dyn Handler>,
    pub(crate) config: Config,
    pub(crate) access_log: Option<Arc<dyn AccessLog>>,
    /// Server and the other fields of every response.
    fields: FieldBuf,
}

/// The state of one loop: tables and buffers that are used again, and its counters.
pub(crate) struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) table: RefCell<FieldTable>,
    date: RefCell<FieldBuf>,
    date_until: Cell<Option<Instant>>,
}

impl Shared {
    /// *Errors*: a server name that is no valid field value.
    pub(crate) fn new(
        handler: Arc<dyn Handler>,
        config: Config,
        access_log: Option<Arc<dyn AccessLog>>,
    ) -> Result<Self, InvalidField> {
        let mut fields = FieldBuf::new();
        if let Some(name) = &config.server_name {
            fields.push(&SERVER, name)?;
        }
        fields.extend(&config.common_fields);
        Ok(Self { handler, config, access_log, fields })
    }
}

impl Worker {
    pub(crate) fn new(shared: Arc<Shared>, counters: Arc<Counters>) -> Self {
        let table = RefCell::new(FieldTable::new(shared.config.limits, Leniency::strict()));
        let date = RefCell::new(FieldBuf::new());
        Self { shared, counters, table, date, date_until: Cell::new(None) }
    }

    /// Calls `use_fields` with the fields that every response carries. Date is made once a second.
    pub(crate) fn with_common<R>(
        &self,
        now: Instant,
        use_fields: impl FnOnce(&FieldBuf) -> R,
    ) -> R {
        if self.date_until.get().is_none_or(|until| now >= until) {
            self.renew_date(now);
        }
        use_fields(&self.date.borrow())
    }

    fn renew_date(&self, now: Instant) {
        let time = SystemTime::now();
        let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let rest = 1_000_000_000 - u64::from(since_epoch.subsec_nanos());
        self.date_until.set(Some(now + Duration::from_nanos(rest)));
        let mut fields = self.date.borrow_mut();
        fields.clear();
        if let Err(error) = fields.push(&DATE, dates::format_imf(dates::seconds(time))) {
            log::error!("the Date field: {error}");
        }
        fields.extend(&self.shared.fields);
    }
}
