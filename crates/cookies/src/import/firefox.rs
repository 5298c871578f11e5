//! `moz_cookies` of Firefox. Session cookies are not in there: Firefox keeps them with its tabs.

use super::{
    Found, Obstacle,
    row::Row,
    sqlite::{Database, Table},
};
use crate::{cookie::SameSite, error::Error, time};

pub(super) fn read(database: &Database, table: &Table) -> Result<Vec<Found>, Error> {
    // Since schema 16 (Firefox 142) the expiry time is in milliseconds.
    let in_millis = database.user_version()? >= 16;
    let mut found = Vec::new();
    database.rows(table, &mut |values| {
        let row = Row::new(table, values);
        found.push(row.found("host", |builder| {
            let partition = partition(row.text("originAttributes").unwrap_or_default())?;
            let secure = row.flag(&["isSecure"]);
            let expires = row.integer(&["expiry"]).ok_or(Obstacle::Unreadable)?;
            let expires = if in_millis { expires.div_euclid(1000) } else { expires };
            let mut builder = builder
                .secure(secure)
                .http_only(row.flag(&["isHttpOnly"]))
                .same_site(match row.integer(&["sameSite"]) {
                    // Old versions wrote 0 for "not said" as well.
                    Some(0) if secure => SameSite::None,
                    Some(1) => SameSite::Lax,
                    Some(2) => SameSite::Strict,
                    _ => SameSite::Default,
                })
                .partition(partition.as_deref())
                .expires_seconds(Some(expires));
            if let Some(at) = row.integer(&["creationTime"]) {
                builder = builder.created(time::from_micros(at));
            }
            if let Some(at) = row.integer(&["lastAccessed"]) {
                builder = builder.last_accessed(time::from_micros(at));
            }
            Ok(builder)
        }));
        Ok(())
    })?;
    Ok(found)
}

/// The top-level site in `^partitionKey=%28https%2Cexample.com%29`, `None` where there are no
/// attributes; whatever else stands there is an identity of its own.
fn partition(attributes: &str) -> Result<Option<String>, Obstacle> {
    if attributes.is_empty() {
        return Ok(None);
    }
    let key = attributes.strip_prefix("^partitionKey=").ok_or(Obstacle::Container)?;
    if key.contains('&') {
        return Err(Obstacle::Container);
    }
    let key = key.replace("%28", "(").replace("%29", ")").replace("%2C", ",");
    let inside = key.strip_prefix('(').and_then(|key| key.strip_suffix(')'));
    let mut parts = inside.ok_or(Obstacle::Unreadable)?.split(',');
    match (parts.next(), parts.next()) {
        (Some(scheme), Some(domain)) => Ok(Some(format!("{scheme}://{domain}"))),
        _ => Err(Obstacle::Unreadable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_attributes() {
        let site = |text: &str| partition(text).map(|site| site.unwrap_or_default());
        assert_eq!(site(""), Ok(String::new()));
        let key = "^partitionKey=%28https%2Cexample.com%29";
        assert_eq!(site(key), Ok("https://example.com".into()));
        assert_eq!(site("^partitionKey=%28https%2Ca.b%2C8443%29"), Ok("https://a.b".into()));
        assert_eq!(site("^userContextId=2"), Err(Obstacle::Container));
        assert_eq!(site(&format!("{key}&userContextId=2")), Err(Obstacle::Container));
        assert_eq!(site("^partitionKey=x"), Err(Obstacle::Unreadable));
    }
}
