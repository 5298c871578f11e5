//! `--dev`: pages that reload when a file changes, and what else helps to work on them.

mod browser;
mod inject;
mod live;
mod qr;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;

use avocet::server::Handler;
use clap::Args;

pub(crate) use self::browser::open;
pub(crate) use self::qr::draw;

use self::live::{Live, LivePages};
use crate::failure::Failure;

/// Options for work on pages.
#[derive(Args)]
#[command(next_help_heading = "Work on pages")]
pub(super) struct Dev {
    /// Pages reload when a file changes: a script is put at their end, and nothing is compressed.
    /// The URL for others is shown as a QR code on a terminal
    #[arg(long, conflicts_with = "text")]
    pub(super) dev: bool,
    /// Open the page in the browser
    #[arg(long)]
    pub(super) open: bool,
}

/// What watches the folders and tells the pages.
#[derive(Clone)]
pub(super) struct Watching(Arc<Live>);

impl Watching {
    /// Watches folders from now on, as long as the program runs.
    ///
    /// *Errors*: none of them can be watched.
    pub(super) fn start(folders: Vec<PathBuf>) -> Result<Self, Failure> {
        let live = Arc::new(Live::default());
        watch::start(folders, live.clone())?;
        Ok(Self(live))
    }

    /// The handler with its pages listening.
    pub(super) fn around(&self, handler: Arc<dyn Handler>) -> Arc<dyn Handler> {
        Arc::new(LivePages::new(handler, self.0.clone()))
    }

    /// Ends what pages listen to: they would hold a server that stops.
    pub(super) fn stop(&self) {
        self.0.stop();
    }
}
