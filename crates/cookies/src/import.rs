//! Cookies out of the stores of browsers.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::SystemTime,
};

use self::sqlite::Database;
use crate::{
    cookie::{Cookie, CookieBuilder},
    error::{Error, ErrorKind},
    verdict::Refusal,
};

mod chromium;
mod firefox;
mod record;
mod row;
mod sqlite;
mod wal;

/// A family of browsers with a common store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Browser {
    /// Firefox and its relatives: `cookies.sqlite`.
    Firefox,
    /// Chromium, Chrome, Edge, Brave, Opera, Vivaldi: `Cookies`.
    Chromium,
}

impl fmt::Display for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Firefox => "Firefox",
            Self::Chromium => "Chromium",
        })
    }
}

/// What [`import`] found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Imported {
    /// Whose store it is.
    pub browser: Browser,
    /// The file that was read.
    pub path: PathBuf,
    /// The cookies.
    pub cookies: Vec<Cookie>,
    /// How many more there are that have expired.
    pub expired: usize,
    /// The cookies that could not be taken over, one by one.
    pub left_out: Vec<LeftOut>,
}

/// A cookie of a browser that could not be taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftOut {
    /// The host or domain as the browser has it.
    pub domain: String,
    /// The name.
    pub name: Vec<u8>,
    /// Why it stayed.
    pub why: Obstacle,
}

/// Why a cookie of a browser could not be taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Obstacle {
    /// Its value is encrypted with a key that the browser or the system keeps.
    Encrypted,
    /// It belongs to a container, a private window or another identity of its own.
    Container,
    /// It breaks a rule that holds for every cookie.
    Refused(Refusal),
    /// A field that every cookie has is missing, or of the wrong kind.
    Unreadable,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encrypted => f.write_str("its value is encrypted"),
            Self::Container => f.write_str("it belongs to a container or a private window"),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Unreadable => f.write_str("its fields cannot be read"),
        }
    }
}

/// Reads the cookies of a browser from its database or from the folder of a profile.
///
/// The browser may run: what its write-ahead log holds counts. Nothing is written. Values that
/// are encrypted (most of Chromium's) are told in [`Imported::left_out`].
///
/// *Bounds*: databases up to 128 MiB.
///
/// *Errors*: [`ErrorKind::NotFound`], [`ErrorKind::Foreign`] where it is no store of cookies,
/// [`ErrorKind::Busy`] where a change is under way, [`ErrorKind::Damaged`].
///
/// *Blocking*: reads files.
pub fn import(path: &Path, now: SystemTime) -> Result<Imported, Error> {
    let path = store_in(path)?;
    let database = Database::open(&path)?;
    let (browser, found) = read(&database).map_err(|error| error.at(&path))?;
    let mut imported = Imported {
        browser,
        path,
        cookies: Vec::with_capacity(found.len()),
        expired: 0,
        left_out: Vec::new(),
    };
    for Found { domain, name, cookie } in found {
        match cookie.and_then(|builder| builder.build(now).map_err(Obstacle::Refused)) {
            Ok(cookie) if cookie.is_expired(now) => imported.expired += 1,
            Ok(cookie) => imported.cookies.push(cookie),
            Err(why) => imported.left_out.push(LeftOut { domain, name, why }),
        }
    }
    Ok(imported)
}

/// A row of a store.
struct Found {
    domain: String,
    name: Vec<u8>,
    cookie: Result<CookieBuilder, Obstacle>,
}

fn read(database: &Database) -> Result<(Browser, Vec<Found>), Error> {
    if let Some(table) = database.table("moz_cookies")? {
        return Ok((Browser::Firefox, firefox::read(database, &table)?));
    }
    if let Some(table) = database.table("cookies")? {
        return Ok((Browser::Chromium, chromium::read(database, &table)?));
    }
    Err(Error::new(ErrorKind::Foreign, "a database without a browser's cookies"))
}

/// The store itself, where `path` is the folder of a profile.
fn store_in(path: &Path) -> Result<PathBuf, Error> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    ["cookies.sqlite", "Network/Cookies", "Cookies"]
        .into_iter()
        .map(|name| path.join(name))
        .find(|store| store.is_file())
        .ok_or_else(|| Error::new(ErrorKind::NotFound, "no browser's cookies are in it").at(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_databases_are_errors_or_rows_but_never_a_panic() {
        let chromium = include_bytes!("../tests/fixtures/browsers/chromium.sqlite");
        let firefox = include_bytes!("../tests/fixtures/browsers/firefox.sqlite");
        let logged = include_bytes!("../tests/fixtures/browsers/firefox_wal.sqlite");
        let log = include_bytes!("../tests/fixtures/browsers/firefox_wal.sqlite-wal");
        let (mut readable, mut refused) = (0, 0);
        let mut open = |file: &[u8], log: &[u8]| {
            let found = Database::new(file.to_vec(), log.to_vec());
            match found.and_then(|database| read(&database)) {
                Ok(_) => readable += 1,
                Err(_) => refused += 1,
            }
        };
        for (whole, step) in [(&chromium[..], 1), (&firefox[..], 97)] {
            for at in (0..whole.len()).step_by(step) {
                for octet in [0, 0x7f, 0xff] {
                    let mut damaged = whole.to_vec();
                    damaged[at] = octet;
                    open(&damaged, &[]);
                }
                open(&whole[..at], &[]);
            }
        }
        for at in (0..log.len()).step_by(101) {
            let mut damaged = log.to_vec();
            damaged[at] ^= 0xff;
            open(logged, &damaged);
            open(logged, &damaged[..at]);
        }
        assert!(readable > 100 && refused > 100, "{readable} {refused}");
    }
}
