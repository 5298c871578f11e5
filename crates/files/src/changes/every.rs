//! Every file below the root.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{AtFlags, Dir, FileType, Stat, statat};
use rustix::io::Errno;

use crate::root::Root;

/// Calls `each` for every regular file, with its folder, its name and its state. Links are not followed,
/// and folders that cannot be read are passed over.
///
/// *Blocking*: for as long as it takes to look at every file.
pub(crate) fn for_each_file(root: &Root, mut each: impl FnMut(BorrowedFd<'_>, &[u8], &Stat)) {
    let mut ahead: Vec<Vec<u8>> = vec![Vec::new()];
    while let Some(path) = ahead.pop() {
        if let Err(error) = in_folder(root, &path, &mut ahead, &mut each) {
            log::debug!("a folder cannot be read: {error}");
        }
    }
}

fn in_folder(
    root: &Root,
    path: &[u8],
    ahead: &mut Vec<Vec<u8>>,
    each: &mut impl FnMut(BorrowedFd<'_>, &[u8], &Stat),
) -> Result<(), Errno> {
    let folder = root.open_below(path)?;
    let mut stream = Dir::read_from(&folder)?;
    while let Some(entry) = stream.read() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        let Ok(stat) = statat(&folder, entry.file_name(), flags) else { continue };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => each(folder.as_fd(), name, &stat),
            FileType::Directory => {
                let slash = if path.is_empty() { &b""[..] } else { b"/" };
                ahead.push([path, slash, name].concat());
            }
            _ => {}
        }
    }
    Ok(())
}
