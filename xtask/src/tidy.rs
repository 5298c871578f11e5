//! `cargo xtask tidy`: the house rules that no compiler checks.

mod dependencies;
mod rules;
mod tree;

use crate::args::Args;
use crate::{Outcome, shell};

pub(crate) fn run(args: &mut Args) -> Outcome {
    args.finish()?;
    let files = tree::files(shell::root())?;
    let mut faults = Vec::new();
    for file in &files {
        rules::check(file, &mut faults);
    }
    rules::check_presence(&files, &mut faults);
    dependencies::check(&files, &mut faults);
    for fault in &faults {
        println!("{fault}");
    }
    if faults.is_empty() {
        println!("{} files are tidy", files.len());
        return Ok(());
    }
    Err(format!("{} faults in {} files", faults.len(), files.len()))
}
