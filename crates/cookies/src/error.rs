//! What goes wrong with files.

use std::{
    borrow::Cow,
    fmt, io,
    path::{Path, PathBuf},
};

/// A file of cookies could not be read or written. The file is as it was before.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    path: Option<PathBuf>,
    detail: Cow<'static, str>,
    source: Option<io::Error>,
}

/// The classes of [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is no such file.
    NotFound,
    /// The system refused to read or write.
    Io,
    /// It is a folder, a device or another thing that cannot be replaced by a file.
    NotRegular,
    /// It is larger, or holds more cookies, than is read.
    TooLarge,
    /// It is no file of cookies in any known format.
    Foreign,
    /// Another process held its lock for too long, or a browser is writing it.
    Busy,
    /// It is damaged.
    Damaged,
    /// This build or system cannot do it.
    Unsupported,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, path: None, detail: detail.into(), source: None }
    }

    pub(crate) fn io(source: io::Error, doing: &'static str) -> Self {
        let kind = match source.kind() {
            io::ErrorKind::NotFound => ErrorKind::NotFound,
            _ => ErrorKind::Io,
        };
        Self { kind, path: None, detail: doing.into(), source: Some(source) }
    }

    /// The same naming `path`, unless it names one.
    pub(crate) fn at(mut self, path: &Path) -> Self {
        self.path.get_or_insert_with(|| path.to_owned());
        self
    }

    /// The class.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The file, where one is involved.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{}: ", path.display())?;
        }
        f.write_str(&self.detail)?;
        if let Some(source) = &self.source {
            write!(f, ": {source}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
