//! The entries of a folder, packed.

use std::cmp::Ordering;
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, Dir, FileType, statat};
use rustix::io::{Errno, retry_on_intr};

use super::query::{Order, Sort};
use crate::metadata::{Kind, Metadata};
use crate::outcome::Rules;
use crate::path::FilePath;
use crate::root::Root;

/// The entries of a folder: 32 bytes each, and all names in one buffer.
///
/// *Bounds*: [`MOST`] entries; of a folder with more there are those that the system gives first.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    names: Vec<u8>,
    items: Vec<Item>,
    is_cut: bool,
}

#[derive(Clone, Copy, Debug)]
struct Item {
    start: u32,
    len: u16,
    is_folder: bool,
    is_link: bool,
    size: u64,
    modified: i64,
}

/// One entry, borrowed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'e> {
    pub(super) name: &'e [u8],
    pub(super) is_folder: bool,
    pub(super) is_link: bool,
    pub(super) size: u64,
    pub(super) modified: i64,
}

/// Reads the entries that would be served: no hidden ones unless they are shown, no links that
/// leave the root, nothing but files and folders.
pub(super) fn read(
    root: &Root,
    rules: &Rules,
    folder: OwnedFd,
    path: &FilePath<'_>,
    search: &str,
) -> Result<Entries, Errno> {
    let search = search.to_lowercase();
    let mut entries = Entries::default();
    let mut stream = Dir::read_from(&folder)?;
    while let Some(entry) = stream.read() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." || !matches_search(name, &search) {
            continue;
        }
        if rules.hides_name(name, path.is_root()) {
            continue;
        }
        if entries.items.len() == MOST {
            entries.is_cut = true;
            break;
        }
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        // An entry that is gone since the folder was read is left out.
        let Ok(stat) = retry_on_intr(|| statat(&folder, entry.file_name(), flags)) else {
            continue;
        };
        let is_link = FileType::from_raw_mode(stat.st_mode) == FileType::Symlink;
        let metadata = if is_link {
            let target = root.open_below(&path.join(name)).and_then(Metadata::of);
            let Ok(metadata) = target else { continue };
            metadata
        } else {
            Metadata::from_stat(&stat)
        };
        entries.push(name, &metadata, is_link);
    }
    Ok(entries)
}

/// Whether a name contains what is searched for, which is in lower case.
fn matches_search(name: &[u8], search: &str) -> bool {
    search.is_empty() || String::from_utf8_lossy(name).to_lowercase().contains(search)
}

impl Entries {
    /// Entries that are known already, those of them that match a search.
    pub(crate) fn of<'n>(known: impl Iterator<Item = (&'n [u8], Metadata)>, search: &str) -> Self {
        let search = search.to_lowercase();
        let mut entries = Self::default();
        for (name, metadata) in known.filter(|(name, _)| matches_search(name, &search)) {
            if entries.items.len() == MOST {
                entries.is_cut = true;
                break;
            }
            entries.push(name, &metadata, false);
        }
        entries
    }

    fn push(&mut self, name: &[u8], metadata: &Metadata, is_link: bool) {
        let is_folder = match metadata.kind {
            Kind::File => false,
            Kind::Folder => true,
            Kind::Other => return,
        };
        let (Ok(start), Ok(len)) = (u32::try_from(self.names.len()), u16::try_from(name.len()))
        else {
            self.is_cut = true;
            return;
        };
        self.names.extend_from_slice(name);
        let (size, modified) = (metadata.size, metadata.modified.0);
        self.items.push(Item { start, len, is_folder, is_link, size, modified });
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there were more.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The memory that the entries take.
    pub(super) fn bytes(&self) -> usize {
        self.names.capacity() + self.items.capacity() * size_of::<Item>()
    }

    pub(super) fn get(&self, index: usize) -> Option<Entry<'_>> {
        self.items.get(index).map(|item| item.entry(&self.names))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Entry<'_>> {
        self.items.iter().map(|item| item.entry(&self.names))
    }

    /// Sorts: folders first, then as asked, and by name where that leaves a choice.
    pub(super) fn sort(&mut self, by: Sort, order: Order) {
        let names = &self.names;
        self.items.sort_unstable_by(|left, right| {
            let (left, right) = (left.entry(names), right.entry(names));
            let by_kind = right.is_folder.cmp(&left.is_folder);
            let asked = match by {
                Sort::Name => by_name(left.name, right.name),
                Sort::Size => left.size.cmp(&right.size),
                Sort::Time => left.modified.cmp(&right.modified),
            };
            let asked = match order {
                Order::Up => asked,
                Order::Down => asked.reverse(),
            };
            by_kind.then(asked).then_with(|| by_name(left.name, right.name))
        });
    }
}

impl Item {
    fn entry<'e>(&self, names: &'e [u8]) -> Entry<'e> {
        let start = self.start as usize;
        Entry {
            name: &names[start..start + usize::from(self.len)],
            is_folder: self.is_folder,
            is_link: self.is_link,
            size: self.size,
            modified: self.modified,
        }
    }
}

/// Without regard to ASCII case; names that differ in case only keep an order.
fn by_name(left: &[u8], right: &[u8]) -> Ordering {
    let folded = left.iter().map(u8::to_ascii_lowercase);
    folded.cmp(right.iter().map(u8::to_ascii_lowercase)).then_with(|| left.cmp(right))
}

/// Entries of one listing.
pub(super) const MOST: usize = 100_000;
