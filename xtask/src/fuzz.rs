//! `cargo xtask fuzz TARGET [--secs N]`: cargo-fuzz on the nightly toolchain.

use std::process::Command;

use crate::args::Args;
use crate::tools::CARGO_FUZZ;
use crate::{Outcome, shell};

pub(crate) fn run(args: &mut Args) -> Outcome {
    let secs = args.number("--secs", 60)?;
    let target = args.positional();
    args.finish()?;
    let targets = targets()?;
    let Some(target) = target else {
        println!("targets: {}", targets.join(", "));
        return Ok(());
    };
    if !targets.contains(&target) {
        return Err(format!("no fuzz target is called {target:?}: {}", targets.join(", ")));
    }
    let program = CARGO_FUZZ.path()?;
    ensure_nightly()?;
    // cargo-fuzz asks the `cargo` in its path for the build, so the toolchain is chosen there.
    shell::run(
        Command::new("rustup")
            .args(["run", "nightly"])
            .arg(program)
            .args(["fuzz", "run", &target, "--", &format!("-max_total_time={secs}")])
            .env_remove("CARGO")
            .env_remove("RUSTUP_TOOLCHAIN"),
    )
}

fn ensure_nightly() -> Outcome {
    let there = Command::new("rustup")
        .args(["run", "nightly", "rustc", "--version"])
        .output()
        .is_ok_and(|output| output.status.success());
    if there {
        return Ok(());
    }
    println!("the nightly toolchain, which sanitizers need, is missing here and is installed");
    shell::run(Command::new("rustup").args([
        "toolchain",
        "install",
        "nightly",
        "--profile",
        "minimal",
    ]))
}

/// The files of `fuzz/fuzz_targets`, without their ending.
fn targets() -> Result<Vec<String>, String> {
    let folder = shell::root().join("fuzz/fuzz_targets");
    let entries = std::fs::read_dir(&folder)
        .map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter_map(|path| path.file_stem()?.to_str().map(str::to_owned))
        .collect();
    names.sort();
    Ok(names)
}
