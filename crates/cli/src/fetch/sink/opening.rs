//! How a file is opened that content goes to.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::cannot_write;
use crate::failure::Failure;
use crate::fetch::args::Files;

/// What the options say about opening files.
pub(super) struct How {
    clobber: Option<Clobber>,
    create_dirs: bool,
}

/// What happens to a file that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clobber {
    /// It is written over.
    Over,
    /// It stays, and that is an error.
    Refused,
    /// It stays, and the name gets a number.
    Numbered,
}

impl How {
    pub(super) fn of(files: &Files) -> Self {
        let clobber = match (files.clobber, files.no_clobber) {
            (_, true) => Some(Clobber::Numbered),
            (true, _) => Some(Clobber::Over),
            _ => None,
        };
        Self { clobber, create_dirs: files.create_dirs }
    }

    /// What holds unless the options say otherwise.
    pub(super) fn found(&mut self, clobber: Clobber) {
        self.clobber.get_or_insert(clobber);
    }

    /// Opens the file and tells its name. What was in it goes if it is to be written anew.
    ///
    /// *Errors*: it is there and must not be touched; it cannot be made.
    pub(super) fn open(&self, path: &Path, anew: bool) -> Result<(File, PathBuf), Failure> {
        if self.create_dirs
            && let Some(folder) = path.parent()
        {
            std::fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
        }
        let clobber = self.clobber.unwrap_or(Clobber::Over);
        let open = |path: &Path| {
            let mut choose = OpenOptions::new();
            choose.write(true).create(true).truncate(anew && clobber == Clobber::Over);
            choose.create_new(clobber != Clobber::Over).open(path)
        };
        let first = match open(path) {
            Ok(file) => return Ok((file, path.to_owned())),
            Err(error) => error,
        };
        if clobber != Clobber::Numbered || first.kind() != io::ErrorKind::AlreadyExists {
            return Err(cannot_write(path, &first));
        }
        for number in 1..=MOST_NUMBERS {
            let mut name = path.as_os_str().to_owned();
            name.push(format!(".{number}"));
            let name = PathBuf::from(name);
            match open(&name) {
                Ok(file) => return Ok((file, name)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(cannot_write(&name, &error)),
            }
        }
        let message = format!("cannot write {}: it is there, .1 to .100 too", path.display());
        Err(Failure::with_status(23, message))
    }
}

/// The largest number that a name gets, which is curl's.
const MOST_NUMBERS: u32 = 100;
