//! `avocet serve`.

mod changing;
mod files;
mod guarding;
mod hosts;
mod rules;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use avocet::files::Folder;
use avocet::server::{Handler, Response, respond};
use bytes::Bytes;
use clap::Args;

use self::changing::Changing;
use self::files::Files;
use self::guarding::Guarding;
use self::hosts::Hosts;
use self::rules::Rules;
use crate::failure::Failure;
use crate::running::{Again, Service, Serving};
use crate::settings::Settings;

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
    rules: Rules,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    changing: Changing,
    #[command(flatten)]
    guarding: Guarding,
    #[command(flatten)]
    serving: Serving,
}

/// A handler and what a person calls it.
struct Site {
    what: String,
    handler: Arc<dyn Handler>,
}

impl Serve {
    pub(crate) fn run(self, settings: &Settings, quiet: bool) -> Result<(), Failure> {
        if self.guarding.act()? {
            return Ok(());
        }
        let Self { folder, text, rules, files, changing, guarding, serving } = self;
        let site = Site::open(folder, text, rules, files, changing, guarding)?;
        let what = site.what.clone();
        let handler = Hosts::around(site, settings)?;
        let again = settings.has_file().then(|| again(settings.clone()));
        serving.run(Service { what, handler, again }, quiet)
    }

    fn site(self) -> Result<Site, Failure> {
        let Self { folder, text, rules, files, changing, guarding, .. } = self;
        Site::open(folder, text, rules, files, changing, guarding)
    }
}

/// Reads the settings anew. Where the server listens and what it logs stay as they were.
fn again(settings: Settings) -> Again {
    Box::new(move || {
        let settings = settings.again()?;
        let serve: Serve = settings.parse(None)?;
        Hosts::around(serve.site()?, &settings)
    })
}

impl Site {
    fn open(
        folder: PathBuf,
        text: Option<String>,
        rules: Rules,
        files: Files,
        changing: Changing,
        guarding: Guarding,
    ) -> Result<Self, Failure> {
        if let Some(text) = text {
            if guarding.is_set() {
                let why = "--auth, --sign-key and --limit-rate are for folders, not for --text";
                return Err(Failure::usage(why));
            }
            let text = Bytes::from(text);
            let handler = Arc::new(respond(move |_| Response::text(text.clone())));
            return Ok(Self { what: "Serving a text".to_owned(), handler: rules.around(handler)? });
        }
        let name = folder.display();
        let refused = |error| unusable(&name, &error);
        let what = format!("Serving {}", folder.canonicalize().map_err(refused)?.display());
        let service = guarding.set(Folder::new(&folder).changes(changing.changes()))?;
        let service = files.set(service);
        let handler = Arc::new(service.open().map_err(refused)?);
        Ok(Self { what, handler: rules.around(handler)? })
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
