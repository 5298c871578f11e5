//! `avocet fetch`: curl's letters with curl's meanings.

mod again;
mod args;
mod caching;
mod content;
mod cookie_heads;
mod dry;
mod expand;
mod explain;
mod fields;
mod form;
mod given;
mod glob;
mod har;
mod json;
mod login;
mod plan;
mod progress;
mod protocols;
mod reasons;
mod referer;
mod run;
mod sink;
mod targets;
mod trace;
mod way;
mod wishes;
mod write_out;

pub(crate) use args::Fetch;
pub(crate) use expand::{groups, with_files};

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::iter::Peekable;
use std::path::Path;

use url::Url;

use self::args::Placed;
use self::content::Prepared;
use self::targets::{Target, Targets};
use crate::failure::Failure;
use crate::password;
use crate::settings::{Section, Settings};
use crate::target::with_scheme;

impl Fetch {
    pub(crate) fn run(
        mut self,
        settings: &Settings,
        verbose: bool,
        quiet: bool,
    ) -> Result<(), Failure> {
        if let Some(host) = &self.host {
            let url = format!("http://{host}/{}", self.path.trim_start_matches('/'));
            self.urls.push(Placed { place: 0, value: url });
        }
        if self.urls.is_empty() && self.url.is_empty() {
            return Err(Failure::usage("there is no URL"));
        }
        if let Some(path) = &self.stderr {
            redirect_messages(path)?;
        }
        let targets = Targets::new(&self)?.peekable();
        let mut parts = Parts { call: &self, settings, targets, known: HashMap::new() };
        run::run(&self, &mut parts, verbose, quiet)
    }

    /// The options that hold for the hosts of a section.
    fn part(&self, settings: &Settings, section: Option<&Section>) -> Result<Self, Failure> {
        let mut part = match section {
            Some(section) => settings.parse::<Self>(Some(section))?,
            None => self.clone(),
        };
        for login in [&mut part.user, &mut part.way.proxy_user].into_iter().flatten() {
            *login = password::complete(login)?;
        }
        Ok(part)
    }
}

/// The URLs of a call, parted where other options begin to hold.
struct Parts<'a> {
    call: &'a Fetch,
    settings: &'a Settings,
    targets: Peekable<Targets>,
    known: HashMap<Option<&'a Section>, Part>,
}

/// What holds for some hosts.
struct Part {
    options: Fetch,
    prepared: Prepared,
}

/// URLs in a row for which the same holds.
struct Row<'p, 'a> {
    part: &'p Part,
    section: Option<&'a Section>,
    settings: &'a Settings,
    targets: &'p mut Peekable<Targets>,
}

impl<'a> Parts<'a> {
    /// The first URL of the call, as long as none had its turn.
    fn first_url(&mut self) -> Option<Url> {
        Url::parse(&self.targets.peek()?.url).ok()
    }

    /// The next row; `None` when all URLs had their turn.
    ///
    /// *Errors*: options that cannot be meant, files that cannot be read.
    fn next_row(&mut self) -> Result<Option<Row<'_, 'a>>, Failure> {
        let (call, settings) = (self.call, self.settings);
        let Some(target) = self.targets.peek() else { return Ok(None) };
        let section = section(settings, target);
        let part = match self.known.entry(section) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let options = call.part(settings, section)?;
                let prepared = Prepared::new(&options)?;
                entry.insert(Part { options, prepared })
            }
        };
        Ok(Some(Row { part, section, settings, targets: &mut self.targets }))
    }
}

impl Row<'_, '_> {
    /// Whether there are more.
    fn has_more(&mut self) -> bool {
        self.targets.peek().is_some_and(|target| section(self.settings, target) == self.section)
    }

    fn next_target(&mut self) -> Option<Target> {
        self.targets.next_if(|target| section(self.settings, target) == self.section)
    }
}

fn section<'a>(settings: &'a Settings, target: &Target) -> Option<&'a Section> {
    settings.section_of_url(&Url::parse(&with_scheme(&target.url)).ok()?)
}

/// Messages of the whole program go to a file, or for `-` to standard output.
///
/// *Errors*: it cannot be made.
fn redirect_messages(path: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::with_status(23, format_args!("cannot write {}: {error}", path.display()))
    };
    let turned = match path.as_os_str() == "-" {
        true => rustix::stdio::dup2_stderr(std::io::stdout()),
        false => rustix::stdio::dup2_stderr(File::create(path).map_err(failed)?),
    };
    turned.map_err(|error| failed(error.into()))
}
