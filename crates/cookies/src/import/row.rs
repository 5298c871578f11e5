//! One row of a store by the names of its columns.

use super::{Found, Obstacle, record::Value, sqlite::Table};
use crate::{
    cookie::{Cookie, CookieBuilder},
    host::canonical_host,
};

pub(super) struct Row<'r> {
    table: &'r Table,
    values: &'r [Value<'r>],
}

impl<'r> Row<'r> {
    pub(super) fn new(table: &'r Table, values: &'r [Value<'r>]) -> Self {
        Self { table, values }
    }

    /// The value of the first of these columns that the table has; browsers rename them.
    fn value(&self, names: &[&str]) -> Option<Value<'r>> {
        let columns = &self.table.columns;
        let at = names.iter().find_map(|name| columns.iter().position(|column| column == name))?;
        self.values.get(at).copied()
    }

    pub(super) fn octets(&self, name: &str) -> Option<&'r [u8]> {
        self.value(&[name])?.octets()
    }

    pub(super) fn text(&self, name: &str) -> Option<&'r str> {
        self.value(&[name])?.text()
    }

    pub(super) fn integer(&self, names: &[&str]) -> Option<i64> {
        self.value(names)?.integer()
    }

    /// Whether a column holds a number other than 0.
    pub(super) fn flag(&self, names: &[&str]) -> bool {
        self.integer(names).is_some_and(|value| value != 0)
    }

    /// What the row holds, with `finish` for what the browsers have each in their own way.
    pub(super) fn found(
        &self,
        domain: &str,
        finish: impl FnOnce(CookieBuilder) -> Result<CookieBuilder, Obstacle>,
    ) -> Found {
        let domain = self.text(domain).unwrap_or_default();
        let name = self.octets("name");
        let cookie = name.ok_or(Obstacle::Unreadable).and_then(|name| {
            let host = canonical_host(domain.strip_prefix('.').unwrap_or(domain));
            let host = host.ok_or(Obstacle::Unreadable)?;
            let value = self.octets("value").unwrap_or_default();
            let builder = Cookie::builder(name, value, host)
                .for_subdomains(domain.starts_with('.'))
                .path(self.octets("path").ok_or(Obstacle::Unreadable)?);
            finish(builder)
        });
        Found { domain: domain.to_owned(), name: name.unwrap_or_default().to_vec(), cookie }
    }
}
