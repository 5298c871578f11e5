//! `avocet download`: files to the disk, resumed, split, checked, from several mirrors.

mod job;
mod shown;

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use avocet::client::{Config, DownloadError, Split};
use clap::Args;
use http::header::USER_AGENT;

use self::job::Job;
use self::shown::Shown;
use crate::amount;
use crate::exit;
use crate::failure::Failure;
use crate::output;
use crate::secure::Secure;
use crate::settings::Settings;
use crate::target::{self, AGENT};

/// Download files: resumed where an earlier run stopped, whole or not at all
#[derive(Args)]
#[command(after_help = "What has come lies in FILE.part until all is there. \
    Exit status: 0 done, 1 wrong checksum, 2 usage, 6 host not found, 7 no connection, 22 HTTP \
    error, 23 cannot write, 28 time-out, 52 no answer, 56 broken answer")]
pub(crate) struct Download {
    /// URL of a file; http:// is assumed without a scheme
    #[arg(value_name = "URL", required_unless_present = "input")]
    urls: Vec<String>,
    /// Take URLs from the lines of FILE, or of standard input for `-`; empty lines and those that
    /// begin with # are left out
    #[arg(short, long, value_name = "FILE", conflicts_with = "output")]
    input: Option<PathBuf>,
    /// Folder for the files
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Name of the file, in the folder; by default what the server suggests, or the URL's last part
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Tries per mirror without any progress between them
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    tries: u32,
    /// One more place of the same file, asked when those before it have failed; any number of times
    #[arg(long, value_name = "URL")]
    mirror: Vec<String>,
    /// All URLs are places of one file
    #[arg(long)]
    mirrors: bool,
    /// Connections per file, at most 16; `auto` takes several for large files
    #[arg(long, value_name = "N|auto", default_value = "auto", value_parser = split)]
    split: Split,
    /// What the file must be: sha-256=HEX, sha-512=HEX, or a list as sha256sum writes it
    #[arg(long, value_name = "CHECKSUM|FILE")]
    checksum: Option<String>,
    /// Files at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    parallel: u16,
    /// Fetch a file again unless size and date are those that the server says, also if it is newer
    #[arg(long)]
    sync: bool,
    /// Bytes per second for all files together, as 500k or 2M
    #[arg(long, value_name = "RATE", value_parser = amount::parse)]
    limit_rate: Option<NonZeroU64>,
    #[command(flatten)]
    secure: Secure,
}

impl Download {
    pub(crate) fn run(self, settings: &Settings, quiet: bool) -> Result<(), Failure> {
        let jobs = job::jobs(&self, settings)?;
        std::fs::create_dir_all(&self.dir).map_err(|error| {
            let folder = self.dir.display();
            Failure::with_status(23, format_args!("{folder}: {error}"))
        })?;
        let shown = Shown::new(quiet, jobs.len());
        let (next, failed) = (AtomicUsize::new(0), Mutex::new(None));
        let work = || {
            while let Some((index, job)) = take(&next, &jobs) {
                if let Err(failure) = one(job, &shown) {
                    shown.aside(|| output::error(&failure));
                    let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                    // Of several failures the last file's is that of the call, whatever came last.
                    if failed.as_ref().is_none_or(|(earlier, _)| *earlier < index) {
                        *failed = Some((index, failure.told()));
                    }
                }
            }
        };
        thread::scope(|scope| {
            for _ in 1..usize::from(self.parallel).min(jobs.len()) {
                scope.spawn(work);
            }
            work();
        });
        shown.end();
        match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some((_, failure)) => Err(failure),
            None => Ok(()),
        }
    }
}

impl Download {
    /// The settings of the client.
    fn config(&self) -> Result<Config, Failure> {
        let mut config = Config::default();
        config.proxies = target::proxies()?;
        self.secure.set(&mut config)?;
        config.fields.push(&USER_AGENT, AGENT).map_err(Failure::failed)?;
        Ok(config)
    }
}

fn take<'a>(next: &AtomicUsize, jobs: &'a [Job]) -> Option<(usize, &'a Job)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    jobs.get(index).map(|job| (index, job))
}

fn one(job: &Job, shown: &Shown) -> Result<(), Failure> {
    let mut line = shown.line(&job.name);
    let result = job.download.run(job.config.clone(), &mut |progress| line.take(progress));
    line.end();
    match result {
        Ok(done) => shown.done(&done),
        Err(error) => Err(Failure::with_status(status(&error), error)),
    }
}

/// The exit status of a failed download.
fn status(error: &DownloadError) -> u8 {
    match error {
        DownloadError::Transfer(error) => exit::status(error),
        DownloadError::Status { .. } => 22,
        DownloadError::File { .. } | DownloadError::Busy { .. } => 23,
        DownloadError::Nameless(_) => 2,
        DownloadError::Answer { .. } => 56,
        _ => 1,
    }
}

fn split(text: &str) -> Result<Split, String> {
    if text == "auto" {
        return Ok(Split::Auto);
    }
    match text.parse() {
        Ok(count @ 1..=16) => Ok(Split::Into(count)),
        _ => Err("neither auto nor a number from 1 to 16".to_owned()),
    }
}
