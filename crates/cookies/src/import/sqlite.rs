//! A reader for SQLite databases, as far as a browser's cookies need one: the rows of one table.
//!
//! The format is that of <https://www.sqlite.org/fileformat2.html>. Only tables with row ids and
//! text in UTF-8 are read, no indexes are used, and nothing is ever written. Every number in the
//! file is taken as hostile: pages and chains are bounded by the number of pages.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use super::{
    record::{Value, record, varint},
    wal,
};
use crate::error::{Error, ErrorKind};

/// A database read into memory, with what its write-ahead log adds.
#[derive(Debug)]
pub(super) struct Database {
    file: Vec<u8>,
    log: Vec<u8>,
    /// Where in the log the newest content of a page begins.
    logged: HashMap<u32, usize>,
    page_size: usize,
    /// Octets of a page that hold content; the rest is reserved for extensions.
    usable: usize,
    /// An upper bound of how many there are.
    pages: usize,
}

/// A table: where it begins and how its columns are called.
#[derive(Debug)]
pub(super) struct Table {
    root: u32,
    pub(super) columns: Vec<String>,
}

impl Database {
    /// Reads the database and its log.
    ///
    /// *Errors*: [`ErrorKind::Busy`] where a rollback journal shows a change that was not
    /// finished, or the files change while they are read.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let beside = |suffix: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            read_if_there(Path::new(&name))
        };
        let busy = |detail| Error::new(ErrorKind::Busy, detail).at(path);
        for _ in 0..TRIES {
            let log = beside("-wal")?.unwrap_or_default();
            let file = read_if_there(path)?
                .ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no such file").at(path))?;
            if beside("-journal")?.is_some_and(|journal| journal.starts_with(JOURNAL_MAGIC)) {
                let detail = "a change is not finished (rollback journal): close the browser first";
                return Err(busy(detail));
            }
            // A checkpoint moves pages from the log to the file; read between the two, both would
            // be stale in part.
            if beside("-wal")?.unwrap_or_default() == log
                && read_if_there(path)?.as_ref() == Some(&file)
            {
                return Self::new(file, log).map_err(|error| error.at(path));
            }
        }
        Err(busy("the browser keeps changing it: close the browser first"))
    }

    /// Takes the contents of the two files.
    pub(super) fn new(file: Vec<u8>, log: Vec<u8>) -> Result<Self, Error> {
        let header = file.get(..100).filter(|header| header.starts_with(MAGIC));
        let header = header.ok_or_else(|| Error::new(ErrorKind::Foreign, "no SQLite database"))?;
        // 1 stands for 65,536, which two octets cannot hold.
        let page_size = match u16::from_be_bytes([header[16], header[17]]) {
            1 => 65_536,
            size if size >= 512 && size.is_power_of_two() => usize::from(size),
            _ => return Err(damaged("the page size is impossible")),
        };
        let usable = page_size - usize::from(header[20]);
        if usable < 480 {
            return Err(damaged("the pages have no room"));
        }
        let logged = wal::index(&log, page_size)?;
        let pages = file.len() / page_size + logged.len();
        let database = Self { file, log, logged, page_size, usable, pages };
        let encoding = be_u32(database.page(1)?, 56)?;
        // 0 is a database without any table yet.
        if encoding > 1 {
            return Err(Error::new(ErrorKind::Unsupported, "holds text in UTF-16"));
        }
        Ok(database)
    }

    /// What the application stored as `PRAGMA user_version`.
    pub(super) fn user_version(&self) -> Result<u32, Error> {
        be_u32(self.page(1)?, 60)
    }

    /// The table of that name, if there is one.
    pub(super) fn table(&self, name: &str) -> Result<Option<Table>, Error> {
        let mut found = None;
        // sqlite_schema: type, name, tbl_name, rootpage, sql
        self.each_row(1, &mut |row| {
            let text = |index: usize| row.get(index).and_then(Value::text);
            if text(0) == Some("table") && text(1) == Some(name) {
                let root = row.get(3).and_then(Value::integer);
                let root = root.and_then(|root| u32::try_from(root).ok());
                found = Some((root, text(4).map(columns)));
            }
            Ok(())
        })?;
        match found {
            None => Ok(None),
            Some((Some(root), Some(columns))) if !columns.is_empty() => {
                Ok(Some(Table { root, columns }))
            }
            Some(_) => Err(damaged("the description of a table cannot be read")),
        }
    }

    /// Hands over each row of a table: its values in the order of the columns. A column that was
    /// added later may be missing at the end.
    pub(super) fn rows(
        &self,
        table: &Table,
        take: &mut dyn FnMut(&[Value<'_>]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.each_row(table.root, take)
    }

    fn each_row(
        &self,
        root: u32,
        take: &mut dyn FnMut(&[Value<'_>]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut waiting = vec![root];
        let mut visits = 0;
        let mut rows = 0;
        let mut octets = 0;
        while let Some(number) = waiting.pop() {
            // A tree visits each page once; more is a circle.
            visits += 1;
            if visits > self.pages {
                return Err(damaged("the pages of a table form a circle"));
            }
            let page = self.page(number)?;
            let header = if number == 1 { 100 } else { 0 };
            let cells = usize::from(be_u16(page, header + 3)?);
            match page.get(header) {
                Some(&LEAF) => {
                    for cell in 0..cells {
                        let at = usize::from(be_u16(page, header + 8 + 2 * cell)?);
                        let payload = self.payload(page, at)?;
                        rows += 1;
                        octets += payload.len();
                        // Rows that share their pages could be more than the file has room for.
                        if rows > MAX_ROWS || octets > self.file.len() + self.log.len() {
                            return Err(Error::new(ErrorKind::TooLarge, "has too many rows"));
                        }
                        take(&record(&payload).ok_or_else(|| damaged("a row cannot be read"))?)?;
                    }
                }
                Some(&INTERIOR) => {
                    // The right-most child comes last; the stack turns the order around.
                    waiting.push(be_u32(page, header + 8)?);
                    for cell in (0..cells).rev() {
                        let at = usize::from(be_u16(page, header + 12 + 2 * cell)?);
                        waiting.push(be_u32(page, at)?);
                    }
                }
                _ => return Err(damaged("a page of a table is of another kind")),
            }
        }
        Ok(())
    }

    /// The content of the cell at `at`, put together from its overflow pages.
    fn payload(&self, page: &[u8], at: usize) -> Result<Vec<u8>, Error> {
        let cut = || damaged("a row ends too early");
        let cell = page.get(at..self.usable).ok_or_else(cut)?;
        let (len, cell) = varint(cell).ok_or_else(cut)?;
        let (_row_id, cell) = varint(cell).ok_or_else(cut)?;
        let len = usize::try_from(len).ok().filter(|len| *len <= MAX_ROW);
        let len = len.ok_or_else(|| Error::new(ErrorKind::TooLarge, "a row is too long"))?;
        // How much stands in the page itself: all, or so much that the last overflow page is full.
        let most = self.usable - 35;
        let least = (self.usable - 12) * 32 / 255 - 23;
        let local = match least + len.saturating_sub(least) % (self.usable - 4) {
            _ if len <= most => len,
            fitting if fitting <= most => fitting,
            _ => least,
        };
        let mut payload = cell.get(..local).ok_or_else(cut)?.to_vec();
        let mut next = if local < len { be_u32(cell, local)? } else { 0 };
        // Each page adds at least 476 octets to at most MAX_ROW, so a circle ends too.
        while payload.len() < len {
            let overflow = self.page(next)?;
            let wanted = (len - payload.len()).min(self.usable - 4);
            payload.extend_from_slice(overflow.get(4..4 + wanted).ok_or_else(cut)?);
            next = be_u32(overflow, 0)?;
        }
        Ok(payload)
    }

    fn page(&self, number: u32) -> Result<&[u8], Error> {
        let (text, start) = match self.logged.get(&number) {
            Some(at) => (&self.log, Some(*at)),
            None => {
                let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
                (&self.file, index.and_then(|index| index.checked_mul(self.page_size)))
            }
        };
        start
            .and_then(|start| text.get(start..start.checked_add(self.page_size)?))
            .ok_or_else(|| damaged("a page is missing"))
    }
}

/// The names of the columns in a CREATE TABLE statement.
fn columns(sql: &str) -> Vec<String> {
    let Some((_, definitions)) = sql.split_once('(') else { return Vec::new() };
    let mut names = Vec::new();
    let mut depth = 0_u32;
    let mut start = 0;
    for (at, octet) in definitions.bytes().enumerate() {
        let ends = match octet {
            b'(' => {
                depth += 1;
                false
            }
            b')' if depth > 0 => {
                depth -= 1;
                false
            }
            b')' | b',' => depth == 0,
            _ => false,
        };
        if ends {
            names.extend(column(&definitions[start..at]));
            start = at + 1;
            if octet == b')' {
                break;
            }
        }
    }
    names
}

/// The name that a definition begins with; `None` for a constraint of the whole table.
fn column(definition: &str) -> Option<String> {
    const CONSTRAINTS: [&str; 5] = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"];
    let definition = definition.trim_start();
    for (open, close) in [('"', '"'), ('`', '`'), ('[', ']'), ('\'', '\'')] {
        if let Some(quoted) = definition.strip_prefix(open) {
            return quoted.split(close).next().map(str::to_owned);
        }
    }
    let word = definition.split([' ', '\t', '\r', '\n', '(']).next()?;
    if CONSTRAINTS.iter().any(|constraint| word.eq_ignore_ascii_case(constraint)) {
        return None;
    }
    (!word.is_empty()).then(|| word.to_owned())
}

fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let failed = |error| Error::io(error, "cannot read the database").at(path);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(Error::new(ErrorKind::NotRegular, "is no regular file").at(path));
    }
    let mut text = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut text).map_err(failed)?;
    if u64::try_from(text.len()).is_ok_and(|len| len > MAX_FILE) {
        return Err(Error::new(ErrorKind::TooLarge, "is larger than 128 MiB").at(path));
    }
    Ok(Some(text))
}

pub(super) fn damaged(detail: &'static str) -> Error {
    Error::new(ErrorKind::Damaged, detail)
}

fn be_u16(page: &[u8], at: usize) -> Result<u16, Error> {
    let octets = page.get(at..).and_then(|rest| rest.first_chunk());
    octets.map(|octets| u16::from_be_bytes(*octets)).ok_or_else(|| damaged("a page ends too early"))
}

pub(super) fn be_u32(page: &[u8], at: usize) -> Result<u32, Error> {
    let octets = page.get(at..).and_then(|rest| rest.first_chunk());
    octets.map(|octets| u32::from_be_bytes(*octets)).ok_or_else(|| damaged("a page ends too early"))
}

const MAGIC: &[u8] = b"SQLite format 3\0";
const JOURNAL_MAGIC: &[u8] = &[0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
/// The kinds of pages that tables consist of.
const LEAF: u8 = 13;
const INTERIOR: u8 = 5;
/// A browser's cookies take a few megabytes.
const MAX_FILE: u64 = 128 * 1024 * 1024;
/// A cookie has a few kilobytes.
const MAX_ROW: usize = 1024 * 1024;
const MAX_ROWS: usize = 262_144;
/// How often a database that changes while it is read is read again.
const TRIES: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_columns() {
        let sql = "CREATE TABLE t (id INTEGER PRIMARY KEY, \"a b\" TEXT, `c` DECIMAL(10, 2) \
                   NOT NULL DEFAULT 1,[d] BLOB, CONSTRAINT u UNIQUE (a, c), UNIQUE(id))";
        assert_eq!(columns(sql), ["id", "a b", "c", "d"]);
        assert!(columns("CREATE TABLE t").is_empty());
        assert!(columns("CREATE TABLE t (").is_empty());
    }

    /// A first page without any table.
    fn empty(page_size: [u8; 2], len: usize) -> Vec<u8> {
        let mut file = vec![0; len];
        file[..16].copy_from_slice(MAGIC);
        file[16..18].copy_from_slice(&page_size);
        file[59] = 1;
        file[100] = LEAF;
        file
    }

    #[test]
    fn page_sizes() {
        let tables = |file| Database::new(file, Vec::new()).map(|file| file.table("t").unwrap());
        assert!(tables(empty([0, 1], 65_536)).unwrap().is_none());
        assert!(tables(empty([2, 0], 512)).unwrap().is_none());
        for impossible in [[0, 0], [0, 2], [1, 0], [2, 1], [3, 0]] {
            assert!(tables(empty(impossible, 65_536)).is_err(), "{impossible:?}");
        }
        let mut reserved = empty([2, 0], 512);
        reserved[20] = 33;
        assert!(tables(reserved).is_err());
        assert!(tables(empty([2, 0], 511)).is_err());
    }

    #[test]
    fn a_circle_of_pages_ends() {
        let mut file = empty([2, 0], 512);
        file[100] = INTERIOR;
        file[108..112].copy_from_slice(&1_u32.to_be_bytes());
        let file = Database::new(file, Vec::new()).unwrap();
        assert_eq!(file.table("t").unwrap_err().kind(), ErrorKind::Damaged);
    }
}
