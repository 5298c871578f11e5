//! One site: a folder, or a text.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use avocet::files::Folder;
use avocet::server::{Handler, Response, respond};
use bytes::Bytes;
use clap::Args;

use super::changing::Changing;
use super::dev::Dev;
use super::files::Files;
use super::guarding::Guarding;
use super::rules::Rules;
use crate::failure::Failure;

/// Options about what is served; a virtual host has its own.
#[derive(Args)]
pub(super) struct SiteOptions {
    /// The folder to serve
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Answer every request with this text instead
    #[arg(long, value_name = "TEXT", conflicts_with = "folder")]
    text: Option<String>,
    /// Serve what is in this zip instead, without unpacking it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["folder", "text"])]
    archive: Option<PathBuf>,
    #[command(flatten)]
    rules: Rules,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    pub(super) changing: Changing,
    #[command(flatten)]
    pub(super) guarding: Guarding,
}

/// A handler and what a person calls it.
pub(super) struct Site {
    pub(super) what: String,
    pub(super) handler: Arc<dyn Handler>,
    pub(super) folder: Option<PathBuf>,
}

impl SiteOptions {
    /// *Errors*: what cannot be served.
    pub(super) fn open(mut self, dev: &Dev) -> Result<Site, Failure> {
        if let Some(text) = self.text {
            if self.guarding.is_set() {
                let why = "--auth, --sign-key and --limit-rate are for folders, not for --text";
                return Err(Failure::usage(why));
            }
            let text = Bytes::from(text);
            let handler = Arc::new(respond(move |_| Response::text(text.clone())));
            let (what, handler) = ("Serving a text".to_owned(), self.rules.around(handler)?);
            return Ok(Site { what, handler, folder: None });
        }
        if dev.dev {
            self.files.as_they_are();
        }
        if let Some(path) = &self.archive {
            let folder = Folder::new(path).changes(self.changing.changes());
            let service = self.files.set(self.guarding.set(folder)?);
            let refused = |error: io::Error| match error.kind() {
                io::ErrorKind::NotFound => {
                    Failure::usage(format!("{}: no such file", path.display()))
                }
                _ => unusable(path.display(), &error),
            };
            let handler = Arc::new(service.open_archive().map_err(refused)?);
            let what = format!("Serving what is in {}", path.display());
            return Ok(Site { what, handler: self.rules.around(handler)?, folder: None });
        }
        let name = self.folder.display();
        let refused = |error| unusable(&name, &error);
        let real = self.folder.canonicalize().map_err(refused)?;
        let folder = Folder::new(&self.folder).changes(self.changing.changes());
        let service = self.files.set(self.guarding.set(folder)?);
        let handler = Arc::new(service.open().map_err(refused)?);
        let what = format!("Serving {}", real.display());
        Ok(Site { what, handler: self.rules.around(handler)?, folder: Some(real) })
    }
}

/// Why a folder cannot be served.
fn unusable(name: impl fmt::Display, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::NotFound => Failure::usage(format!("{name}: no such folder")),
        io::ErrorKind::NotADirectory => Failure::usage(format!("{name}: not a folder")),
        io::ErrorKind::PermissionDenied => {
            Failure::failed(format!("{name}: no permission to enter this folder"))
        }
        io::ErrorKind::InvalidInput => Failure::usage(error),
        _ => Failure::failed(format!("{name}: {error}")),
    }
}
