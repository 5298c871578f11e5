//! `avocet serve`.

use avocet::server::{Response, respond};
use bytes::Bytes;
use clap::Args;

use crate::failure::Failure;
use crate::running::{Serving, announce};

/// Options of `serve`.
#[derive(Args)]
pub(crate) struct Serve {
    /// Answer every request with this text
    #[arg(long, value_name = "TEXT")]
    text: String,
    #[command(flatten)]
    serving: Serving,
}

impl Serve {
    pub(crate) fn run(self, quiet: bool) -> Result<(), Failure> {
        let text = Bytes::from(self.text);
        let handler = respond(move |_| Response::text(text.clone()));
        self.serving.run(handler, quiet, |address| announce(quiet, "Serving a text", address))
    }
}
