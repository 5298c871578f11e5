//! What a part belongs to and which ranges of it are there.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The journal of a part.
///
/// It may lag behind the data, never run ahead of it: a range is entered after its bytes were
/// written, so that whatever a killed run left behind is either entered or fetched again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Journal {
    /// What If-Range asks for: a strong entity tag or a date.
    pub(super) validator: Option<String>,
    /// The size of the whole, where it is known.
    pub(super) size: Option<u64>,
    /// The place that it comes from.
    pub(super) place: String,
    /// The name that the server suggested, made safe.
    pub(super) name: Option<String>,
    /// The pieces, in order, without gaps between them.
    pub(super) pieces: Vec<Piece>,
}

/// A range of the file: `start..end`, of which `start..at` is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) start: u64,
    pub(super) at: u64,
    /// `u64::MAX` while the size is not known.
    pub(super) end: u64,
}

impl Journal {
    /// The journal of a file of which nothing is there.
    pub(super) fn new(
        place: String,
        validator: Option<String>,
        size: Option<u64>,
        name: Option<String>,
    ) -> Self {
        let end = size.unwrap_or(u64::MAX);
        Self { validator, size, place, name, pieces: vec![Piece { start: 0, at: 0, end }] }
    }

    /// The bytes that are there.
    pub(super) fn present(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.at - piece.start).sum()
    }

    pub(super) fn is_complete(&self) -> bool {
        self.pieces.iter().all(|piece| piece.at == piece.end)
    }

    /// Cuts the pieces that are not complete until there are `count` of them, the largest first.
    pub(super) fn split(&mut self, count: usize) {
        loop {
            let open = self.pieces.iter().filter(|piece| piece.at < piece.end);
            if open.clone().count() >= count {
                return;
            }
            let largest = open.map(|piece| piece.end - piece.at).max().unwrap_or_default();
            let found = self.pieces.iter().position(|piece| piece.end - piece.at == largest);
            let Some(index) = found.filter(|_| largest >= 2 * LEAST_PIECE) else { return };
            let whole = self.pieces[index];
            let middle = whole.at + largest / 2;
            self.pieces[index].end = middle;
            self.pieces.insert(index + 1, Piece { start: middle, at: middle, end: whole.end });
        }
    }

    /// Reads the journal of a part; `None` when there is none, or none that is understood.
    pub(super) fn read(part: &Path) -> io::Result<Option<Self>> {
        match std::fs::read_to_string(path_of(part)) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes it in one step: a reader sees the old one or the new one.
    pub(super) fn write(&self, part: &Path) -> io::Result<()> {
        let path = path_of(part);
        let draft = path.with_extension("journal-new");
        let mut file = File::create(&draft)?;
        file.write_all(self.to_text().as_bytes())?;
        file.sync_data()?;
        std::fs::rename(&draft, &path)
    }

    /// Removes the journal of a part.
    pub(super) fn remove(part: &Path) -> io::Result<()> {
        match std::fs::remove_file(path_of(part)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn to_text(&self) -> String {
        let mut text = String::from(MAGIC);
        text.push('\n');
        text.push_str(&format!("place {}\n", self.place));
        if let Some(validator) = &self.validator {
            text.push_str(&format!("validator {validator}\n"));
        }
        if let Some(size) = self.size {
            text.push_str(&format!("size {size}\n"));
        }
        if let Some(name) = &self.name {
            text.push_str(&format!("name {name}\n"));
        }
        for Piece { start, at, end } in &self.pieces {
            text.push_str(&format!("piece {start} {at} {end}\n"));
        }
        text.push_str("end\n");
        text
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        if lines.next()? != MAGIC {
            return None;
        }
        let mut journal = Self::new(String::new(), None, None, None);
        journal.pieces.clear();
        let mut reached = 0;
        for line in lines {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "place" => journal.place = rest.to_owned(),
                "validator" => journal.validator = Some(rest.to_owned()),
                "size" => journal.size = Some(rest.parse().ok()?),
                "name" => journal.name = Some(rest.to_owned()),
                "piece" => {
                    let numbers: Option<Vec<u64>> =
                        rest.split(' ').map(|number| number.parse().ok()).collect();
                    let [start, at, end] = numbers?[..] else { return None };
                    if start != reached || at < start || end < at {
                        return None;
                    }
                    reached = end;
                    journal.pieces.push(Piece { start, at, end });
                }
                "end" if reached == journal.size.unwrap_or(u64::MAX) => return Some(journal),
                _ => return None,
            }
        }
        None
    }
}

fn path_of(part: &Path) -> PathBuf {
    let mut path = part.as_os_str().to_owned();
    path.push(".journal");
    path.into()
}

const MAGIC: &str = "avocet download journal 1";

/// A piece below this is not worth a connection of its own.
pub(super) const LEAST_PIECE: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let part = folder.path().join("f.part");
        assert_eq!(Journal::read(&part).unwrap(), None);
        let mut journal =
            Journal::new("p".into(), Some("\"a b\"".into()), Some(9 << 20), Some("n".into()));
        journal.split(3);
        journal.pieces[1].at += 5;
        journal.write(&part).unwrap();
        assert_eq!(Journal::read(&part).unwrap(), Some(journal.clone()));
        let text = journal.to_text();
        for cut in 0..text.len() - 1 {
            assert_eq!(Journal::parse(&text[..cut]), None, "cut at {cut}");
        }
        assert_eq!(Journal::parse(&text.replace("size 9", "size 8")), None);
        Journal::remove(&part).unwrap();
        assert_eq!(Journal::read(&part).unwrap(), None);
    }

    #[test]
    fn pieces_cover_the_file_and_are_not_too_small() {
        let mut journal = Journal::new(String::new(), None, Some(10 << 20), None);
        journal.pieces[0].at = 3 << 20;
        journal.split(4);
        assert_eq!(journal.pieces.len(), 4);
        assert_eq!(journal.present(), 3 << 20);
        let mut reached = 0;
        for piece in &journal.pieces {
            assert_eq!(piece.start, reached);
            assert!(piece.end - piece.at >= LEAST_PIECE);
            reached = piece.end;
        }
        assert_eq!(reached, 10 << 20);
        journal.split(100);
        assert!(journal.pieces.len() < 14);
        let mut unknown = Journal::new(String::new(), None, None, None);
        assert!(!unknown.is_complete());
        unknown.pieces[0].end = 0;
        assert!(unknown.is_complete());
    }
}
