//! `cookies` of Chromium and its relatives.

use std::time::SystemTime;

use super::{
    Found, Obstacle,
    row::Row,
    sqlite::{Database, Table},
};
use crate::{cookie::SameSite, error::Error, time};

pub(super) fn read(database: &Database, table: &Table) -> Result<Vec<Found>, Error> {
    let mut found = Vec::new();
    database.rows(table, &mut |values| {
        let row = Row::new(table, values);
        found.push(row.found("host_key", |builder| {
            if row.octets("encrypted_value").is_some_and(|value| !value.is_empty()) {
                return Err(Obstacle::Encrypted);
            }
            let top_level = row.text("top_frame_site_key").filter(|site| !site.is_empty());
            let secure = row.flag(&["is_secure", "secure"]);
            let expires = row.integer(&["expires_utc"]).ok_or(Obstacle::Unreadable)?;
            let session = expires == 0 || row.integer(&["has_expires"]) == Some(0);
            let mut builder = builder
                .secure(secure)
                .http_only(row.flag(&["is_httponly", "httponly"]))
                .same_site(match row.integer(&["samesite"]) {
                    Some(0) if secure => SameSite::None,
                    Some(1) => SameSite::Lax,
                    Some(2) => SameSite::Strict,
                    _ => SameSite::Default,
                })
                .partition(top_level)
                .expires_seconds((!session).then(|| time::seconds(at(expires))));
            if let Some(micros) = row.integer(&["creation_utc"]) {
                builder = builder.created(at(micros));
            }
            if let Some(micros) = row.integer(&["last_access_utc"]) {
                builder = builder.last_accessed(at(micros));
            }
            Ok(builder)
        }));
        Ok(())
    })?;
    Ok(found)
}

/// Chromium counts microseconds from 1601.
fn at(micros: i64) -> SystemTime {
    time::from_micros(micros.saturating_sub(11_644_473_600_000_000))
}
