//! `cargo xtask bench [NAME]`: the criterion benches, with baselines to compare with, and `server`,
//! which measures whole servers.

pub(crate) mod contenders;
mod counts;
mod debian;
pub(crate) mod load;
pub(crate) mod process;
mod server;
mod syscalls;
mod table;

use crate::args::Args;
use crate::{Outcome, shell};

pub(crate) fn run(args: &mut Args) -> Outcome {
    let name = args.positional();
    if name.as_deref() == Some("server") {
        return server::run(args);
    }
    let save = args.value("--save")?;
    let compare = args.value("--compare")?;
    args.finish()?;
    let mut command = shell::cargo();
    command.args(["bench", "--package", "avocet-benches"]);
    match &name {
        Some(name) => command.args(["--bench", name]),
        None => command.arg("--benches"),
    };
    match (save, compare) {
        (Some(_), Some(_)) => return Err("--save and --compare exclude each other".to_owned()),
        (Some(baseline), None) => command.args(["--", "--save-baseline", &baseline]),
        (None, Some(baseline)) => command.args(["--", "--baseline", &baseline]),
        (None, None) => &mut command,
    };
    shell::run(&mut command)
}
