//! `cargo xtask lint`: what the compiler's own tools have to say.

use crate::args::Args;
use crate::{Outcome, shell};

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
    shell::run(shell::cargo().args([
        "clippy",
        "--workspace",
        "--all-features",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))
}

pub(crate) fn documentation() -> Outcome {
    shell::run(
        shell::cargo()
            .args(["doc", "--workspace", "--all-features", "--no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )
}
