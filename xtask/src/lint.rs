//! `cargo xtask lint`: what the compiler's own tools have to say.

use crate::args::Args;
use crate::{Outcome, features, shell};

pub(crate) fn run(args: &mut Args) -> Outcome {
    let fix = args.flag("--fix");
    args.finish()?;
    if fix {
        shell::run(shell::cargo().args(["fmt", "--all"]))?;
    }
    format()?;
    clippy()?;
    documentation()
}

pub(crate) fn format() -> Outcome {
    shell::run(shell::cargo().args(["fmt", "--all", "--check"]))
}

pub(crate) fn clippy() -> Outcome {
    shell::run(
        shell::cargo()
            .args(["clippy", "--workspace", "--all-targets"])
            .args(["--features", &features::of_workspace()?])
            .args(["--", "-D", "warnings"]),
    )
}

pub(crate) fn documentation() -> Outcome {
    shell::run(
        shell::cargo()
            .args(["doc", "--workspace", "--no-deps", "--features", &features::of_workspace()?])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )
}
