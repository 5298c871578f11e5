//! `avocet fetch`: curl's letters with curl's meanings.

mod args;
mod caching;
mod content;
mod dry;
mod expand;
mod explain;
mod fields;
mod form;
mod har;
mod json;
mod login;
mod plan;
mod reasons;
mod referer;
mod run;
mod sink;
mod trace;
mod way;
mod write_out;

pub(crate) use args::Fetch;
pub(crate) use expand::{groups, with_files};

use std::ops::Range;

use url::Url;

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
            self.urls.push(format!("http://{host}/{}", self.path.trim_start_matches('/')));
        }
        self.urls.append(&mut self.url);
        if self.urls.is_empty() {
            return Err(Failure::usage("there is no URL"));
        }
        let parts = self.parts(settings)?;
        run::run(&self, &parts, verbose, quiet)
    }

    /// URLs in a row for whose hosts the same is set, each row with its options.
    fn parts(&self, settings: &Settings) -> Result<Vec<Self>, Failure> {
        let section = |url: &String| {
            let url = Url::parse(&with_scheme(url)).ok()?;
            settings.section_of_url(&url)
        };
        let mut parts = Vec::new();
        let mut from = 0;
        while let Some(first) = self.urls.get(from) {
            let holds = section(first);
            let rest = &self.urls[from..];
            let count = rest.iter().position(|url| section(url) != holds).unwrap_or(rest.len());
            parts.push(self.part(settings, holds, from..from + count)?);
            from += count;
        }
        Ok(parts)
    }

    fn part(
        &self,
        settings: &Settings,
        section: Option<&Section>,
        range: Range<usize>,
    ) -> Result<Self, Failure> {
        let mut part = match section {
            Some(section) => settings.parse::<Self>(Some(section))?,
            None => self.clone(),
        };
        // What is about the call as a whole no host can change.
        let end = range.end.min(self.output.len());
        part.output = self.output[range.start.min(end)..end].to_vec();
        part.urls = self.urls[range].to_vec();
        for login in [&mut part.user, &mut part.proxy_user].into_iter().flatten() {
            *login = password::complete(login)?;
        }
        Ok(part)
    }
}
