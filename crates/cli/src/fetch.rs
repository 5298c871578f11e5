//! `avocet fetch`: curl's letters with curl's meanings.

mod args;
mod caching;
mod content;
mod expand;
mod explain;
mod form;
mod har;
mod plan;
mod reasons;
mod run;
mod sink;
mod trace;
mod way;
mod write_out;

pub(crate) use args::Fetch;
pub(crate) use expand::{groups, with_files};

use crate::failure::Failure;

impl Fetch {
    pub(crate) fn run(mut self, verbose: bool, quiet: bool) -> Result<(), Failure> {
        if let Some(host) = &self.host {
            self.urls.push(format!("http://{host}/{}", self.path.trim_start_matches('/')));
        }
        if self.urls.is_empty() {
            return Err(Failure::usage("there is no URL"));
        }
        run::run(&self, verbose, quiet)
    }
}
