//! `cargo xtask ci`: every check, cheapest first, each one run whatever became of those before it.

use std::time::{Duration, Instant};

use crate::args::Args;
use crate::deny::Advisories;
use crate::{Outcome, conformance, deny, deps, interop, lint, test, tidy, tools};

/// The whole run has to end within this on a machine of two cores, tools and all.
const BUDGET: Duration = Duration::from_secs(30 * 60);

enum Verdict {
    Passed,
    Failed(String),
    NotChecked(String),
}

pub(crate) fn run(args: &mut Args) -> Outcome {
    let required = args.flag("--require-advisories");
    args.finish()?;
    let none = || Args::new(Vec::new());
    let start = Instant::now();
    let mut done = Vec::new();
    let mut check = |name: &'static str, verdict: &dyn Fn() -> Verdict| {
        println!("\n== {name}");
        let begun = Instant::now();
        done.push((name, verdict(), begun.elapsed()));
    };
    check("toolchain", &|| plain(tools::components()));
    check("format", &|| plain(lint::format()));
    check("tidy", &|| plain(tidy::run(&mut none())));
    check("deps", &|| plain(deps::run(&mut none())));
    check("clippy", &|| plain(lint::clippy()));
    check("documentation", &|| plain(lint::documentation()));
    check("test", &|| plain(test::run(&mut none())));
    check("conformance", &|| plain(conformance::run(&mut none())));
    check("interop", &|| plain(interop::run(&mut none())));
    check("licences, bans, sources", &|| plain(deny::rules()));
    check("advisories", &|| match deny::advisories(required) {
        Ok(Advisories::Clean) => Verdict::Passed,
        Ok(Advisories::NotChecked(reason)) => Verdict::NotChecked(reason),
        Err(reason) => Verdict::Failed(reason),
    });
    println!("\n== summary");
    for (name, verdict, took) in &done {
        let (word, reason) = match verdict {
            Verdict::Passed => ("passed", ""),
            Verdict::Failed(reason) => ("FAILED", reason.as_str()),
            Verdict::NotChecked(reason) => ("NOT CHECKED", reason.as_str()),
        };
        println!("{name:24} {:>4} s  {word:11}  {reason}", took.as_secs());
    }
    let failed = done.iter().filter(|(_, verdict, _)| matches!(verdict, Verdict::Failed(_)));
    let names: Vec<&str> = failed.map(|(name, ..)| *name).collect();
    if !names.is_empty() {
        return Err(format!("failed: {}", names.join(", ")));
    }
    if start.elapsed() > BUDGET {
        return Err(format!("took {} s, more than the budget", start.elapsed().as_secs()));
    }
    Ok(())
}

fn plain(outcome: Outcome) -> Verdict {
    match outcome {
        Ok(()) => Verdict::Passed,
        Err(reason) => Verdict::Failed(reason),
    }
}
