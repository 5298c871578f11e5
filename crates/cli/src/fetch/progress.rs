//! `-#`: how far a transfer has come, as a line that moves, on a terminal only.

use std::io::{self, IsTerminal};

use avocet::wire::OwnedResponseHead;
use http::header::CONTENT_LENGTH;
use indicatif::{ProgressBar, ProgressStyle};

use super::args::Fetch;
use super::sink::Sink;

/// The line of one transfer; none where nobody sees it, or where it would stand in the content.
#[derive(Default)]
pub(super) struct Progress(Option<ProgressBar>);

impl Progress {
    /// The line of a transfer whose content begins now.
    pub(super) fn begin(options: &Fetch, sink: &Sink, head: &OwnedResponseHead) -> Self {
        let seen = io::stderr().is_terminal() && !sink.is_on_terminal();
        if !options.progress_bar || options.parallel || !seen {
            return Self(None);
        }
        let length = head.fields().get(&CONTENT_LENGTH).and_then(|v| std::str::from_utf8(v).ok());
        let length = length.and_then(|length| length.parse::<u64>().ok());
        // What is decoded comes to more than what is sent.
        let bar = match length.filter(|_| !options.compressed) {
            Some(length) => ProgressBar::new(length).with_style(style(KNOWN)),
            None => ProgressBar::no_length().with_style(style(UNKNOWN)),
        };
        bar.tick();
        Self(Some(bar))
    }

    /// So many bytes have come.
    pub(super) fn at(&self, bytes: u64) {
        if let Some(bar) = &self.0 {
            bar.set_position(bytes);
        }
    }
}

impl Drop for Progress {
    /// The line stays as it is.
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.abandon();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template);
    style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("##-")
}

const KNOWN: &str = "[{wide_bar}] {percent:>3}% {bytes_per_sec}";
const UNKNOWN: &str = "{bytes} {bytes_per_sec}";
