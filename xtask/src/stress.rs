//! `cargo xtask stress [NAME]`: what a server under pressure must still do. Each part prints what it
//! saw beside its bar, and the task fails if a bar is missed.

mod client;
mod crowd;
mod descriptors;
mod stop;

use crate::Outcome;
use crate::args::Args;
use crate::bench::contenders::{self, Contender, PROGRAM};

/// A part runs on a server and returns the bars that were missed.
type Part = fn(&Contender) -> Result<Vec<String>, String>;

const PARTS: &[(&str, Part)] =
    &[("crowd", crowd::run), ("stop", stop::run), ("descriptors", descriptors::run)];

pub(crate) fn run(args: &mut Args) -> Outcome {
    let server = args.value("--server")?.unwrap_or_else(|| PROGRAM.to_owned());
    let wanted = args.positional();
    args.finish()?;
    let names = || PARTS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let parts: Vec<_> = PARTS
        .iter()
        .filter(|(name, _)| wanted.as_ref().is_none_or(|wanted| wanted == name))
        .collect();
    if parts.is_empty() {
        return Err(format!("no part is called {:?}: {}", wanted.unwrap_or_default(), names()));
    }
    let servers = contenders::chosen(Some(&server))?;
    contenders::prepare(&servers)?;
    let mut misses = Vec::new();
    for server in &servers {
        for (name, part) in &parts {
            println!("\n== {name}: {}", server.name);
            misses.extend(part(server)?.into_iter().map(|miss| format!("{name}: {miss}")));
        }
    }
    for miss in &misses {
        println!("missed: {miss}");
    }
    if misses.is_empty() { Ok(()) } else { Err(format!("{} bars missed", misses.len())) }
}
