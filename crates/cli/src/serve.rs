//! `avocet serve`.

use std::io;
use std::path::PathBuf;

use avocet::files::Folder;
use avocet::server::{Response, respond};
use bytes::Bytes;
use clap::Args;

use crate::failure::Failure;
use crate::running::{Serving, announce};

/// Options of `serve`.
#[derive(Args)]
pub(crate) struct Serve {
    /// The folder to serve
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Answer every request with this text instead
    #[arg(long, value_name = "TEXT", conflicts_with = "folder")]
    text: Option<String>,
    #[command(flatten)]
    serving: Serving,
}

impl Serve {
    pub(crate) fn run(self, quiet: bool) -> Result<(), Failure> {
        if let Some(text) = self.text {
            let text = Bytes::from(text);
            let handler = respond(move |_| Response::text(text.clone()));
            let ready = |address: &_| announce(quiet, "Serving a text", address);
            return self.serving.run(handler, quiet, ready);
        }
        let name = self.folder.display();
        let refused = |error| unusable(&name, &error);
        let what = format!("Serving {}", self.folder.canonicalize().map_err(refused)?.display());
        let service = Folder::new(&self.folder).open().map_err(refused)?;
        self.serving.run(service, quiet, |address| announce(quiet, &what, address))
    }
}

/// Why a folder cannot be served.
fn unusable(name: impl std::fmt::Display, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::NotFound => Failure::usage(format!("{name}: no such folder")),
        io::ErrorKind::NotADirectory => Failure::usage(format!("{name}: not a folder")),
        io::ErrorKind::PermissionDenied => {
            Failure::failed(format!("{name}: no permission to enter this folder"))
        }
        _ => Failure::failed(format!("{name}: {error}")),
    }
}
