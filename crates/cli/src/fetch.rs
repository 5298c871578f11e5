//! `avocet fetch`: curl's letters with curl's meanings.

mod args;
mod caching;
mod content;
mod explain;
mod form;
mod plan;
mod reasons;
mod run;
mod sink;
mod trace;
mod write_out;

pub(crate) use args::Fetch;

use crate::failure::Failure;

impl Fetch {
    pub(crate) fn run(self, verbose: bool, quiet: bool) -> Result<(), Failure> {
        run::run(&self, verbose, quiet)
    }
}
