//! What a person sees of downloads: lines that move, on a terminal only, and what has become of them.

use std::io::{self, IsTerminal};
use std::sync::Mutex;
use std::time::Duration;

use avocet::client::{Downloaded, Progress};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::failure::Failure;
use crate::output;

/// The lines of all files and of their total, on standard error.
pub(super) struct Shown {
    quiet: bool,
    several: bool,
    lines: MultiProgress,
    total: ProgressBar,
    /// Whole lines of several threads do not mix.
    printing: Mutex<()>,
}

/// The line of one file.
pub(super) struct Line<'a> {
    shown: &'a Shown,
    bar: ProgressBar,
    /// What of the total is this file's: its bytes that are there, and its size.
    counted: u64,
    size: u64,
}

impl Shown {
    pub(super) fn new(quiet: bool, files: usize) -> Self {
        let seen = !quiet && io::stderr().is_terminal();
        let place = if seen { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let lines = MultiProgress::with_draw_target(place);
        let several = files > 1;
        let total = ProgressBar::new(0).with_style(style(TOTAL)).with_prefix("total");
        let total = if several { lines.add(total) } else { total };
        Self { quiet, several, lines, total, printing: Mutex::new(()) }
    }

    /// A line for a file, which is shown from now on.
    pub(super) fn line(&self, name: &str) -> Line<'_> {
        let bar = ProgressBar::no_length().with_style(style(UNKNOWN)).with_prefix(short(name));
        let bar = match self.several {
            true => self.lines.insert_before(&self.total, bar),
            false => self.lines.add(bar),
        };
        bar.enable_steady_tick(Duration::from_millis(250));
        Line { shown: self, bar, counted: 0, size: 0 }
    }

    /// Does what prints, with the lines out of the way.
    pub(super) fn aside<R>(&self, print: impl FnOnce() -> R) -> R {
        let _one = self.printing.lock();
        self.lines.suspend(print)
    }

    /// Tells what has become of a file.
    pub(super) fn done(&self, done: &Downloaded) -> Result<(), Failure> {
        if self.quiet {
            return Ok(());
        }
        let path = done.path.strip_prefix(".").unwrap_or(&done.path).display();
        self.aside(|| match (done.was_there, self.several) {
            (true, false) => output::answer("File already downloaded!"),
            (true, true) => output::answer(format_args!("{path}: File already downloaded!")),
            (false, _) => output::answer(format_args!("{path}: {} bytes", done.size)),
        })
    }

    /// Takes the lines away.
    pub(super) fn end(&self) {
        self.total.finish_and_clear();
    }
}

impl Line<'_> {
    pub(super) fn take(&mut self, progress: Progress) {
        match progress {
            Progress::Begun { path, size, resumed } => {
                if let Some(name) = path.file_name() {
                    self.bar.set_prefix(short(&name.to_string_lossy()));
                }
                if let Some(size) = size {
                    self.bar.set_style(style(KNOWN));
                    self.bar.set_length(size);
                    // A file that is begun anew counts once.
                    self.shown.total.inc_length(size.saturating_sub(self.size));
                    self.size = self.size.max(size);
                }
                self.bar.set_position(resumed);
                // What was there already says nothing about the speed.
                self.bar.reset_eta();
                self.count(resumed);
            }
            Progress::Bytes(present) => {
                self.bar.set_position(present);
                self.count(present);
            }
            Progress::Restarted => {
                log::info!("what was there is of another version and is fetched again");
                self.bar.set_position(0);
            }
            Progress::Failed { url, reason, pause } => {
                // The reason names the place where it knows one.
                let again = format!("trying again in {:.1} s", pause.as_secs_f64());
                let said = match reason.contains(url.as_str()) {
                    true => format!("{reason}; {again}"),
                    false => format!("{url}: {reason}; {again}"),
                };
                if !self.shown.quiet {
                    self.shown.aside(|| output::error(&said));
                }
            }
            _ => {}
        }
    }

    fn count(&mut self, present: u64) {
        self.shown.total.inc(present.saturating_sub(self.counted));
        self.counted = self.counted.max(present);
    }

    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// A name for the beginning of a line, without what a terminal would obey.
fn short(name: &str) -> String {
    let name = output::printable(name).replace(['\n', '\t'], " ");
    match name.char_indices().nth(WIDEST) {
        Some((end, _)) => format!("{}\u{2026}", &name[..end]),
        None => name,
    }
}

fn style(template: &str) -> ProgressStyle {
    let plain = ProgressStyle::default_bar;
    plain().template(template).unwrap_or_else(|_| plain()).progress_chars("=> ")
}

const KNOWN: &str =
    "{prefix:24} [{bar:24}] {percent:>3}% {bytes}/{total_bytes} {bytes_per_sec} {eta} left";
const UNKNOWN: &str = "{prefix:24} {bytes} {bytes_per_sec} {elapsed}";
const TOTAL: &str = "{prefix:24} [{bar:24}] {bytes}/{total_bytes} {bytes_per_sec} {eta} left";
const WIDEST: usize = 23;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_harmless() {
        assert_eq!(short("a\x1b[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(short(&"\u{e9}".repeat(40)).chars().count(), WIDEST + 1);
    }

    #[test]
    fn the_templates_are_understood() {
        for template in [KNOWN, UNKNOWN, TOTAL] {
            assert!(ProgressStyle::default_bar().template(template).is_ok(), "{template}");
        }
    }
}
